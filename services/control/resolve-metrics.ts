/**
 * Metrics as a file declares them to metrics as every part reads them: effects absolute, caps given. A metric without a
 * baseline is settled when its baseline has been learned: until then `ExperimentSpec.learning` says what is to come.
 */
import type { Baseline, Effect, ExperimentSpec, MetricSpec } from '../kernel/experiment.ts';
import { isEventMeasure, isSigned, scaleOf } from '../kernel/measures.ts';
import type { MetricInput } from './file-schema.ts';

/** A problem with one key of a metric or an SLO; without a key, with the whole of it. */
export type ResolveProblem = { readonly key?: string; readonly code: string; readonly message: string };
export type MetricDraft = Omit<MetricSpec, 'harm' | 'margin' | 'worthwhile' | 'cap' | 'floor' | 'baseline'> & {
  readonly harm: Effect;
  readonly margin?: Effect;
  readonly worthwhile?: Effect;
  readonly cap?: number;
  readonly floor?: number;
  readonly baseline?: Baseline;
};

/** 99.5th percentile of a normal distribution, in standard deviations. */
const z995 = 2.5758;

export const isResolveProblem = (value: object): value is ResolveProblem => 'code' in value;

/** A quantile is tested as the rate of passing its threshold; its baseline follows from the quantile itself. */
export function draftOf(input: MetricInput): MetricDraft | ResolveProblem {
  let { numerator, denominator } = input;
  if (input.quantile !== undefined) {
    if (input.of === undefined || input.threshold === undefined)
      return {
        key: 'quantile',
        code: 'quantile-incomplete',
        message: 'a quantile is tested as the rate of passing a threshold: give `of` and `threshold`',
      };
    numerator = { of: 'inference', name: 'over', field: input.of, threshold: input.threshold };
    denominator = { of: 'inference', name: 'requests' };
  }
  if (numerator === undefined)
    return { key: 'numerator', code: 'missing', message: 'a metric needs a numerator, or quantile, of and threshold' };
  if (input.worthwhile !== undefined && input.role !== 'goal')
    return {
      key: 'worthwhile',
      code: 'not-a-goal',
      message: 'only a goal can be worth having: take the key out, or make it a goal',
    };
  const baseline =
    baselineOf(input) ??
    (input.quantile === undefined
      ? undefined
      : { mean: 1 - input.quantile, sd: Math.sqrt(input.quantile * (1 - input.quantile)) });
  return {
    id: input.id,
    role: input.role,
    numerator,
    ...(denominator && { denominator }),
    better: input.better,
    windowMs: input.window,
    harm: input.harm ?? { relative: true, size: input.quantile === undefined ? 0.2 : 0.5 },
    ...(input.margin !== undefined && input.margin !== 0 && { margin: input.margin }),
    ...(input.worthwhile && { worthwhile: input.worthwhile }),
    ...(input.cap !== undefined && { cap: input.cap }),
    ...(input.floor !== undefined && { floor: input.floor }),
    ...(baseline && { baseline }),
  };
}

/** A file says the mean denominator in its own unit; it is kept in whole numbers of its scale, as it is learned. */
function baselineOf({ baseline, denominator }: MetricInput): Baseline | undefined {
  if (baseline === undefined) return undefined;
  const { mean, sd, denominator: usual } = baseline;
  return { mean, sd, ...(usual !== undefined && { denominator: usual * scaleOf(denominator) }) };
}

/** A unit's value lies in [0, 1] by its nature: a share of requests or of entities. */
export const isShare = ({ numerator, denominator }: Pick<MetricSpec, 'numerator' | 'denominator'>): boolean =>
  scaleOf(numerator) === 1 && denominator !== undefined && (isEventMeasure(numerator) || numerator.of === 'outcome');

/**
 * Where values begin to count as the lowest: 0 for what cannot be less. A sum of outcomes and a score can: without a
 * declared floor the 0.5th percentile as if normal, or 0 if that is lower.
 */
function floorOf({ numerator, floor }: MetricDraft, { mean, sd }: Baseline): number {
  return floor ?? (isSigned(numerator) ? Math.min(0, mean - z995 * sd) : 0);
}

/**
 * The metric with this baseline. Relative effects are of its mean; a missing cap is 1 for shares, else its 99.5th
 * percentile as if normal.
 */
export function resolveMetric(draft: MetricDraft, baseline: Baseline): MetricSpec | ResolveProblem {
  const { harm: wanted, margin: tolerated, worthwhile: worth, cap: declared, floor: _floor, ...rest } = draft;
  const absolute = (change: Effect): number => (change.relative ? change.size * Math.abs(baseline.mean) : change.size);
  const harm = absolute(wanted);
  if (!(harm > 0))
    return {
      key: 'harm',
      code: 'no-effect',
      message: 'a relative change of a mean of 0 is no change: give an absolute one',
    };
  const cap = declared ?? (isShare(draft) ? 1 : baseline.mean + z995 * baseline.sd);
  if (cap <= baseline.mean)
    return { key: 'cap', code: 'cap-too-low', message: `the cap lies above the baseline's mean ${baseline.mean}` };
  const floor = floorOf(draft, baseline);
  if (floor > baseline.mean || (floor === baseline.mean && floor !== 0))
    return {
      key: draft.floor === undefined ? 'baseline' : 'floor',
      code: 'floor-too-high',
      message: `the floor ${floor} lies below the baseline's mean ${baseline.mean}`,
    };
  if (baseline.denominator !== undefined && draft.denominator === undefined)
    return {
      key: 'baseline',
      code: 'no-denominator',
      message: 'baseline.denominator is the mean denominator of a unit: this metric has none',
    };
  const margin = tolerated === undefined ? 0 : absolute(tolerated);
  if (margin >= cap - floor)
    return {
      key: 'margin',
      code: 'margin-too-large',
      message: `the tolerated change is smaller than the values' range ${cap - floor}`,
    };
  const worthwhile = worth === undefined ? undefined : absolute(worth);
  if (worthwhile !== undefined && !(worthwhile > 0))
    return {
      key: 'worthwhile',
      code: 'no-effect',
      message: 'a relative change of a mean of 0 is no change: give an absolute one',
    };
  return {
    ...rest,
    harm,
    baseline,
    cap,
    ...(floor !== 0 && { floor }),
    margin,
    ...(worthwhile !== undefined && { worthwhile }),
  };
}

/** What stands for a baseline that is not known yet; nothing is tested with it. */
const unlearned: Pick<MetricSpec, 'harm' | 'baseline' | 'margin'> = {
  harm: 1,
  baseline: { mean: 0, sd: 1 },
  margin: 0,
};

/** Every metric settled or waiting, and the plan for those that wait. */
export function resolveAll(drafts: readonly MetricDraft[]): {
  readonly metrics: readonly (MetricSpec | ResolveProblem)[];
  readonly waiting: NonNullable<ExperimentSpec['learning']>['metrics'];
} {
  const metrics = drafts.map((draft): MetricSpec | ResolveProblem => {
    if (draft.baseline !== undefined) return resolveMetric(draft, draft.baseline);
    const { harm: _harm, margin: _margin, worthwhile: _worthwhile, cap = 1, floor: _floor, ...rest } = draft;
    return { ...rest, ...unlearned, cap };
  });
  const waiting = drafts
    .filter(({ baseline }) => baseline === undefined)
    .map(({ id, harm, margin, worthwhile, cap, floor }) => ({
      id,
      harm,
      ...(margin && { margin }),
      ...(worthwhile && { worthwhile }),
      ...(cap !== undefined && { cap }),
      ...(floor !== undefined && { floor }),
    }));
  return { metrics, waiting };
}

/** The specification of the phase that follows learning, or why these baselines cannot be used. */
export function finishLearning(
  spec: ExperimentSpec,
  baselines: Readonly<Record<string, Baseline>>,
): ExperimentSpec | ResolveProblem {
  const { learning, ...rest } = spec;
  if (learning === undefined) return spec;
  const metrics: MetricSpec[] = [];
  for (const metric of spec.metrics) {
    const plan = learning.metrics.find(({ id }) => id === metric.id);
    // An id may be the name of something that every object has.
    const baseline = Object.hasOwn(baselines, metric.id) ? baselines[metric.id] : undefined;
    if (plan === undefined) {
      metrics.push(metric);
      continue;
    }
    if (baseline === undefined || !(baseline.sd > 0))
      return { code: 'no-baseline', message: `${metric.id}: its values do not vary yet` };
    const {
      harm: _harm,
      margin: _margin,
      cap: _cap,
      floor: _floor,
      baseline: _baseline,
      worthwhile: _worthwhile,
      ...declared
    } = metric;
    const resolved = resolveMetric({ ...declared, ...plan }, baseline);
    if (isResolveProblem(resolved)) return { ...resolved, message: `${metric.id}: ${resolved.message}` };
    metrics.push(resolved);
  }
  return { ...rest, arms: learning.arms, metrics };
}
