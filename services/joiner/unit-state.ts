/** What a partition holds of one unit: its numbers in each experiment, its entities and their outcomes. */
import { entryField, entryLength, totalLength } from '../kernel/state/kinds.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { ExperimentState } from './experiment-state.ts';

/**
 * A unit in one experiment. Its numbers stand in `data` from `at`: the totals of each metric (`totalField`), the same
 * as the metric aggregates hold them since the last flush, then the entries of each metric (`entryField`).
 */
export type UnitInExperiment = {
  readonly experiment: ExperimentState;
  readonly unit: UnitState;
  readonly arm: number;
  firstAt: EpochMs;
  crossed: boolean;
  readonly poolSlot: number;
  readonly data: Float64Array;
  readonly at: number;
  /** The arm whose metric aggregates count the unit since the last flush; -1: none. */
  countedArm: number;
  touched: boolean;
  /**
   * Start of the closed entry whose parts by entity are known (`EntityState.inEntry`), per metric; -1: none. A short
   * cut for units of many entities, not state.
   */
  partsOf: Float64Array | undefined;
};

export const countedAt = ({ at, experiment }: UnitInExperiment): number => at + totalLength * experiment.metrics.length;
/** Where the entries of metric 0 begin; those of metric i begin `entryLength * i` later. */
export const entriesAt = ({ at, experiment }: UnitInExperiment): number =>
  at + 2 * totalLength * experiment.metrics.length;

export type OutcomeState = {
  revision: number;
  /** Position, in the log that it came from, of the record that caused this delivery. Of two, the later one counts. */
  causePosition: number;
  kind: string;
  value: number | null;
  occurredAt: EpochMs;
  withdrawn: boolean;
};

export type EntityState = {
  /** 16 bytes, or empty for outcomes that name only the unit. */
  readonly id: string;
  /**
   * By `ExperimentState.key`: earliest accepted inference that named the entity. Under `anyExperiment`: an inference's
   * own time.
   */
  readonly firstAt: Map<string, EpochMs>;
  readonly outcomes: Map<string, OutcomeState>;
  /** By `ExperimentState.key`: what it adds to the unit's totals now. */
  readonly contribution: Map<string, Float64Array>;
  /**
   * By `ExperimentState.key`: what it adds to the unit's last closed entries, numerator and denominator per metric,
   * where `UnitInExperiment.partsOf` says so.
   */
  readonly inEntry: Map<string, Float64Array>;
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
  /** Sum of |value| of its outcomes: while it is a safe integer, so is the sum of any of them. */
  magnitude: number;
  /** Its subject asked to be forgotten: sums stay, outcomes and tickets are gone, later records of it are dropped. */
  erased: boolean;
  /** The flush that carries its last change; it may be evicted when that flush is durable. */
  dirtyIn: number;
  /** Used since eviction last looked at it. */
  recent: boolean;
};

export const createUnit = (id: string): UnitState => ({
  id,
  bucket: -1,
  experiments: [],
  entities: undefined,
  magnitude: 0,
  erased: false,
  dirtyIn: 0,
  recent: true,
});

export const createEntity = (id: string): EntityState => ({
  id,
  firstAt: new Map(),
  outcomes: new Map(),
  contribution: new Map(),
  inEntry: new Map(),
  touched: false,
});

export function createMember(
  unit: UnitState,
  experiment: ExperimentState,
  arm: number,
  firstAt: EpochMs,
): UnitInExperiment {
  const { slot: poolSlot, data, at } = experiment.pool.take();
  const member: UnitInExperiment = {
    experiment,
    unit,
    arm,
    firstAt,
    crossed: false,
    poolSlot,
    data,
    at,
    countedArm: -1,
    touched: false,
    partsOf: undefined,
  };
  for (let entry = entriesAt(member); entry < at + experiment.pool.stride; entry += entryLength) {
    data[entry + entryField.lastSegment] = -1;
    data[entry + entryField.previousSegment] = -1;
    data[entry + entryField.openSegment] = -1;
  }
  return member;
}
