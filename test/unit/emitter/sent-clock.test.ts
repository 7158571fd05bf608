import { expect, test } from 'vitest';
import { createAssignmentTable } from '../../../services/assignment/index.ts';
import { createEmitter, createKafkaSink } from '../../../services/emitter/index.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { topicName, topicSpecs } from '../../../services/runtime/topics.ts';
import { hour, monday } from '../../support/build.ts';
import { createMemoryRegistry } from '../../support/memory-registry.ts';

test('an event says what its host showed and how long it was held, whatever the clock jumps to meanwhile', async () => {
  const host = { now: monday };
  const steady = { now: 1_000 };
  const [clock, held] = [{ now: () => host.now }, { now: () => steady.now }];
  const log = createMemoryBroker({ now: () => monday + hour }).client();
  await log.createTopics(topicSpecs('p', 1, false));
  const codec = createAvroCodec({ clock, registry: createMemoryRegistry() });
  const sink = createKafkaSink({ prefix: 'p', log, codec, clock, steady: held, ttlMs: 1_000 });
  let isAway = true;
  const emitter = createEmitter({
    service: 's',
    environment: 'e',
    clock,
    steady: held,
    encode: codec.encodeUnregistered,
    sink: { ...sink, send: (batch) => (isAway ? Promise.reject(new Error('away')) : sink.send(batch)) },
    experiments: { table: () => createAssignmentTable([]), stale: () => false, close: async () => {} },
    maxQueued: 100,
    maxBytes: 1 << 20,
    lingerMs: 0,
  });
  emitter.record({ userId: 'u', occurredAt: monday - 5 });
  emitter.outcome('ticket_reopened', { userId: 'u', value: 1 });
  emitter.outcome('ticket_closed', { userId: 'u', value: 1, occurredAt: monday - hour });
  host.now += 3 * hour;
  steady.now += 250.4;
  isAway = false;
  expect(await emitter.flush()).toBe(true);
  await emitter.close();
  const clocksOf = async (suffix: 'inference.raw.v1' | 'outcome.raw.v1') =>
    (await log.readToEnd(topicName('p', suffix))).map(({ headers }) => headers['tripline-clock']);
  expect(await clocksOf('inference.raw.v1')).toEqual([`${monday} 250`]);
  expect(await clocksOf('outcome.raw.v1')).toEqual([`${monday} 250`, `${monday} 250 given`]);
});
