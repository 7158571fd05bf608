/**
 * E2: conditional binomial on first events. Lindon & Malek (NeurIPS 2022) for counts; the restriction to each unit's first event and its
 * monotone argument: statistics design, E2. Null: no unit's first event comes earlier in the candidate. Among first events the arm is
 * then Bernoulli(q) at most, whatever the shared intensity does.
 */
import { cannot, isCount, isProbability, logSumExp, type Outcome, value } from './special.ts';

export type FirstEventEpoch = { readonly allocation: number; readonly eventsA: number; readonly eventsB: number };

/** Design grid: rate ratios around the design ratio, with their weights. */
export const designRatios = (design: number): readonly number[] => [1.05, 1.1, design, 1.4, 1.8, 2.6, 4.2];
export const designRatioWeights: readonly number[] = [0.1, 0.2, 0.3, 0.2, 0.1, 0.05, 0.05];

/**
 * log e = logsumexp_j(log w_j + sum over epochs of s_B log R_j - (s_A + s_B) log(1 + q (R_j - 1))). `win` uses the reciprocals.
 * A tolerance ratio R0 replaces q by q R0 / (q R0 + 1 - q); valid only where every unit is one shot.
 */
export function logEOfFirstEvents(input: { side: 'harm' | 'win'; epochs: readonly FirstEventEpoch[]; ratios: readonly number[]; weights: readonly number[]; toleranceRatio?: number }): Outcome {
  const { side, epochs, ratios, weights, toleranceRatio = 1 } = input;
  if (ratios.length !== weights.length || ![...ratios, ...weights, toleranceRatio].every((given) => given > 0 && given < Infinity)) return cannot('as many weights as ratios, all above 0');
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
