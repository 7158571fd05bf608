/**
 * The sample-ratio test: a Dirichlet-multinomial Bayes factor per ramp revision, mixed over concentrations so that
 * none has to be chosen. Null: every unit's arm is drawn with the declared shares. Counts are exact: distinct units by
 * their first exposure. Optimizely's ssrm for one k; proof in `services/statistics/README.md`.
 */
import { logDirichletRatio } from './beta.ts';
import { cannot, isCount, isPositive, logSumExp, type Outcome, value } from './special.ts';

export const srmConcentrations: readonly number[] = [100, 1_000, 10_000, 100_000];

export type RatioRevision = { readonly counts: readonly number[]; readonly shares: readonly number[] };

/**
 * log BF = logB(prior + n) - logB(prior) - sum n_v log share_v, for a Dirichlet prior with these parameters (all above
 * 0).
 */
export function logBayesFactor(
  counts: readonly number[],
  prior: readonly number[],
  shares: readonly number[],
): Outcome {
  if (counts.length !== shares.length || counts.length !== prior.length || counts.length < 2)
    return cannot('one count, one share and one prior weight per arm, two arms at least');
  if (!counts.every(isCount)) return cannot('counts are whole numbers of units');
  if (!prior.every(isPositive)) return cannot('every prior weight is above 0');
  if (
    !shares.every((share) => share > 0 && share < 1) ||
    Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) > 1e-9
  )
    return cannot('shares lie between 0 and 1 and sum to 1');
  if (counts.every((count) => count === 0)) return value(0);
  return value(logDirichletRatio(counts, prior, shares));
}

/** Revisions multiply within a concentration; concentrations are averaged. */
export function logEOfRatio(
  revisions: readonly RatioRevision[],
  concentrations: readonly number[] = srmConcentrations,
): Outcome {
  if (concentrations.length === 0) return cannot('no concentration to mix over');
  const logs: number[] = [];
  for (const k of concentrations) {
    let sum = -Math.log(concentrations.length);
    for (const { counts, shares } of revisions) {
      const factor = logBayesFactor(
        counts,
        shares.map((share) => k * share),
        shares,
      );
      if (!factor.ok) return factor;
      sum += factor.logE;
    }
    logs.push(sum);
  }
  return value(logSumExp(logs));
}
