/**
 * The first-event test: a conditional binomial on first events. Lindon & Malek (NeurIPS 2022) for counts; the
 * restriction to each unit's first event and its monotone argument: `services/statistics/README.md`. Null: no unit's
 * first event comes earlier in the candidate. Among first events the arm is then Bernoulli(q) at most, whatever the
 * shared intensity does.
 */
import { logBetaTails, logDirichletRatio } from './beta.ts';
import {
  areWeights,
  cannot,
  isCount,
  isPositive,
  isProbability,
  lastFalse,
  logSumExp,
  type Outcome,
  type Result,
  value,
} from './special.ts';

export type FirstEventRevision = { readonly allocation: number; readonly eventsA: number; readonly eventsB: number };

/** Design grid: rate ratios around the design ratio, with their weights. */
export const designRatios = (design: number): readonly number[] => [1.05, 1.1, design, 1.4, 1.8, 2.6, 4.2];
export const designRatioWeights: readonly number[] = [0.1, 0.2, 0.3, 0.2, 0.1, 0.05, 0.05];

/**
 * log e = logsumexp_j(log w_j + sum over revisions of s_B log R_j - (s_A + s_B) log(1 + q (R_j - 1))). `win` uses the
 * reciprocals. A tolerance ratio R0 replaces q by q R0 / (q R0 + 1 - q); valid only where every unit is one shot.
 */
export function logEOfFirstEvents(input: {
  side: 'harm' | 'win';
  epochs: readonly FirstEventRevision[];
  ratios: readonly number[];
  weights: readonly number[];
  toleranceRatio?: number;
}): Outcome {
  const { side, epochs, ratios, weights, toleranceRatio = 1 } = input;
  if (
    ratios.length !== weights.length ||
    !areWeights(weights) ||
    ![...ratios, ...weights, toleranceRatio].every((given) => given > 0 && given < Infinity)
  )
    return cannot('as many weights as ratios, all above 0');
  const logs = weights.map(Math.log);
  for (const { allocation, eventsA, eventsB } of epochs) {
    if (!isProbability(allocation)) return cannot('the allocation lies strictly between 0 and 1');
    if (!isCount(eventsA) || !isCount(eventsB)) return cannot('first events are whole numbers of units');
    const q = (allocation * toleranceRatio) / (allocation * toleranceRatio + 1 - allocation);
    for (const [j, ratio] of ratios.entries()) {
      const r = side === 'harm' ? ratio : 1 / ratio;
      logs[j] = (logs[j] ?? 0) + eventsB * Math.log(r) - (eventsA + eventsB) * Math.log1p(q * (r - 1));
    }
  }
  return value(logSumExp(logs));
}

/**
 * The conjugate form: theta = P(candidate | first event) has the prior Beta(b, a) restricted to theta > q. With post =
 * log[I^c_q(b+s_B, a+s_A) B(b+s_B, a+s_A)] and before = log[I^c_q(b, a) B(b, a)], log e = post - before - s_B log q -
 * s_A log(1-q). `prior` [b, a] is usually [k q, k (1-q)], k units of pretended data; `win` restricts to theta < q. One
 * revision; products over revisions are e-values too. Prefer the grid: it needs no special functions and is tuned by a
 * ratio.
 */
export function logEOfFirstEventsBeta({
  side = 'harm',
  allocation: q,
  eventsA,
  eventsB,
  prior,
}: FirstEventRevision & {
  readonly side?: 'harm' | 'win';
  readonly prior: readonly [candidate: number, control: number];
}): Outcome {
  if (!isProbability(q)) return cannot('the allocation lies strictly between 0 and 1');
  if (!isCount(eventsA) || !isCount(eventsB)) return cannot('first events are whole numbers of units');
  if (!prior.every(isPositive)) return cannot('both prior weights lie above 0');
  const tail = (b: number, a: number): number => logBetaTails(b, a, q, 1 - q)[side === 'harm' ? 'upper' : 'lower'];
  return value(
    logDirichletRatio([eventsB, eventsA], prior, [q, 1 - q]) +
      tail(prior[0] + eventsB, prior[1] + eventsA) -
      tail(prior[0], prior[1]),
  );
}

export type RatioLimit = Result<{ readonly ratio: number }>;

/**
 * Confidence sequence of the ratio of the two arms' event rates, valid at all looks at once: all R0 that neither side's
 * e rejects at 2/alpha, q being replaced by q R0/(q R0 + 1 - q) as above. e_harm falls and e_win rises in R0, so
 * halving finds the limits; 0 and Infinity where the data set none. Where a unit is not one shot (`oneShot` false:
 * sticky units that have their first event once) the arm with the higher rate runs out of units without one first, and
 * the share of the candidate drifts towards 1/2 against any R0 but 1: a limit on the far side of 1 is then wrong
 * (up to 100% false, see the README) and is refused. Limits that hold: a lower one of at least 1, an upper one of at
 * most
 * 1. Use `countsInterval` on closed windows for the rest.
 */
export function rateRatioInterval({
  epochs,
  ratios,
  weights,
  alpha,
  oneShot,
}: {
  epochs: readonly FirstEventRevision[];
  ratios: readonly number[];
  weights: readonly number[];
  alpha: number;
  oneShot: boolean;
}): Result<{ readonly lower: RatioLimit; readonly upper: RatioLimit }> {
  if (!isProbability(alpha)) return cannot('alpha lies strictly between 0 and 1');
  if (!ratios.every((ratio) => ratio > 1)) return cannot('the grid of a rate ratio lies above 1');
  const atOne = logEOfFirstEvents({ side: 'harm', epochs, ratios, weights });
  if (!atOne.ok) return atOne;
  if (!epochs.some(({ eventsA, eventsB }) => eventsA + eventsB > 0)) return cannot('no first event yet');
  const rejects =
    (side: 'harm' | 'win') =>
    (logRatio: number): boolean => {
      const log = logEOfFirstEvents({ side, epochs, ratios, weights, toleranceRatio: Math.exp(logRatio) });
      return log.ok && log.logE >= Math.log(2 / alpha);
    };
  const far = 100;
  const lower = rejects('harm')(-far) ? Math.exp(lastFalse(rejects('harm'), far, -far)) : 0;
  const upper = rejects('win')(far) ? Math.exp(lastFalse(rejects('win'), -far, far)) : Infinity;
  const limit = (ratio: number, holds: boolean): RatioLimit =>
    holds || oneShot
      ? { ok: true, ratio }
      : cannot('a limit beyond 1 needs units that are one shot each: use closed windows');
  return lower <= upper
    ? {
        ok: true,
        lower: limit(lower, lower >= 1 || lower === 0),
        upper: limit(upper, upper <= 1 || upper === Infinity),
      }
    : cannot('no ratio is compatible with the data: an assumption broke');
}
