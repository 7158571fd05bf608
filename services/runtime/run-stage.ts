/**
 * The loop of stages that keep no state: decode, step, deliver, commit, in that order, a batch at a time. It alone
 * knows offsets, retries, parking, trace context and counters. At-least-once: a crash before the commit repeats the
 * batch, and what is written twice carries the same ids.
 *
 * States of a record: taken (its partition waits for it) -> judged (`judge-records`) -> delivered -> committed. A
 * rebalance or the stage's end in between: taken back, and whoever owns the partition takes it again. States of the
 * stage: `stage-lifecycle`, straight from running to closed.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { RecordName } from '../../schemas/generated.ts';
import { type Judged, judgeRecords } from './judge-records.ts';
import type { LogConsumer, LogRecord } from './log.ts';
import { parkedRecord, sendParked } from './park.ts';
import { createParkedLimit, type ParkedLimit } from './parked-limit.ts';
import { drainMs, leaveMs, retryUntilAborted, withTimeout } from './retry.ts';
import { count, createStageCounts, type RunningStage, type StageCounts } from './stage.ts';
import {
  beginWork,
  createLifecycle,
  failureOf,
  isClosed,
  type StageLifecycle,
  standStill,
  type Work,
} from './stage-lifecycle.ts';
import type { Delivery, StageOptions } from './stage-options.ts';
import { writeDownHole } from './write-down-hole.ts';

export type { Delivery, StageOptions } from './stage-options.ts';

/** A batch of one partition, as the group handed it over. */
type Taken = {
  readonly topic: string;
  readonly partition: number;
  readonly batch: readonly LogRecord[];
  /** The rebalance after which it was handed over. */
  readonly rebalance: number;
  /** The partition may hand over its next batch. */
  readonly finish: () => void;
};

type Stage<K extends RecordName, T> = {
  readonly options: StageOptions<K, T>;
  readonly lifecycle: StageLifecycle;
  readonly counts: StageCounts;
  readonly parkedLimit: ParkedLimit;
  /** `topic/partition` -> next offset whose predecessors are all done with. */
  readonly positions: Map<string, number>;
  pending: Taken[];
  wake: () => void;
};

/** Tries of a commit, about two minutes: the last one of a quiet topic is the lag that people see. */
const commitTries = 130;
/** Of a stage that stops. */
const lastCommitTries = 5;

/** Parks them once, however often it is tried; undefined when it was given up. */
function parkAll<K extends RecordName, T>(
  { options, lifecycle }: Stage<K, T>,
  parked: Judged<T>['parked'],
  work: Work,
): Promise<true | undefined> {
  const { name, parkedTopic, producer } = options;
  const { clock } = lifecycle;
  const records = parked.map(({ source, code, message }) =>
    parkedRecord(parkedTopic, name, source, code, message, clock.now()),
  );
  return retryUntilAborted(async () => {
    await sendParked(producer, records);
    return true as const;
  }, work);
}

/**
 * Parks and writes what was judged, and parks what could not be written; what became of it all, or undefined when it
 * was given up.
 */
async function deliver<K extends RecordName, T>(
  stage: Stage<K, T>,
  judged: Judged<T>,
  work: Work,
): Promise<Judged<T> | undefined> {
  const { options, lifecycle, parkedLimit } = stage;
  const { parked, forwarded } = judged;
  if (!(await parkAll(stage, parked, work))) return undefined;
  const refused = new Map<Delivery<T>, Judged<T>['parked'][number]>();
  const written = await retryUntilAborted(async () => {
    if (forwarded.length > 0)
      await options.deliver(forwarded, (delivery, code, message) => {
        refused.set(delivery, { source: delivery.source, code, message });
      });
    return true as const;
  }, work);
  if (!written || refused.size === 0) return written && judged;
  const others = [...refused.values()];
  const tooMany = parkedLimit.admit(
    0,
    others.map(({ code }) => code),
  );
  if (tooMany !== undefined) await standStill(lifecycle, tooMany, work);
  if (!(await parkAll(stage, others, work))) return undefined;
  return {
    ...judged,
    forwarded: forwarded.filter((delivery) => !refused.has(delivery)),
    parked: [...parked, ...others],
  };
}

/** Tried for longer than a broker is away. */
async function commit<K extends RecordName, T>(
  { lifecycle, positions }: Stage<K, T>,
  consumer: LogConsumer,
  { topic, partition, batch }: Taken,
  work: Work,
): Promise<void> {
  const next = (batch.at(-1)?.offset ?? -1) + 1;
  for (let tries = 0; tries < (isClosed(lifecycle) ? lastCommitTries : commitTries); tries += 1) {
    if (work.isStale() || (await consumer.commit(topic, partition, next))) break;
    await wait(Math.min(50 * (tries + 1), 1_000));
  }
  positions.set(`${topic}/${partition}`, next);
}

function countJudged<T>(counts: StageCounts, { forwarded, dropped, parked }: Judged<T>): void {
  counts.forwarded += forwarded.length;
  for (const [reason, number] of dropped) count(counts.dropped, reason, number);
  for (const { code } of parked) count(counts.parked, code);
}

/** Works on everything taken so far as one batch, whatever partitions it came from: one delivery, one insert. */
async function workOff<K extends RecordName, T>(
  stage: Stage<K, T>,
  consumer: LogConsumer,
  taken: readonly Taken[],
): Promise<void> {
  const { options, lifecycle, counts, parkedLimit } = stage;
  const work = beginWork(lifecycle);
  const { rebalance } = lifecycle;
  const sources = taken.flatMap((one) => (one.rebalance === rebalance ? one.batch : []));
  const frames = sources.flatMap((record) => (record.value ? [record.value] : []));
  if (!options.raw) await retryUntilAborted(async () => options.codec.prepare(frames), work);
  const judged = judgeRecords(options, sources);
  const refused = parkedLimit.admit(
    sources.length,
    judged.parked.map(({ code }) => code),
  );
  if (refused !== undefined) await standStill(lifecycle, refused, work);
  const delivered = await deliver(stage, judged, work);
  for (const span of judged.spans) span.end();
  const all = taken.reduce((sum, { batch }) => sum + batch.length, 0);
  counts.waiting -= all;
  // Taken back: whoever owns the partitions now takes them in.
  counts.in -= delivered === undefined ? all : all - sources.length;
  if (delivered === undefined) return;
  countJudged(counts, delivered);
  if (work.isStale()) return;
  for (const one of taken) if (one.rebalance === rebalance) await commit(stage, consumer, one, work);
}

async function workLoop<K extends RecordName, T>(stage: Stage<K, T>, consumer: LogConsumer): Promise<void> {
  const { lingerMs } = stage.options;
  while (!isClosed(stage.lifecycle)) {
    if (stage.pending.length === 0) {
      await new Promise<void>((resolve) => {
        stage.wake = resolve;
      });
      if (lingerMs > 0) await wait(lingerMs);
    }
    const taken = stage.pending;
    stage.pending = [];
    if (taken.length > 0) await workOff(stage, consumer, taken);
    for (const { finish } of taken) finish();
  }
}

/** Resolves when the batch is done with: the partition hands over no other before. */
function take<K extends RecordName, T>(
  stage: Stage<K, T>,
  topic: string,
  partition: number,
  batch: readonly LogRecord[],
) {
  const { counts, lifecycle } = stage;
  return new Promise<void>((finish) => {
    counts.in += batch.length;
    counts.waiting += batch.length;
    stage.pending.push({ topic, partition, batch, rebalance: lifecycle.rebalance, finish });
    stage.wake();
  });
}

export async function runStage<K extends RecordName, T>(options: StageOptions<K, T>): Promise<RunningStage> {
  const { name, log, clock } = options;
  const lifecycle = createLifecycle(clock);
  const stage: Stage<K, T> = {
    options,
    lifecycle,
    counts: createStageCounts(),
    parkedLimit: createParkedLimit(options.parkedLimit),
    positions: new Map(),
    pending: [],
    wake: () => {},
  };
  const consumer = await log.consume({
    group: options.group,
    topics: options.topics,
    handler: {
      load: async () => undefined,
      records: (topic, partition, batch) => take(stage, topic, partition, batch),
      missed: writeDownHole(options),
      revoked: () => {
        lifecycle.rebalance += 1;
      },
    },
  });
  const loop = workLoop(stage, consumer).catch(lifecycle.fail);
  return {
    name,
    counts: stage.counts,
    position: (topic, partition) => stage.positions.get(`${topic}/${partition}`),
    owned: () => consumer.assigned(),
    waitingFor: () => lifecycle.waiting ?? consumer.trouble(),
    failed: failureOf(lifecycle, consumer.failed),
    close: async () => {
      const toldAt = clock.now();
      lifecycle.phase = 'closed';
      stage.wake();
      // The batch in hand is delivered and committed before the group is left; what is not begun stays in the log.
      await withTimeout(drainMs.work, loop);
      await withTimeout(leaveMs(clock.now() - toldAt), consumer.close());
    },
  };
}
