/** What is tried again: the log, which is kept for ever, gets nothing twice because a store was away. */
import { expect, test } from 'vitest';
import type { EntityRecord } from '../../../schemas/generated.ts';
import { PipelineError } from '../../../services/kernel/pipeline-error.ts';
import { forward, park } from '../../../services/kernel/verdict.ts';
import { startLinker } from '../../../services/linker/index.ts';
import { defaultPolicy } from '../../../services/redaction/index.ts';
import { createPseudonymizer, startRedactor } from '../../../services/redactor/index.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import { batchEntities } from '../../../services/runtime/batches.ts';
import type { Store } from '../../../services/runtime/clickhouse-client.ts';
import type { LogClient, LogProducer } from '../../../services/runtime/log.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { runStage } from '../../../services/runtime/run-stage.ts';
import { topicName, topicSpecs } from '../../../services/runtime/topics.ts';
import { anInference } from '../../support/build.ts';
import { createMemoryRegistry } from '../../support/memory-registry.ts';
import { until } from '../../support/until.ts';

const prefix = 'p';
const clock = { now: () => 0 };
const away = () => new PipelineError('STORE_UNAVAILABLE', 'away', { retriable: true });
const id = (text: string): Buffer => Buffer.from(text.padEnd(16, '.'), 'latin1');

async function world() {
  const log = createMemoryBroker().client();
  await log.createTopics(topicSpecs(prefix, 1, false));
  const codec = createAvroCodec({ registry: createMemoryRegistry(), clock });
  await codec.register(
    (
      [
        ['entity-record', 'entity.v1'],
        ['unit-record', 'unit.v1'],
        ['inference-event', 'inference.raw.v1'],
        ['redacted-inference', 'inference.v1'],
      ] as const
    ).map(([record, suffix]) => ({ record, topic: topicName(prefix, suffix) })),
  );
  return { log, codec, producer: await log.producer() };
}

const lengthOf = async (log: LogClient, suffix: Parameters<typeof topicName>[1]) =>
  (await log.endOffsets(topicName(prefix, suffix)))[0];

const linked: readonly EntityRecord[] = [
  {
    received_at: 1,
    trace_id: null,
    body: {
      'tripline.v1.Link': { entity: id('T1'), unit_type: 'user', unit: id('u'), bucket: 1, occurred_at: 1 },
    },
  },
  {
    received_at: 2,
    trace_id: null,
    body: {
      'tripline.v1.OutcomeWaiting': {
        entity: id('T1'),
        outcome_id: id('o'),
        revision: 1,
        occurred_at: 2,
        kind: 'resolved',
        value: 1,
      },
    },
  },
];

test('a store that refuses the linker five times: its outcomes are forwarded once', async () => {
  const { log, codec, producer } = await world();
  let refusals = 5;
  const store = {
    rows: async () => [],
    insertBinary: async () => {
      refusals -= 1;
      if (refusals >= 0) throw away();
    },
  } as Partial<Store> as Store;
  const linker = await startLinker({ prefix, log, producer, codec, clock, store, flushMs: 5, flushRecords: 1_000 });
  const target = { topic: topicName(prefix, 'entity.v1'), partitions: 1, codec, timestamp: 2 };
  await producer.send(
    batchEntities(
      target,
      linked.map((record) => ({ bucket: 1, record })),
    ),
  );
  await until('the flush', () => linker.counts.forwarded === 2);
  expect([refusals, await lengthOf(log, 'unit.v1')]).toEqual([-1, 1]);
  await linker.close();
});

test('an entity log that is away for a while: the redactor sends the observations before it once', async () => {
  const { log, codec, producer } = await world();
  let refusals = 3;
  const flaky: LogProducer = {
    ...producer,
    send: async (records) => {
      if (records.some(({ topic }) => topic === topicName(prefix, 'entity.v1')) && refusals > 0) {
        refusals -= 1;
        throw new PipelineError('BROKER_UNAVAILABLE', 'away', { retriable: true });
      }
      return producer.send(records);
    },
  };
  const redactor = await startRedactor({
    prefix,
    log,
    producer: flaky,
    codec,
    clock,
    lingerMs: 0,
    context: { policy: defaultPolicy, pseudonym: createPseudonymizer(Buffer.alloc(32, 9)) },
  });
  const { event } = anInference({ user: 'u1', ticket: 'T-1' });
  const value = codec.encode('inference-event', event as never);
  await producer.send([{ topic: topicName(prefix, 'inference.raw.v1'), partition: 0, value }]);
  await until('the event', () => redactor.counts.forwarded === 1);
  expect([await lengthOf(log, 'inference.v1'), await lengthOf(log, 'entity.v1')]).toEqual([1, 1]);
  await redactor.close();
});

test('a delivery that is tried again parks what it parks once', async () => {
  const { log, producer } = await world();
  let refusals = 3;
  const stage = await runStage<never, string>({
    name: 'stage',
    group: 'g',
    topics: [topicName(prefix, 'outcome.v1')],
    records: [],
    parkedTopic: topicName(prefix, 'parked.v1'),
    log,
    producer,
    codec: {} as never,
    clock,
    lingerMs: 0,
    step: () => forward(''),
    raw: ({ offset }) => (offset === 0 ? park('INVALID', 'odd') : forward('good')),
    deliver: async () => {
      refusals -= 1;
      if (refusals >= 0) throw away();
    },
  });
  const topic = topicName(prefix, 'outcome.v1');
  await producer.send([0, 1].map(() => ({ topic, partition: 0, value: Buffer.from('x') })));
  await until('both', () => stage.counts.forwarded === 1);
  expect(await lengthOf(log, 'parked.v1')).toBe(1);
  await stage.close();
});
