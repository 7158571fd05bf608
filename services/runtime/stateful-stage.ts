/**
 * The loop of stages that keep state: linker and joiner. A partition is loaded from its checkpoint in the store and
 * folded from there (`fold-chunks`); a flush takes what changed and writes it (`flush-partitions`). Whatever is not
 * flushed when a partition is taken back is dropped: the next owner folds it again. A partition that finds the store
 * ahead of itself has another owner (`partition-ownership`).
 *
 * States: those of every stage (`stage-lifecycle`). Draining: nothing more is folded, what is folded is flushed once
 * more. Closed: a flush that still waits for its store gives up.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { RecordName } from '../../schemas/generated.ts';
import { type Flushing, flushPartitions } from './flush-partitions.ts';
import { foldBatch } from './fold-chunks.ts';
import { createParkedLimit } from './parked-limit.ts';
import { createOwnership, takeBackAll, takeOver, unblock } from './partition-ownership.ts';
import { drainMs, leaveMs, messageOf, type Waiting, withTimeout } from './retry.ts';
import { createStageCounts, type RunningStage } from './stage.ts';
import { createLifecycle, failureOf, isClosed } from './stage-lifecycle.ts';
import type { StatefulStageOptions } from './stateful-stage-options.ts';
import { writeDownHole } from './write-down-hole.ts';

/** Wakes the flushing loop, and is told of the last flush of a stage that drains. */
type Bell = { ring: () => void; drained: () => void };

/** Ticks are sent next to the flushing loop, one round at a time: a log that is away holds no flush back. */
type Ticking = { isSending: boolean; problem: Waiting | undefined };

/**
 * Partitions that have been quiet for too long get their tick. One that is refused is said and sent again after the
 * same time: windows of a quiet partition close later, and nothing else suffers.
 */
async function tickIdle<K extends RecordName, State, Flush>(
  { options, ownership }: Flushing<K, State, Flush>,
  ticking: Ticking,
): Promise<void> {
  const { clock, topic } = options;
  if (ticking.isSending) return;
  ticking.isSending = true;
  for (const mine of [...ownership.owned.values()]) {
    if (clock.now() - mine.touchedAt < options.idleMs || mine.next === 0) continue;
    mine.touchedAt = clock.now();
    try {
      await options.onIdle(mine.partition);
      ticking.problem = undefined;
    } catch (error) {
      const what = `the tick of ${topic}/${mine.partition} was refused: ${messageOf(error)}`;
      ticking.problem = { what, since: ticking.problem?.since ?? clock.now() };
    }
  }
  ticking.isSending = false;
}

/** A flush every `flushMs` or when the bell rings, until the stage is closed. */
async function flushLoop<K extends RecordName, State, Flush>(
  flushing: Flushing<K, State, Flush>,
  bell: Bell,
  ticking: Ticking,
): Promise<void> {
  const { options, ownership } = flushing;
  const { lifecycle } = ownership;
  while (!isClosed(lifecycle)) {
    await Promise.race([
      wait(options.flushMs),
      new Promise<void>((resolve) => {
        bell.ring = resolve;
      }),
    ]);
    const isLast = lifecycle.phase !== 'running';
    await flushPartitions(flushing);
    if (isLast) bell.drained();
    if (options.idleMs > 0 && lifecycle.phase === 'running') void tickIdle(flushing, ticking);
  }
}

export async function runStatefulStage<K extends RecordName, State, Flush>(
  options: StatefulStageOptions<K, State, Flush>,
): Promise<RunningStage & { states(): ReadonlyMap<number, State>; fastForwards(): number }> {
  const { name, topic, log, clock } = options;
  const counts = createStageCounts();
  const lifecycle = createLifecycle(clock);
  const ownership = createOwnership<State>({ lifecycle, counts, load: async (partition) => options.load(partition) });
  const bell: Bell = { ring: () => {}, drained: () => {} };
  const parkedLimit = createParkedLimit(options.parkedLimit);
  const folding = { options, ownership, parkedLimit, flushNow: () => bell.ring() };
  const consumer = await log.consume({
    group: options.group,
    topics: [topic],
    handler: {
      load: (_topic, partition) => takeOver(ownership, partition),
      records: (_topic, partition, batch) => foldBatch(folding, partition, batch),
      missed: writeDownHole(options),
      revoked: () => takeBackAll(ownership),
    },
  });
  const ticking: Ticking = { isSending: false, problem: undefined };
  const loop = flushLoop({ options, ownership, consumer }, bell, ticking).catch(lifecycle.fail);

  /** Whoever waits for something looks at the phase again. */
  const enter = (phase: 'draining' | 'closed'): void => {
    lifecycle.phase = phase;
    bell.ring();
    unblock(ownership);
  };
  return {
    name,
    counts,
    failed: failureOf(lifecycle, consumer.failed),
    fastForwards: () => ownership.fastForwards,
    states: () => new Map([...ownership.owned].map(([partition, { state }]) => [partition, state])),
    position: (_topic, partition) => ownership.owned.get(partition)?.flushed,
    owned: () => consumer.assigned(),
    waitingFor: () => lifecycle.waiting ?? consumer.trouble() ?? ticking.problem,
    close: async () => {
      const toldAt = clock.now();
      enter('draining');
      const flushed = new Promise<void>((resolve) => {
        bell.drained = resolve;
      });
      // A store that is away keeps nobody: what is not flushed is folded again by the next owner.
      await withTimeout(drainMs.work, Promise.race([flushed, loop]));
      enter('closed');
      await withTimeout(leaveMs(clock.now() - toldAt), Promise.all([loop, consumer.close()]));
    },
  };
}
