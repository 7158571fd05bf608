/**
 * The asymptotic test: a score stratified by ramp revision, studentised, and judged by a normal mixture. Howard,
 * Ramdas, McAuliffe & Sekhon (arXiv 1810.08240) for the mixture. ASYMPTOTIC: valid for many units and events only,
 * which `scoreGates` asks for. Null: within every revision the candidate's mean is at most control's (harm) or at least
 * it (win). Revisions are never pooled: a ramp with a moving baseline makes pooled totals lie (Simpson).
 */
import type { ArmMoments } from './moments.ts';
import { logEOfNormalMixture, mixtureRho, normalMixtureBound, type Sides } from './normal-mixture.ts';
import { logNormalCdf, logNormalDensity } from './normal.ts';
import {
  cannot,
  type Interval,
  isCount,
  isPositive,
  isProbability,
  lastFalse,
  logSumExp,
  type Outcome,
  type Refusal,
  type Result,
} from './special.ts';

export type ScoreRevision = { readonly control: ArmMoments; readonly candidate: ArmMoments };
export type Score = {
  /**
   * S = sum h (mean_B - mean_A) with h = n_A n_B/(n_A + n_B), its variance V = sum h^2 (s2_B/n_B + s2_A/n_A), and z =
   * S/sqrt(V).
   */
  readonly score: number;
  readonly variance: number;
  readonly z: number;
  /** sum h, and the clock: 2 sum h "equivalent pairs". */
  readonly weight: number;
  readonly pairs: number;
  /** S / sum h, in the metric's unit, and control's mean with the same weights. */
  readonly effect: number;
  readonly controlMean: number;
  /**
   * Effect divided by control's (unadjusted) mean and its standard error by the delta method; undefined where that mean
   * is 0.
   */
  readonly relative: { readonly effect: number; readonly standardError: number } | undefined;
};

/**
 * Adds revisions up. Every revision has at least 2 units in each arm; the caller leaves out revisions in which an arm
 * has fewer, in both arms alike.
 */
export function stratifiedScore(revisions: readonly ScoreRevision[]): Result<Score> {
  if (revisions.length === 0) return cannot('no revision has units in both arms');
  let [score, variance, weight, base, baseVariance, shared] = [0, 0, 0, 0, 0, 0];
  for (const { control: a, candidate: b } of revisions) {
    if (![a, b].every((arm) => isCount(arm.units) && arm.units >= 2))
      return cannot('every revision needs at least 2 units in each arm');
    if (![a.mean, b.mean, a.variance, b.variance].every(Number.isFinite) || a.variance < 0 || b.variance < 0)
      return cannot('means and variances are numbers, variances at least 0');
    const h = (a.units * b.units) / (a.units + b.units);
    const plain = a.base ?? { mean: a.mean, variance: a.variance, covariance: a.variance };
    score += h * (b.mean - a.mean);
    variance += h * h * (b.variance / b.units + a.variance / a.units);
    weight += h;
    base += h * plain.mean;
    baseVariance += (h * h * plain.variance) / a.units;
    shared -= (h * h * plain.covariance) / a.units;
  }
  if (!(variance > 0)) return cannot('no unit differs from another: the variance is 0');
  const [effect, controlMean] = [score / weight, base / weight];
  // Var(D/M) = Var(D)/M^2 + D^2 Var(M)/M^4 - 2 D Cov(D, M)/M^3
  const relativeVariance =
    (variance / controlMean ** 2 +
      (effect * effect * baseVariance) / controlMean ** 4 -
      (2 * effect * shared) / controlMean ** 3) /
    (weight * weight);
  return {
    ok: true,
    score,
    variance,
    z: score / Math.sqrt(variance),
    weight,
    pairs: 2 * weight,
    effect,
    controlMean,
    relative:
      controlMean === 0
        ? undefined
        : { effect: effect / controlMean, standardError: Math.sqrt(Math.max(0, relativeVariance)) },
  };
}

export type ScoreTuning = {
  /** Equivalent pairs at which one would most like to decide: 500 to 2,500 for rollback. */
  readonly pairs: number;
  /** Level the tuning is for; not the level of the test. 0.05 by default. */
  readonly alpha?: number;
};

/**
 * log e of a stratified score. `side` harm: evidence for a larger candidate mean, win for a smaller one (one-sided,
 * half-normal mixture); `either`: two-sided normal mixture.
 */
export function logEOfScore(
  score: Pick<Score, 'z' | 'pairs'>,
  side: 'harm' | 'win' | 'either',
  tuning: ScoreTuning,
): Outcome {
  const sides: Sides = side === 'either' ? 'two' : 'one';
  const tuned = mixtureRho(tuning.pairs, tuning.alpha ?? 0.05, sides);
  if (!tuned.ok) return tuned;
  if (!isPositive(score.pairs) || !Number.isFinite(score.z)) return cannot('the score has no pairs or is not a number');
  return logEOfNormalMixture(
    (side === 'win' ? -score.z : score.z) * Math.sqrt(score.pairs),
    score.pairs,
    tuned.rho,
    sides,
  );
}

/**
 * Confidence sequence of the effect, valid at all looks at once (asymptotically), two-sided at `alpha`: effect +- se
 * sqrt((n+r)(log(1+n/r) + 2 log(1/alpha))/n). `absolute` in the metric's unit, `relative` as a share of control's mean
 * (delta method). It excludes 0 exactly when the two-sided log e reaches log(1/alpha).
 */
export function effectInterval(
  score: Score,
  scale: 'absolute' | 'relative',
  alpha: number,
  tuning: ScoreTuning,
): Interval {
  const tuned = mixtureRho(tuning.pairs, tuning.alpha ?? 0.05, 'two');
  if (!tuned.ok) return tuned;
  if (scale === 'relative' && score.relative === undefined) return cannot("control's mean is 0: no relative effect");
  const bound = normalMixtureBound(score.pairs, alpha, tuned.rho, 'two');
  if (!bound.ok) return bound;
  const [effect, standardError] =
    scale === 'relative' && score.relative !== undefined
      ? [score.relative.effect, score.relative.standardError]
      : [score.effect, Math.sqrt(score.variance) / score.weight];
  const half = (standardError * bound.bound) / Math.sqrt(score.pairs);
  return Number.isFinite(half)
    ? { ok: true, lower: effect - half, upper: effect + half }
    : cannot('the standard error is not a number');
}

export type ScoreGate = 'units' | 'events' | 'skew' | 'small-candidate';
export type GateArm = { readonly units: number; readonly events?: number };

/**
 * Whether the asymptotic test may decide: both arms at least 200 closed units; for rates at least 30
 * events and 30 non-events in each arm; for means and ratios at least 25 skewness^2 units in the smaller arm; and never
 * a win below an allocation of 0.3. `skewness` is of the capped metric, from before the run. The first gate that fails
 * is named.
 */
export function scoreGates(input: {
  readonly kind: 'rate' | 'mean' | 'ratio';
  readonly side: 'harm' | 'win' | 'either';
  readonly control: GateArm;
  readonly candidate: GateArm;
  readonly allocation: number;
  readonly skewness?: number;
}): { readonly ok: true } | (Refusal & { readonly gate: ScoreGate }) {
  const closed = (gate: ScoreGate, reason: string): Refusal & { readonly gate: ScoreGate } => ({
    ok: false,
    gate,
    reason,
  });
  const arms = [input.control, input.candidate];
  if (!arms.every(({ units }) => isCount(units) && units >= 200))
    return closed('units', 'each arm needs 200 closed units');
  if (
    input.kind === 'rate' &&
    !arms.every(({ units, events }) => events !== undefined && isCount(events) && events >= 30 && units - events >= 30)
  )
    return closed('events', 'each arm needs 30 units with the event and 30 without');
  if (input.kind !== 'rate') {
    if (input.skewness === undefined || !Number.isFinite(input.skewness))
      return closed('skew', "the metric's skewness is not known");
    const needed = 25 * input.skewness ** 2;
    if (!arms.every(({ units }) => units >= needed))
      return closed('skew', `a metric with this skewness needs ${Math.ceil(needed)} units in the smaller arm`);
  }
  if (!isProbability(input.allocation))
    return closed('small-candidate', 'the allocation lies strictly between 0 and 1');
  if (input.side !== 'harm' && input.allocation < 0.3)
    return closed('small-candidate', 'below an allocation of 0.3 this test overstates wins');
  return { ok: true };
}

const logDelayedTail = (a: number): number => logSumExp([logNormalCdf(-a), Math.log(a) + logNormalDensity(a)]);

/**
 * Delayed start (Robbins 1970): no error is spent before m pairs; reject when z^2 >= A^2 + log(n/m), n >= m, where
 * 2(1 - Phi(A) + A phi(A)) = alpha for two sides. For one side at `alpha` the constant of 2 alpha. 2.7955 at 5%
 * two-sided.
 */
export function delayedStartConstant(alpha: number, sides: Sides): Result<{ readonly constant: number }> {
  const level = sides === 'two' ? alpha : 2 * alpha;
  if (!isProbability(level)) return cannot('alpha lies strictly between 0 and 1, one-sided below 0.5');
  const target = Math.log(level / 2);
  return { ok: true, constant: lastFalse((a) => logDelayedTail(a) <= target, 0, 1 + Math.sqrt(-4 * target)) };
}

/**
 * Whether a delayed start rejects at a look, and the bound on z there. Before `first` pairs it says nothing, which is a
 * refusal.
 */
export function delayedStartRejects({
  z,
  pairs,
  first,
  alpha,
  side,
}: {
  readonly z: number;
  readonly pairs: number;
  readonly first: number;
  readonly alpha: number;
  readonly side: 'harm' | 'win' | 'either';
}): Result<{ readonly rejects: boolean; readonly bound: number }> {
  const constant = delayedStartConstant(alpha, side === 'either' ? 'two' : 'one');
  if (!constant.ok) return constant;
  if (!Number.isFinite(z) || !isPositive(first) || !(pairs >= first && pairs < Infinity))
    return cannot('a delayed start says nothing before its first look');
  const bound = Math.sqrt(constant.constant ** 2 + Math.log(pairs / first));
  return { ok: true, bound, rejects: (side === 'either' ? Math.abs(z) : side === 'win' ? -z : z) >= bound };
}
