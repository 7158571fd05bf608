/**
 * What the joiner knows about one partition after folding its log up to a position. Plain data, changed in place by
 * `fold.ts`; nothing here reads a clock, the network or settings. Ids are 16-byte strings in latin1: small, and
 * hashable as Map keys.
 *
 * A unit is absent -> resident (loaded or new) -> touched (changed since the last flush) -> taken (in a flush on its
 * way) -> resident -> absent (evicted). Only `presence.ts` moves units between absent and resident, between two
 * batches; the fold finds what it needs.
 */
import { type BetDesign, betDesignOf } from '../kernel/bets.ts';
import type { TestSums, ConfigurationChange, SegmentStart } from '../kernel/evidence.ts';
import { candidatesOf, type ExperimentRevision, type MetricSpec } from '../kernel/experiment.ts';
import { scaleOf } from '../kernel/measures.ts';
import type { RowBinaryWriter } from '../kernel/row-binary.ts';
import type { EpochMs } from '../kernel/time.ts';
import { createDueQueue, type DueQueue } from './due-queue.ts';
import { createFactRows } from './fact-rows.ts';
import { createIdFilter, type IdFilter } from './id-filter.ts';
import { meterOf, type ObservationMeter } from './measure-observation.ts';
import { createMemberPool, type MemberPool } from './member-pool.ts';
import { createSeenIds, type SeenIds } from './seen-ids.ts';

export type MetricState = {
  readonly spec: MetricSpec;
  /** Contribution of an inference; absent for outcome measures. */
  readonly numerator?: ObservationMeter;
  readonly denominator?: ObservationMeter;
  /** What makes a value in the metric's own unit of the two whole numbers. */
  readonly ratio: number;
  readonly hasDenominator: boolean;
  /**
   * True when the numerator or the denominator counts outcomes: the entry is worth what the unit's entities say when it
   * closes.
   */
  readonly ofOutcomes: boolean;
  /** Bets per candidate, in the order of `candidates`. */
  readonly designs: readonly BetDesign[];
};

/** `small` holds what was added since the last flush and fits a double exactly, in the order of the five big sums. */
export type MetricSums = {
  units: number;
  firstEvents: number;
  numerator: bigint;
  denominator: bigint;
  numerator2: bigint;
  denominator2: bigint;
  product: bigint;
  readonly small: Float64Array;
};

export type ExperimentState = {
  revision: ExperimentRevision;
  /** Id and phase: what a unit's entities remember a first inference by. */
  readonly key: string;
  /** Numbers of the resident units. */
  readonly pool: MemberPool;
  readonly metrics: readonly MetricState[];
  readonly arms: readonly string[];
  readonly control: number;
  /** Arm indexes of the candidates. */
  readonly candidates: readonly number[];
  /** Metrics that share a window close together. */
  readonly windows: readonly { readonly windowMs: number; readonly metrics: readonly number[] }[];
  readonly outcomeKinds: ReadonlySet<string>;
  /** An inference's contribution while it is folded: numerator and denominator per metric. */
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
  crossovers: number;
  lateOutcomes: number;
  /** By `cellKey`. */
  readonly testAggregates: Map<number, TestSums>;
  readonly metricAggregates: MetricSums[][];
  readonly touchedAggregates: Set<number>;
  touched: boolean;
};

/**
 * A unit in one experiment of m metrics. Its numbers stand in `data` from `at`: 2m totals (numerator and denominator in
 * turn), 2m totals that the metric aggregates hold of it since the last flush, then 9 numbers per metric: last closed entry
 * (segment or -1, start, numerator, denominator, segment of the one before it or -1), open entry (segment or -1, start,
 * numerator, denominator).
 */
export type UnitInExperiment = {
  readonly experiment: ExperimentState;
  readonly unit: UnitState;
  readonly arm: number;
  firstAt: EpochMs;
  crossed: boolean;
  readonly slot: number;
  readonly data: Float64Array;
  readonly at: number;
  /** The arm whose metric aggregates count the unit since the last flush; -1: none. */
  countedArm: number;
  touched: boolean;
};
export const entryFields = 9;
export const countedAt = ({ at, experiment }: UnitInExperiment): number => at + 2 * experiment.metrics.length;
export const entriesAt = ({ at, experiment }: UnitInExperiment): number => at + 4 * experiment.metrics.length;

export type OutcomeState = {
  revision: number;
  hop: number;
  kind: string;
  value: number | null;
  occurredAt: EpochMs;
  withdrawn: boolean;
};

export type EntityState = {
  /** 16 bytes, or empty for outcomes that name only the unit. */
  readonly id: string;
  /**
   * By `ExperimentFold.key`: earliest accepted inference that named the entity. Under `anyExperiment`: an inference's
   * own time.
   */
  readonly firstAt: Map<string, EpochMs>;
  readonly outcomes: Map<string, OutcomeState>;
  /** By `ExperimentFold.key`: what it adds to the unit's totals now. */
  readonly contribution: Map<string, Float64Array>;
  touched: boolean;
};

/** The outcomes of one inference count for every experiment of its unit, from the inference's own time. */
export const anyExperiment = '*';

export type UnitState = {
  readonly id: string;
  /** Virtual bucket, 0 to 4,095; -1 until a record that names the unit says it. */
  bucket: number;
  readonly experiments: UnitInExperiment[];
  entities: Map<string, EntityState> | undefined;
  /** Its subject asked to be forgotten: sums stay, outcomes and tickets are gone, later records of it are dropped. */
  erased: boolean;
  /** The flush that carries its last change; it may be evicted when that flush is durable. */
  dirtyIn: number;
  /** Used since the eviction's hand last passed. */
  recent: boolean;
};

export type Waiting = { readonly outcomeId: string; readonly outcome: OutcomeState };

export type PartitionState = {
  readonly partitionId: number;
  /** Position after the last folded record. */
  position: number;
  clock: EpochMs;
  readonly experiments: Map<string, ExperimentState>;
  /** Earlier phases whose last changes are not flushed yet. */
  readonly retired: ExperimentState[];
  /** The resident ones; all of them when `known` is absent. */
  readonly units: Map<string, UnitState>;
  /** Units that may have rows in the store. Absent: nothing is ever evicted, a unit that is not resident is new. */
  readonly known: IdFilter | undefined;
  /** For duplicates and for outcomes that know only their inference. */
  readonly seen: SeenIds;
  /** Outcomes that named an inference not seen yet, by that id, until the event-time clock passes `expiresAt`. */
  readonly waiting: Map<string, { expiresAt: EpochMs; readonly outcomes: Waiting[] }>;
  readonly expiring: DueQueue;
  /** Units with an open entry, by the time that it closes. A time may be out of date: what is open tells. */
  readonly closing: DueQueue;
  readonly touchedMembers: Set<UnitInExperiment>;
  readonly touchedEntities: Set<{ readonly unit: UnitState; readonly entity: EntityState }>;
  /** Units to be forgotten in the next flush, with the entities that they had. */
  readonly erasing: { readonly unit: UnitState; readonly entities: readonly string[] }[];
  readonly touchedWaiting: Set<string>;
  /** Rows since the last flush. */
  readonly facts: RowBinaryWriter;
  /** Flushes taken so far, and the last of them that the store has. */
  taken: number;
  durable: number;
  /** Since the process started, for /metrics. */
  readonly counts: { folded: number; dropped: Map<string, number>; loaded: number; evicted: number };
};

/**
 * `cold`: whether units and event ids may live in the store alone, to be brought in by `presence.ts` before a batch is
 * folded.
 */
export const createPartitionState = (partitionId: number, evicted = false): PartitionState => ({
  partitionId,
  position: 0,
  clock: 0,
  experiments: new Map(),
  retired: [],
  units: new Map(),
  known: evicted ? createIdFilter() : undefined,
  seen: createSeenIds(evicted),
  waiting: new Map(),
  expiring: createDueQueue(),
  closing: createDueQueue(),
  touchedMembers: new Set(),
  touchedEntities: new Set(),
  erasing: [],
  touchedWaiting: new Set(),
  facts: createFactRows(),
  taken: 0,
  durable: 0,
  counts: { folded: 0, dropped: new Map(), loaded: 0, evicted: 0 },
});

export const createUnit = (id: string): UnitState => ({
  id,
  bucket: -1,
  experiments: [],
  entities: undefined,
  erased: false,
  dirtyIn: 0,
  recent: true,
});

const emptyMetricSums = (): MetricSums => ({
  units: 0,
  firstEvents: 0,
  numerator: 0n,
  denominator: 0n,
  numerator2: 0n,
  denominator2: 0n,
  product: 0n,
  small: new Float64Array(5),
});

export function createExperimentState(revision: ExperimentRevision): ExperimentState {
  const { spec } = revision;
  const arms = spec.arms.map((arm) => arm.id);
  const candidateArms = candidatesOf(spec).map((arm) => arm.id);
  const metrics = spec.metrics.map((metric): MetricState => {
    const { numerator, denominator } = metric;
    return {
      spec: metric,
      ...(numerator.of === 'inference' && { numerator: meterOf(numerator) }),
      ...(denominator?.of === 'inference' && { denominator: meterOf(denominator) }),
      ratio: scaleOf(denominator) / scaleOf(numerator),
      hasDenominator: denominator !== undefined,
      ofOutcomes: numerator.of === 'outcome' || denominator?.of === 'outcome',
      designs: candidateArms.map((candidate) => betDesignOf(spec, metric, candidate)),
    };
  });
  const windows = [...new Set(spec.metrics.map((metric) => metric.windowMs))].sort((a, b) => a - b);
  const kinds = spec.metrics
    .flatMap((metric) => [metric.numerator, metric.denominator])
    .flatMap((measure) => (measure?.of === 'outcome' ? [measure.kind] : []));
  return {
    revision,
    metrics,
    arms,
    key: `${spec.id}/${revision.phase}`,
    pool: createMemberPool(metrics.length * (4 + entryFields)),
    control: spec.arms.findIndex((arm) => arm.role === 'control'),
    candidates: candidateArms.map((candidate) => arms.indexOf(candidate)),
    windows: windows.map((windowMs) => ({
      windowMs,
      metrics: spec.metrics.flatMap((metric, index) => (metric.windowMs === windowMs ? [index] : [])),
    })),
    outcomeKinds: new Set(kinds),
    scratch: new Float64Array(metrics.length * 2),
    segments: [{ partitionId: -1, ordinal: 0, slot: 0, startedAt: revision.phaseStartedAt, reason: 'phase' }],
    configurationChanges: new Map(),
    shown: [],
    armSeen: arms.map(() => -1),
    assigned: arms.map(() => 0),
    lastSeenAt: arms.map(() => 0),
    events: 0,
    crossovers: 0,
    lateOutcomes: 0,
    testAggregates: new Map(),
    metricAggregates: arms.map(() => metrics.map(emptyMetricSums)),
    touchedAggregates: new Set(),
    touched: true,
  };
}

/** test aggregates: one per segment, candidate, side (0 control, 1 candidate) and metric. */
export const aggregateKey = (
  experiment: ExperimentState,
  segment: number,
  candidate: number,
  side: 0 | 1,
  metric: number,
): number => ((segment * experiment.candidates.length + candidate) * 2 + side) * experiment.metrics.length + metric;

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

export function createMember(
  unit: UnitState,
  experiment: ExperimentState,
  arm: number,
  firstAt: EpochMs,
): UnitInExperiment {
  const { slot, data, at } = experiment.pool.take();
  const member: UnitInExperiment = {
    experiment,
    unit,
    arm,
    firstAt,
    crossed: false,
    slot,
    data,
    at,
    countedArm: -1,
    touched: false,
  };
  for (let base = entriesAt(member); base < at + experiment.pool.stride; base += entryFields) {
    data[base] = -1;
    data[base + 4] = -1;
    data[base + 5] = -1;
  }
  return member;
}
