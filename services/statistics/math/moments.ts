/**
 * What an arm's sums say: its mean, the variance of one unit, and for a ratio or a CUPED-adjusted metric the same of
 * the linearised residual. Every asymptotic form (`score.ts`, GrowthBook's, Eppo's) starts from these. Sums are over
 * closed units of one arm (and ramp revision); centre large values first, sums of squares cancel.
 */
import { cannot, isCount, type Result } from './special.ts';

/**
 * `mean` of the metric; `variance` of ONE unit's (linearised) value, at least 0; `units` whole, at least 2. Where the
 * mean is adjusted, `base` is the unadjusted one.
 */
export type ArmMoments = {
  readonly units: number;
  readonly mean: number;
  readonly variance: number;
  /**
   * Denominator of a relative effect: the unadjusted mean, its unit variance, and the unit covariance of the adjusted
   * with the unadjusted value.
   */
  readonly base?: { readonly mean: number; readonly variance: number; readonly covariance: number };
};
export type Moments = Result<ArmMoments>;

/** Sums of a value over units; `center` was subtracted from every value beforehand (0 if none). */
export type MeanSums = {
  readonly units: number;
  readonly sum: number;
  readonly sumSquares: number;
  readonly center?: number;
};
/** Sums of a ratio's numerator y and denominator x over units, each unit once. */
export type RatioSums = {
  readonly units: number;
  readonly sumY: number;
  readonly sumX: number;
  readonly sumYY: number;
  readonly sumXX: number;
  readonly sumXY: number;
};
/** Sums of a value y and a value p of the same unit from before the experiment. */
export type AdjustedSums = {
  readonly units: number;
  readonly sumY: number;
  readonly sumP: number;
  readonly sumYY: number;
  readonly sumPP: number;
  readonly sumYP: number;
};

/** The sample (co)variance n - 1 from sums, or undefined where sums contradict each other beyond rounding. */
function covariance(units: number, sumX: number, sumY: number, sumXY: number): number {
  return (sumXY - (sumX / units) * sumY) / (units - 1);
}

function checked(
  units: number,
  sums: readonly number[],
  squares: readonly (readonly [sum: number, sumSquares: number])[],
): string | undefined {
  if (!isCount(units) || units < 2) return 'a variance needs a whole number of units, at least 2';
  if (!sums.every(Number.isFinite)) return 'a sum is not a number';
  // Cauchy-Schwarz; rounding of sums over n units may miss it by a few parts in 1e16 per unit added pairwise, far below
  // 1e-9.
  if (squares.some(([sum, sumSquares]) => sumSquares < 0 || sumSquares * (1 + 1e-9) < (sum / units) * sum))
    return 'a sum of squares is smaller than its mean allows';
  return undefined;
}

/** Mean and n - 1 variance of a value. */
export function momentsOfMean({ units, sum, sumSquares, center = 0 }: MeanSums): Moments {
  const problem = checked(units, [sum, sumSquares, center], [[sum, sumSquares]]);
  if (problem !== undefined) return cannot(problem);
  return {
    ok: true,
    units,
    mean: center + sum / units,
    variance: Math.max(0, covariance(units, sum, sum, sumSquares)),
  };
}

/** Rate and n - 1 variance of a yes-or-no outcome, s(n-s)/(n(n-1)): no cancellation at any size. */
export function momentsOfRate(units: number, events: number): Moments {
  if (!isCount(units) || units < 2 || !isCount(events) || events > units)
    return cannot('a rate needs whole numbers, at least 2 units, events among them');
  return { ok: true, units, mean: events / units, variance: (events / units) * ((units - events) / (units - 1)) };
}

/**
 * Ratio of sums R = sum y / sum x and, by the delta method, the unit variance of the residual (y - R x) / mean x: (s2_Y
 * - 2 R s_XY + R^2 s2_X) / mean(x)^2.
 */
export function momentsOfRatio({ units, sumY, sumX, sumYY, sumXX, sumXY }: RatioSums): Moments {
  const problem = checked(
    units,
    [sumY, sumX, sumYY, sumXX, sumXY],
    [
      [sumY, sumYY],
      [sumX, sumXX],
    ],
  );
  if (problem !== undefined) return cannot(problem);
  if (sumX === 0) return cannot('the denominator of the ratio adds up to 0');
  const ratio = sumY / sumX;
  const residual =
    covariance(units, sumY, sumY, sumYY) -
    2 * ratio * covariance(units, sumX, sumY, sumXY) +
    ratio * ratio * covariance(units, sumX, sumX, sumXX);
  return { ok: true, units, mean: ratio, variance: Math.max(0, residual) / (sumX / units) ** 2 };
}

/**
 * CUPED (Deng et al. 2013) from sums: y - theta (p - mean p), one theta for both arms, cov(y, p)/var(p) of all units
 * thrown together (GrowthBook's convention). Adjusted means are stated at the pooled mean of p, so that they read like
 * the plain ones; `base` keeps the plain mean, which relative effects divide by.
 */
export function momentsAdjusted(
  control: AdjustedSums,
  candidate: AdjustedSums,
): Result<{ readonly control: ArmMoments; readonly candidate: ArmMoments; readonly theta: number }> {
  for (const { units, sumY, sumP, sumYY, sumPP, sumYP } of [control, candidate]) {
    const problem = checked(
      units,
      [sumY, sumP, sumYY, sumPP, sumYP],
      [
        [sumY, sumYY],
        [sumP, sumPP],
      ],
    );
    if (problem !== undefined) return cannot(problem);
  }
  const both = (key: keyof AdjustedSums): number => control[key] + candidate[key];
  const units = both('units');
  const variance = covariance(units, both('sumP'), both('sumP'), both('sumPP'));
  const theta = variance > 0 ? covariance(units, both('sumP'), both('sumY'), both('sumYP')) / variance : 0;
  const [adjustedControl, adjustedCandidate] = [control, candidate].map((arm): ArmMoments => {
    const [y, p, yp] = [
      covariance(arm.units, arm.sumY, arm.sumY, arm.sumYY),
      covariance(arm.units, arm.sumP, arm.sumP, arm.sumPP),
      covariance(arm.units, arm.sumY, arm.sumP, arm.sumYP),
    ];
    return {
      units: arm.units,
      mean: arm.sumY / arm.units - theta * (arm.sumP / arm.units - both('sumP') / units),
      variance: Math.max(0, y + theta * theta * p - 2 * theta * yp),
      base: { mean: arm.sumY / arm.units, variance: Math.max(0, y), covariance: y - theta * yp },
    };
  }) as [ArmMoments, ArmMoments];
  return { ok: true, control: adjustedControl, candidate: adjustedCandidate, theta };
}

/**
 * Harmonic size of two arms, n1 n2/(n1 + n2): the units per arm of a balanced test with the same variance are twice
 * this. Both above 0, whole or not.
 */
export function effectiveN(n1: number, n2: number): Result<{ readonly n: number }> {
  return n1 > 0 && n2 > 0 && n1 < Infinity && n2 < Infinity
    ? { ok: true, n: 1 / (1 / n1 + 1 / n2) }
    : cannot('both arms need units');
}

/**
 * Skewness g1 = m3/m2^(3/2) from power sums of values that were centred near their mean beforehand; for the gate of
 * `score.ts`. At least 2 units that differ.
 */
export function skewnessOfSums({
  units,
  sum,
  sumSquares,
  sumCubes,
}: {
  readonly units: number;
  readonly sum: number;
  readonly sumSquares: number;
  readonly sumCubes: number;
}): Result<{ readonly skewness: number }> {
  const problem = checked(units, [sum, sumSquares, sumCubes], [[sum, sumSquares]]);
  if (problem !== undefined) return cannot(problem);
  const mean = sum / units;
  const m2 = sumSquares / units - mean * mean;
  const m3 = sumCubes / units - 3 * mean * (sumSquares / units) + 2 * mean ** 3;
  return m2 > 0 ? { ok: true, skewness: m3 / m2 ** 1.5 } : cannot('all values are equal');
}
