/**
 * Anytime-valid logrank for time to event. ter Schure, Perez-Ortiz, Ly & Grunwald (arXiv 2011.06931). Null: at every
 * event the candidate's hazard is at most control's (harm) or at least it (win). Proportional hazards are the
 * alternative's shape, not a condition. Risk sets are those just before the event; ramps need nothing more.
 * Offered to analysts: no decision rests on it.
 */
import { areWeights, cannot, isCount, isPositive, logSumExp, type Outcome, value } from '../special.ts';

export type RiskEvent = { readonly atRiskA: number; readonly atRiskB: number; readonly inCandidate: boolean };

/**
 * log e = logsumexp_j(log w_j + sum over events of log(p1/p0) or log((1-p1)/(1-p0))), p0 = y_B/(y_A + y_B), p1 = y_B
 * R_j/(y_A + y_B R_j). Ratios above 0: above 1 for harm, below 1 for win. Tied events are given one after the other,
 * each with the risk set that remains.
 */
export function logEOfLogrank(
  events: readonly RiskEvent[],
  ratios: readonly number[],
  weights: readonly number[] = ratios.map(() => 1 / ratios.length),
): Outcome {
  if (ratios.length !== weights.length || !areWeights(weights) || !ratios.every(isPositive))
    return cannot('as many weights as hazard ratios, ratios above 0, weights together at most 1');
  const logs = weights.map(Math.log);
  for (const { atRiskA, atRiskB, inCandidate } of events) {
    if (!isCount(atRiskA) || !isCount(atRiskB) || (inCandidate ? atRiskB : atRiskA) < 1)
      return cannot('risk sets are whole numbers and hold the unit whose event it is');
    const total = atRiskA + atRiskB;
    // Both quotients share the factor total / (y_A + y_B R).
    for (const [j, ratio] of ratios.entries())
      logs[j] = (logs[j] ?? 0) - Math.log1p((atRiskB * (ratio - 1)) / total) + (inCandidate ? Math.log(ratio) : 0);
  }
  return value(logSumExp(logs));
}
