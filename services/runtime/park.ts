import type { EpochMs } from '../kernel/time.ts';
import { cleanMessage } from '../redaction/messages.ts';
import type { LogRecord, OutgoingRecord } from './kafka-log.ts';

/** The original bytes, with headers that say where it went wrong and never what it said: the message is redacted, whoever wrote it. */
export function parkedRecord(topic: string, stage: string, source: LogRecord, code: string, message: string, firstSeen: EpochMs): OutgoingRecord {
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
    },
  };
}
