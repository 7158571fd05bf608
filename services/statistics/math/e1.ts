/**
 * E1: betting on the difference of two arms, with inverse probability weights and a design prior. Statistics design, E1; ingredients
 * Waudby-Smith & Ramdas 2024 (JRSS-B) and Orabona's universal-portfolio mixing. Null: the candidate's mean is at most control's (plus a
 * tolerance). Each product of 1 + lam z is a nonnegative supermartingale under it, a mixture with fixed weights too (Ville).
 */
import { betWeights, fixedPoint, lambdaGrid } from '../../kernel/bets.ts';
import { cannot, isCount, isProbability, logSumExp, type Outcome, value } from './special.ts';

const logWeights = betWeights.map(Math.log);

/** log e from sums of bet logs in multiples of 2^-32 (kernel/bets.ts): the design prior's mixture over the grid. */
export function logEOfSums(control: readonly number[], candidate: readonly number[]): Outcome {
  if (control.length !== logWeights.length || candidate.length !== logWeights.length) return cannot('a cell holds no bets');
  if (![...control, ...candidate].every(Number.isFinite)) return cannot('a sum is not a number');
  return value(logSumExp(logWeights.map((weight, j) => weight + ((control[j] ?? 0) + (candidate[j] ?? 0)) / fixedPoint)));
}

export type CountsEpoch = { readonly allocation: number; readonly unitsA: number; readonly eventsA: number; readonly unitsB: number; readonly eventsB: number };
export type Side = 'harm' | 'win' | 'noninferiority';

/**
 * log e for a binary outcome from counts, per ramp epoch with its own allocation q in (0, 1); the index of a bet is shared, its size frozen
 * per epoch. `center` in [0, 1], `design` > 0 and `variance` > 0 absolute, `tolerance` >= 0, all for an outcome in [0, 1]. Harm bets on z - tolerance,
 * win on -z whatever the tolerance, non-inferiority on -(z - tolerance) with the tolerance (above 0) as design effect.
 */
export function logEOfCounts(input: { side: Side; epochs: readonly CountsEpoch[]; center: number; design: number; variance: number; tolerance: number }): Outcome & { readonly lambdas?: readonly (readonly number[])[] } {
  const { side, epochs, center: c, tolerance } = input;
  if (!(c >= 0 && c <= 1) || !(input.design > 0) || !(input.variance > 0) || !(tolerance >= 0)) return cannot('center in [0, 1], design and variance above 0, tolerance at least 0');
  if (side === 'noninferiority' && tolerance === 0) return cannot('non-inferiority needs a tolerance above 0');
  const totals = logWeights.map(() => 0);
  const lambdas: number[][] = [];
  for (const { allocation: q, unitsA, eventsA, unitsB, eventsB } of epochs) {
    if (!isProbability(q)) return cannot('the allocation lies strictly between 0 and 1');
    if (![unitsA, eventsA, unitsB, eventsB].every(isCount) || eventsA > unitsA || eventsB > unitsB) return cannot('counts are whole numbers, events at most units');
    const harm = side === 'harm';
    const zMin = harm ? -Math.max(c / q, (1 - c) / (1 - q)) - tolerance : -Math.max((1 - c) / q, c / (1 - q)) + (side === 'win' ? 0 : tolerance);
    const grid = lambdaGrid(side === 'noninferiority' ? tolerance : input.design, input.variance, q, zMin);
    lambdas.push(grid);
    for (const [j, lambda] of grid.entries()) {
      const bet = (z: number): number => Math.log1p(lambda * (harm ? z - tolerance : -(z - (side === 'win' ? 0 : tolerance))));
      totals[j] = (totals[j] ?? 0) + eventsB * bet((1 - c) / q) + (unitsB - eventsB) * bet(-c / q) + eventsA * bet(-(1 - c) / (1 - q)) + (unitsA - eventsA) * bet(c / (1 - q));
    }
  }
  return { ...value(logSumExp(totals.map((total, j) => (logWeights[j] ?? 0) + total))), lambdas };
}

/** log e unit by unit with given bets: `units` are [value, in the candidate?, allocation]; values are capped; they and `center` are divided by cap. For vectors and simulation. */
export function logEOfUnits(units: readonly (readonly [number, boolean, number])[], lambdas: readonly number[], weights: readonly number[], center: number, cap: number): Outcome {
  if (lambdas.length !== weights.length || !(cap > 0)) return cannot('as many weights as bets, cap above 0');
  if (!units.every(([, , q]) => isProbability(q))) return cannot('the allocation lies strictly between 0 and 1');
  const logs = lambdas.map((lambda, j) => {
    let sum = Math.log(weights[j] ?? 0);
    for (const [x, isCandidate, q] of units) {
      const z = ((Math.min(x, cap) - center) / cap) * (isCandidate ? 1 / q : -1 / (1 - q));
      sum += Math.log1p(lambda * z);
    }
    return sum;
  });
  return value(logSumExp(logs));
}
