/**
 * What the joiner knows about one partition after its log up to a position. Plain data, changed in place by `fold.ts`;
 * nothing here reads a clock, the network or settings. Ids are 16-byte strings in latin1: small, and usable as keys of
 * a Map.
 *
 * States of a unit: absent -> cached (loaded or new) -> touched (changed since the last flush) -> taken (in a flush on
 * its way) -> cached -> absent (evicted). Only `prefetch.ts` moves units between absent and cached, between two
 * batches; the fold finds what it needs.
 */
import type { RowBinaryWriter } from '../kernel/row-binary.ts';
import type { EpochMs } from '../kernel/time.ts';
import { createDueQueue, type DueQueue } from './due-queue.ts';
import type { ExperimentState } from './experiment-state.ts';
import { createFactRows } from './fact-rows.ts';
import { createIdFilter, type IdFilter } from './id-filter.ts';
import { createSeenIds, type SeenIds } from './seen-ids.ts';
import type { EntityState, OutcomeState, UnitInExperiment, UnitState } from './unit-state.ts';

export type Waiting = { readonly outcomeId: string; readonly outcome: OutcomeState };

export type PartitionState = {
  readonly partitionId: number;
  /** Position after the last folded record. */
  position: number;
  /** The event-time clock: the largest `received_at` of the records so far. */
  clock: EpochMs;
  readonly experiments: Map<string, ExperimentState>;
  /** Earlier phases whose last changes are not flushed yet. */
  readonly retired: ExperimentState[];
  /** The cached ones; all of them when `membership` is absent. */
  readonly units: Map<string, UnitState>;
  /** Units that may have rows in the store. Absent: nothing is ever evicted, a unit that is not cached is new. */
  readonly membership: IdFilter | undefined;
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
 * `evicts`: whether units and event ids may live in the store alone, to be brought in by `prefetch.ts` before a batch
 * is folded.
 */
export const createPartitionState = (partitionId: number, evicts = false): PartitionState => ({
  partitionId,
  position: 0,
  clock: 0,
  experiments: new Map(),
  retired: [],
  units: new Map(),
  membership: evicts ? createIdFilter() : undefined,
  seen: createSeenIds(evicts),
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
