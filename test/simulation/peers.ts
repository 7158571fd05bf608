/**
 * Open-ended asymptotic rules in the forms that others ship, on the same visits: each looks at unit-level means and
 * variances of both arms after every unit. Formulas and sources: `services/statistics/README.md`. One family: they
 * differ in how far the boundary is tuned out, and in sidedness.
 */
import { mixtureRho, normalCdf, type Sides } from '../../services/statistics/index.ts';
import type { Visit, Watcher } from './walk.ts';

/**
 * Where a rule stops: `z` > 0 studentised difference, `pairs` = 2 nA nB / (nA + nB), `total` units, `pairVariance` of
 * one pair's difference.
 */
export type Rule = (z: number, pairs: number, total: number, pairVariance: number) => boolean;

const tuned = (clock: number, a: number, sides: Sides): number => {
  const found = mixtureRho(clock, a, sides);
  if (!found.ok) throw new RangeError(found.reason);
  return found.rho;
};

/**
 * Howard et al. 2021: half-normal mixture, tuned to `pairs0`; stops at `logBound` (log(1/a), or a budget's). `a`
 * one-sided. The library's `logEOfScore`, with what does not change computed once.
 */
export function halfNormal(pairs0: number, a: number, logBound = Math.log(1 / a)): Rule {
  const r = tuned(pairs0, a, 'one');
  return (z, n) =>
    z > 1 &&
    0.5 * Math.log((4 * r) / (n + r)) + (z * z * n) / (2 * (n + r)) + Math.log(normalCdf(z * Math.sqrt(n / (n + r)))) >=
      logBound;
}

/** GrowthBook's and Eppo's two-sided forms on total units t: |z| > sqrt((t + r)/t log((t + r)/(r a^2))). */
export function normalMixture(tune: number, a: number): Rule {
  const r = tuned(tune, a, 'two');
  return (z, _, t) => z > 1 && z * z > ((t + r) / t) * Math.log((t + r) / (r * a * a));
}

/** mSPRT (Johari et al.), two-sided, mixing standard deviation `tau` of the difference. */
export const mixtureSprt =
  (tau: number, a: number): Rule =>
  (z, n, _, pairVariance) => {
    const r = pairVariance / (tau * tau);
    return z > 1 && z * z > ((n + r) / n) * (Math.log((n + r) / r) + 2 * Math.log(1 / a));
  };

/** Generalised likelihood ratio with the threshold log((1 + log t)/a), two-sided. */
export const likelihoodRatio =
  (a: number): Rule =>
  (z, _, t) =>
    z > 1 && (z * z) / 2 >= Math.log((1 + Math.log(t)) / a);

/** A fixed-sample z test looked at again and again: broken. One-sided. */
export const naive =
  (bound: number): Rule =>
  (z) =>
    z > bound;

/**
 * A rule on pooled sums. No look before the smaller arm has `minUnits`; `maxPairs`: the horizon of a budget. A unit
 * counts with its first visit; `everyVisit`: events as independent units (broken when units come back). Ramp revisions
 * are pooled (broken in a ramp). `cap` of a value. `sign` -1 looks for wins.
 */
export function watchRule(
  rule: Rule,
  options: { minUnits: number; cap: number; maxPairs?: number; everyVisit?: boolean; sign?: 1 | -1 },
): Watcher {
  const { minUnits, cap, maxPairs = Infinity, everyVisit = false, sign = 1 } = options;
  let [nA, sA, qA, nB, sB, qB] = [0, 0, 0, 0, 0, 0];
  return {
    see: (visit: Visit) => {
      if (visit.last >= 0 && !everyVisit) return false;
      const x = Math.min(visit.value, cap);
      if (visit.isCandidate) {
        nB += 1;
        sB += x;
        qB += x * x;
      } else {
        nA += 1;
        sA += x;
        qA += x * x;
      }
      if (nA < minUnits || nB < minUnits) return false;
      const [meanA, meanB] = [sA / nA, sB / nB];
      const difference = sign * (meanB - meanA);
      if (difference <= 0) return false;
      const variance = (qA - nA * meanA * meanA) / ((nA - 1) * nA) + (qB - nB * meanB * meanB) / ((nB - 1) * nB);
      // An arm without variance has seen no events: a studentised rule says nothing about it.
      if (!(variance > 0)) return false;
      const pairs = (2 * nA * nB) / (nA + nB);
      return pairs <= maxPairs && rule(difference / Math.sqrt(variance), pairs, nA + nB, variance * pairs);
    },
  };
}
