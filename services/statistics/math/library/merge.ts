/**
 * Several e-values: their average, the union bound's p, Benjamini-Hochberg's procedure, and the running intersection of
 * intervals. Offered to analysts: no decision rests on it.
 */
import {
  areWeights,
  cannot,
  type Interval,
  isProbability,
  logSumExp,
  type Outcome,
  type Result,
  value,
} from '../special.ts';

/**
 * log(sum w_k e_k): an average of e-values is an e-value under ANY dependence (Vovk & Wang 2021), at one moment.
 * Weights are at least 0 and sum to at most 1, fixed beforehand. Over time it is a test only if all e_k live in one
 * filtration; metrics with different windows, and test starts, do not: use the maximum of log w + log e there.
 */
export function mergeEValues(logEs: readonly number[], weights: readonly number[]): Outcome {
  if (logEs.length !== weights.length || !areWeights(weights))
    return cannot('as many weights as e-values, none below 0, together at most 1');
  if (logEs.some(Number.isNaN)) return cannot('an e-value is not a number');
  return value(logSumExp(logEs.map((logE, k) => logE + Math.log(weights[k] ?? 0))));
}

/**
 * Anytime-valid p: min(1, exp(-largest log e so far)). May be reported at any look and never rises again if the largest
 * is kept.
 */
export const anytimeP = (maxLogE: number): Result<{ readonly p: number }> =>
  Number.isNaN(maxLogE) ? cannot('log e is not a number') : { ok: true, p: Math.min(1, Math.exp(-maxLogE)) };

/**
 * e-BH (Wang & Ramdas 2022): the k largest fall when the k-th is at least n/(alpha k). False discovery rate at most
 * alpha at ONE look; not for running maxima (Tavyrikov, Goeman & de Heide 2025).
 */
export function eBenjaminiHochberg(
  logEs: readonly number[],
  alpha: number,
): Result<{ readonly rejected: readonly boolean[] }> {
  if (logEs.some(Number.isNaN) || !isProbability(alpha))
    return cannot('e-values are numbers, alpha lies between 0 and 1');
  const falling = [...logEs].sort((a, b) => b - a);
  const last = falling.findLastIndex((logE, index) => logE >= Math.log(logEs.length / (alpha * (index + 1))));
  return { ok: true, rejected: logEs.map((logE) => last >= 0 && logE >= (falling[last] ?? Infinity)) };
}

/**
 * Running intersection of a confidence sequence, to be labelled as such: still valid at all looks, but an empty one
 * says that an assumption broke, not where the effect is.
 */
export function intersect(
  previous: { readonly lower: number; readonly upper: number },
  next: { readonly lower: number; readonly upper: number },
): Interval {
  const [lower, upper] = [Math.max(previous.lower, next.lower), Math.min(previous.upper, next.upper)];
  if (Number.isNaN(lower) || Number.isNaN(upper)) return cannot('a limit is not a number');
  return lower <= upper
    ? { ok: true, lower, upper }
    : cannot('the running intersection is empty: the effect moved, or an assumption broke');
}
