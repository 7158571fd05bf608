/** What redaction makes longer must still fit its topic: a record that the broker refuses would stop its stage. */
import { beforeAll, expect, test } from 'vitest';
import type { InferenceEvent } from '../../../schemas/generated.ts';
import { defaultPolicy } from '../../../services/redaction/index.ts';
import { cleanRecords } from '../../../services/redactor/clean-records.kafka.ts';
import { createPseudonymizer } from '../../../services/redactor/index.ts';
import { redactInference } from '../../../services/redactor/redact-event.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import type { LogRecord } from '../../../services/runtime/log.ts';
import { anInference } from '../../support/build.ts';
import { createMemoryRegistry } from '../../support/memory-registry.ts';

const codec = createAvroCodec({ registry: createMemoryRegistry(), clock: { now: () => 0 } });
const context = { policy: defaultPolicy, pseudonym: createPseudonymizer(Buffer.alloc(32, 9)) };
beforeAll(() =>
  codec.register((['inference-event', 'redacted-inference'] as const).map((record) => ({ record, topic: 't' }))),
);

function cleanOf(texts: Partial<InferenceEvent>) {
  const event = { ...(anInference({}).event as InferenceEvent), status: 'error' as const, ...texts };
  const verdict = redactInference(event, 1, context);
  if (verdict.kind !== 'forward') throw new Error(JSON.stringify(verdict));
  const source: LogRecord = {
    topic: 'raw',
    partition: 0,
    offset: 1,
    timestamp: 1,
    key: null,
    value: null,
    headers: {},
  };
  const [record] = cleanRecords('p', codec, verdict.value, source, undefined);
  const frame = record?.value ?? Buffer.alloc(0);
  return { bytes: frame.length, event: codec.decodeOwn('redacted-inference', frame) };
}

test('a record that fits is as it was', () => {
  const { event } = cleanOf({ prompt: 'x '.repeat(300_000) });
  expect([event.prompt?.length, event.redactions['TOO_LARGE']]).toEqual([600_000, undefined]);
});
test('one that does not goes without its longest text, and says so where redaction says what it took out', () => {
  const { event, bytes } = cleanOf({ prompt: 'x '.repeat(400_000), response: 'y '.repeat(200_000) });
  expect(bytes).toBeLessThan(1_048_588);
  expect(event).toMatchObject({
    status: 'error',
    prompt: '[TOO_LARGE]',
    redactions: { TOO_LARGE: 1 },
    redaction_tiers: { 'TOO_LARGE budget': 1 },
  });
  expect(event.response?.length).toBe(400_000);
});
