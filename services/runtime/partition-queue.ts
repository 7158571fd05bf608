/**
 * What a member has fetched of one partition and not handed over yet. States: absent -> loading (the handler says where
 * to begin) -> waiting <-> handing over (`busy`, one batch at a time) -> absent (a rebalance: queue and progress are
 * dropped, the owner loads again). Above a high-water mark in bytes its fetches are paused, until half of it is worked
 * off.
 */
import type { Batch } from 'kafkajs';
import { toLogRecord } from './kafka-record.ts';
import type { LogRecord } from './log.ts';

export type PartitionQueue = {
  readonly topic: string;
  readonly partition: number;
  /** The rebalance after which it was loaded: once another has happened, nothing of it counts any more. */
  readonly rebalance: number;
  readonly fetches: LogRecord[][];
  bytes: number;
  /** Next offset to take from a fetch. */
  position: number;
  sought: boolean;
  busy: boolean;
  paused: boolean;
};

/** Fetches of one partition that are handed over together, at most. */
const fetchesTogether = 64;
/** Bookkeeping of a record next to its value, bytes. */
const overhead = 64;

export const createPartitionQueue = (
  topic: string,
  partition: number,
  rebalance: number,
  position: number,
): PartitionQueue => ({
  topic,
  partition,
  rebalance,
  fetches: [],
  bytes: 0,
  position,
  sought: false,
  busy: false,
  paused: false,
});

/**
 * True when the fetch begins behind our position: the group's committed offset ran ahead of it, and the caller seeks.
 * Once: a gap that is still there is compaction's.
 */
export function mustSeek(queue: PartitionQueue, batch: Batch): boolean {
  if (Number(batch.messages[0]?.offset ?? 0) <= queue.position || queue.sought) return false;
  queue.sought = true;
  return true;
}

/** Takes in what is new of a fetch; false: nothing is. */
export function takeFetch(queue: PartitionQueue, batch: Batch): boolean {
  const records: LogRecord[] = [];
  let bytes = 0;
  for (const message of batch.messages) {
    const offset = Number(message.offset);
    if (offset < queue.position) continue;
    records.push(toLogRecord(queue.topic, queue.partition, offset, message));
    bytes += (message.value?.length ?? 0) + overhead;
  }
  queue.position = Number(batch.lastOffset()) + 1;
  if (records.length === 0) return false;
  queue.fetches.push(records);
  queue.bytes += bytes;
  return true;
}

/** What came while the last batch was worked on goes together: small fetches do not become small inserts. */
export const nextBatch = (queue: PartitionQueue): LogRecord[] => queue.fetches.splice(0, fetchesTogether).flat();

export function workedOff(queue: PartitionQueue, batch: readonly LogRecord[]): void {
  for (const { value } of batch) queue.bytes -= (value?.length ?? 0) + overhead;
}

/** True when it becomes paused now. */
export function pauseAbove(queue: PartitionQueue, maxBytes: number): boolean {
  if (queue.bytes <= maxBytes || queue.paused) return false;
  queue.paused = true;
  return true;
}

/** True when it becomes unpaused now. */
export function resumeBelow(queue: PartitionQueue, maxBytes: number): boolean {
  if (!queue.paused || queue.bytes >= maxBytes / 2) return false;
  queue.paused = false;
  return true;
}
