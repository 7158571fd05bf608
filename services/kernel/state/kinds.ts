/**
 * Table `state` (sql/migrations/0001_state.sql): what the joiner and the linker know. One row a key, of one kind, true
 * of one position of its log; of several rows of a key the one with the highest position counts. This folder is the
 * only code that knows its columns: `write.ts` and `read.ts` for rows, `read-binary.ts` for rows of a flush.
 */
import type { ClockSkew } from '../clock-skew.ts';
import type { ConfigurationChange, MetricAggregate, SegmentStart, TestAggregate, UnknownCalls } from '../evidence.ts';
import type { EpochMs } from '../time.ts';

/** Positions within the log: 4,096 to an offset, so that every record of a batch has its own. */
export const positionsPerOffset = 4096;

/** In the order in which rows are written. Unit rows fill the columns up to `entries`; what follows is zero in them. */
export const stateColumns = [
  'log',
  'partition_id',
  'kind',
  'experiment',
  'phase',
  'key',
  'position',
  'arm',
  'bucket',
  'crossover',
  'first_exposed_at',
  'totals',
  'entries',
  'metric',
  'candidate',
  'metric_ordinal',
  'segment',
  'state_revision',
  'event_clock',
  'expires_at',
  'units',
  'first_events',
  'waiting',
  'sums',
  'test_sums',
  'body',
] as const;

export const stateLogs = { unit: 1, entity: 2 } as const;
export const stateKinds = {
  checkpoint: 1,
  experiment: 2,
  metric_aggregate: 3,
  test_aggregate: 4,
  unit: 5,
  entity: 6,
  pending: 7,
  link: 8,
} as const;
export type StateKind = keyof typeof stateKinds;

/** Which partition of which log a row belongs to, and the position up to which it is true. */
export type RowPlace = {
  readonly log: keyof typeof stateLogs;
  readonly partitionId: number;
  readonly position: number;
};

/** Everything up to `position` is in the table. `body`: the linker's counts of outcomes that it gave up. */
export type CheckpointRow = {
  readonly kind: 'checkpoint';
  readonly eventClock: EpochMs;
  /** Which revision of the joiner's state wrote it; the linker leaves it out. */
  readonly stateRevision?: number;
  readonly body?: string;
};
/** `body`: an `ExperimentBody`. */
export type ExperimentRow = {
  readonly kind: 'experiment';
  readonly experiment: string;
  readonly phase: number;
  readonly body: string;
};
export type MetricAggregateRow = {
  readonly kind: 'metric_aggregate';
  readonly experiment: string;
  readonly phase: number;
  readonly key: string;
  readonly metricOrdinal: number;
  readonly aggregate: Omit<MetricAggregate, 'partitionId'>;
};
export type TestAggregateRow = {
  readonly kind: 'test_aggregate';
  readonly experiment: string;
  readonly phase: number;
  readonly key: string;
  readonly aggregate: Omit<TestAggregate, 'partitionId'>;
};
/** Key: unit and entity, 16 bytes each; the unit alone for outcomes that name no entity. An empty body: it is gone. */
export type EntityRow = {
  readonly kind: 'entity';
  readonly key: string;
  readonly bucket: number;
  readonly body?: string;
};
/** Outcomes that wait for their inference, under its id. `waiting` 0: none do any more. */
export type PendingRow = {
  readonly kind: 'pending';
  readonly key: string;
  readonly expiresAt: EpochMs;
  readonly waiting: number;
  readonly body: string;
};
/** Owners and outcomes of an entity (a ticket); an empty body: it is forgotten. */
export type LinkRow = {
  readonly kind: 'link';
  readonly key: string;
  readonly eventClock?: EpochMs;
  readonly body?: string;
};
/** Every kind but `unit`, which has a writer of its own: nearly all rows of a flush are those. */
export type StateRow =
  | CheckpointRow
  | ExperimentRow
  | MetricAggregateRow
  | TestAggregateRow
  | EntityRow
  | PendingRow
  | LinkRow;

/** A unit in one experiment. Its numbers are ranges of `data`. */
export type UnitRow = {
  readonly experiment: string;
  readonly phase: number;
  readonly key: string;
  /** Of its first exposure. */
  readonly arm: string;
  /** 0 to 4,095; -1: no record has said it. */
  readonly bucket: number;
  /** Seen in two arms, in an experiment that leaves such units out. */
  readonly crossover: boolean;
  readonly firstExposedAt: EpochMs;
  readonly data: Float64Array;
  /** `totalLength` numbers per metric. */
  readonly totals: readonly [from: number, to: number];
  /** `entryLength` numbers per metric. */
  readonly entries: readonly [from: number, to: number];
};

/**
 * A unit's totals of one metric; the record of metric m (0-based) begins at `totalLength * m`. SQL counts array
 * elements from 1, so the denominator is `totals[4 * m + 2]` there. `known`, `unknown`: calls that the metric counts,
 * with and without a value.
 */
export const totalField = { numerator: 0, denominator: 1, known: 2, unknown: 3 } as const;
export const totalLength = 4;

/**
 * A unit's entries into the tests of one metric: the last one that closed and the open one. Offsets within the record;
 * the record of metric m (0-based) begins at `entryLength * m`. SQL counts array elements from 1, so the open entry's
 * start is `entries[17 * m + 12]` there. `reached`: the bits of kernel/entry-value.ts.
 */
export const entryField = {
  /** Segment in which the last closed entry began; -1: none has closed. */
  lastSegment: 0,
  lastStart: 1,
  lastNumerator: 2,
  lastDenominator: 3,
  lastKnown: 4,
  lastUnknown: 5,
  lastReached: 6,
  /** What its weight was multiplied by (`Scales` of kernel/entry-sums.ts). */
  lastHarmScale: 7,
  lastWinScale: 8,
  /** Segment of the entry that closed before it; -1: it was the first. */
  previousSegment: 9,
  /** Segment in which the open entry began; -1: none is open. */
  openSegment: 10,
  openStart: 11,
  openNumerator: 12,
  openDenominator: 13,
  openKnown: 14,
  openUnknown: 15,
  openReached: 16,
} as const;
export const entryLength = 17;

/** Body of an experiment's row. Lists are in the order of the experiment's arms. */
export type ExperimentBody = {
  /** As `formatRevision` writes it. */
  readonly revision: string;
  readonly segments: readonly SegmentStart[];
  /** By arm, dimension and value. */
  readonly configurationChanges: readonly (readonly [key: string, change: ConfigurationChange])[];
  /** Segment in which an arm was first seen; -1: not yet. */
  readonly armSeen: readonly number[];
  readonly assigned: readonly number[];
  readonly events: number;
  readonly crossovers: number;
  /** Absent: none. */
  readonly aliasCrossovers?: number;
  readonly lateOutcomes: number;
  readonly lastSeenAt: readonly EpochMs[];
  /** By service; absent: no emitter has said what its clock shows. */
  readonly clocks?: readonly (readonly [service: string, skew: ClockSkew])[];
  readonly unknown: readonly UnknownCalls[];
};

/** Body of the row that stands for a unit whose subject asked to be forgotten, under the unit's own key. */
export const erasedBody = '{"erased":true}';
