/**
 * A reader outside any lasting group: a topic from its beginning, and then as it comes. States: behind -> caught up (at
 * the end that the topic had when it began) -> closed. Its own group is made up for it and never commits. It crashes,
 * pauses, joins anew and gives up as a member does (`kafka-membership`).
 */
import { randomUUID } from 'node:crypto';
import type { Batch } from 'kafkajs';
import type { KafkaConnection } from './kafka-connection.ts';
import { unavailable } from './kafka-errors.ts';
import type { LogQuestions } from './kafka-consumer.ts';
import { createMembership, heal, join } from './kafka-membership.ts';
import { toLogRecord } from './kafka-record.ts';
import type { LogFollower, LogRecord } from './log.ts';
import { type Hole, holeAt, holeError } from './log-holes.ts';

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

/** What was seen must still be there when it begins again: else the log was made anew, or lost what came meanwhile. */
async function findHole(topic: string, { seen }: Progress, questions: LogQuestions): Promise<Hole | undefined> {
  const [firsts, ends] = await Promise.all([questions.firstOffsets(topic), questions.endOffsets(topic)]);
  for (const [partition, position] of seen) {
    const hole = holeAt(topic, partition, position, { first: firsts[partition] ?? 0, end: ends[partition] ?? 0 });
    if (hole !== undefined) return hole;
  }
  return undefined;
}

export async function followTopic(
  connection: KafkaConnection,
  topic: string,
  ends: readonly number[],
  onRecord: (record: LogRecord) => void,
  questions: LogQuestions,
): Promise<LogFollower> {
  const { closers } = connection;
  const progress = createProgress(ends);
  let giveUp: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  failed.catch(() => {}); // whoever holds the follower also holds `failed`; unheard is not unhandled
  const group = `tripline-follow-${randomUUID()}`;
  const member = createMembership(connection, {
    group,
    topics: [topic],
    giveUp,
    eachBatch: async ({ batch }) => {
      heal(member);
      handOver(progress, batch, onRecord);
    },
    onRebalance: () => {
      if (progress.seen.size === 0 || connection.closed) return;
      findHole(topic, progress, questions).then(
        (hole) => hole && giveUp(holeError(hole, true)),
        () => {}, // it is asked again when the group joins again
      );
    },
  });
  let leave: (() => Promise<void>) | undefined;
  // Known from the start: a client that is closed while its reader joins would else leave it behind, joining for ever.
  const close = async (): Promise<void> => {
    member.client = 'closed';
    closers.delete(close);
    // One that is joining waits for an answer that takes seconds; the client drops its sockets.
    await leave?.();
  };
  closers.add(close);
  try {
    leave = await join(member);
    if (connection.closed) throw unavailable(`following ${topic}: the client is closed`, undefined);
  } catch (error) {
    closers.delete(close);
    member.client = 'closed';
    await member.consumer.disconnect().catch(() => {}); // what it is about is the error
    throw error;
  }
  const caughtUp = Promise.race([progress.caughtUp, failed]);
  caughtUp.catch(() => {});
  return { caughtUp, failed, trouble: () => member.trouble, close };
}
