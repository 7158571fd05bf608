/**
 * A reader outside any lasting group: a topic from its beginning, and then as it comes. States: behind -> caught up (at
 * the end that the topic had when it began) -> closed. Its own group is made up for it and never commits.
 */
import { randomUUID } from 'node:crypto';
import type { Batch } from 'kafkajs';
import type { KafkaConnection } from './kafka-connection.ts';
import { unavailable } from './kafka-errors.ts';
import { toLogRecord } from './kafka-record.ts';
import type { LogClient, LogRecord } from './log.ts';

type Progress = {
  /** First offset of each partition that has not been handed over. */
  readonly seen: Map<number, number>;
  /** Ends that have not been reached yet, by partition. */
  readonly missing: Map<number, number>;
  readonly caughtUp: Promise<void>;
  reached(): void;
};

function createProgress(ends: readonly number[]): Progress {
  let reached: () => void = () => {};
  const caughtUp = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const missing = new Map(ends.map((end, partition) => [partition, end] as const).filter(([, end]) => end > 0));
  if (missing.size === 0) reached();
  return { seen: new Map(), missing, caughtUp, reached };
}

function handOver(progress: Progress, batch: Batch, onRecord: (record: LogRecord) => void): void {
  const { topic, partition } = batch;
  const { seen, missing } = progress;
  for (const message of batch.messages) {
    const offset = Number(message.offset);
    // After a reconnect the group has no committed offset and starts over: what was seen is skipped.
    if (offset < (seen.get(partition) ?? 0)) continue;
    seen.set(partition, offset + 1);
    onRecord(toLogRecord(topic, partition, offset, message));
  }
  const end = missing.get(partition);
  if (end === undefined || Number(batch.lastOffset()) + 1 < end) return;
  missing.delete(partition);
  if (missing.size === 0) progress.reached();
}

export async function followTopic(
  connection: KafkaConnection,
  topic: string,
  ends: readonly number[],
  onRecord: (record: LogRecord) => void,
): ReturnType<LogClient['follow']> {
  const { kafka, closers } = connection;
  const progress = createProgress(ends);
  const consumer = kafka.consumer({
    groupId: `tripline-follow-${randomUUID()}`,
    sessionTimeout: 30_000,
    maxWaitTimeInMs: 100,
    allowAutoTopicCreation: false,
    retry: { retries: 20, restartOnFailure: async () => !connection.closed },
  });
  let phase: 'starting' | 'running' | 'closed' = 'starting';
  const isClosed = (): boolean => phase === 'closed' || connection.closed;
  // Known from the start: a client that is closed while its reader joins would else leave it behind, joining for ever.
  const close = async (): Promise<void> => {
    const before = phase;
    phase = 'closed';
    closers.delete(close);
    // One that is joining waits for an answer that takes seconds; the client drops its sockets.
    if (before === 'running') await consumer.disconnect();
  };
  closers.add(close);
  try {
    for (const step of [
      () => consumer.connect(),
      () => consumer.subscribe({ topics: [topic], fromBeginning: true }),
      () => consumer.run({ autoCommit: false, eachBatch: async ({ batch }) => handOver(progress, batch, onRecord) }),
    ]) {
      if (isClosed()) break;
      await step();
    }
    if (isClosed()) throw unavailable(`following ${topic}: the client is closed`, undefined);
    phase = 'running';
  } catch (error) {
    closers.delete(close);
    await consumer.disconnect().catch(() => {}); // what it is about is the error
    throw error;
  }
  return { caughtUp: progress.caughtUp, close };
}
