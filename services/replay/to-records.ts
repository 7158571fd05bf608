/** What an arrival is on its raw topic: routed, keyed and stamped as the app would have sent it. */
import { bucketOf, partitionOf } from '../kernel/ids.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { OutgoingRecord } from '../runtime/log.ts';
import { topicName } from '../runtime/topics.ts';
import type { Arrival } from './scenario-lines.ts';

export type RecordTarget = { readonly prefix: string; readonly partitions: number; readonly codec: AvroCodec };

const headersOf = (record: string) => ({ 'content-type': 'application/avro', 'tripline-schema': record });

type Inference = Extract<Arrival, { kind: 'inference' }>;
type Outcome = Extract<Arrival, { kind: 'outcome' }>;

export function inferenceRecord(target: RecordTarget, { event, arrivedAt }: Inference): OutgoingRecord {
  const unit = event.units.user_id ?? event.event_id;
  const { trace_id: trace } = event;
  return {
    topic: topicName(target.prefix, 'inference.raw.v1'),
    partition: partitionOf(bucketOf('user', unit), target.partitions),
    key: unit,
    value: target.codec.encode('inference-event', event),
    timestamp: arrivedAt,
    headers: {
      ...headersOf('inference-event'),
      ...(/^[0-9a-f]{32}$/.test(trace) && { traceparent: `00-${trace}-${trace.slice(0, 16)}-00` }),
    },
  };
}

export function outcomeRecord(target: RecordTarget, { event, arrivedAt }: Outcome): OutgoingRecord {
  const { entity, outcome_id: id } = event;
  const bucket = entity ? bucketOf(`entity:${entity.type}`, entity.id) : bucketOf('outcome', id);
  return {
    topic: topicName(target.prefix, 'outcome.raw.v1'),
    partition: partitionOf(bucket, target.partitions),
    key: entity ? `${entity.type}\u001f${entity.id}` : id,
    value: target.codec.encode('outcome-event', event),
    timestamp: arrivedAt,
    headers: headersOf('outcome-event'),
  };
}
