/** What a stage that keeps state tells `stateful-stage.ts`: how to load, bring in, fold, take and write. */
import type { RecordName, RecordTypes } from '../../schemas/generated.ts';
import type { Clock, EpochMs } from '../kernel/time.ts';
import type { AvroCodec } from './avro-codec.ts';
import type { LogClient, LogProducer } from './log.ts';
import type { ParkedLimitOptions } from './parked-limit.ts';

export type StatefulStageOptions<K extends RecordName, State, Flush> = {
  readonly name: string;
  readonly group: string;
  readonly topic: string;
  readonly record: K;
  readonly parkedTopic: string;
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  readonly clock: Clock;
  /** Upper bound of the time between a record's fold and its flush, ms. */
  readonly flushMs: number;
  /** A flush begins early when this many records wait for it; folding stops at ten times as many. */
  readonly flushRecords: number;
  load(partition: number): Promise<{ readonly state: State; readonly offset: number }>;
  /** Highest position that the store has of each partition. */
  checkpoints(): Promise<ReadonlyMap<number, number>>;
  /**
   * Brings in what `values` need before they are folded; undefined: everything is there. 'behind': the store is ahead
   * of `position`. `share`: this partition's part of the process's memory, in (0, 1].
   */
  present?(
    state: State,
    values: readonly RecordTypes[K][],
    position: number,
    share: number,
  ): Promise<'present' | 'behind'> | undefined;
  /** Told of each message before anything else reads it: the time at which the log took it. */
  appended?(value: RecordTypes[K], at: EpochMs): void;
  /** The flush is in the store. */
  durable?(state: State, flush: Flush): void;
  /** Folds one message; returns how many records it held. */
  fold(state: State, value: RecordTypes[K], offset: number): number;
  /** Takes what changed since the last call, true of `position` = next offset * 4096. */
  take(state: State, position: number): Flush;
  /** Durable when it resolves. May be repeated. */
  write(flushes: readonly Flush[]): Promise<void>;
  /** Share of parked messages at which the stage stops. */
  readonly parkedLimit?: ParkedLimitOptions;
  /** After `idleMs` without a record of a partition, for the clock that records carry. 0: never. */
  readonly idleMs: number;
  onIdle(partition: number): Promise<void>;
};
