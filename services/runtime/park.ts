import type { EpochMs } from '../kernel/time.ts';
import { isTraceparent } from '../kernel/trace-context.ts';
import { cleanMessage } from '../redaction/messages.ts';
import type { LogRecord, OutgoingRecord } from './log.ts';

/** Stage of what was parked out of a file: `x-topic` is then the file's name, `x-offset` the line's number. */
export const fileStage = 'file';

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
  return {
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
