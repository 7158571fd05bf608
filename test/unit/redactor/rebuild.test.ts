/** The rebuild over arrays in place of a broker: what it writes, what it leaves alone, and that it may be repeated. */
import { expect, test } from 'vitest';
import type { Exposure, InferenceEvent, OutcomeEvent, RedactedInference } from '../../../schemas/generated.ts';
import { defaultPolicy } from '../../../services/redaction/index.ts';
import { createPseudonymizer, rebuildClean } from '../../../services/redactor/index.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import type { LogClient, LogProducer, LogRecord, OutgoingRecord } from '../../../services/runtime/log.ts';
import { anInference, anOutcome } from '../../support/build.ts';
import { createMemoryRegistry } from '../../support/memory-registry.ts';

const codec = createAvroCodec({ registry: createMemoryRegistry(), clock: { now: () => 0 } });
const pseudonym = createPseudonymizer(Buffer.alloc(32, 9));

test("clean records only, in the raw record's partition, by the new policy, no odd ones, again the same", async () => {
  await codec.register(
    (['inference-event', 'exposure', 'outcome-event', 'redacted-inference', 'redacted-outcome'] as const).map(
      (record) => ({ record, topic: 't' }),
    ),
  );
  const inference = anInference({ prompt: 'EMP-123456 and ada@example.org' }).event as InferenceEvent;
  const exposure: Exposure = {
    event_id: 'x',
    occurred_at: 1,
    trace_id: '',
    service: 's',
    environment: 'e',
    experiment_id: 'exp-test',
    phase: 1,
    variant: 'A',
    unit_type: 'user',
    unit_id: 'u1',
    entity: null,
    reason: 'SPLIT',
    config_sha: '',
    sdk: { name: 'n', version: 'v' },
  };
  const raw: Record<string, Buffer[]> = {
    'p.inference.raw.v1': [
      codec.encode('inference-event', inference),
      codec.encode('exposure', exposure),
      Buffer.from('no frame'),
      codec.encode('inference-event', { ...inference, occurred_at: -1 }),
    ],
    'p.outcome.raw.v1': [codec.encode('outcome-event', anOutcome({}).event as OutcomeEvent)],
  };
  const sent: OutgoingRecord[] = [];
  const log = {
    readToEnd: async (topic: string): Promise<LogRecord[]> =>
      (raw[topic] ?? []).map((value, offset) => ({
        topic,
        partition: 3,
        offset,
        timestamp: 77,
        key: null,
        value,
        headers: { traceparent: 'ada@example.org' },
      })),
  } as Partial<LogClient> as LogClient;
  const producer = {
    send: async (records: readonly OutgoingRecord[]) => {
      sent.push(...records);
      return new Map(records.map(({ topic, partition }) => [`${topic}/${partition}`, sent.length]));
    },
  } as Partial<LogProducer> as LogProducer;
  const context = {
    policy: { ...defaultPolicy, version: '7', own: [{ type: 'STAFF_ID', pattern: /EMP-\d{6}/gu }] },
    pseudonym,
  };
  const once = await rebuildClean({ prefix: 'p', log, producer, codec, context });
  expect(once).toMatchObject({ read: 5, written: 2, skipped: 3 });
  expect([...once.ends]).toEqual([
    ['p.inference.v1/3', 1],
    ['p.outcome.v1/3', 2],
  ]);
  expect(
    sent.map(({ topic, partition, timestamp, headers }) => [topic, partition, timestamp, headers?.['traceparent']]),
  ).toEqual([
    ['p.inference.v1', 3, 77, undefined],
    ['p.outcome.v1', 3, 77, undefined],
  ]);
  const decoded = codec.decode(['redacted-inference'], sent[0]?.value as Buffer);
  expect(decoded.ok && (decoded.value as RedactedInference)).toMatchObject({
    event_id: inference.event_id,
    prompt: '[STAFF_ID] and [EMAIL]',
    policy_version: '7',
    received_at: 77,
    units: { user_id: pseudonym('user', 'user-1').toString('hex') },
  });
  await rebuildClean({ prefix: 'p', log, producer, codec, context });
  expect(sent.slice(2).map(({ value }) => value)).toEqual(sent.slice(0, 2).map(({ value }) => value));
});
