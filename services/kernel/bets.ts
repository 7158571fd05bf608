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

export type BetSide = 'harm' | 'win';
export type BetDesign = {
  /** P(candidate | candidate or control), in (0, 1). */
  readonly q: number;
  /** Centre, design effect, variance of a unit's value; all scaled to 0..1 by floor and cap, harm upwards. */
  readonly center: number;
  readonly design: number;
  readonly variance: number;
  /** Tolerated difference on the same scale, >= 0. */
  readonly tolerance: number;
  /** A ratio: units weigh what their denominators are, and the tolerance is per denominator of the candidate. */
  readonly isRatio: boolean;
  readonly harm: readonly number[];
  readonly win: readonly number[];
  /** The weight above which a unit's bet would leave no more than a tenth; one per bet, >= 1. */
  readonly mostWeight: { readonly harm: readonly number[]; readonly win: readonly number[] };
};

/** What no bet may lose more of: every factor is at least 0.1. */
const mostAtStake = 0.9;

/** lam_j = min(m_j d / var_z, 0.9 / |z_min|), var_z = v/(1-q) + v/q. */
export function lambdaGrid(design: number, variance: number, q: number, zMin: number): number[] {
  const varZ = variance / (1 - q) + variance / q;
  return betMultiples.map((multiple) => Math.min((multiple * design) / varZ, mostAtStake / Math.abs(zMin)));
}

/** The smallest scores that a unit of weight 1 can have. */
function worstScores(center: number, q: number, tolerance: number, isRatio: boolean): Record<BetSide, number> {
  if (isRatio)
    return {
      harm: -Math.max((center + tolerance) / q, (1 - center) / (1 - q)),
      win: -Math.max((1 - center - tolerance) / q, center / (1 - q)),
    };
  return {
    harm: -Math.max(center / q, (1 - center) / (1 - q)) - tolerance,
    win: -Math.max((1 - center) / q, center / (1 - q)) + tolerance,
  };
}

/**
 * Frozen before the phase starts from declared constants only. Harm bets on z - tolerance. The other side: for a metric
 * with a tolerance it is non-inferiority, -(z - tolerance) with the tolerance as design effect; without one it is
 * benefit, -z.
 */
export function betDesignOf(spec: ExperimentSpec, metric: MetricSpec, candidate: string): BetDesign {
  const q = allocationOf(spec, candidate);
  const range = valueRange(metric);
  const center = scaledValue(metric, metric.baseline.mean);
  const variance = (metric.baseline.sd / range) ** 2;
  const design = metric.harm / range;
  const tolerance = metric.margin / range;
  const isRatio = metric.denominator !== undefined;
  const worst = worstScores(center, q, tolerance, isRatio);
  const harm = lambdaGrid(design, variance, q, worst.harm);
  const win = lambdaGrid(tolerance > 0 ? tolerance : design, variance, q, worst.win);
  const mostOf = (lambdas: readonly number[], zMin: number): number[] =>
    lambdas.map((lambda) => Math.max(1, mostAtStake / (Math.abs(zMin) * lambda)));
  const mostWeight = { harm: mostOf(harm, worst.harm), win: mostOf(win, worst.win) };
  return { q, center, design, variance, tolerance, isRatio, harm, win, mostWeight };
}

/** How far floor and cap are apart, in the metric's own unit. */
export const valueRange = ({ cap, floor = 0 }: Pick<MetricSpec, 'cap' | 'floor'>): number => cap - floor;

/** A unit's value as betting sees it: in [0, 1] between floor and cap, harm upwards. In the metric's own unit. */
export function scaledValue(metric: Pick<MetricSpec, 'cap' | 'floor' | 'better'>, value: number): number {
  const { cap, floor = 0 } = metric;
  const x = (Math.min(Math.max(value, floor), cap) - floor) / (cap - floor);
  return metric.better === 'lower' ? x : 1 - x;
}

/** A value on the scale of the bets back in the metric's own unit. */
export function ownValue({ cap, floor = 0, better }: Pick<MetricSpec, 'cap' | 'floor' | 'better'>, x: number): number {
  return floor + (better === 'lower' ? x : 1 - x) * (cap - floor);
}

/**
 * Adds floor(log(1 + lam w z) 2^32) of each bet to `into`, or takes it back. `x` in [0, 1],
 * `weight` >= 0. z is (x - c)/q for the candidate and -(x - c)/(1 - q) for control, less the tolerance.
 */
export function addBetLogs(
  into: number[],
  design: BetDesign,
  side: BetSide,
  isCandidate: boolean,
  x: number,
  weight = 1,
  sign: 1 | -1 = 1,
): void {
  const { center, q, tolerance, isRatio } = design;
  const own = x - center - (isRatio && isCandidate ? tolerance : 0);
  const score = (isCandidate ? own / q : -own / (1 - q)) - (isRatio ? 0 : tolerance);
  const z = side === 'harm' ? score : -score;
  const lambdas = design[side];
  const most = design.mostWeight[side];
  for (let j = 0; j < lambdas.length; j += 1) {
    const stake = weight === 1 ? (lambdas[j] ?? 0) : Math.min(weight, most[j] ?? 1) * (lambdas[j] ?? 0);
    into[j] = (into[j] ?? 0) + sign * Math.floor(Math.log1p(stake * z) * fixedPoint);
  }
}

/** floor(log(1 + lam w z) 2^32) for each bet: what one unit's value adds. */
export function betLogs(design: BetDesign, isCandidate: boolean, x: number, side: BetSide, weight = 1): number[] {
  const logs = design[side].map(() => 0);
  addBetLogs(logs, design, side, isCandidate, x, weight);
  return logs;
}
