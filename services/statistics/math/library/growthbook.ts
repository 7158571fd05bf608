/**
 * GrowthBook's frequentist forms, for people who migrate and want the numbers they know: Welch's t and the asymptotic
 * confidence sequence of Waudby-Smith et al. (arXiv 2103.06476, equations 9, 134, 155 and 161) on the absolute or the
 * relative difference. Conventions of gbstats: a proportion's variance is m(1-m), Welch- Satterthwaite's degrees of
 * freedom come from the unscaled arms, n is total units. Equal to its outputs to 1e-5
 * (`test/golden/growthbook.test.ts`). ASYMPTOTIC, two-sided or one-sided as named, never behind the gates of
 * `score.ts`. Offered to analysts: no decision rests on it.
 */
import {
  type AdjustedSums,
  type ArmMoments,
  type MeanSums,
  type Moments,
  momentsAdjusted,
  momentsOfMean,
  momentsOfRate,
  momentsOfRatio,
  type RatioSums,
} from '../moments.ts';
import { mixtureRho } from '../normal-mixture.ts';
import { cannot, isProbability, type Refusal, type Result } from '../special.ts';
import { logStudentTUpperTail, studentTQuantile } from '../student.ts';

export type GrowthbookArms =
  | { readonly kind: 'mean'; readonly control: MeanSums; readonly candidate: MeanSums }
  | {
      readonly kind: 'proportion';
      readonly control: { readonly units: number; readonly sum: number };
      readonly candidate: { readonly units: number; readonly sum: number };
    }
  | { readonly kind: 'ratio'; readonly control: RatioSums; readonly candidate: RatioSums }
  | { readonly kind: 'adjusted'; readonly control: AdjustedSums; readonly candidate: AdjustedSums };
export type Difference = 'absolute' | 'relative';
/** Which way the candidate would have to differ: `greater` and `lesser` are one-sided, with one infinite limit. */
export type Tail = 'two' | 'greater' | 'lesser';
export type GrowthbookAnswer = {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
  readonly standardError: number;
  readonly p: number;
};

type Effect = {
  readonly estimate: number;
  readonly standardError: number;
  readonly units: number;
  readonly degrees: number;
};

const proportion = ({ units, sum }: { readonly units: number; readonly sum: number }): Moments => {
  const rate = momentsOfRate(units, sum);
  return rate.ok ? { ...rate, variance: rate.mean * (1 - rate.mean) } : rate;
};

function momentsOf(arms: GrowthbookArms): Result<{ readonly control: ArmMoments; readonly candidate: ArmMoments }> {
  if (arms.kind === 'adjusted') return momentsAdjusted(arms.control, arms.candidate);
  const [control, candidate] =
    arms.kind === 'mean'
      ? [momentsOfMean(arms.control), momentsOfMean(arms.candidate)]
      : arms.kind === 'ratio'
        ? [momentsOfRatio(arms.control), momentsOfRatio(arms.candidate)]
        : [proportion(arms.control), proportion(arms.candidate)];
  return control.ok ? (candidate.ok ? { ok: true, control, candidate } : candidate) : control;
}

function effectOf(arms: GrowthbookArms, difference: Difference): ({ readonly ok: true } & Effect) | Refusal {
  const moments = momentsOf(arms);
  if (!moments.ok) return moments;
  const { control: a, candidate: b } = moments;
  if (!(a.variance > 0 && b.variance > 0)) return cannot('an arm has no variance: all its units are alike');
  const [va, vb] = [a.variance / a.units, b.variance / b.units];
  const degrees = (va + vb) ** 2 / (va ** 2 / (a.units - 1) + vb ** 2 / (b.units - 1));
  const units = a.units + b.units;
  const apart = b.mean - a.mean;
  if (difference === 'absolute')
    return { ok: true, estimate: apart, standardError: Math.sqrt(va + vb), units, degrees };
  const base = a.base ?? { mean: a.mean, variance: a.variance, covariance: a.variance };
  if (!(base.mean > 0) && !(base.mean < 0)) return cannot("control's mean is 0: no relative effect");
  // Delta method with the unadjusted control mean as denominator; without adjustment it is vb/m^2 + va mb^2/m^4.
  const variance =
    (va + vb) / base.mean ** 2 +
    ((apart ** 2 / base.mean ** 4) * base.variance) / a.units +
    ((2 * apart) / base.mean ** 3) * (base.covariance / a.units);
  return variance > 0
    ? { ok: true, estimate: apart / base.mean, standardError: Math.sqrt(variance), units, degrees }
    : cannot('the delta method gives no positive variance');
}

const limits = (estimate: number, half: number, tail: Tail): { readonly lower: number; readonly upper: number } => ({
  lower: tail === 'lesser' ? -Infinity : estimate - half,
  upper: tail === 'greater' ? Infinity : estimate + half,
});

/** Welch's t at ONE look fixed beforehand. `alpha` in (0, 1). p two-sided, or towards `tail`. */
export function growthbookFixed(
  arms: GrowthbookArms,
  {
    difference,
    alpha,
    tail = 'two',
  }: { readonly difference: Difference; readonly alpha: number; readonly tail?: Tail },
): Result<GrowthbookAnswer> {
  if (!isProbability(alpha)) return cannot('alpha lies strictly between 0 and 1');
  const effect = effectOf(arms, difference);
  if (!effect.ok) return effect;
  const { estimate, standardError, degrees } = effect;
  const t = estimate / standardError;
  const p =
    tail === 'two'
      ? Math.min(1, 2 * Math.exp(logStudentTUpperTail(Math.abs(t), degrees)))
      : Math.exp(logStudentTUpperTail(tail === 'greater' ? t : -t, degrees));
  return {
    ok: true,
    estimate,
    standardError,
    p,
    ...limits(estimate, studentTQuantile(1 - (tail === 'two' ? alpha / 2 : alpha), degrees) * standardError, tail),
  };
}

/**
 * The sequential form. `tuning` is N*, total units at which the interval is tightest (GrowthBook's default 5,000);
 * `alpha` in (0, 1), one-sided in (0, 0.5).
 */
export function growthbookSequential(
  arms: GrowthbookArms,
  {
    difference,
    alpha,
    tuning = 5_000,
    tail = 'two',
  }: { readonly difference: Difference; readonly alpha: number; readonly tuning?: number; readonly tail?: Tail },
): Result<GrowthbookAnswer> {
  const tuned = mixtureRho(tuning, alpha, tail === 'two' ? 'two' : 'one');
  if (!tuned.ok) return tuned;
  const effect = effectOf(arms, difference);
  if (!effect.ok) return effect;
  const { estimate, standardError, units: n } = effect;
  const rhoSquared = 1 / tuned.rho;
  const grown = n * rhoSquared + 1;
  const halfAt = (level: number): number =>
    standardError *
    Math.sqrt(
      ((2 * grown) / (n * rhoSquared)) *
        (tail === 'two' ? Math.log(Math.sqrt(grown) / level) : Math.log1p(Math.sqrt(grown) / (2 * level))),
    );
  const answer = { estimate, standardError, ...limits(estimate, halfAt(alpha), tail) };
  if (tail === 'two')
    return {
      ok: true,
      ...answer,
      p: Math.min(
        1,
        Math.exp(0.5 * Math.log(grown) - (rhoSquared * n * (estimate / standardError) ** 2) / (2 * grown)),
      ),
    };
  const p = oneSidedP(tail === 'lesser' ? -estimate : estimate, halfAt);
  return p === undefined ? cannot('the one-sided p did not converge') : { ok: true, ...answer, p };
}

export const growthbookPRange: readonly [number, number] = [1e-5, 0.4999];

/**
 * GrowthBook's one-sided p: the level at which the limit touches 0, rho staying at the design's level; searched by
 * halving in [1e-5, 0.4999], whose ends are its smallest and largest answers, until the limit is within 1e-6 of 0 (in
 * the metric's unit), then one more half. The tolerance is part of the answer, so it is kept.
 */
function oneSidedP(towards: number, halfAt: (level: number) => number): number | undefined {
  let [low, high] = growthbookPRange;
  if (towards - halfAt(low) > 0) return low;
  if (towards - halfAt(high) < 0) return high;
  for (let step = 0; step < 100; step += 1) {
    const level = (low + high) / 2;
    const limit = towards - halfAt(level);
    if (limit < 0) low = level;
    else high = level;
    if (Math.abs(limit) < 1e-6) return (low + high) / 2;
  }
  return undefined;
}
