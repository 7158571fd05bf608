/**
 * `parked list`, `show`, `replay`: the dead letters. A record that was parked twice (a stage repeats its batch after a
 * crash) is one record. Replaying sends the original bytes to the topic and partition they came from (records of a unit
 * log that was divided since: to where their units are now) and leaves a marker on the parked topic; what has a marker
 * is not sent again, unless it was parked again and `--again` asks for it. A crash between the two sends it twice,
 * which changes no number: everything downstream knows events by their ids.
 */
import { firstTopic } from '../kernel/generations.ts';
import { bucketCount } from '../kernel/ids.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import { batchUnits } from '../runtime/batches.ts';
import type { LogClient, LogProducer, LogRecord, OutgoingRecord } from '../runtime/log.ts';
import { replayMarker, replayOf } from '../runtime/park.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { newestUnitTopic, topicName } from '../runtime/topics.ts';
import { withConnection } from './read.ts';
import { print, printJson, table } from './terminal.ts';

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
    bytes: source.value?.length ?? 0,
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
 * partition (revisions, ticks) go to each one that has a part of theirs. undefined: it still cannot be read, or holds a
 * unit's record that does not say its bucket.
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

/**
 * Sends what has not been sent yet; how many. `nowhere`: its topic or partition is gone, or was divided and the record
 * cannot be; it stays parked.
 */
export async function replayParked(
  {
    log,
    producer,
    codec,
    prefix,
  }: { readonly log: LogClient; readonly producer: LogProducer; readonly codec: AvroCodec; readonly prefix: string },
  filter: ParkedFilter,
  now: number,
): Promise<{ readonly sent: number; readonly before: number; readonly nowhere: readonly ParkedEntry[] }> {
  const parkedTopic = topicName(prefix, 'parked.v1');
  const unitLog = topicName(prefix, firstTopic);
  const chosen = selectParked(parkedEntries(await log.readToEnd(parkedTopic)), filter);
  const partitions = new Map<string, number>();
  for (const topic of new Set(chosen.map((entry) => entry.topic)))
    partitions.set(topic, await log.partitions(topic).catch(() => 0));
  const newest = chosen.some(({ topic }) => topic === unitLog || topic.startsWith(`${unitLog}.e`))
    ? await newestUnitTopic(log, prefix)
    : undefined;
  const messagesOf = (entry: ParkedEntry): readonly OutgoingRecord[] | undefined => {
    const { topic, partition, source } = entry;
    const { traceparent, 'x-timestamp': carried } = source.headers;
    const from = { topic, partitions: partitions.get(topic) ?? 0 };
    const timestamp = Number(carried ?? now);
    if (partition >= from.partitions) return undefined;
    const divided =
      newest !== undefined && topic !== newest.topic && (topic === unitLog || topic.startsWith(`${unitLog}.e`));
    const messages = divided
      ? divideBatch(codec, entry, from, newest, timestamp)
      : [
          {
            topic,
            partition,
            ...(source.key && { key: source.key }),
            value: source.value ?? Buffer.alloc(0),
            timestamp,
          },
        ];
    return messages?.map((message) => ({
      ...message,
      headers: { 'x-replayed': String(source.offset), ...(traceparent !== undefined && { traceparent }) },
    }));
  };
  const open = chosen.filter(
    (entry) => entry.state === 'parked' || (entry.state === 'parked again' && filter.again === true),
  );
  if (newest !== undefined) {
    await codec.register([{ record: 'unit-record', topic: newest.topic }]);
    await codec.prepare(open.flatMap(({ source }) => (source.value ? [source.value] : [])));
  }
  const due = open.flatMap((entry) => {
    const messages = messagesOf(entry);
    return messages === undefined ? [] : [{ entry, messages }];
  });
  const nowhere = open.filter((entry) => !due.some((other) => other.entry === entry));
  for (let from = 0; from < due.length; from += 500) {
    const batch = due.slice(from, from + 500);
    await producer.send(batch.flatMap(({ messages }) => messages));
    await producer.send(batch.map(({ entry }) => replayMarker(parkedTopic, entry.id, now)));
  }
  return { sent: due.length, before: chosen.length - due.length - nowhere.length, nowhere };
}

const idsOf = (texts: readonly string[]): number[] =>
  texts.map((text) => {
    if (!/^\d{1,15}$/.test(text))
      throw new PipelineError('CONFIG_INVALID', `"${text}" is no id of a parked record`, {
        hint: '`npx tripline parked list` shows them',
      });
    return Number(text);
  });

export async function parkedList(home: string, filter: ParkedFilter, json: boolean): Promise<number> {
  return withConnection(home, async ({ log, prefix }) => {
    const entries = selectParked(parkedEntries(await log.readToEnd(topicName(prefix, 'parked.v1'))), filter);
    if (json) printJson(entries.map(({ source: _source, ...entry }) => entry));
    else if (entries.length === 0) print('nothing is parked');
    else
      print(
        table([
          ['id', 'stage', 'code', 'from', 'bytes', 'first seen', 'state', 'why'],
          ...entries.map((entry) => [
            String(entry.id),
            entry.stage,
            entry.code,
            `${entry.topic}/${entry.partition}@${entry.offset}`,
            String(entry.bytes),
            entry.firstSeen,
            entry.state,
            entry.message,
          ]),
        ]),
      );
    return 0;
  });
}

/** Headers, and with `bytes` the record as base64: it may hold what people wrote. */
export async function parkedShow(
  home: string,
  id: string,
  options: { readonly bytes: boolean; readonly json: boolean },
): Promise<number> {
  return withConnection(home, async ({ log, prefix }) => {
    const [entry] = selectParked(parkedEntries(await log.readToEnd(topicName(prefix, 'parked.v1'))), {
      ids: idsOf([id]),
    });
    if (entry === undefined)
      throw new PipelineError('CONFIG_INVALID', `no parked record ${id}`, {
        hint: '`npx tripline parked list` shows them',
      });
    const { source, ...shown } = entry;
    const all = {
      ...shown,
      headers: source.headers,
      ...(options.bytes && { base64: (source.value ?? Buffer.alloc(0)).toString('base64') }),
    };
    if (options.json) printJson(all);
    else
      print(
        table([
          ...Object.entries(shown).map(([name, value]) => [name, String(value)]),
          ...Object.entries(source.headers).map(([name, value]) => [name, value]),
          ...(options.bytes ? [['base64', (source.value ?? Buffer.alloc(0)).toString('base64')]] : []),
        ]),
      );
    return 0;
  });
}

export async function parkedReplay(
  home: string,
  ids: readonly string[],
  options: { readonly stage?: string; readonly code?: string; readonly all: boolean; readonly again: boolean },
): Promise<number> {
  if (ids.length === 0 && options.stage === undefined && options.code === undefined && !options.all && !options.again)
    throw new PipelineError('CONFIG_INVALID', 'parked replay of what?', {
      hint: 'name ids, --stage, --code, --all, or --again for what came back',
    });
  return withConnection(home, async ({ log, codec, prefix }) => {
    const producer = await log.producer();
    const filter: ParkedFilter = {
      ...(ids.length > 0 && { ids: idsOf(ids) }),
      ...(options.stage !== undefined && { stage: options.stage }),
      ...(options.code !== undefined && { code: options.code }),
      ...(options.again && { again: true }),
    };
    const { sent, before, nowhere } = await replayParked({ log, producer, codec, prefix }, filter, systemClock.now());
    print(
      `${sent} sent again${before > 0 ? `, ${before} were already (--again sends what came back)` : ''}${nowhere.length > 0 ? `, ${nowhere.length} still parked: their topic or partition is gone, or was divided and they cannot be` : ''}`,
    );
    return nowhere.length > 0 ? 1 : 0;
  });
}
