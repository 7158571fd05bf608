/** How a record gets onto the control topic: the record, and its twin in JSON for readers without Avro. */
import type { EpochMs } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogProducer, OutgoingRecord } from '../runtime/log.ts';
import { topicName } from '../runtime/topics.ts';
import { type ControlRecord, experimentOf, idOf } from './control-record.ts';
import { toApplyRecord, toDecisionRecord } from './decision-record.ts';

type Deps = { readonly prefix: string; readonly codec: AvroCodec };

/** `timestamp`: for topics that keep the producer's times (replays); the broker stamps its own otherwise. */
export function controlMessages(
  { prefix, codec }: Deps,
  record: ControlRecord,
  timestamp: EpochMs,
): readonly [OutgoingRecord, OutgoingRecord] {
  const value = record.kind === 'apply' ? toApplyRecord(record.application) : toDecisionRecord(record.decision);
  const frame =
    record.kind === 'apply'
      ? codec.encode('apply', toApplyRecord(record.application))
      : codec.encode('decision', toDecisionRecord(record.decision));
  const headers = {
    'content-type': 'application/avro',
    'tripline-schema': record.kind,
    traceparent: `00-${value.trace_id}-${idOf(record).slice(0, 16)}-00`,
  };
  const to = { partition: 0, key: experimentOf(record), timestamp };
  return [
    { ...to, topic: topicName(prefix, 'control.v1'), value: frame, headers },
    {
      ...to,
      topic: topicName(prefix, 'control.json.v1'),
      value: Buffer.from(JSON.stringify(value)),
      headers: { ...headers, 'content-type': 'application/json' },
    },
  ];
}

/** The record's number: its offset, which the broker gives. Nothing is read before it is written. */
export async function publishControl(
  deps: Deps & { readonly producer: LogProducer },
  record: ControlRecord,
  timestamp: EpochMs,
): Promise<number> {
  const [control, twin] = controlMessages(deps, record, timestamp);
  const next = await deps.producer.send([control, twin]);
  return (next.get(`${control.topic}/0`) ?? 0) - 1;
}
