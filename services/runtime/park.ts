import { createHash } from 'node:crypto';
import type { EpochMs } from '../kernel/time.ts';
import { isTraceparent } from '../kernel/trace-context.ts';
import { cleanMessage } from '../redaction/messages.ts';
import { isRefusal } from './kafka-errors.ts';
import type { LogProducer, LogRecord, OutgoingRecord } from './log.ts';

/** Stage of what was parked out of a file: `x-topic` is then the file's name, `x-offset` the line's number. */
export const fileStage = 'file';

/**
 * What brokers take of one message with its key and headers (1,048,588 bytes unless told otherwise), less what they add
 * themselves.
 */
const wholeBytes = 1_040_000;
/** A key is kept next to a digest when it is no longer. */
const keyBytes = 1_024;

const sizeOf = ({ key, value, headers }: OutgoingRecord): number =>
  value.length +
  (key === undefined ? 0 : Buffer.byteLength(key)) +
  Object.entries(headers ?? {}).reduce((sum, [name, text]) => sum + name.length + Buffer.byteLength(text) + 16, 0);

/**
 * What is too large to be parked whole is parked by its digest and its size; `x-topic`, `x-partition` and `x-offset`
 * say where the bytes are for as long as that topic keeps them.
 */
function withoutBytes({ key, value, headers, ...place }: OutgoingRecord): OutgoingRecord {
  return {
    ...place,
    ...(key !== undefined && Buffer.byteLength(key) <= keyBytes && { key }),
    value: Buffer.alloc(0),
    headers: {
      ...headers,
      'x-size': String(value.length),
      'x-digest': `sha256:${createHash('sha256').update(value).digest('hex')}`,
    },
  };
}

/** How long the parked record was where it came from. */
export const parkedBytes = ({ headers, value }: Pick<LogRecord, 'headers' | 'value'>): number =>
  headers['x-size'] === undefined ? (value?.length ?? 0) : Number(headers['x-size']);

/** False: its bytes are where it came from, if anywhere. */
export const isWhole = (headers: LogRecord['headers']): boolean => headers['x-digest'] === undefined;

/**
 * Parks them. A broker may take less than we think: what it refuses goes alone, and what it refuses alone goes by its
 * digest.
 */
export async function sendParked(
  producer: Pick<LogProducer, 'send'>,
  records: readonly OutgoingRecord[],
): Promise<void> {
  if (records.length === 0) return;
  try {
    await producer.send(records);
  } catch (error) {
    const [first] = records;
    if (!isRefusal(error) || first === undefined) throw error;
    if (records.length > 1) {
      const half = Math.ceil(records.length / 2);
      await sendParked(producer, records.slice(0, half));
      await sendParked(producer, records.slice(half));
    } else if (first.value.length > 0) await sendParked(producer, [withoutBytes(first)]);
    else throw error;
  }
}

/**
 * The original bytes, with headers that say where it went wrong and never what it said: the message is redacted,
 * whoever wrote it.
 */
export function parkedRecord(
  topic: string,
  stage: string,
  source: LogRecord,
  code: string,
  message: string,
  firstSeen: EpochMs,
): OutgoingRecord {
  const value = source.value ?? Buffer.alloc(0);
  const whole: OutgoingRecord = {
    topic,
    partition: 0,
    ...(source.key && { key: source.key }),
    value,
    timestamp: firstSeen,
    headers: {
      'x-stage': stage,
      'x-error-code': code,
      'x-error-message': cleanMessage(message),
      'x-topic': source.topic,
      'x-partition': String(source.partition),
      'x-offset': String(source.offset),
      'x-schema-id': value.length >= 5 && value[0] === 0 ? String(value.readUInt32BE(1)) : 'none',
      'x-first-seen': new Date(firstSeen).toISOString(),
      // A replay puts these back: whose trace it was, and when it came where topics carry the source's own time.
      'x-timestamp': String(source.timestamp),
      ...(isTraceparent(source.headers['traceparent']) && { traceparent: source.headers['traceparent'] }),
      ...(/^\d{1,16}$/.test(source.headers['x-replayed'] ?? '') && {
        'x-replayed': source.headers['x-replayed'] as string,
      }),
    },
  };
  return sizeOf(whole) <= wholeBytes ? whole : withoutBytes(whole);
}

/** Says on the parked topic that the record at `offset` has been sent again. */
export const replayMarker = (topic: string, offset: number, now: EpochMs): OutgoingRecord => ({
  topic,
  partition: 0,
  value: Buffer.alloc(0),
  timestamp: now,
  headers: { 'x-replay-of': String(offset) },
});

/** The offset of which a record of the parked topic is the marker. */
export const replayOf = (headers: LogRecord['headers']): number | undefined =>
  headers['x-replay-of'] === undefined ? undefined : Number(headers['x-replay-of']);
