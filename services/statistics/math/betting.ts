/**
 * Betting on the difference of two arms, with inverse probability weights and a design prior. Ingredients:
 * Waudby-Smith & Ramdas 2024 (JRSS-B) and Orabona's universal-portfolio mixing; proof in
 * `services/statistics/README.md`. Null: the candidate's mean is at most control's (plus a tolerance). Each product of
 * 1 + lam z is a nonnegative supermartingale under it, a mixture with fixed weights too (Ville).
 */
import { betWeights, fixedPoint, lambdaGrid } from '../../kernel/bets.ts';
import {
  areWeights,
  cannot,
  type Interval,
  isCount,
  isPositive,
  isProbability,
  lastFalse,
  logSumExp,
  type Outcome,
  value,
} from './special.ts';

const logWeights = betWeights.map(Math.log);

/** log e from sums of bet logs in multiples of 2^-32 (kernel/bets.ts): the design prior's mixture over the grid. */
export function logEOfSums(control: readonly number[], candidate: readonly number[]): Outcome {
  if (control.length !== logWeights.length || candidate.length !== logWeights.length)
    return cannot('an aggregate holds no bets');
  if (![...control, ...candidate].every(Number.isFinite)) return cannot('a sum is not a number');
  return value(
    logSumExp(logWeights.map((weight, j) => weight + ((control[j] ?? 0) + (candidate[j] ?? 0)) / fixedPoint)),
  );
}

export type CountsRevision = {
  readonly allocation: number;
  readonly unitsA: number;
  readonly eventsA: number;
  readonly unitsB: number;
  readonly eventsB: number;
};
export type Side = 'harm' | 'win' | 'noninferiority';

/**
 * log e for a binary outcome from counts, one entry of `epochs` per ramp revision with its own allocation q in (0, 1);
 * the index of a bet is shared, its size frozen per revision. `center` in [0, 1], `design` > 0 and `variance` > 0
 * absolute, `tolerance` >= 0, all for an outcome in [0, 1]. Harm bets on z - tolerance, win on -z whatever the
 * tolerance, non-inferiority on -(z - tolerance) with the tolerance (above 0) as design effect.
 */
export function logEOfCounts(input: {
  side: Side;
  epochs: readonly CountsRevision[];
  center: number;
  design: number;
  variance: number;
  tolerance: number;
}): Outcome & { readonly lambdas?: readonly (readonly number[])[] } {
  const { side, tolerance } = input;
  if (!(tolerance >= 0)) return cannot('center in [0, 1], design and variance above 0, tolerance at least 0');
  if (side === 'noninferiority' && tolerance === 0) return cannot('non-inferiority needs a tolerance above 0');
  return betOnCounts({
    ...input,
    towards: side === 'harm' ? 'up' : 'down',
    null: side === 'win' ? 0 : tolerance,
    design: side === 'noninferiority' ? tolerance : input.design,
  });
}

/** Bets against "mean_B - mean_A <= null" (up) or ">= null" (down), null in (-1, 1). */
function betOnCounts(input: {
  towards: 'up' | 'down';
  null: number;
  epochs: readonly CountsRevision[];
  center: number;
  design: number;
  variance: number;
}): Outcome & { readonly lambdas?: readonly (readonly number[])[] } {
  const { towards, null: d0, epochs, center: c } = input;
  if (!(c >= 0 && c <= 1) || !isPositive(input.design) || !isPositive(input.variance))
    return cannot('center in [0, 1], design and variance above 0, tolerance at least 0');
  if (!(d0 > -1 && d0 < 1)) return cannot('a difference of two shares lies strictly between -1 and 1');
  const totals = logWeights.map(() => 0);
  const lambdas: number[][] = [];
  for (const { allocation: q, unitsA, eventsA, unitsB, eventsB } of epochs) {
    if (!isProbability(q)) return cannot('the allocation lies strictly between 0 and 1');
    if (![unitsA, eventsA, unitsB, eventsB].every(isCount) || eventsA > unitsA || eventsB > unitsB)
      return cannot('counts are whole numbers, events at most units');
    const sign = towards === 'up' ? 1 : -1;
    const zMin = towards === 'up' ? -Math.max(c / q, (1 - c) / (1 - q)) - d0 : -Math.max((1 - c) / q, c / (1 - q)) + d0;
    const grid = lambdaGrid(input.design, input.variance, q, zMin);
    lambdas.push(grid);
    for (const [j, lambda] of grid.entries()) {
      const bet = (z: number): number => Math.log1p(lambda * sign * (z - d0));
      totals[j] =
        (totals[j] ?? 0) +
        eventsB * bet((1 - c) / q) +
        (unitsB - eventsB) * bet(-c / q) +
        eventsA * bet(-(1 - c) / (1 - q)) +
        (unitsA - eventsA) * bet(c / (1 - q));
    }
  }
  return { ...value(logSumExp(totals.map((total, j) => (logWeights[j] ?? 0) + total))), lambdas };
}

/**
 * Confidence sequence of mean_B - mean_A for a binary outcome, valid at all looks at once: { d0 : e_harm(d0) < 2/alpha
 * and e_win(d0) < 2/alpha }, each d0 tested with exactly the bets of `logEOfCounts`, so its lower limit is above 0 when
 * that harm test at 2/alpha fires. Both e are monotone in d0 (every factor is, also where a bet meets its cap), so
 * halving finds the limits. In shares, harm upwards; [-1, 1] after few units; a refusal while an arm has none. For
 * capped means see `effectInterval` (asymptotic).
 */
export function countsInterval(input: {
  epochs: readonly CountsRevision[];
  center: number;
  design: number;
  variance: number;
  alpha: number;
}): Interval {
  if (!isProbability(input.alpha)) return cannot('alpha lies strictly between 0 and 1');
  const atZero = betOnCounts({ ...input, towards: 'up', null: 0 });
  if (!atZero.ok) return atZero;
  if (!input.epochs.some(({ unitsA }) => unitsA > 0) || !input.epochs.some(({ unitsB }) => unitsB > 0))
    return cannot('an arm has no closed units');
  const rejects =
    (towards: 'up' | 'down') =>
    (d0: number): boolean => {
      const log = betOnCounts({ ...input, towards, null: d0 });
      return log.ok && log.logE >= Math.log(2 / input.alpha);
    };
  const [low, high] = [-1 + 1e-12, 1 - 1e-12];
  // The lower limit is the last d0 that "not above d0" rejects, seen from the not rejected side.
  const lower = rejects('up')(low) ? lastFalse(rejects('up'), high, low) : -1;
  const upper = rejects('down')(high) ? lastFalse(rejects('down'), low, high) : 1;
  return lower <= upper
    ? { ok: true, lower, upper }
    : cannot('no difference is compatible with the data: an assumption broke');
}

/**
 * log e unit by unit with given bets: `units` are [value, in the candidate?, allocation]; values are capped; they and
 * `center` are divided by cap. For vectors and simulation.
 */
export function logEOfUnits(
  units: readonly (readonly [number, boolean, number])[],
  lambdas: readonly number[],
  weights: readonly number[],
  center: number,
  cap: number,
): Outcome {
  if (lambdas.length !== weights.length || !isPositive(cap) || !(center >= 0 && center <= cap))
    return cannot('as many weights as bets, cap above 0, center in [0, cap]');
  if (!areWeights(weights) || !lambdas.every((lambda) => lambda >= 0 && lambda < Infinity))
    return cannot('weights are at least 0 and sum to at most 1, bets are at least 0');
  if (!units.every(([x, , q]) => isProbability(q) && x >= 0))
    return cannot('values are at least 0, the allocation lies strictly between 0 and 1');
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
