/**
 * What the joiner asks of its store. Beside it the adapter for ClickHouse; tests bring one in memory that reads the
 * very bytes of a flush.
 */
import type { ChildPartition } from '../kernel/generations.ts';
import type { LoadedEvent } from './prefetch.ts';
import type { LoadedRow } from './restore.ts';
import type { FlushRows } from './rows.ts';

export type JoinerStore = {
  /** Everything that is known of a partition but its units, entities and event ids: as of one flush. */
  base(partitionId: number): Promise<LoadedRow[]>;
  /**
   * Keys of units in the order of their bytes, past `after` (hex, '' to begin), with the times at which their open
   * entries close. `windows` in ms, by metric.
   */
  openUnits(
    partitionId: number,
    experiment: string,
    phase: number,
    windows: readonly number[],
    after: string,
    limit: number,
  ): Promise<{ readonly key: string; readonly position: string; readonly closes: readonly string[] }[]>;
  /** Keys of units that have entities: all but the last 16 bytes, each once. */
  entityUnits(partitionId: number, after: string, limit: number): Promise<{ readonly key: string }[]>;
  /** Ids of events accepted below a position, or in a part that this one was divided from. */
  eventIds(partitionId: number, below: number, after: string, limit: number): Promise<{ readonly id: string }[]>;
  /** Rows of kinds unit and entity of these units (latin1), perhaps in several versions. */
  units(partitionId: number, ids: readonly string[]): Promise<LoadedRow[]>;
  /**
   * Which of these events (latin1) were accepted below a position or in a part that this one was divided from, oldest
   * first.
   */
  events(partitionId: number, ids: readonly string[], below: number): Promise<LoadedEvent[]>;
  /** The highest checkpoint of each partition. */
  checkpoints(): Promise<ReadonlyMap<number, number>>;
  /** Facts first, then the rest of all partitions at once. */
  write(flushes: readonly FlushRows[]): Promise<void>;
  /**
   * Copies what an child inherits of a part but experiments and checkpoint, true of its position 0. The same rows
   * however often; what its own log has changed since stays.
   */
  inherit(from: number, child: ChildPartition): Promise<void>;
  /** Units of these parts whose bucket nobody said. */
  unroutedUnits(partitionIds: readonly number[]): Promise<number>;
};
