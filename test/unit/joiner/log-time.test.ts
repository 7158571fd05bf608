/** Whose clock moves a partition: the broker's. Hosts that apply, obey or tick may show any time. */
import { expect, test } from 'vitest';
import { publishRevision } from '../../../services/bot/index.ts';
import { boundByLog, createPartitionState, foldRecord } from '../../../services/joiner/index.ts';
import { createLogClock } from '../../../services/joiner/log-time.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { ticksEverywhere, encodeTick } from '../../../services/runtime/ticks.ts';
import { topicName, topicSpecs } from '../../../services/runtime/topics.ts';
import { aRevision, hour, monday } from '../../support/build.ts';
import { createMemoryRegistry } from '../../support/memory-registry.ts';
import { observed, tick } from '../../support/unit-records.ts';

const prefix = 'clocks';
const unitTopic = topicName(prefix, 'unit.v1');

/** A deployment whose broker shows `broker.now`; the one partition of its unit log is folded as the joiner folds it. */
async function deployment(eventTime = false) {
  const broker = { now: monday };
  const log = createMemoryBroker({ now: () => broker.now }).client();
  await log.createTopics(topicSpecs(prefix, 1, eventTime));
  const codec = createAvroCodec({ clock: { now: () => broker.now }, registry: createMemoryRegistry() });
  await codec.register([
    { record: 'experiment', topic: topicName(prefix, 'experiment.v1') },
    { record: 'unit-record', topic: unitTopic },
  ]);
  const producer = await log.producer();
  return {
    broker,
    codec,
    producer,
    apply: (change: { revision: number; appliedAt: number }) =>
      publishRevision({ prefix, log, producer, codec }, aRevision(change)),
    calls: (count: number) =>
      producer.send([
        {
          topic: unitTopic,
          partition: 0,
          timestamp: broker.now,
          value: codec.encode('unit-record', {
            records: Array.from({ length: count }, (_, n) => observed({ id: `e${n}`, unit: `u${n}`, at: broker.now })),
          }),
        },
      ]),
    folded: async () => {
      const partition = createPartitionState(0);
      for (const { value, offset, timestamp } of await log.readToEnd(unitTopic)) {
        const decoded = codec.decode(['unit-record'], value ?? Buffer.alloc(0));
        if (!decoded.ok) throw new Error(decoded.message);
        for (const [index, record] of boundByLog(decoded.value.records, timestamp).entries())
          foldRecord(partition, record, offset * 4096 + index);
      }
      return partition;
    },
  };
}

const closedEntries = ({ experiments }: ReturnType<typeof createPartitionState>): number =>
  [...(experiments.get('exp-test')?.testAggregates.values() ?? [])].reduce((sum, { n }) => sum + n, 0);

test('an apply or a tick of a host that is 24 hours ahead closes no entry', async () => {
  const { broker, apply, calls, producer, codec, folded } = await deployment();
  await apply({ revision: 1, appliedAt: monday });
  await calls(50);
  broker.now += 60_000;
  await apply({ revision: 2, appliedAt: broker.now + 24 * hour });
  await producer.send(ticksEverywhere(codec, unitTopic, 1, broker.now + 24 * hour));
  const partition = await folded();
  expect([partition.clock - monday, closedEntries(partition)]).toEqual([60_000, 0]);

  broker.now += 2 * hour;
  await producer.send([{ topic: unitTopic, partition: 0, value: encodeTick(codec, broker.now) }]);
  expect(closedEntries(await folded())).toBeGreaterThan(0);
});

test('a replay keeps the times that its records carry', async () => {
  const { apply, producer, codec, folded } = await deployment(true);
  await apply({ revision: 1, appliedAt: monday });
  await producer.send(ticksEverywhere(codec, unitTopic, 1, monday + 24 * hour));
  expect((await folded()).clock).toBe(monday + 24 * hour);
});

test('a host three hours behind ticks by the broker, once it has read one message', () => {
  const host = { now: () => monday - 3 * hour };
  const clock = createLogClock(host);
  clock.saw(monday);
  expect(clock.now()).toBe(monday);
  const [bounded] = boundByLog([tick(monday + hour)], monday);
  expect(bounded?.received_at).toBe(monday);
});
