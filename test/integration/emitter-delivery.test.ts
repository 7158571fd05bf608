/**
 * The emitter against real parts that are not there, come late, or refuse: nothing is thrown, nothing waits, and what
 * was counted is what arrives. Timings are printed here and judged in test/bench/emitter.bench.ts: a figure on a shared
 * machine is no reason to fail.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedStack, freePort, startEmbedded } from '../../infra/embedded/index.ts';
import { createEmitterFromSettings, emitterSettings } from '../../services/emitter/index.ts';
import { createAvroCodec } from '../../services/runtime/avro-codec.ts';
import { createKafka } from '../../services/runtime/kafka-log.ts';
import type { LogRecord } from '../../services/runtime/log.ts';
import { createRegistryClient } from '../../services/runtime/registry-client.ts';
import { systemClock } from '../../services/runtime/system-clock.ts';
import { topicName, topicSpecs } from '../../services/runtime/topics.ts';

const home = mkdtempSync(join(tmpdir(), 'tripline-emitter-'));
let ports: { broker: number; registry: number };
let stack: EmbeddedStack | undefined;
const settingsFor = (prefix: string) =>
  emitterSettings.parse({
    KAFKA_BROKERS: `127.0.0.1:${ports.broker}`,
    SCHEMA_REGISTRY_URL: `http://127.0.0.1:${ports.registry}`,
    TRIPLINE_TOPIC_PREFIX: prefix,
  });
const text = 'The invoice of March was paid twice, and the second payment has not come back yet. '
  .repeat(4)
  .slice(0, 300);

beforeAll(async () => {
  ports = { broker: await freePort(), registry: await freePort() };
});
afterAll(async () => {
  await stack?.stop();
  rmSync(home, { recursive: true, force: true });
});

/** Everything on one raw topic, decoded. */
async function readRaw(prefix: string): Promise<{ record: LogRecord; id: string }[]> {
  const log = createKafka({ brokers: `127.0.0.1:${ports.broker}`, clientId: 'test-reader' });
  const codec = createAvroCodec({
    registry: createRegistryClient({ url: `http://127.0.0.1:${ports.registry}` }),
    clock: systemClock,
  });
  const records = await log.readToEnd(topicName(prefix, 'inference.raw.v1'));
  await codec.prepare(records.flatMap(({ value }) => (value ? [value] : [])));
  const decoded = records.map((record) => {
    const result = codec.decode(['inference-event', 'exposure'], record.value ?? Buffer.alloc(0));
    if (!result.ok) throw new Error(result.message);
    return { record, id: result.value.event_id };
  });
  await log.close();
  return decoded;
}

test('broker and registry down for 12,000 calls: bounded memory, the 10,000 newest arrive in order', async () => {
  const tripline = createEmitterFromSettings(settingsFor('late'), {});
  const ids: string[] = [];
  const tookNs: number[] = [];
  const call = (index: number): void => {
    const began = process.hrtime.bigint();
    ids.push(
      tripline.record({
        userId: 'one-user',
        modelServed: 'm',
        tokenIn: 10,
        tokenOut: index,
        prompt: text,
        response: text,
      }),
    );
    tookNs.push(Number(process.hrtime.bigint() - began));
  };
  for (let index = 0; index < 10_000; index += 1) call(index);
  const rssFull = process.memoryUsage().rss;
  expect(tripline.stats()).toMatchObject({ queued: 10_000, dropped: 0, sent: 0, failedCalls: 0 });
  for (let index = 10_000; index < 12_000; index += 1) call(index);
  expect(tripline.stats()).toMatchObject({
    queued: 10_000,
    dropped: 2_000,
    droppedBy: { queue_full: 2_000 },
    sent: 0,
    failedCalls: 0,
  });
  expect(tripline.stats().bytes).toBeLessThanOrEqual(16_777_216);
  const p99Us = (tookNs.sort((a, b) => a - b)[Math.floor(tookNs.length * 0.99)] ?? 0) / 1_000;
  const rssMb = ((process.memoryUsage().rss - rssFull) / 1e6).toFixed(1);
  console.info(`record with the broker down: p99 ${p99Us.toFixed(1)} us, RSS +${rssMb} MB past a full queue`);
  expect(await tripline.flush({ timeoutMs: 200 })).toBe(false);

  stack = await startEmbedded({ home, ports });
  const log = createKafka({ brokers: stack.brokers, clientId: 'test' });
  await log.createTopics(topicSpecs('late', 4, false));
  expect(await tripline.flush({ timeoutMs: 60_000 })).toBe(true);
  expect(tripline.stats()).toMatchObject({ queued: 0, bytes: 0, sent: 10_000, dropped: 2_000 });
  const arrived = await readRaw('late');
  expect(arrived.map(({ id }) => id)).toEqual(ids.slice(2_000));
  expect(new Set(arrived.map(({ record }) => record.partition)).size).toBe(1);
  expect(arrived[0]?.record.headers).toMatchObject({
    'tripline-schema': 'inference-event',
    'content-type': 'application/avro',
  });
  expect(arrived[0]?.record.key?.toString()).toBe('one-user');
  await tripline.close();
  await log.close();
});

test('a broker that goes away in the middle: everything counted as sent or queued arrives', async () => {
  if (!stack) throw new Error('the first test starts the stack');
  const log = createKafka({ brokers: stack.brokers, clientId: 'test' });
  await log.createTopics(topicSpecs('away', 4, false));
  const tripline = createEmitterFromSettings(settingsFor('away'), {});
  const ids = new Set<string>();
  for (let index = 0; index < 1_000; index += 1) ids.add(tripline.record({ userId: `u${index}`, prompt: text }));
  expect(await tripline.flush({ timeoutMs: 30_000 })).toBe(true);
  await stack.stopPart('broker', 'SIGKILL');
  for (let index = 0; index < 1_000; index += 1) ids.add(tripline.record({ userId: `u${index}`, prompt: text }));
  expect(await tripline.flush({ timeoutMs: 200 })).toBe(false);
  await stack.startPart('broker');
  expect(await tripline.flush({ timeoutMs: 90_000 })).toBe(true);
  expect(tripline.stats()).toMatchObject({ sent: 2_000, dropped: 0, queued: 0 });
  expect(new Set((await readRaw('away')).map(({ id }) => id))).toEqual(ids);
  await tripline.close();
  await log.close();
});

test('events larger than the broker takes arrive without their texts, and the 99 with them as they are', async () => {
  if (!stack) throw new Error('the first test starts the stack');
  const log = createKafka({ brokers: stack.brokers, clientId: 'test' });
  await log.createTopics(
    topicSpecs('strict', 1, false).map((spec) => ({
      ...spec,
      config: { ...spec.config, 'max.message.bytes': '60000' },
    })),
  );
  const tripline = createEmitterFromSettings(settingsFor('strict'), {});
  const ids: string[] = [];
  for (let index = 0; index < 100; index += 1)
    ids.push(tripline.record({ userId: 'u', prompt: index === 37 ? 'x'.repeat(100_000) : text }));
  ids.push(tripline.record({ userId: 'u', prompt: 'x'.repeat(2_000_000) }));
  // An id cannot be left out: this one is dropped, alone.
  tripline.record({ userId: 'u'.repeat(100_000) });
  expect(await tripline.flush({ timeoutMs: 30_000 })).toBe(false);
  expect(tripline.stats()).toMatchObject({
    sent: 101,
    queued: 0,
    textsLeftOut: 2,
    dropped: 1,
    droppedBy: { refused: 1 },
  });
  expect(tripline.stats().lastProblem).toContain('TRIPLINE-E0202');
  const arrived = await readRaw('strict');
  expect(arrived.map(({ id }) => id)).toEqual(ids);
  expect(Math.max(...arrived.map(({ record }) => record.value?.length ?? 0))).toBeLessThan(1_000);
  await tripline.close();
  await log.close();
});

test('close returns although nobody listens', async () => {
  const nobody = `127.0.0.1:${await freePort()}`;
  const tripline = createEmitterFromSettings(
    emitterSettings.parse({ KAFKA_BROKERS: nobody, SCHEMA_REGISTRY_URL: `http://${nobody}` }),
    {},
  );
  tripline.record({ userId: 'u' });
  const began = performance.now();
  await tripline.close({ timeoutMs: 300 });
  expect(performance.now() - began).toBeLessThan(5_000);
  tripline.record({ userId: 'u' });
  expect(tripline.stats()).toMatchObject({ queued: 1, droppedBy: { closed: 1 } });
});
