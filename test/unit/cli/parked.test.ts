import { expect, test } from 'vitest';
import { parkedEntries, replayParked, selectParked } from '../../../services/cli/replay-parked.ts';
import type { LogRecord } from '../../../services/runtime/log.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import { parkedRecord } from '../../../services/runtime/park.ts';
import { aRevision, monday } from '../../support/build.ts';
import { createMemoryRegistry } from '../../support/memory-registry.ts';
import { adopted, observed } from '../../support/unit-log.ts';

const codec = createAvroCodec({ registry: createMemoryRegistry(), clock: { now: () => 0 } });

const source = (offset: number, value = `bytes ${offset}`): LogRecord => ({
  topic: 'raw',
  partition: 1,
  offset,
  timestamp: 1_000 + offset,
  key: Buffer.from('key'),
  value: Buffer.from(value),
  headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
});

async function parkedWorld(offsets: readonly number[]) {
  const log = createMemoryBroker().client();
  await log.createTopics([
    { topic: 'raw', partitions: 2, config: {} },
    { topic: 'p.parked.v1', partitions: 1, config: {} },
  ]);
  const producer = await log.producer();
  for (const offset of offsets)
    await producer.send([
      parkedRecord(
        'p.parked.v1',
        offset % 2 === 0 ? 'redactor' : 'joiner',
        source(offset),
        offset % 2 === 0 ? 'UNDECODABLE' : 'BAD_FRAME',
        'why',
        5_000,
      ),
    ]);
  return { log, producer, entries: async () => parkedEntries(await log.readToEnd('p.parked.v1')) };
}

test('a record that was parked twice is one record', async () => {
  const { entries } = await parkedWorld([3, 4, 4, 3, 5]);
  expect((await entries()).map(({ id, offset, stage, code, state }) => [id, offset, stage, code, state])).toEqual([
    [0, 3, 'joiner', 'BAD_FRAME', 'parked'],
    [1, 4, 'redactor', 'UNDECODABLE', 'parked'],
    [4, 5, 'joiner', 'BAD_FRAME', 'parked'],
  ]);
});

test.each([
  ['by stage', { stage: 'joiner' }, [3, 5]],
  ['by code', { code: 'UNDECODABLE' }, [4]],
  ['by id', { ids: [1] }, [4]],
  ['everything', {}, [3, 4, 5]],
])('chosen %s', async (_name, filter, offsets) => {
  const { entries } = await parkedWorld([3, 4, 5]);
  expect(selectParked(await entries(), filter).map(({ offset }) => offset)).toEqual(offsets);
});

test('replayed: the original bytes, key, time and trace, where they came from; replayed again: nothing', async () => {
  const { log, producer, entries } = await parkedWorld([3, 4, 4]);
  expect(await replayParked({ log, producer, codec, prefix: 'p' }, {}, 9_000)).toMatchObject({
    sent: 2,
    before: 0,
    nowhere: [],
  });
  expect(await replayParked({ log, producer, codec, prefix: 'p' }, {}, 9_000)).toMatchObject({ sent: 0, before: 2 });
  const sent = await log.readToEnd('raw');
  expect(
    sent.map(({ partition, key, value, timestamp, headers }) => [
      partition,
      key?.toString(),
      value?.toString(),
      timestamp,
      headers,
    ]),
  ).toEqual(
    [3, 4].map((offset, id) => [
      1,
      'key',
      `bytes ${offset}`,
      1_000 + offset,
      { 'x-replayed': String(id), traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    ]),
  );
  expect((await entries()).map(({ state }) => state)).toEqual(['replayed', 'replayed']);
});

test('what comes back is the same letter, and is sent again only when that is asked for', async () => {
  const { log, producer, entries } = await parkedWorld([3]);
  for (let round = 1; round <= 3; round += 1) {
    expect((await replayParked({ log, producer, codec, prefix: 'p' }, { again: round > 1 }, 9_000)).sent).toBe(1);
    const back = (await log.readToEnd('raw')).at(-1) as LogRecord;
    await producer.send([parkedRecord('p.parked.v1', 'joiner', back, 'BAD_FRAME', 'still', 9_000)]);
    expect((await entries()).map(({ id, state }) => [id, state])).toEqual([[0, 'parked again']]);
    expect((await replayParked({ log, producer, codec, prefix: 'p' }, {}, 9_000)).sent).toBe(0);
  }
});

test('a reply lost between the two sends: sent twice, still one record, and then it is over', async () => {
  const broker = createMemoryBroker();
  const log = broker.client();
  await log.createTopics([
    { topic: 'raw', partitions: 2, config: {} },
    { topic: 'p.parked.v1', partitions: 1, config: {} },
  ]);
  const producer = await log.producer();
  await producer.send([parkedRecord('p.parked.v1', 'redactor', source(7), 'BAD_FRAME', 'why', 5_000)]);
  let calls = 0;
  broker.fault = () => {
    calls += 1;
    return calls === 1 ? 'reply-lost' : 'none';
  };
  await expect(replayParked({ log, producer, codec, prefix: 'p' }, {}, 9_000)).rejects.toMatchObject({
    retriable: true,
  });
  await replayParked({ log, producer, codec, prefix: 'p' }, {}, 9_000);
  expect((await replayParked({ log, producer, codec, prefix: 'p' }, {}, 9_000)).sent).toBe(0);
  expect((await log.readToEnd('raw')).length).toBe(2);
});

test('a partition that is gone is named, not guessed', async () => {
  const log = createMemoryBroker().client();
  await log.createTopics([
    { topic: 'raw', partitions: 1, config: {} },
    { topic: 'p.parked.v1', partitions: 1, config: {} },
  ]);
  const producer = await log.producer();
  await producer.send([parkedRecord('p.parked.v1', 'redactor', source(7), 'BAD_FRAME', 'why', 5_000)]);
  expect(
    (await replayParked({ log, producer, codec, prefix: 'p' }, {}, 9_000)).nowhere.map(({ partition }) => partition),
  ).toEqual([1]);
});

test('in a log divided since, records follow units, revisions go to every child, the rest stays parked', async () => {
  const log = createMemoryBroker().client();
  await log.createTopics([
    { topic: 'p.unit.v1', partitions: 2, config: {} },
    { topic: 'p.unit.v1.g1', partitions: 4, config: {} },
    { topic: 'p.unit.v1.g2', partitions: 8, config: {} },
    { topic: 'p.parked.v1', partitions: 1, config: {} },
  ]);
  await codec.register([{ record: 'unit-record', topic: 'p.unit.v1' }]);
  const producer = await log.producer();
  const at = (bucket: number) => ({ ...observed({ id: `e${bucket}`, unit: `u${bucket}`, at: monday }), bucket });
  const lost = (value: Buffer, topic = 'p.unit.v1', partition = 1) =>
    parkedRecord(
      'p.parked.v1',
      'joiner',
      { topic, partition, offset: value.length, timestamp: 7_000, key: null, value, headers: {} },
      'SCHEMA_UNKNOWN',
      'why',
      9_000,
    );
  // Partition 1 of 2 holds buckets 2,048 to 4,095: partitions 4 to 7 of 8.
  await producer.send([
    lost(codec.encode('unit-record', { records: [at(2_048), at(4_095), at(2_100)] })),
    lost(codec.encode('unit-record', { records: [adopted(aRevision())] })),
    lost(Buffer.from('still unreadable')),
    lost(codec.encode('unit-record', { records: [observed({ id: 'old', unit: 'u', at: monday })] })),
    lost(codec.encode('unit-record', { records: [at(512)] }), 'p.unit.v1.g2'),
    // Partition 1 of 4 holds buckets 1,024 to 2,047: partitions 2 and 3 of 8.
    lost(codec.encode('unit-record', { records: [at(1_024), at(2_047)] }), 'p.unit.v1.g1'),
  ]);
  const result = await replayParked({ log, producer, codec, prefix: 'p' }, {}, 10_000);
  expect([result.sent, result.nowhere.map(({ id }) => id)]).toEqual([4, [2, 3]]);
  const sent = (await log.readToEnd('p.unit.v1.g2')).map(({ partition, timestamp, headers, value }) => {
    const batch = codec.decode(['unit-record'], value as Buffer);
    if (!batch.ok) throw new Error(batch.message);
    return [
      partition,
      timestamp,
      headers['x-replayed'],
      batch.value.records.map(({ bucket, body }) =>
        'tripline.v1.Observation' in body ? bucket : Object.keys(body)[0],
      ),
    ];
  });
  // The last one came from the newest topic itself: back it goes as it was.
  expect(sent.sort()).toEqual([
    [1, 7_000, '4', [512]],
    [2, 7_000, '5', [1_024]],
    [3, 7_000, '5', [2_047]],
    [4, 7_000, '0', [2_048, 2_100]],
    [4, 7_000, '1', ['tripline.v1.ExperimentAdopted']],
    [5, 7_000, '1', ['tripline.v1.ExperimentAdopted']],
    [6, 7_000, '1', ['tripline.v1.ExperimentAdopted']],
    [7, 7_000, '0', [4_095]],
    [7, 7_000, '1', ['tripline.v1.ExperimentAdopted']],
  ]);
  expect((await log.readToEnd('p.unit.v1')).length + (await log.readToEnd('p.unit.v1.g1')).length).toBe(0);
  expect(parkedEntries(await log.readToEnd('p.parked.v1')).map(({ state }) => state)).toEqual([
    'replayed',
    'replayed',
    'parked',
    'parked',
    'replayed',
    'replayed',
  ]);
});
