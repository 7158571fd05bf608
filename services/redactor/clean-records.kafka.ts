/** The clean analytics events as records of the clean topics: written once as events come, and again by a rebuild. */
import type { RedactedInference } from '../../schemas/generated.ts';
import { inferenceTexts, leaveOutTexts } from '../kernel/leave-out-texts.ts';
import { isTraceparent } from '../kernel/trace-context.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogRecord, OutgoingRecord } from '../runtime/log.ts';
import { topicName } from '../runtime/topics.ts';
import type { RedactedEvent } from './redact-event.ts';

/** What brokers take of one record, less its key and headers, unless told otherwise. */
const maxRecordBytes = 1_040_000;

/**
 * Tokens may be longer than what they stand for, and a record that came in may be too large to go on: it goes without
 * its longest texts, as redaction itself leaves a text out, and never holds up the others.
 */
function encodeWithin(codec: AvroCodec, inference: RedactedInference): Buffer {
  const encode = (record: RedactedInference): Buffer => codec.encode('redacted-inference', record);
  const whole = encode(inference);
  if (whole.length <= maxRecordBytes) return whole;
  const short = leaveOutTexts(inference, inferenceTexts, (record) => encode(record).length, maxRecordBytes);
  if (short === undefined) return whole;
  const { redactions, redaction_tiers: tiers } = short.record;
  return encode({
    ...short.record,
    redactions: { ...redactions, TOO_LARGE: (redactions['TOO_LARGE'] ?? 0) + short.leftOut },
    redaction_tiers: { ...tiers, 'TOO_LARGE budget': (tiers['TOO_LARGE budget'] ?? 0) + short.leftOut },
  });
}

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
            value: encodeWithin(codec, value.inference),
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
