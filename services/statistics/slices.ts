/**
 * Where a candidate is worse: candidate minus control in every slice, with intervals that hold for all slices together
 * and at all looks at once. For people: no decision reads it. Whoever wants a slice to decide declares a metric with
 * `where slice.NAME = 'VALUE'`.
 */
import type { MetricSpec } from '../kernel/experiment.ts';
import { momentsOfRatio, type RatioSums } from './math/moments.ts';
import { effectInterval, type Score, stratifiedScore } from './math/score.ts';
import type { Refusal } from './math/special.ts';

/** `other`: the values that are not looked at one by one. `not said`: calls that do not name the slice. */
export const sliceKinds = ['value', 'other', 'not said'] as const;
export type SliceKind = (typeof sliceKinds)[number];

/** Units' sums of one arm, in the metric's own unit; y the numerator, x the denominator, 1 for a unit without one. */
export type SliceSums = RatioSums & {
  readonly metric: string;
  readonly arm: string;
  /** Empty for `all`: everything that is known of the arm, in whatever slice. */
  readonly slice: string;
  readonly kind: SliceKind | 'all';
  /** Empty unless `kind` is `value`. */
  readonly value: string;
  /** Calls (of metrics of outcomes: units) whose value is known, and those whose is not: they are in no sum. */
  readonly known: number;
  readonly unknown: number;
  readonly sumYYY: number;
  readonly sumYYX: number;
  readonly sumYXX: number;
  readonly sumXXX: number;
};

export type SliceStatus = 'worse' | 'better' | 'unclear' | 'too few units' | 'not measured';
export type SliceArm = { readonly units: number; readonly known: number; readonly unknown: number };
export type SliceDifference = { readonly estimate: number; readonly lower: number; readonly upper: number };
export type SliceFinding = {
  readonly metric: string;
  readonly slice: string;
  readonly kind: SliceKind;
  readonly value: string;
  readonly status: SliceStatus;
  readonly control: SliceArm;
  readonly candidate: SliceArm;
  /** Candidate minus control in the metric's own unit; absent where there is none to be had. */
  readonly difference?: SliceDifference;
  /** Why it is not measured, or what is too few. */
  readonly reason?: string;
};

/** Two-sided, of all slices and metrics of a candidate together. */
export const sliceAlpha = 0.05;
/** Equivalent pairs at which an interval is narrowest; as for the interval of the whole phase. */
export const sliceTuning = { pairs: 1_500 };
/** As `scoreGates` asks: fewer, and a normal approximation is not to be relied on. */
const leastUnits = 200;
const leastUnitsOfSkew = 25;

export type Compared =
  | { readonly ok: true; readonly score: Score; readonly control: SliceSums; readonly candidate: SliceSums }
  | (Refusal & { readonly status: 'too few units' | 'not measured' });

const refuse = (status: 'too few units' | 'not measured', reason: string): Compared => ({ ok: false, status, reason });

/**
 * Skewness of one unit's residual y - R x with both arms together, from power sums: under "no difference" the arms are
 * one population, and an arm without a single event has no skewness of its own. R = sum y / sum x, so the residuals'
 * mean is 0 and m_k is their k-th moment: m3/m2^(3/2). Undefined where no unit differs from another.
 */
function skewness(arms: readonly SliceSums[]): number | undefined {
  const sum = (of: (arm: SliceSums) => number): number => arms.reduce((all, arm) => all + of(arm), 0);
  const n = sum((arm) => arm.units);
  const r = sum((arm) => arm.sumY) / sum((arm) => arm.sumX);
  const m2 = sum((arm) => arm.sumYY - 2 * r * arm.sumXY + r * r * arm.sumXX) / n;
  const m3 = sum((arm) => arm.sumYYY - 3 * r * arm.sumYYX + 3 * r * r * arm.sumYXX - r ** 3 * arm.sumXXX) / n;
  return m2 > 0 ? m3 / m2 ** 1.5 : undefined;
}

/**
 * Ratio of sums in each arm and its variance from unit to unit (delta method), behind gates: both arms 200 units, and
 * 25 skewness^2 units in the smaller one. Null of what follows: the two ratios are equal.
 */
export function compareArms(control: SliceSums | undefined, candidate: SliceSums | undefined): Compared {
  if (control === undefined || control.units === 0) return refuse('not measured', 'no known value in control');
  if (candidate === undefined || candidate.units === 0)
    return refuse('not measured', 'no known value in the candidate');
  if (control.sumX === 0 || candidate.sumX === 0)
    return refuse('not measured', 'the denominator adds up to 0 in an arm');
  const fewest = Math.min(control.units, candidate.units);
  if (fewest < leastUnits) return refuse('too few units', `each arm needs ${leastUnits} units`);
  const skew = skewness([control, candidate]);
  if (skew === undefined) return refuse('too few units', 'no unit differs from another so far');
  const needed = Math.ceil(leastUnitsOfSkew * skew ** 2);
  if (fewest < needed) return refuse('too few units', `values this skewed need ${needed} units in each arm`);
  const [a, b] = [momentsOfRatio(control), momentsOfRatio(candidate)];
  if (!a.ok) return refuse('not measured', `control: ${a.reason}`);
  if (!b.ok) return refuse('not measured', `candidate: ${b.reason}`);
  const score = stratifiedScore([{ control: a, candidate: b }]);
  return score.ok ? { ...score, ok: true, score, control, candidate } : refuse('too few units', score.reason);
}

/** The difference with its interval at `alpha`, valid at all looks at once (asymptotic). */
export function differenceOf(score: Score, alpha: number): SliceDifference | undefined {
  const interval = effectInterval(score, 'absolute', alpha, sliceTuning);
  return interval.ok ? { estimate: score.effect, lower: interval.lower, upper: interval.upper } : undefined;
}

/** An interval as the metric sees it: wholly on the side of harm, of benefit, or neither. */
export function sideOfHarm(
  { lower, upper }: SliceDifference,
  better: MetricSpec['better'],
): 'worse' | 'better' | 'unclear' {
  if (lower > 0) return better === 'lower' ? 'worse' : 'better';
  if (upper < 0) return better === 'lower' ? 'better' : 'worse';
  return 'unclear';
}

type SliceMetric = Pick<MetricSpec, 'id' | 'better'>;

const armOf = (sums: SliceSums | undefined): SliceArm => ({
  units: sums?.units ?? 0,
  known: sums?.known ?? 0,
  unknown: sums?.unknown ?? 0,
});

/** Worst first: by word, then by how many half-widths the estimate lies on the side of harm. */
const order: readonly SliceStatus[] = ['worse', 'unclear', 'better', 'too few units', 'not measured'];
function badness({ difference, metric }: SliceFinding, metrics: readonly SliceMetric[]): number {
  if (difference === undefined) return -Infinity;
  const { estimate, lower, upper } = difference;
  const better = metrics.find(({ id }) => id === metric)?.better;
  return ((better === 'higher' ? -1 : 1) * estimate) / ((upper - lower) / 2);
}

export type SliceFindings = {
  readonly findings: readonly SliceFinding[];
  /** How many intervals the error is shared by, and what each has of it. */
  readonly looked: number;
  readonly alphaEach: number;
};

/**
 * Every slice and metric of one candidate. Correction: Bonferroni over all that are shown, also those with too few
 * units: each interval has alpha/looked. It needs nothing of how slices depend on each other, and they do: a unit
 * stands in one value of every slice. Each interval is a confidence sequence, so looking again costs nothing.
 */
export function findSlices(
  sums: readonly SliceSums[],
  metrics: readonly SliceMetric[],
  control: string,
  candidate: string,
  alpha = sliceAlpha,
): SliceFindings {
  const cells = new Map<string, { arms: Map<string, SliceSums>; of: SliceSums & { kind: SliceKind } }>();
  for (const row of sums) {
    if (!isSlice(row) || !metrics.some(({ id }) => id === row.metric)) continue;
    if (row.arm !== control && row.arm !== candidate) continue;
    const key = JSON.stringify([row.metric, row.slice, row.kind, row.value]);
    const cell = cells.get(key) ?? { arms: new Map<string, SliceSums>(), of: row };
    cell.arms.set(row.arm, row);
    cells.set(key, cell);
  }
  const looked = cells.size;
  const alphaEach = alpha / Math.max(1, looked);
  const findings = [...cells.values()].map(({ arms, of: { metric, slice, kind, value } }): SliceFinding => {
    const [a, b] = [arms.get(control), arms.get(candidate)];
    const cell = { metric, slice, kind, value, control: armOf(a), candidate: armOf(b) };
    const compared = compareArms(a, b);
    if (!compared.ok) return { ...cell, status: compared.status, reason: compared.reason };
    const difference = differenceOf(compared.score, alphaEach);
    if (difference === undefined) return { ...cell, status: 'not measured', reason: 'its interval is not a number' };
    const better = metrics.find(({ id }) => id === metric)?.better ?? 'lower';
    return { ...cell, status: sideOfHarm(difference, better), difference };
  });
  findings.sort(
    (one, other) =>
      order.indexOf(one.status) - order.indexOf(other.status) ||
      compareNumbers(badness(other, metrics), badness(one, metrics)) ||
      other.control.units - one.control.units,
  );
  return { findings, looked, alphaEach };
}

const compareNumbers = (one: number, other: number): number => (one === other ? 0 : one - other);
const isSlice = (row: SliceSums): row is SliceSums & { kind: SliceKind } => row.kind !== 'all';
