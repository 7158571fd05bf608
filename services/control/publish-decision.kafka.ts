import type { Decision } from '../kernel/decision.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogProducer } from '../runtime/log.ts';
import { topicName } from '../runtime/topics.ts';
import { toDecisionRecord } from './decision-record.ts';

/**
 * Writes a decision to the control topic, which the bot obeys, and as JSON next to it for whoever reads no Avro. One
 * send: both are there, or the caller tries again.
 */
export async function publishDecision(
  { prefix, producer, codec }: { prefix: string; producer: LogProducer; codec: AvroCodec },
  decision: Decision,
  /** Absent: the broker's time, and no trace of its own. */
  options: { readonly timestamp?: EpochMs; readonly traceparent?: string } = {},
): Promise<void> {
  const { timestamp, traceparent } = options;
  const record = toDecisionRecord(decision);
  const headers = { 'tripline-schema': 'decision', ...(traceparent !== undefined && { traceparent }) };
  const common = {
    partition: 0,
    key: decision.experimentId,
    ...(timestamp !== undefined && { timestamp }),
  };
  await producer.send([
    {
      ...common,
      topic: topicName(prefix, 'control.v1'),
      value: codec.encode('decision', record),
      headers: { 'content-type': 'application/avro', ...headers },
    },
    {
      ...common,
      topic: topicName(prefix, 'control.json.v1'),
      value: Buffer.from(JSON.stringify(record)),
      headers: { 'content-type': 'application/json', ...headers },
    },
  ]);
}
