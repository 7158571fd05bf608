/**
 * Parked records as they stand on their topic, and sending them again. A record that was parked twice (a stage repeats
 * its batch after a crash) is one record. The original bytes go to the topic and partition that they came from; records
 * of a unit log that was divided since go to where their units are now. A marker on the parked topic says that a record
 * was sent. A crash between the two sends it twice, which changes no number: everything downstream knows events by
 * their ids.
 */
import { bucketCount } from '../kernel/ids.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import { batchUnits } from '../runtime/batches.ts';
import type { LogClient, LogProducer, LogRecord, OutgoingRecord } from '../runtime/log.ts';
import { fileStage, isWhole, parkedBytes, replayMarker, replayOf } from '../runtime/park.ts';
import { newestUnitTopic, topicName, unitTopicNumber } from '../runtime/topics.ts';

export type ParkedEntry = {
  /** Offset on the parked topic of its first copy. */
  readonly id: number;
  readonly stage: string;
  readonly code: string;
  readonly message: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly firstSeen: string;
  readonly bytes: number;
  /** `parked again`: it was replayed, and came back. */
  readonly state: 'parked' | 'replayed' | 'parked again';
  readonly source: LogRecord;
};

export type ParkedFilter = {
  readonly stage?: string;
  readonly code?: string;
  readonly ids?: readonly number[];
  readonly again?: boolean;
};

/** Distinct parked records, oldest first. */
export function parkedEntries(records: readonly LogRecord[]): ParkedEntry[] {
  const sent = new Map<number, number>();
  const bySource = new Map<string, LogRecord>();
  for (const record of records) {
    const of = replayOf(record.headers);
    if (of !== undefined) sent.set(of, (sent.get(of) ?? 0) + 1);
    else if (record.headers['x-stage'] !== undefined) {
      const key = ['x-stage', 'x-topic', 'x-partition', 'x-offset'].map((name) => record.headers[name]).join('/');
      if (!bySource.has(key)) bySource.set(key, record);
    }
  }
  // What came back after a replay is the letter that it was before.
  const back = new Map<number, number>();
  const letters: LogRecord[] = [];
  for (const source of bySource.values()) {
    const origin = source.headers['x-replayed'];
    if (origin === undefined) letters.push(source);
    else back.set(Number(origin), (back.get(Number(origin)) ?? 0) + 1);
  }
  const stateOf = (id: number): ParkedEntry['state'] =>
    !sent.has(id) ? 'parked' : (back.get(id) ?? 0) >= (sent.get(id) ?? 0) ? 'parked again' : 'replayed';
  return letters.map((source) => ({
    id: source.offset,
    stage: source.headers['x-stage'] ?? '',
    code: source.headers['x-error-code'] ?? '',
    message: source.headers['x-error-message'] ?? '',
    topic: source.headers['x-topic'] ?? '',
    partition: Number(source.headers['x-partition'] ?? 0),
    offset: Number(source.headers['x-offset'] ?? 0),
    firstSeen: source.headers['x-first-seen'] ?? '',
    bytes: parkedBytes(source),
    state: stateOf(source.offset),
    source,
  }));
}

export const selectParked = (entries: readonly ParkedEntry[], { stage, code, ids }: ParkedFilter): ParkedEntry[] =>
  entries.filter(
    (entry) =>
      (stage === undefined || entry.stage === stage) &&
      (code === undefined || entry.code === code) &&
      (ids === undefined || ids.includes(entry.id)),
  );

type Target = { readonly topic: string; readonly partitions: number };

/**
 * A batch of the unit log for the topic that has replaced its own: records follow their buckets, those for every
 * partition (revisions, ticks) go to each child of theirs. undefined: it still cannot be read, or holds a unit's record
 * that does not say its bucket.
 */
function divideBatch(
  codec: AvroCodec,
  { partition, source }: ParkedEntry,
  from: Target,
  to: Target,
  timestamp: number,
): readonly OutgoingRecord[] | undefined {
  const batch = codec.decode(['unit-record'], source.value ?? Buffer.alloc(0));
  if (!batch.ok) return undefined;
  const factor = to.partitions / from.partitions;
  const routed = batch.value.records.flatMap((record) => {
    if ('tripline.v1.ExperimentAdopted' in record.body || 'tripline.v1.Tick' in record.body)
      return Array.from({ length: factor }, (_, child) => ({
        bucket: Math.ceil(((partition * factor + child) * bucketCount) / to.partitions),
        record: { ...record },
      }));
    return [{ bucket: record.bucket ?? -1, record }];
  });
  return routed.some(({ bucket }) => bucket < 0) ? undefined : batchUnits({ ...to, codec, timestamp }, routed);
}

/** Where records go: how many partitions their topics have, and which topic the unit log is written to now. */
type Destinations = {
  readonly codec: AvroCodec;
  readonly partitions: ReadonlyMap<string, number>;
  readonly newest: Target | undefined;
  readonly isUnitTopic: (topic: string) => boolean;
  readonly now: number;
};

/**
 * The original, or its parts where they belong now; undefined: its partition is gone, it cannot be divided, or it was
 * too large to be parked whole.
 */
function messagesOf(entry: ParkedEntry, to: Destinations): readonly OutgoingRecord[] | undefined {
  const { topic, partition, source } = entry;
  const { traceparent, 'x-timestamp': carried } = source.headers;
  const from = { topic, partitions: to.partitions.get(topic) ?? 0 };
  const timestamp = Number(carried ?? to.now);
  if (partition >= from.partitions || !isWhole(source.headers)) return undefined;
  const wasDivided = to.newest !== undefined && topic !== to.newest.topic && to.isUnitTopic(topic);
  const original = {
    topic,
    partition,
    ...(source.key && { key: source.key }),
    value: source.value ?? Buffer.alloc(0),
    timestamp,
  };
  const messages = wasDivided && to.newest ? divideBatch(to.codec, entry, from, to.newest, timestamp) : [original];
  const headers = { 'x-replayed': String(source.offset), ...(traceparent !== undefined && { traceparent }) };
  return messages?.map((message) => ({ ...message, headers }));
}

/** Parked records in one send, with their markers after them. */
const together = 500;

type Replay = {
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  readonly prefix: string;
};

/**
 * Sends what has not been sent yet; how many. `nowhere`: its topic or partition is gone, or was divided and the record
 * cannot be; it stays parked.
 */
export async function replayParked(
  { log, producer, codec, prefix }: Replay,
  filter: ParkedFilter,
  now: number,
): Promise<{ readonly sent: number; readonly before: number; readonly nowhere: readonly ParkedEntry[] }> {
  const parkedTopic = topicName(prefix, 'parked.v1');
  const chosen = selectParked(parkedEntries(await log.readToEnd(parkedTopic)), filter);
  const isUnitTopic = (topic: string): boolean => unitTopicNumber(prefix, topic) !== undefined;
  const partitions = new Map<string, number>();
  // A file's line has no topic to go back to; asked for one of that name, a broker may make it.
  const ofTopics = chosen.filter(({ stage }) => stage !== fileStage);
  for (const topic of new Set(ofTopics.map((entry) => entry.topic)))
    partitions.set(topic, await log.partitions(topic).catch(() => 0));
  const newest = chosen.some(({ topic }) => isUnitTopic(topic)) ? await newestUnitTopic(log, prefix) : undefined;
  const open = chosen.filter(({ state }) => state === 'parked' || (state === 'parked again' && filter.again === true));
  if (newest !== undefined) {
    await codec.register([{ record: 'unit-record', topic: newest.topic }]);
    await codec.prepare(open.flatMap(({ source }) => (source.value ? [source.value] : [])));
  }
  const to: Destinations = { codec, partitions, newest, isUnitTopic, now };
  const due = open.flatMap((entry) => {
    const messages = messagesOf(entry, to);
    return messages === undefined ? [] : [{ entry, messages }];
  });
  const nowhere = open.filter((entry) => !due.some((other) => other.entry === entry));
  for (let from = 0; from < due.length; from += together) {
    const batch = due.slice(from, from + together);
    await producer.send(batch.flatMap(({ messages }) => messages));
    await producer.send(batch.map(({ entry }) => replayMarker(parkedTopic, entry.id, now)));
  }
  return { sent: due.length, before: chosen.length - due.length - nowhere.length, nowhere };
}
