/** What a share of simulated runs says about the probability behind it. */
import { lgamma } from '../statistics/index.ts';

/** P(X <= k) of n draws with probability p, summed from the largest term down. */
function atMost(k: number, n: number, p: number): number {
  if (p <= 0) return 1;
  if (p >= 1) return k >= n ? 1 : 0;
  let [sum, term] = [0, Math.exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * Math.log(p) + (n - k) * Math.log1p(-p))];
  // Towards 0 from k; terms far below the sum add nothing.
  for (let i = k; i >= 0 && term > sum * 1e-17; i -= 1) {
    sum += term;
    term *= (i / (n - i + 1)) * ((1 - p) / p);
  }
  return Math.min(1, sum);
}

const bisect = (holdsBelow: (p: number) => boolean): number => {
  let [low, high] = [0, 1];
  for (let round = 0; round < 60; round += 1) {
    const middle = (low + high) / 2;
    if (holdsBelow(middle)) low = middle;
    else high = middle;
  }
  return low;
};

/** Clopper-Pearson one-sided limits at 95% each: `k` of `n` runs, 0 <= k <= n, n >= 1. */
export function clopperPearson(k: number, n: number): { readonly lower: number; readonly upper: number } {
  return {
    lower: k === 0 ? 0 : bisect((p) => 1 - atMost(k - 1, n, p) < 0.05),
    upper: k === n ? 1 : bisect((p) => atMost(k, n, p) > 0.05),
  };
}

/** Smallest value that at least this share of the sorted values do not exceed; undefined when there are none. */
export const quantileOf = (sorted: ArrayLike<number>, share: number): number | undefined => (sorted.length === 0 ? undefined : sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]);
