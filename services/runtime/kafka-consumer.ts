/**
 * A member of a consumer group. Positions belong to the caller: a partition is loaded before its first record, read
 * from where the load says, and handed over in order, one batch at a time. eachBatch only enqueues, so heartbeats never
 * wait for a store; above a high-water mark in bytes the partition is paused.
 *
 * States of a partition here: absent -> loading -> running -> absent (revoked; queue and progress dropped, the owner
 * reloads).
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka, Message } from 'kafkajs';
import type { LogClient, LogConsumer, LogLine, LogRecord } from './log.ts';

/** How long a rebalance waits for its members, ms. */
const rebalanceMs = 60_000;
/**
 * After a rebalance and a session without a heartbeat, and this much more, a member is out of its group and does not
 * know how to come back.
 */
const graceMs = 10_000;

/** Fetches of one partition that are handed over together, at most. */
const fetchesTogether = 64;

export const headerText = (headers: Message['headers']): Record<string, string> => {
  const text: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) text[name] = first.toString();
  }
  return text;
};

export type MemberOptions = {
  readonly kafka: Kafka;
  readonly line: LogLine;
  /** A member that says nothing for so long has lost its partitions. */
  readonly sessionMs: number;
  /** Of the client that the consumer belongs to: it closes what is still open. */
  readonly closers: Set<() => Promise<void>>;
};

export async function createConsumer(
  { group, topics, handler, maxQueuedBytes = 32 * 1024 * 1024 }: Parameters<LogClient['consume']>[0],
  { kafka, line, sessionMs, closers }: MemberOptions,
): Promise<LogConsumer> {
  // A rebalance waits for its slowest member, and a member hears of it with its next heartbeat: the beat is the gap in
  // freshness that each restart makes.
  const heartbeatMs = Math.min(500, sessionMs / 3);
  type PartitionQueue = {
    readonly queue: LogRecord[][];
    bytes: number;
    position: number;
    sought: boolean;
    busy: boolean;
    paused: boolean;
    readonly generation: number;
  };
  const queues = new Map<string, PartitionQueue>();
  let generation = 0;
  let rejoins = 0;
  let assigned: ReadonlySet<string> | undefined;
  let pauses = 0;
  let closing = false;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {}); // whoever holds the consumer also holds `failed`; unheard is not unhandled
  let consumer: Consumer;
  let heardAt = performance.now();
  let reopening = false;

  const drain = async (at: string, topic: string, partition: number, queue: PartitionQueue): Promise<void> => {
    if (queue.busy) return;
    queue.busy = true;
    try {
      while (queue.queue.length > 0 && queue.generation === generation && !closing) {
        // What came while the last batch was worked on goes together: small fetches do not become small inserts.
        const batch = queue.queue.splice(0, fetchesTogether).flat();
        await handler.records(topic, partition, batch);
        queue.bytes -= batch.reduce((sum, record) => sum + (record.value?.length ?? 0) + 64, 0);
        if (queue.paused && queue.bytes < maxQueuedBytes / 2 && queue.generation === generation) {
          queue.paused = false;
          consumer.resume([{ topic, partitions: [partition] }]);
        }
      }
    } catch (error) {
      line('error', `${group}: ${at} stopped`, { error: error instanceof Error ? error.message : String(error) });
      fail(error);
    } finally {
      queue.busy = false;
    }
  };

  const revokeAll = (): void => {
    generation += 1;
    queues.clear();
    handler.revoked();
  };

  const eachBatch = async ({ batch, heartbeat, isStale, isRunning }: EachBatchPayload): Promise<void> => {
    if (batch.isEmpty() || isStale() || !isRunning() || closing) return;
    const { topic, partition } = batch;
    const at = `${topic}/${partition}`;
    let queue = queues.get(at);
    if (queue === undefined) {
      const mine = generation;
      let lost: (error: unknown) => void = () => {};
      const taken = new Promise<never>((_, reject) => {
        lost = reject;
      });
      // A load may wait for a store that is away. The group must not: a heartbeat that says so ends the wait, kafkajs
      // joins again, the load is abandoned.
      const beating = setInterval(() => void heartbeat().catch(lost), heartbeatMs);
      let position: number | undefined;
      try {
        position = await Promise.race([
          handler.load(topic, partition).catch((error: unknown) => {
            fail(error); // kafkajs would start the consumer again, and again
            throw error;
          }),
          taken,
        ]);
      } finally {
        clearInterval(beating);
      }
      if (mine !== generation) return;
      queue = {
        queue: [],
        bytes: 0,
        position: position ?? Number(batch.firstOffset()),
        sought: false,
        busy: false,
        paused: false,
        generation,
      };
      queues.set(at, queue);
    }
    if (Number(batch.messages[0]?.offset ?? 0) > queue.position && !queue.sought) {
      // The group's committed offset ran ahead of our position. Once: a gap that is still there is compaction's.
      queue.sought = true;
      consumer.seek({ topic, partition, offset: String(queue.position) });
      return;
    }
    const records: LogRecord[] = [];
    let bytes = 0;
    for (const message of batch.messages) {
      const offset = Number(message.offset);
      if (offset < queue.position) continue;
      records.push({
        topic,
        partition,
        offset,
        timestamp: Number(message.timestamp),
        key: message.key,
        value: message.value,
        headers: headerText(message.headers),
      });
      bytes += (message.value?.length ?? 0) + 64;
    }
    queue.position = Number(batch.lastOffset()) + 1;
    if (records.length === 0) return;
    queue.queue.push(records);
    queue.bytes += bytes;
    if (queue.bytes > maxQueuedBytes && !queue.paused) {
      queue.paused = true;
      pauses += 1;
      consumer.pause([{ topic, partitions: [partition] }]);
    }
    void drain(at, topic, partition, queue);
  };

  const open = async (): Promise<void> => {
    consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: sessionMs,
      rebalanceTimeout: rebalanceMs,
      heartbeatInterval: heartbeatMs,
      maxWaitTimeInMs: 100,
      maxBytesPerPartition: 4 * 1024 * 1024,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 50, maxRetryTime: 1_000, retries: 20, restartOnFailure: async () => true },
    });
    heardAt = performance.now();
    consumer.on(consumer.events.HEARTBEAT, () => {
      heardAt = performance.now();
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload: { memberAssignment } }) => {
      assigned = new Set(
        Object.entries(memberAssignment).flatMap(([topic, partitions]) => partitions.map((one) => `${topic}/${one}`)),
      );
      heardAt = performance.now();
      rejoins += 1;
      revokeAll();
    });
    // Not already when a rebalance begins: kafkajs may give up joining (a coordinator that is loading), fetch on under
    // the old membership, and go on behind what it has handed over. What was taken back then would never come again;
    // only a join that succeeded begins at what is committed.
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      line('warn', `${group}: consumer crashed`, { error: payload.error.message, restart: payload.restart });
      assigned = undefined;
      revokeAll();
      if (!payload.restart && !closing) void reopen();
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: true, partitionsConsumedConcurrently: 1, eachBatch });
  };
  const reopen = async (): Promise<void> => {
    if (reopening) return;
    reopening = true;
    await consumer.disconnect().catch(() => {});
    while (!closing) {
      try {
        await open();
        reopening = false;
        return;
      } catch (error) {
        line('warn', `${group}: consumer could not reopen`, {
          error: error instanceof Error ? error.message : String(error),
        });
        await wait(500);
      }
    }
  };
  await open();
  // After a broker's long silence kafkajs may stay outside its group for good: its join is never answered, and it asks
  // no more.
  const watch = setInterval(() => {
    if (closing || reopening || performance.now() - heardAt < sessionMs + rebalanceMs + graceMs) return;
    line('warn', `${group}: no heartbeat for too long, joining anew`, {});
    assigned = undefined;
    revokeAll();
    void reopen();
  }, 1_000);
  watch.unref();
  const close = async (): Promise<void> => {
    closing = true;
    assigned = undefined;
    clearInterval(watch);
    closers.delete(close);
    await consumer.disconnect();
  };
  closers.add(close);
  return {
    failed,
    close,
    assigned: () => assigned,
    stats: () => ({ queuedBytes: [...queues.values()].reduce((sum, queue) => sum + queue.bytes, 0), rejoins, pauses }),
    commit: async (topic, partition, nextOffset) => {
      const mine = generation;
      try {
        await consumer.commitOffsets([{ topic, partition, offset: String(nextOffset) }]);
        return true;
      } catch (error) {
        // The commit is a gauge for folds and a resume point for stateless stages: a lost one repeats work, it loses
        // none.
        if (mine === generation)
          line('debug', `${group}: commit of ${topic}/${partition} failed`, {
            error: error instanceof Error ? error.message : String(error),
          });
        return false;
      }
    },
  };
}
