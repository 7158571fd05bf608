/**
 * An experiment file's own phase, simulated: its arms, metrics, weights, test starts, ramp and alpha, on traffic that
 * the caller assumes. Evidence is what `statistics` would compute from the same entries, watched after every one of
 * them. One candidate against control.
 */
import { betDesignOf, betWeights } from '../kernel/bets.ts';
import {
  allocationOf,
  candidatesOf,
  controlOf,
  type ExperimentSpec,
  harmAlphaOf,
  type MetricSpec,
} from '../kernel/experiment.ts';
import {
  designRatios,
  designRatioWeights,
  metricWeight,
  slotWeight,
  usesFirstEvents,
  wholePhaseWeight,
} from '../statistics/index.ts';
import { armModels, type Effect } from './arms.ts';
import { bettingTable, firstEventTable } from './bets.ts';
import { createMixture, type FactorTable, gridLength, type Mixture } from './mixture.ts';
import { type Sampler, samplerOf } from './values.ts';

export type Traffic = {
  /** New units a day at full coverage, all arms together; > 0. */
  readonly unitsPerDay: number;
  /** Mean visits per unit over the phase, >= 1; those who came early come often. */
  readonly visitsPerUnit: number;
  /** How often a visit repeats the unit's own value instead of a fresh one, 0..1: correlation within a unit. */
  readonly sameAgain: number;
};

export type ExperimentPlan = {
  readonly spec: ExperimentSpec;
  readonly candidate: string;
  readonly traffic: Traffic;
  readonly effects: readonly Effect[];
  /** When the effects begin, after the phase's start. */
  readonly effectFromMs: number;
  /** Watch this metric alone; the first crossing of its bound ends the run, whatever its role. */
  readonly only?: string;
};

/** A metric with its evidence. Revision 0 is before the effects begin, 1 after. */
export type PreparedMetric = {
  readonly metric: MetricSpec;
  readonly index: number;
  /** Which of the distinct windows is its own. */
  readonly window: number;
  readonly points: number;
  readonly samplers: readonly Sampler[];
  /** 1 where a point is an event, per (revision, arm, point) as rows are. */
  readonly events: Uint8Array;
  readonly harm: FactorTable;
  readonly win: FactorTable;
  readonly first: FactorTable | undefined;
  readonly testStarts: Mixture;
  readonly firstEvents: Mixture;
  readonly wins: Float64Array;
  readonly logMetricWeight: number;
  readonly what: string;
};

export type PreparedExperiment = {
  readonly plan: ExperimentPlan;
  readonly metrics: readonly PreparedMetric[];
  readonly windowsMs: readonly number[];
  readonly allocation: number;
  /** Visits per millisecond of the two arms at full coverage. */
  readonly visitsPerMs: number;
  readonly maxUnits: number;
  readonly logSlotWeights: Float64Array;
};

const dayMs = 86_400_000;

/** Units that may come within the horizon, of the two arms. */
export function expectedUnits({ spec, candidate, traffic }: ExperimentPlan): number {
  const all = spec.arms.reduce((sum, { weight }) => sum + weight, 0);
  const pair = controlOf(spec).weight + (spec.arms.find(({ id }) => id === candidate)?.weight ?? 0);
  return (traffic.unitsPerDay * (spec.analysis.horizonMs / dayMs) * pair) / all;
}

export function prepareExperiment(plan: ExperimentPlan): PreparedExperiment {
  const { spec, candidate, traffic, effects, only } = plan;
  const { horizonMs, testStartEveryMs } = spec.analysis;
  if (!candidatesOf(spec).some(({ id }) => id === candidate))
    throw new RangeError(`experiment ${spec.id} has no candidate ${candidate}`);
  const watched = spec.metrics.filter(({ id }) => only === undefined || id === only);
  const windowsMs = [...new Set(watched.map(({ windowMs }) => windowMs))];
  const slots = Math.ceil(horizonMs / testStartEveryMs) + 1;
  const bound = Math.log(1 / harmAlphaOf(spec));
  const allocation = allocationOf(spec, candidate);
  const metrics = watched.map((metric): PreparedMetric => {
    const {
      control,
      candidate: changed,
      what,
    } = armModels(
      metric,
      effects.find((effect) => effect.metric === metric.id),
    );
    const design = betDesignOf(spec, metric, candidate);
    const revisions = [
      { design, pointsA: control.points, pointsB: control.points },
      { design, pointsA: control.points, pointsB: changed.points },
    ];
    return {
      metric,
      index: spec.metrics.indexOf(metric),
      window: windowsMs.indexOf(metric.windowMs),
      points: control.points.length,
      what,
      samplers: [control, control, control, changed].map(samplerOf),
      events: Uint8Array.from(
        [control, control, control, changed].flatMap(({ points }) => points.map((point) => (point > 0 ? 1 : 0))),
      ),
      harm: bettingTable(revisions, metric, 'harm'),
      win: bettingTable(revisions, metric, 'win'),
      first: usesFirstEvents(metric)
        ? firstEventTable([allocation], designRatios(1 + metric.harm / metric.baseline.mean), 'harm')
        : undefined,
      testStarts: createMixture(betWeights, bound, slots),
      firstEvents: createMixture(designRatioWeights, bound, 1),
      wins: new Float64Array(gridLength),
      logMetricWeight: Math.log(metricWeight(spec, metric)),
    };
  });
  if (metrics.filter(({ first }) => first).length > 30)
    throw new RangeError('at most 30 metrics of rare events are simulated at once');
  const units = expectedUnits(plan);
  const planned = Math.max(1, horizonMs / testStartEveryMs);
  return {
    plan,
    metrics,
    windowsMs,
    allocation,
    visitsPerMs: (units * traffic.visitsPerUnit) / horizonMs,
    // Chance may bring more than expected: five standard deviations of room.
    maxUnits: Math.ceil(units + 5 * Math.sqrt(units * traffic.visitsPerUnit) + 16),
    logSlotWeights: Float64Array.from({ length: slots }, (_, slot) =>
      Math.log(slot === 0 ? wholePhaseWeight : slotWeight(slot, planned)),
    ),
  };
}
