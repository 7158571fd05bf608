/**
 * The arithmetic of betting: which bets are frozen for a metric, and what one unit's value adds to their logarithms.
 * The joiner adds them up per test aggregate, statistics mixes the sums; both must agree to the bit, so the arithmetic
 * lives here. Formula: `services/statistics/README.md` (IPW betting over a fixed grid with a design prior; ingredients
 * Waudby-Smith & Ramdas 2024).
 */
import { allocationOf, type ExperimentSpec, type MetricSpec } from './experiment.ts';

/** Multiples of the design bet and their prior weights. */
export const betMultiples = [0.4, 0.7, 1, 1.4, 2, 3.2, 6] as const;
export const betWeights = [0.1, 0.2, 0.25, 0.2, 0.1, 0.1, 0.05] as const;
export const betCount = betMultiples.length;

/** Logs are kept as whole multiples of 2^-32, rounded down: sums are exact, and a rounded bet never gains evidence. */
export const fixedPoint = 2 ** 32;

export type BetDesign = {
  /** P(candidate | candidate or control), in (0, 1). */
  readonly q: number;
  /** Centre, design effect, variance of a unit's value; all after dividing by cap, harm upwards. */
  readonly center: number;
  readonly design: number;
  readonly variance: number;
  /** Tolerated difference after dividing by cap, >= 0. */
  readonly tolerance: number;
  readonly harm: readonly number[];
  readonly win: readonly number[];
};

/** lam_j = min(m_j d / var_z, 0.9 / |z_min|), var_z = v/(1-q) + v/q. */
export function lambdaGrid(design: number, variance: number, q: number, zMin: number): number[] {
  const varZ = variance / (1 - q) + variance / q;
  return betMultiples.map((multiple) => Math.min((multiple * design) / varZ, 0.9 / Math.abs(zMin)));
}

/**
 * Frozen before the phase starts from declared constants only. Harm bets on z - tolerance. The other side: for a metric
 * with a tolerance it is non-inferiority, -(z - tolerance) with the tolerance as design effect; without one it is
 * benefit, -z.
 */
export function betDesignOf(spec: ExperimentSpec, metric: MetricSpec, candidate: string): BetDesign {
  const q = allocationOf(spec, candidate);
  const mean = metric.baseline.mean / metric.cap;
  const center = metric.better === 'lower' ? mean : 1 - mean;
  const variance = (metric.baseline.sd / metric.cap) ** 2;
  const design = metric.harm / metric.cap;
  const tolerance = metric.margin / metric.cap;
  const worstHarm = -Math.max(center / q, (1 - center) / (1 - q)) - tolerance;
  const worstWin = -Math.max((1 - center) / q, center / (1 - q)) + tolerance;
  return {
    q,
    center,
    design,
    variance,
    tolerance,
    harm: lambdaGrid(design, variance, q, worstHarm),
    win: lambdaGrid(tolerance > 0 ? tolerance : design, variance, q, worstWin),
  };
}

/** A unit's capped value as betting sees it, in [0, 1], harm upwards. `value` >= 0 in the metric's own unit. */
export function scaledValue(metric: MetricSpec, value: number): number {
  const x = Math.min(Math.max(value, 0), metric.cap) / metric.cap;
  return metric.better === 'lower' ? x : 1 - x;
}

/** floor(log(1 + lam z) 2^32) for each bet. `x` in [0, 1]; the result has the grid's length. */
export function betLogs(design: BetDesign, isCandidate: boolean, x: number, side: 'harm' | 'win'): number[] {
  const score =
    (isCandidate ? (x - design.center) / design.q : -(x - design.center) / (1 - design.q)) - design.tolerance;
  const z = side === 'harm' ? score : -score;
  return design[side].map((lambda) => Math.floor(Math.log1p(lambda * z) * fixedPoint));
}
