/**
 * Beta and Dirichlet functions that stay exact for billions of units. Own code because differences of large log-gammas
 * cancel (`jstat` betaln is off 5e-8 at (0.5, 1e9)) and its incomplete beta is 1% off at a + b = 5.5 million, its
 * continued fraction being cut off (measured against mpmath). Everything goes through Stirling's correction, in
 * which the large parts cancel on paper instead of in floating point.
 */
import { log1mExp } from './special.ts';

const halfLogTwoPi = 0.5 * Math.log(2 * Math.PI);

/**
 * lgamma(x) - ((x - 1/2) log x - x + log(2 pi)/2), x > 0: an asymptotic series from 12 on, carried down by the
 * recurrence of gamma.
 */
export function stirlingCorrection(x: number): number {
  let [shifted, sum] = [x, 0];
  for (; shifted < 12; shifted += 1) sum += (shifted + 0.5) * Math.log1p(1 / shifted) - 1;
  const w = 1 / (shifted * shifted);
  return (
    sum +
    (1 / 12 + w * (-1 / 360 + w * (1 / 1260 + w * (-1 / 1680 + w * (1 / 1188 + w * (-691 / 360360 + w / 156)))))) /
      shifted
  );
}

/** log(1 + u) - u for u > -1, by its series near 0. */
export function log1pMinus(u: number): number {
  if (Math.abs(u) > 0.1) return Math.log1p(u) - u;
  let [power, sum] = [-u * u, 0];
  for (let k = 2; k < 22; k += 1) {
    sum += power / k;
    power *= -u;
  }
  return sum;
}

/** log B(a, b), a and b above 0. */
export function logBeta(a: number, b: number): number {
  const [small, large] = a < b ? [a, b] : [b, a];
  const sum = small + large;
  return (
    (small - 0.5) * Math.log(small / sum) +
    (large - 0.5) * Math.log1p(-small / sum) -
    0.5 * Math.log(sum) +
    halfLogTwoPi +
    stirlingCorrection(small) +
    stirlingCorrection(large) -
    stirlingCorrection(sum)
  );
}

/**
 * sum a_v log(a_v / (A p_v)) with A = sum a, sum p = 1: A times the divergence of a/A from p, as a sum of terms of one
 * sign.
 */
function divergence(a: readonly number[], p: readonly number[]): number {
  const total = a.reduce((sum, item) => sum + item, 0);
  let sum = 0;
  for (const [v, share] of p.entries()) {
    const expected = total * share;
    const u = ((a[v] ?? 0) - expected) / expected;
    // (1 + u) log(1 + u) - u, the u adding up to nothing over v
    sum += expected * ((1 + u) * (u > -1 ? log1pMinus(u) : 0) + (u > -1 ? u * u : -u));
  }
  return sum;
}

/**
 * log B(prior + n) - log B(prior) - sum n_v log p_v: the Dirichlet-multinomial against p, for counts n (whole or not),
 * prior above 0 and shares p that sum to 1. What is large in it is a divergence of the counts from the shares, and that
 * is computed as such: at 1e9 units still good to about 1e-10.
 */
export function logDirichletRatio(
  counts: readonly number[],
  prior: readonly number[],
  shares: readonly number[],
): number {
  const posterior = counts.map((count, v) => count + (prior[v] ?? 0));
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const exact = shares.map((share) => share / whole);
  const [before, after] = [prior, posterior].map((a) => {
    const total = a.reduce((sum, item) => sum + item, 0);
    return (
      divergence(a, exact) +
      a.reduce((sum, item) => sum + stirlingCorrection(item) - 0.5 * Math.log(item), 0) +
      0.5 * Math.log(total) -
      stirlingCorrection(total)
    );
  }) as [number, number];
  return after - before;
}

/**
 * Continued fraction of I_x(a, b) B(a, b)/(x^a y^b) for x up to its mean (DiDonato & Morris 1992, equation 9; by Lentz'
 * method): written in the distance from the mean `short` = a y - b x >= 0, so that nothing cancels when x is close to
 * 1. It needs about sqrt(a + b) steps; the cap leaves room for ten times that.
 */
function betaFraction(a: number, b: number, x: number, y: number, short: number): number {
  const tiny = 1e-300;
  const cap = 300 + 10 * Math.sqrt(a + b);
  const away = (d: number): number => (Math.abs(d) < tiny ? tiny : d);
  const beta = (n: number): number =>
    n + (n * (b - n) * x) / (a + 2 * n - 1) + ((a + n) * (short + 1 + n * (1 + y))) / (a + 2 * n + 1);
  let denominator = away((a * (short + 1)) / (a + 1));
  let [c, d] = [denominator, 0];
  for (let n = 1; n <= cap; n += 1) {
    const alpha = ((a + n - 1) / (a + 2 * n - 1)) * ((a + b + n - 1) / (a + 2 * n - 1)) * n * (b - n) * x * x;
    const next = beta(n);
    d = 1 / away(next + alpha * d);
    c = away(next + alpha / c);
    denominator *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return 1 / denominator;
}

/**
 * log(1 + u) - u with 1 + u = x total / a: from u near the mode, from the quotient far from it, where 1 + u has lost
 * its digits.
 */
const fromMode = (u: number, x: number, total: number, a: number): number =>
  Math.abs(u) > 0.1 ? Math.log(x) + Math.log(total / a) - u : log1pMinus(u);

/**
 * log of I_x(a, b) and of 1 - I_x(a, b), each exact in its own tail. `y` is 1 - x, given so that neither loses digits.
 */
export function logBetaTails(
  a: number,
  b: number,
  x: number,
  y: number = 1 - x,
): { readonly lower: number; readonly upper: number } {
  if (!(x > 0)) return x <= 0 ? { lower: -Infinity, upper: 0 } : { lower: Number.NaN, upper: Number.NaN };
  if (!(y > 0)) return { lower: 0, upper: -Infinity };
  // x^a y^b / B(a, b) as its distance from the mode, so that a log x and log B never meet
  const apart = x * b - y * a;
  const kernel =
    a * fromMode(apart / a, x, a + b, a) +
    b * fromMode(-apart / b, y, a + b, b) +
    0.5 * (Math.log(a) + Math.log(b) - Math.log(a + b)) -
    halfLogTwoPi -
    stirlingCorrection(a) -
    stirlingCorrection(b) +
    stirlingCorrection(a + b);
  const isLower = apart <= 0;
  const tail = Math.min(
    0,
    kernel + Math.log(isLower ? betaFraction(a, b, x, y, -apart) : betaFraction(b, a, y, x, apart)),
  );
  return isLower ? { lower: tail, upper: log1mExp(tail) } : { lower: log1mExp(tail), upper: tail };
}

/** log I_x(a, b), a and b above 0, x in [0, 1]. NaN for NaN. */
export const logRegularizedBeta = (a: number, b: number, x: number): number => logBetaTails(a, b, x).lower;
/** log(1 - I_x(a, b)). */
export const logRegularizedBetaComplement = (a: number, b: number, x: number): number => logBetaTails(a, b, x).upper;
/** I_x(a, b). */
export const regularizedBeta = (a: number, b: number, x: number): number => Math.exp(logRegularizedBeta(a, b, x));
