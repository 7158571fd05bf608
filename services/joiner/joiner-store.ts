/** What the joiner asks of its store. `joiner-store.clickhouse.ts` and `joiner-store.memory.ts` answer it. */
import type { ChildPartition } from '../kernel/generations.ts';
import type { PartitionRow, UnitRowText } from '../kernel/state/read.ts';
import type { FlushRows } from './flush-rows.ts';
import type { LoadedEvent } from './prefetch.ts';

/** A unit with the times (Unix ms, as text) at which its open entries close. */
export type OpenUnit = { readonly key: string; readonly position: string; readonly closes: readonly string[] };

export type JoinerStore = {
  /** Everything that is known of a partition but its units, entities and event ids: as of one flush. */
  base(partitionId: number): Promise<PartitionRow[]>;
  /**
   * One page of an experiment's units, in the order of their keys, past `after` (hex, '' to begin). `windows` in ms, by
   * metric.
   */
  openUnits(
    partitionId: number,
    experiment: string,
    phase: number,
    windows: readonly number[],
    after: string,
    limit: number,
  ): Promise<OpenUnit[]>;
  /** Keys of units that have entities, each once. */
  entityUnits(partitionId: number, after: string, limit: number): Promise<{ readonly key: string }[]>;
  /**
   * Ids (latin1) of events accepted below a position, or in a partition that this one was divided from, in any order;
   * one may come several times.
   */
  eachEventId(partitionId: number, below: number, take: (id: string) => void): Promise<void>;
  /** Rows of kinds unit and entity of these units (latin1); several rows of a key may come. */
  units(partitionId: number, ids: readonly string[]): Promise<UnitRowText[]>;
  /**
   * Which of these events (latin1) were accepted below a position or in a partition that this one was divided from,
   * oldest first.
   */
  events(partitionId: number, ids: readonly string[], below: number): Promise<LoadedEvent[]>;
  /** The highest checkpoint of each partition. */
  checkpoints(): Promise<ReadonlyMap<number, number>>;
  /** Facts first, then the rest of all partitions at once. */
  write(flushes: readonly FlushRows[]): Promise<void>;
  /**
   * Copies what a child inherits of a partition, except experiments and checkpoint; true of position 0 of its log. The
   * same rows however often; what its own log has changed since stays.
   */
  inherit(from: number, child: ChildPartition): Promise<void>;
  /** Units of these partitions whose bucket no record has said. */
  unroutedUnits(partitionIds: readonly number[]): Promise<number>;
};
