/** What every engine's function returns, and the few functions of sums of logarithms that all of them need. */
import jstat from 'jstat';

/**
 * log of the gamma function, x > 0. jstat 1.9.6: error at most 4e-13 relative against mpmath. Differences of large ones
 * cancel: use `beta.ts`.
 */
export const lgamma = (x: number): number => jstat.gammaln(x);

/** log(sum exp(x_i)) without overflow; -Infinity for no terms. */
export function logSumExp(values: readonly number[]): number {
  const top = Math.max(...values);
  if (!Number.isFinite(top)) return values.length === 0 ? -Infinity : top;
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
}

/** log(1 - exp(x)) for x <= 0, exact at both ends (Maechler 2012); -Infinity at 0. */
export const log1mExp = (x: number): number => (x > -Math.LN2 ? Math.log(-Math.expm1(x)) : Math.log1p(-Math.exp(x)));

/** log(1 + exp(x)) without overflow. */
export const log1pExp = (x: number): number => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));

/** Why there is no number. */
export type Refusal = { readonly ok: false; readonly reason: string };
/** Numbers, or why there are none. Nothing here ever returns 0, 1 or NaN for "cannot say". */
export type Result<T> = ({ readonly ok: true } & T) | Refusal;
/** Evidence against the null: log e, to be compared with log(1/alpha). */
export type Outcome = Result<{ readonly logE: number }>;
/** Two limits; -Infinity and Infinity are honest limits of a one-sided interval. */
export type Interval = Result<{ readonly lower: number; readonly upper: number }>;

export const value = (logE: number): Outcome =>
  Number.isNaN(logE)
    ? { ok: false, reason: 'a value is not a number, or a bet may lose more than it has' }
    : { ok: true, logE };
export const cannot = (reason: string): Refusal => ({ ok: false, reason });

export const isProbability = (q: number): boolean => q > 0 && q < 1;
export const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
/** Above 0 and finite. */
export const isPositive = (x: number): boolean => x > 0 && x < Infinity;
/** Weights of a mixture: at least one, none negative, together at most 1 (a part that is not staked only loses). */
export const areWeights = (weights: readonly number[]): boolean =>
  weights.length > 0 &&
  weights.every((weight) => weight >= 0 && weight <= 1) &&
  weights.reduce((sum, weight) => sum + weight, 0) <= 1 + 1e-9;

/**
 * The point where `f` turns from false to true between `from` (false) and `to` (true), by 200 halvings or until the
 * doubles meet; the side on which it is false.
 */
export function lastFalse(f: (x: number) => boolean, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let step = 0; step < 200; step += 1) {
    const middle = low + (high - low) / 2;
    if (middle === low || middle === high) return low;
    if (f(middle)) high = middle;
    else low = middle;
  }
  return low;
}
