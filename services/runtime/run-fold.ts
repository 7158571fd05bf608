/**
 * The loop of stages that keep state: linker and joiner. A partition is loaded from its checkpoint in the store and folded from there; a
 * flush takes what changed, true of one position, and writes it; the Kafka commit after it is only a gauge. While a flush is on its way
 * folding goes on, up to a bound. Whatever is not flushed when a partition is revoked is dropped: the next owner folds it again.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { RecordName, RecordTypes } from '../../schemas/generated.ts';
import type { Clock } from '../kernel/time.ts';
import type { AvroCodec } from './avro-codec.ts';
import type { LogClient, LogProducer, LogRecord } from './kafka-log.ts';
import { parkedRecord } from './park.ts';
import { count, createStageCounts, type RunningStage } from './stage.ts';
import { untilItWorks } from './until-it-works.ts';

/** Positions within the log: 4,096 to an offset, so that every record of a bundle has its own. */
export const positionsPerOffset = 4096;

export type FoldOptions<K extends RecordName, State, Flush> = {
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
  /** Folds one message; returns how many records it held. */
  fold(state: State, value: RecordTypes[K], offset: number): number;
  /** Takes what changed since the last call, true of `position` = next offset * 4096. */
  take(state: State, position: number): Flush;
  /** Durable when it resolves. May be repeated. */
  write(flushes: readonly Flush[]): Promise<void>;
  /** After `idleMs` without a record of a partition, for the clock that records carry. 0: never. */
  readonly idleMs: number;
  onIdle(partition: number): Promise<void>;
};

export async function runFold<K extends RecordName, State, Flush>(options: FoldOptions<K, State, Flush>): Promise<RunningStage & { states(): ReadonlyMap<number, State> }> {
  const { name, topic, log, codec, clock } = options;
  type Owned = { readonly state: State; next: number; flushed: number; unflushed: number; touchedAt: number };
  const owned = new Map<number, Owned>();
  const counts = createStageCounts();
  let generation = 0;
  let closing = false;
  let waiting: { what: string; since: number } | undefined;
  let wake: () => void = () => {};
  let flushed: () => void = () => {};
  const onWaiting = (error: Error | undefined): void => {
    waiting = error ? { what: error.message, since: waiting?.since ?? clock.now() } : undefined;
  };
  const pending = (): number => [...owned.values()].reduce((sum, partition) => sum + partition.unflushed, 0);

  const records = async (_topic: string, partition: number, batch: readonly LogRecord[]): Promise<void> => {
    const mine = generation;
    const abandoned = (): boolean => closing || mine !== generation;
    await untilItWorks(async () => codec.prepare(batch.flatMap((record) => (record.value ? [record.value] : []))), { abandoned, onWaiting });
    for (const source of batch) {
      while (!abandoned() && pending() > options.flushRecords * 10) {
        await new Promise<void>((resolve) => {
          flushed = resolve;
        });
      }
      const mineNow = owned.get(partition);
      if (abandoned() || mineNow === undefined) return;
      mineNow.touchedAt = clock.now();
      if (source.value !== null) {
        const decoded = codec.decode([options.record], source.value);
        if (decoded.ok) {
          const folded = options.fold(mineNow.state, decoded.value, source.offset);
          mineNow.unflushed += folded;
          counts.in += folded;
          counts.waiting += folded;
        } else {
          await untilItWorks(async () => options.producer.send([parkedRecord(options.parkedTopic, name, source, decoded.code, decoded.message, clock.now())]), { abandoned, onWaiting });
          counts.in += 1;
          count(counts.parked, decoded.code);
        }
      }
      mineNow.next = source.offset + 1;
    }
    if (pending() >= options.flushRecords) wake();
  };

  const flush = async (): Promise<void> => {
    const mine = generation;
    const dirty = [...owned].filter(([, partition]) => partition.next > partition.flushed);
    if (dirty.length === 0) return;
    const marks = dirty.map(([partition, state]) => ({ partition, next: state.next, records: state.unflushed }));
    const flushes = dirty.map(([, state]) => options.take(state.state, state.next * positionsPerOffset));
    for (const [, state] of dirty) state.unflushed = 0;
    const done = await untilItWorks(
      async () => {
        await options.write(flushes);
        return true;
      },
      { abandoned: () => closing || mine !== generation, onWaiting },
    );
    for (const mark of marks) {
      counts.waiting -= mark.records;
      if (done === undefined) counts.in -= mark.records;
      else counts.forwarded += mark.records;
    }
    if (done === undefined || mine !== generation) return;
    for (const { partition, next } of marks) {
      const state = owned.get(partition);
      if (state) state.flushed = next;
      await consumer.commit(topic, partition, next);
    }
    flushed();
  };

  const consumer = await log.consume({
    group: options.group,
    topics: [topic],
    handler: {
      load: async (_topic, partition) => {
        const mine = generation;
        const loaded = await untilItWorks(async () => options.load(partition), { abandoned: () => closing || mine !== generation, onWaiting });
        if (loaded === undefined || mine !== generation) return undefined;
        owned.set(partition, { state: loaded.state, next: loaded.offset, flushed: loaded.offset, unflushed: 0, touchedAt: clock.now() });
        return loaded.offset;
      },
      records,
      revoked: () => {
        generation += 1;
        for (const { unflushed } of owned.values()) {
          counts.waiting -= unflushed;
          counts.in -= unflushed;
        }
        owned.clear();
        flushed();
      },
    },
  });

  let fail: (error: unknown) => void = () => {};
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const failed = Promise.race([broken, consumer.failed]);
  failed.catch(() => {});
  const loop = (async () => {
    while (!closing) {
      await Promise.race([
        wait(options.flushMs),
        new Promise<void>((resolve) => {
          wake = resolve;
        }),
      ]);
      await flush();
      if (options.idleMs === 0) continue;
      for (const [partition, state] of owned) {
        if (clock.now() - state.touchedAt < options.idleMs || state.next === 0) continue;
        state.touchedAt = clock.now();
        await options.onIdle(partition);
      }
    }
  })().catch(fail);

  return {
    name,
    counts,
    failed,
    states: () => new Map([...owned].map(([partition, { state }]) => [partition, state])),
    position: (_topic, partition) => owned.get(partition)?.flushed,
    waitingFor: () => waiting,
    close: async () => {
      closing = true;
      wake();
      flushed();
      await loop;
      await consumer.close();
    },
  };
}
