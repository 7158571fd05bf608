/** What a share of simulated runs says about the probability behind it. */
import { regularizedBeta } from '../statistics/index.ts';

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
    // P(at least k) = I_p(k, n - k + 1), P(at most k) = 1 - I_p(k + 1, n - k).
    lower: k === 0 ? 0 : bisect((p) => regularizedBeta(k, n - k + 1, p) < 0.05),
    upper: k === n ? 1 : bisect((p) => regularizedBeta(k + 1, n - k, p) < 0.95),
  };
}

/** Smallest value that at least this share of the sorted values do not exceed; undefined when there are none. */
export const quantileOf = (sorted: ArrayLike<number>, share: number): number | undefined =>
  sorted.length === 0
    ? undefined
    : sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
