/**
 * The loop of stages that keep state: linker and joiner. A partition is loaded from its checkpoint in the store and
 * folded from there; a flush takes what changed, true of one position, and writes it; the Kafka commit after it is only
 * a gauge. While a flush is on its way folding goes on, up to a bound. Whatever is not flushed when a partition is
 * revoked is dropped: the next owner folds it again.
 *
 * A batch goes in chunks: decode, make present what the fold needs (state may live in the store alone), fold without
 * waiting for anything. A partition that finds the store ahead of itself has another owner: it drops its memory, loads
 * again and skips what is behind it.
 */
import { setImmediate as yieldToEventLoop, setTimeout as wait } from 'node:timers/promises';
import type { RecordName, RecordTypes } from '../../schemas/generated.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import type { StatefulStageOptions } from './stateful-stage-options.ts';
import type { ParkCode } from '../kernel/verdict.ts';
import type { LogRecord, OutgoingRecord } from './log.ts';
import { parkedRecord } from './park.ts';
import { createParkedLimit } from './parked-limit.ts';
import { count, createStageCounts, type RunningStage } from './stage.ts';
import { withTimeout, drainMs, leaveMs, retryUntilAborted } from './retry.ts';

/**
 * Messages are folded together until they hold this much, bytes: a few thousand records, whose look-ups go together.
 */
const chunkBytes = 1 << 20;

function* chunksOf(batch: readonly LogRecord[]): Generator<readonly LogRecord[]> {
  let from = 0;
  let bytes = 0;
  for (const [index, record] of batch.entries()) {
    bytes += record.value?.length ?? 0;
    if (bytes < chunkBytes && index + 1 < batch.length) continue;
    yield batch.slice(from, index + 1);
    from = index + 1;
    bytes = 0;
  }
}

export async function runStatefulStage<K extends RecordName, State, Flush>(
  options: StatefulStageOptions<K, State, Flush>,
): Promise<RunningStage & { states(): ReadonlyMap<number, State>; fastForwards(): number }> {
  const { name, topic, log, codec, clock } = options;
  type Owned = {
    state: State;
    next: number;
    flushed: number;
    unflushed: number;
    touchedAt: number;
    behind: boolean;
    busy: boolean;
    committed: number;
    reloading: Promise<void> | undefined;
  };
  const owned = new Map<number, Owned>();
  /** The latest load of a partition. */
  const asks = new Map<number, symbol>();
  const counts = createStageCounts();
  const parkedLimit = createParkedLimit(options.parkedLimit);
  let generation = 0;
  let fastForwards = 0;
  let closing = false;
  /** Told to stop: nothing more is folded, what is folded is flushed. */
  let draining = false;
  let drained: () => void = () => {};
  let waiting: { what: string; since: number } | undefined;
  let wake: () => void = () => {};
  /** Partitions that wait for a flush: enough is folded and not written. */
  const blocked = new Set<() => void>();
  const unblock = (): void => {
    for (const go of blocked) go();
    blocked.clear();
  };
  const onWaiting = (error: Error | undefined): void => {
    waiting = error ? { what: error.message, since: waiting?.since ?? clock.now() } : undefined;
  };
  const pending = (): number => [...owned.values()].reduce((sum, partition) => sum + partition.unflushed, 0);

  const forget = (partition: Owned): void => {
    counts.waiting -= partition.unflushed;
    counts.in -= partition.unflushed;
    partition.unflushed = 0;
  };
  /**
   * Another owner ran ahead: its state instead of ours, and on from there. Whoever asks meanwhile waits for the same
   * load.
   */
  const fastForward = (partition: number, mine: Owned, abandoned: () => boolean): Promise<void> => {
    mine.behind = true;
    mine.reloading ??= (async () => {
      const loaded = await retryUntilAborted(async () => options.load(partition), { abandoned, onWaiting });
      if (loaded === undefined || abandoned()) return;
      forget(mine);
      Object.assign(mine, {
        state: loaded.state,
        next: loaded.offset,
        flushed: loaded.offset,
        behind: false,
        reloading: undefined,
      });
      fastForwards += 1;
      unblock();
    })();
    return mine.reloading;
  };

  const foldChunk = async (
    partition: number,
    mine: Owned,
    chunk: readonly LogRecord[],
    abandoned: () => boolean,
  ): Promise<void> => {
    for (;;) {
      if (mine.behind) await fastForward(partition, mine, abandoned);
      if (abandoned()) return;
      const values: { readonly value: RecordTypes[K]; readonly offset: number }[] = [];
      const parked: OutgoingRecord[] = [];
      const codes: ParkCode[] = [];
      for (const source of chunk) {
        if (source.offset < mine.next || source.value === null) continue;
        const decoded = codec.decode([options.record], source.value);
        if (decoded.ok) values.push({ value: decoded.value, offset: source.offset });
        else {
          parked.push(parkedRecord(options.parkedTopic, name, source, decoded.code, decoded.message, clock.now()));
          codes.push(decoded.code);
        }
      }
      const bring = (): Promise<'present' | 'behind'> | undefined =>
        options.present?.(
          mine.state,
          values.map(({ value }) => value),
          mine.next * positionsPerOffset,
          1 / owned.size,
        );
      const came = await retryUntilAborted(async () => bring(), { abandoned, onWaiting });
      if (came === 'behind') mine.behind = true;
      if (abandoned()) return;
      if (mine.behind) continue;
      const refused = parkedLimit.admit(values.length + codes.length, codes);
      if (refused !== undefined) {
        waiting = { what: refused, since: clock.now() };
        // What was folded before it is still flushed; this chunk stays unread until a restart.
        while (!abandoned()) await wait(100);
        waiting = undefined;
        return;
      }
      if (parked.length > 0) {
        await retryUntilAborted(async () => options.producer.send(parked), { abandoned, onWaiting });
        if (abandoned()) return;
        counts.in += codes.length;
        for (const code of codes) count(counts.parked, code);
      }
      let folded = 0;
      for (const { value, offset } of values) folded += options.fold(mine.state, value, offset);
      mine.unflushed += folded;
      counts.in += folded;
      counts.waiting += folded;
      mine.next = Math.max(mine.next, (chunk.at(-1)?.offset ?? -1) + 1);
      return;
    }
  };

  const records = async (_topic: string, partition: number, batch: readonly LogRecord[]): Promise<void> => {
    const mine = generation;
    const abandoned = (): boolean => closing || mine !== generation;
    await retryUntilAborted(
      async () => codec.prepare(batch.flatMap((record) => (record.value ? [record.value] : []))),
      {
        abandoned,
        onWaiting,
      },
    );
    for (const chunk of chunksOf(batch)) {
      while (!abandoned() && !draining && pending() > options.flushRecords * 10) {
        await new Promise<void>((resolve) => {
          blocked.add(resolve);
        });
      }
      const state = owned.get(partition);
      if (abandoned() || draining || state === undefined) return;
      state.touchedAt = clock.now();
      state.busy = true;
      try {
        await foldChunk(partition, state, chunk, abandoned);
      } finally {
        state.busy = false;
      }
      if (pending() >= options.flushRecords) wake();
      // Heartbeats and the flush that is on its way get their turn.
      await yieldToEventLoop();
    }
  };

  /** The gauge that people see; what was loaded counts too, and a commit that got lost is sent again. */
  const commitFlushed = async (): Promise<void> => {
    const mine = generation;
    for (const [partition, owner] of owned) {
      const { flushed } = owner;
      if (owner.committed >= flushed || flushed === 0) continue;
      if (await consumer.commit(topic, partition, flushed)) owner.committed = flushed;
      if (mine !== generation) return;
    }
  };

  const flush = async (): Promise<void> => {
    const mine = generation;
    const abandoned = (): boolean => closing || mine !== generation;
    await commitFlushed();
    if (![...owned.values()].some((partition) => partition.next > partition.flushed)) return;
    const checkpoints = await retryUntilAborted(async () => options.checkpoints(), { abandoned, onWaiting });
    if (checkpoints === undefined || mine !== generation) return;
    for (const [partition, state] of owned) {
      if ((checkpoints.get(partition) ?? 0) > state.next * positionsPerOffset) state.behind = true;
      if (state.behind && !state.busy) await fastForward(partition, state, abandoned);
      if (mine !== generation) return;
    }
    const marks = [...owned]
      .filter(([, state]) => state.next > state.flushed && !state.behind)
      .map(([partition, state]) => ({
        partition,
        owner: state,
        state: state.state,
        next: state.next,
        records: state.unflushed,
      }));
    if (marks.length === 0) return;
    const flushes = marks.map(({ state, next }) => options.take(state, next * positionsPerOffset));
    for (const { owner } of marks) owner.unflushed = 0;
    const done = await retryUntilAborted(
      async () => {
        await options.write(flushes);
        return true;
      },
      { abandoned, onWaiting },
    );
    for (const mark of marks) {
      counts.waiting -= mark.records;
      if (done === undefined) counts.in -= mark.records;
      else counts.forwarded += mark.records;
    }
    if (done === undefined) return;
    for (const [index, { state }] of marks.entries()) options.durable?.(state, flushes[index] as Flush);
    if (mine !== generation) return;
    for (const { owner, next } of marks) owner.flushed = Math.max(owner.flushed, next);
    unblock();
    await commitFlushed();
  };

  const consumer = await log.consume({
    group: options.group,
    topics: [topic],
    handler: {
      load: async (_topic, partition) => {
        const mine = generation;
        const ask = Symbol();
        asks.set(partition, ask);
        // A load that was given up when its session seemed lost must not land on top of a later one.
        const over = (): boolean => mine !== generation || asks.get(partition) !== ask;
        const loaded = await retryUntilAborted(async () => options.load(partition), {
          abandoned: () => closing || over(),
          onWaiting,
        });
        if (loaded === undefined || over()) return undefined;
        owned.set(partition, {
          state: loaded.state,
          next: loaded.offset,
          flushed: loaded.offset,
          unflushed: 0,
          touchedAt: clock.now(),
          behind: false,
          busy: false,
          committed: -1,
          reloading: undefined,
        });
        return loaded.offset;
      },
      records,
      revoked: () => {
        generation += 1;
        for (const partition of owned.values()) forget(partition);
        owned.clear();
        unblock();
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
      const last = draining;
      await flush();
      if (last) drained();
      if (options.idleMs === 0 || draining) continue;
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
    fastForwards: () => fastForwards,
    states: () => new Map([...owned].map(([partition, { state }]) => [partition, state])),
    position: (_topic, partition) => owned.get(partition)?.flushed,
    owned: () => consumer.assigned(),
    waitingFor: () => waiting,
    close: async () => {
      const toldAt = clock.now();
      draining = true;
      wake();
      unblock();
      const flushed = new Promise<void>((resolve) => {
        drained = resolve;
      });
      // A store that is away keeps nobody: what is not flushed is folded again by the next owner.
      await withTimeout(drainMs.work, Promise.race([flushed, loop]));
      closing = true;
      wake();
      unblock();
      await withTimeout(leaveMs(clock.now() - toldAt), Promise.all([loop, consumer.close()]));
    },
  };
}
