/** The clean analytics events as records of the clean topics: written once as events come, and again by a rebuild. */
import { isTraceparent } from '../kernel/trace-context.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogRecord, OutgoingRecord } from '../runtime/log.ts';
import { topicName } from '../runtime/topics.ts';
import type { RedactedEvent } from './redact-event.ts';

/**
 * In the partition and under the time of the raw record, so that a later record of the same event has the higher offset
 * there, which wins in the store.
 */
export function cleanRecords(
  prefix: string,
  codec: AvroCodec,
  value: RedactedEvent,
  source: LogRecord,
  traceparent: string | undefined,
): OutgoingRecord[] {
  const common = (record: string) => ({
    partition: source.partition,
    timestamp: source.timestamp,
    headers: {
      'content-type': 'application/avro',
      ...(isTraceparent(traceparent) && { traceparent }),
      'tripline-schema': record,
    },
  });
  return [
    ...(value.inference
      ? [
          {
            ...common('redacted-inference'),
            topic: topicName(prefix, 'inference.v1'),
            key: value.inference.event_id,
            value: codec.encode('redacted-inference', value.inference),
          },
        ]
      : []),
    ...(value.outcome
      ? [
          {
            ...common('redacted-outcome'),
            topic: topicName(prefix, 'outcome.v1'),
            key: value.outcome.outcome_id,
            value: codec.encode('redacted-outcome', value.outcome),
          },
        ]
      : []),
  ];
}
