/** What a partition holds of one phase of one experiment: its metrics ready to be counted, segments and sums. */
import { type BetDesign, betDesignOf } from '../kernel/bets.ts';
import type { ClockSkew } from '../kernel/clock-skew.ts';
import type { Contributions, Scales } from '../kernel/entry-sums.ts';
import { type ValueRule, valueRuleOf } from '../kernel/entry-value.ts';
import type {
  ConfigurationChange,
  MetricAggregate,
  SegmentStart,
  TestAggregate,
  TestSums,
  UnknownCalls,
} from '../kernel/evidence.ts';
import { candidatesOf, type ExperimentRevision, type ExperimentSpec, type MetricSpec } from '../kernel/experiment.ts';
import { entryLength, totalLength } from '../kernel/state/kinds.ts';
import type { EpochMs } from '../kernel/time.ts';
import { metersOf, type ObservationMeter } from './measure-observation.ts';
import { createMemberPool, type MemberPool } from './member-pool.ts';

export type MetricState = {
  readonly spec: MetricSpec;
  /** Contribution of an inference; absent for outcome measures. */
  readonly numerator?: ObservationMeter;
  readonly denominator?: ObservationMeter;
  /** What makes a value in the metric's own unit of the whole numbers. */
  readonly rule: ValueRule;
  /**
   * True when the numerator or the denominator counts outcomes: an entry is worth what the unit's entities say when it
   * closes.
   */
  readonly ofOutcomes: boolean;
  /** Bets per candidate, in the order of `candidates`. */
  readonly designs: readonly BetDesign[];
};

/** `small` holds what was added since the last flush and fits a double exactly, in the order of the big sums. */
export type MetricSums = Omit<
  { -readonly [Field in keyof MetricAggregate]: MetricAggregate[Field] },
  'partitionId' | 'arm' | 'metric'
> & { readonly small: Float64Array };

export type ExperimentState = {
  revision: ExperimentRevision;
  /** Id and phase: what a unit's entities remember a first inference by. */
  readonly key: string;
  /** Numbers of the cached units. */
  readonly pool: MemberPool;
  readonly metrics: readonly MetricState[];
  readonly arms: readonly string[];
  readonly control: number;
  /** Arm indexes of the candidates. */
  readonly candidates: readonly number[];
  /** Metrics that share a window close together. */
  readonly windows: readonly { readonly windowMs: number; readonly metrics: readonly number[] }[];
  readonly outcomeKinds: ReadonlySet<string>;
  /** An inference's contribution while it is counted: `totalLength` numbers per metric. */
  readonly scratch: Float64Array;
  readonly segments: SegmentStart[];
  readonly configurationChanges: Map<string, ConfigurationChange>;
  /** Per arm and dimension, the value that was looked up last: a short cut, not state. */
  readonly shown: (string | undefined)[];
  /** Segment in which an arm was first seen, -1 before. */
  readonly armSeen: number[];
  readonly assigned: number[];
  events: number;
  /** When each arm's latest inference was received, 0 before the first. */
  readonly lastSeenAt: EpochMs[];
  /** Clocks of the services whose calls were counted. */
  readonly clocks: Map<string, ClockSkew>;
  crossovers: number;
  /** Of these, units that count under another name. */
  aliasCrossovers: number;
  lateOutcomes: number;
  /** Calls without a value, by arm, metric and reason (`unknownKey`); crossovers included. */
  readonly unknown: Map<string, UnknownCalls>;
  /** By `aggregateKey`. */
  readonly testAggregates: Map<number, TestSums>;
  /** Sums of the test aggregates over segments, by `contributionKey`: each unit once. Not stored: added up again. */
  readonly contributions: { -readonly [Field in keyof Contributions]: Contributions[Field] }[];
  /** Of the candidates, by metric, for entries that close at the record at `position`. */
  readonly scales: { position: number; readonly byMetric: Map<number, readonly Scales[]> };
  /** By arm, then by metric. */
  readonly metricAggregates: MetricSums[][];
  readonly touchedAggregates: Set<number>;
  touched: boolean;
};

const emptyMetricSums = (): MetricSums => ({
  units: 0,
  firstEvents: 0,
  numerator: 0n,
  denominator: 0n,
  numerator2: 0n,
  denominator2: 0n,
  product: 0n,
  knownCalls: 0n,
  unknownCalls: 0n,
  incompleteUnits: 0,
  small: new Float64Array(7),
});

function metricStateOf(spec: ExperimentSpec, metric: MetricSpec, candidates: readonly string[]): MetricState {
  const { numerator, denominator } = metric;
  return {
    spec: metric,
    ...metersOf(metric),
    rule: valueRuleOf(metric),
    ofOutcomes: numerator.of === 'outcome' || denominator?.of === 'outcome',
    designs: candidates.map((candidate) => betDesignOf(spec, metric, candidate)),
  };
}

function windowsOf({ metrics }: ExperimentSpec): ExperimentState['windows'] {
  const windows = [...new Set(metrics.map(({ windowMs }) => windowMs))].sort((a, b) => a - b);
  return windows.map((windowMs) => ({
    windowMs,
    metrics: metrics.flatMap((metric, index) => (metric.windowMs === windowMs ? [index] : [])),
  }));
}

const outcomeKindsOf = ({ metrics }: ExperimentSpec): ReadonlySet<string> =>
  new Set(
    metrics
      .flatMap(({ numerator, denominator }) => [numerator, denominator])
      .flatMap((measure) => (measure?.of === 'outcome' ? [measure.kind] : [])),
  );

export function createExperimentState(revision: ExperimentRevision): ExperimentState {
  const { spec } = revision;
  const arms = spec.arms.map(({ id }) => id);
  const candidates = candidatesOf(spec).map(({ id }) => id);
  const metrics = spec.metrics.map((metric) => metricStateOf(spec, metric, candidates));
  return {
    revision,
    metrics,
    arms,
    key: `${spec.id}/${revision.phase}`,
    pool: createMemberPool(metrics.length * (2 * totalLength + entryLength)),
    control: spec.arms.findIndex(({ role }) => role === 'control'),
    candidates: candidates.map((candidate) => arms.indexOf(candidate)),
    windows: windowsOf(spec),
    outcomeKinds: outcomeKindsOf(spec),
    scratch: new Float64Array(metrics.length * totalLength),
    segments: [{ partitionId: -1, ordinal: 0, slot: 0, startedAt: revision.phaseStartedAt, reason: 'phase' }],
    configurationChanges: new Map(),
    shown: [],
    armSeen: arms.map(() => -1),
    assigned: arms.map(() => 0),
    lastSeenAt: arms.map(() => 0),
    clocks: new Map(),
    events: 0,
    crossovers: 0,
    aliasCrossovers: 0,
    lateOutcomes: 0,
    unknown: new Map(),
    testAggregates: new Map(),
    contributions: Array.from({ length: candidates.length * 2 * metrics.length }, () => ({ n: 0, w: 0, bound: 0 })),
    scales: { position: -1, byMetric: new Map() },
    metricAggregates: arms.map(() => metrics.map(emptyMetricSums)),
    touchedAggregates: new Set(),
    touched: true,
  };
}

export const unknownKey = ({ arm, metric, reason }: Omit<UnknownCalls, 'calls'>): string =>
  `${arm}\u001f${metric}\u001f${reason}`;

/** Test aggregates: one per segment, candidate, side (0 control, 1 candidate) and metric. */
export const aggregateKey = (
  experiment: ExperimentState,
  segment: number,
  candidate: number,
  side: 0 | 1,
  metric: number,
): number => ((segment * experiment.candidates.length + candidate) * 2 + side) * experiment.metrics.length + metric;

/** As `aggregateKey`, over all segments. */
export const contributionKey = (experiment: ExperimentState, candidate: number, side: 0 | 1, metric: number): number =>
  aggregateKey(experiment, 0, candidate, side, metric);

export function readAggregateKey(
  experiment: ExperimentState,
  key: number,
): { segment: number; candidate: number; side: 0 | 1; metric: number } {
  const metric = key % experiment.metrics.length;
  const rest = (key - metric) / experiment.metrics.length;
  const side = (rest % 2) as 0 | 1;
  const pair = (rest - side) / 2;
  const candidate = pair % experiment.candidates.length;
  return { metric, side, candidate, segment: (pair - candidate) / experiment.candidates.length };
}

/** A test aggregate as others read it. */
export function testAggregateOf(
  experiment: ExperimentState,
  key: number,
  sums: TestSums,
): Omit<TestAggregate, 'partitionId'> {
  const { segment, candidate, side, metric } = readAggregateKey(experiment, key);
  const candidateArm = experiment.arms[experiment.candidates[candidate] ?? -1] ?? '';
  return {
    candidate: candidateArm,
    arm: side === 1 ? candidateArm : (experiment.arms[experiment.control] ?? ''),
    metric: experiment.metrics[metric]?.spec.id ?? '',
    segment,
    sums,
  };
}

/** A metric aggregate as others read it; up to date after `takeFlushRows`. */
export function metricAggregateOf(
  experiment: ExperimentState,
  arm: number,
  metric: number,
  { small: _small, ...sums }: MetricSums,
): Omit<MetricAggregate, 'partitionId'> {
  return { arm: experiment.arms[arm] ?? '', metric: experiment.metrics[metric]?.spec.id ?? '', ...sums };
}
