/**
 * A member of a consumer group. Positions belong to the caller: a partition is loaded before its first record, read
 * from where the load says, and handed over in order, one batch at a time. eachBatch only enqueues, so heartbeats never
 * wait for a store; above a high-water mark in bytes the partition is paused.
 *
 * Its states are those of its parts: whether it is in its group (`kafka-membership`), and what it holds of each
 * partition (`partition-queue`). A rebalance drops every queue; the owner loads again.
 */
import type { EachBatchPayload } from 'kafkajs';
import type { KafkaConnection } from './kafka-connection.ts';
import { createMembership, heal, heartbeatOf, join, type Membership } from './kafka-membership.ts';
import type { LogClient, LogConsumer, PartitionHandler } from './log.ts';
import { holeAt, holeError, nameOfHole } from './log-holes.ts';
import {
  createPartitionQueue,
  mustSeek,
  nextBatch,
  type PartitionQueue,
  pauseAbove,
  resumeBelow,
  takeFetch,
  workedOff,
} from './partition-queue.ts';
import { messageOf, retryUntilAborted } from './retry.ts';

type Reader = {
  readonly member: Membership;
  readonly handler: PartitionHandler;
  readonly maxQueuedBytes: number;
  readonly queues: Map<string, PartitionQueue>;
  /** How often a queue was full and its fetches stopped. */
  pauses: number;
  readonly fail: (error: unknown) => void;
  readonly questions: LogQuestions;
  /**
   * `topic/partition` -> what the group had committed when it was joined. kafkajs commits the log's start by itself
   * when the log has nothing at a committed offset, and the gap would be gone.
   */
  committed: Promise<ReadonlyMap<string, number>>;
  /** Holes that were written down. */
  readonly accepted: Set<string>;
};

/** What a reader asks of a topic to hold its positions against it, by partition. */
export type LogQuestions = Pick<LogClient, 'firstOffsets' | 'endOffsets' | 'committedOffsets'>;

const isCurrent = ({ member }: Reader, queue: PartitionQueue): boolean => queue.rebalance === member.rebalance;

/** Hands over what is queued, until nothing is or the partition is taken back. */
async function handOver(reader: Reader, queue: PartitionQueue): Promise<void> {
  if (queue.busy) return;
  const { member, handler, maxQueuedBytes } = reader;
  const { topic, partition } = queue;
  queue.busy = true;
  try {
    while (queue.fetches.length > 0 && isCurrent(reader, queue) && member.client !== 'closed') {
      const batch = nextBatch(queue);
      await handler.records(topic, partition, batch);
      workedOff(queue, batch);
      if (isCurrent(reader, queue) && resumeBelow(queue, maxQueuedBytes))
        member.consumer.resume([{ topic, partitions: [partition] }]);
    }
  } catch (error) {
    const { connection, group } = member;
    connection.line('error', `${group}: ${topic}/${partition} stopped`, { error: messageOf(error) });
    reader.fail(error);
  } finally {
    queue.busy = false;
  }
}

/**
 * Where the handler wants to begin. A load may wait for a store that is away. The group must not: a heartbeat that says
 * so ends the wait, kafkajs joins again, the load is abandoned.
 */
async function load(reader: Reader, topic: string, partition: number, heartbeat: () => Promise<void>) {
  let lost: (error: unknown) => void = () => {};
  const taken = new Promise<never>((_, reject) => {
    lost = reject;
  });
  const everyMs = heartbeatOf(reader.member.connection.sessionMs);
  const beating = setInterval(() => void heartbeat().catch(lost), everyMs);
  try {
    return await Promise.race([
      reader.handler.load(topic, partition).catch((error: unknown) => {
        reader.fail(error); // kafkajs would start the consumer again, and again
        throw error;
      }),
      taken,
    ]);
  } finally {
    clearInterval(beating);
  }
}

/**
 * Holds a position against what the log has; false: there is a hole that nobody accepted, and the reader has failed.
 * `own`: the position is the handler's, whose state was made from it.
 */
async function isHeld(reader: Reader, topic: string, partition: number, own: number | undefined): Promise<boolean> {
  const { member, handler, accepted } = reader;
  const [firsts, ends, committed] = await Promise.all([
    reader.questions.firstOffsets(topic),
    reader.questions.endOffsets(topic),
    reader.committed,
  ]);
  const [first = 0, end = 0] = [firsts[partition], ends[partition]];
  const position = own ?? (committed.get(`${topic}/${partition}`) || first);
  const hole = holeAt(topic, partition, position, { first, end });
  if (hole === undefined || accepted.has(nameOfHole(hole))) return true;
  const keepsState = own !== undefined;
  const isAcceptable = handler.missed !== undefined && (hole.kind === 'gap' || !keepsState);
  if (!isAcceptable || !member.connection.acceptGaps.has(nameOfHole(hole))) {
    reader.fail(holeError(hole, keepsState));
    return false;
  }
  await handler.missed?.(hole);
  accepted.add(nameOfHole(hole));
  return true;
}

/** A coordinator that moves is waited for: kafkajs asks once. */
async function committedOf(
  { closed }: { readonly closed: () => boolean },
  group: string,
  topics: readonly string[],
  questions: LogQuestions,
): Promise<ReadonlyMap<string, number>> {
  const committed = new Map<string, number>();
  for (const topic of topics) {
    const ask = () => questions.committedOffsets(group, topic);
    const offsets = (await retryUntilAborted(ask, { abandoned: closed })) ?? [];
    for (const [partition, offset] of offsets.entries()) committed.set(`${topic}/${partition}`, offset ?? 0);
  }
  return committed;
}

async function takeBatch(reader: Reader, payload: EachBatchPayload): Promise<void> {
  const { batch, heartbeat, isStale, isRunning } = payload;
  const { member, queues } = reader;
  if (batch.isEmpty() || isStale() || !isRunning() || member.client === 'closed') return;
  const { topic, partition } = batch;
  const at = `${topic}/${partition}`;
  let queue = queues.get(at);
  if (queue === undefined) {
    const { rebalance } = member;
    const position = await load(reader, topic, partition, heartbeat);
    if (rebalance !== member.rebalance) return;
    if (!(await isHeld(reader, topic, partition, position))) return;
    if (rebalance !== member.rebalance) return;
    heal(member);
    queue = createPartitionQueue(topic, partition, rebalance, position ?? Number(batch.firstOffset()));
    queues.set(at, queue);
  }
  if (mustSeek(queue, batch)) {
    member.consumer.seek({ topic, partition, offset: String(queue.position) });
    return;
  }
  const isBack = Number(batch.lastOffset()) + 1 < queue.position;
  if (isBack || Number(batch.messages[0]?.offset ?? 0) > queue.position) {
    // What follows is missing (the log's start has moved on), or comes again (the log was made anew).
    if (!(await isHeld(reader, topic, partition, queue.position)) || !isCurrent(reader, queue)) return;
    if (isBack) return member.consumer.seek({ topic, partition, offset: String(queue.position) });
  }
  heal(member);
  if (!takeFetch(queue, batch)) return;
  if (pauseAbove(queue, reader.maxQueuedBytes)) {
    reader.pauses += 1;
    member.consumer.pause([{ topic, partitions: [partition] }]);
  }
  void handOver(reader, queue);
}

/**
 * The commit is a gauge for stages that keep state and a resume point for those that keep none: a lost one repeats
 * work, it loses none.
 */
async function commit(member: Membership, topic: string, partition: number, nextOffset: number): Promise<boolean> {
  const { rebalance, connection, group } = member;
  try {
    await member.consumer.commitOffsets([{ topic, partition, offset: String(nextOffset) }]);
    return true;
  } catch (error) {
    if (rebalance === member.rebalance)
      connection.line('debug', `${group}: commit of ${topic}/${partition} failed`, { error: messageOf(error) });
    return false;
  }
}

export async function createConsumer(
  { group, topics, handler, maxQueuedBytes = 32 * 1024 * 1024 }: Parameters<LogClient['consume']>[0],
  connection: KafkaConnection,
  questions: LogQuestions,
): Promise<LogConsumer> {
  const queues = new Map<string, PartitionQueue>();
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {}); // whoever holds the consumer also holds `failed`; unheard is not unhandled
  const closed = (): boolean => connection.closed;
  const member = createMembership(connection, {
    group,
    topics,
    eachBatch: (payload) => takeBatch(reader, payload),
    giveUp: (error) => fail(error),
    onRebalance: () => {
      queues.clear();
      handler.revoked();
      if (connection.closed || member.joins <= 1) return; // known from before it joined
      reader.committed = committedOf({ closed }, group, topics, questions);
      reader.committed.catch(() => {});
    },
  });
  const before = await committedOf({ closed }, group, topics, questions);
  const reader: Reader = {
    member,
    handler,
    maxQueuedBytes,
    queues,
    pauses: 0,
    fail,
    questions,
    committed: Promise.resolve(before),
    accepted: new Set(),
  };
  const leave = await join(member);
  return {
    failed,
    close: leave,
    trouble: () => member.trouble,
    assigned: () => member.assigned,
    stats: () => ({
      queuedBytes: [...queues.values()].reduce((sum, { bytes }) => sum + bytes, 0),
      rejoins: member.joins,
      pauses: reader.pauses,
    }),
    commit: (topic, partition, nextOffset) => commit(member, topic, partition, nextOffset),
  };
}
