import { expect, test } from 'vitest';
import { parkedEntries, replayParked, selectParked } from '../../../services/cli/parked.ts';
import type { LogRecord } from '../../../services/runtime/log.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { parkedRecord } from '../../../services/runtime/park.ts';

const source = (offset: number, value = `bytes ${offset}`): LogRecord => ({ topic: 'raw', partition: 1, offset, timestamp: 1_000 + offset, key: Buffer.from('key'), value: Buffer.from(value), headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } });

async function parkedWorld(offsets: readonly number[]) {
  const log = createMemoryBroker().client();
  await log.createTopics([{ topic: 'raw', partitions: 2, config: {} }, { topic: 'parked', partitions: 1, config: {} }]);
  const producer = await log.producer();
  for (const offset of offsets) await producer.send([parkedRecord('parked', offset % 2 === 0 ? 'redactor' : 'joiner', source(offset), offset % 2 === 0 ? 'UNDECODABLE' : 'BAD_FRAME', 'why', 5_000)]);
  return { log, producer, entries: async () => parkedEntries(await log.readToEnd('parked')) };
}

test('a record that was parked twice is one record', async () => {
  const { entries } = await parkedWorld([3, 4, 4, 3, 5]);
  expect((await entries()).map(({ id, offset, stage, code, state }) => [id, offset, stage, code, state])).toEqual([[0, 3, 'joiner', 'BAD_FRAME', 'parked'], [1, 4, 'redactor', 'UNDECODABLE', 'parked'], [4, 5, 'joiner', 'BAD_FRAME', 'parked']]);
});

test.each([['by stage', { stage: 'joiner' }, [3, 5]], ['by code', { code: 'UNDECODABLE' }, [4]], ['by id', { ids: [1] }, [4]], ['everything', {}, [3, 4, 5]]])('chosen %s', async (_name, filter, offsets) => {
  const { entries } = await parkedWorld([3, 4, 5]);
  expect(selectParked(await entries(), filter).map(({ offset }) => offset)).toEqual(offsets);
});

test('replayed: the original bytes, key, time and trace, where they came from; replayed again: nothing', async () => {
  const { log, producer, entries } = await parkedWorld([3, 4, 4]);
  expect(await replayParked(log, producer, 'parked', {}, 9_000)).toMatchObject({ sent: 2, before: 0, nowhere: [] });
  expect(await replayParked(log, producer, 'parked', {}, 9_000)).toMatchObject({ sent: 0, before: 2 });
  const sent = await log.readToEnd('raw');
  expect(sent.map(({ partition, key, value, timestamp, headers }) => [partition, key?.toString(), value?.toString(), timestamp, headers])).toEqual([3, 4].map((offset, id) => [1, 'key', `bytes ${offset}`, 1_000 + offset, { 'x-replayed': String(id), traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }]));
  expect((await entries()).map(({ state }) => state)).toEqual(['replayed', 'replayed']);
});

test('what comes back is the same letter, and is sent again only when that is asked for', async () => {
  const { log, producer, entries } = await parkedWorld([3]);
  for (let round = 1; round <= 3; round += 1) {
    expect((await replayParked(log, producer, 'parked', { again: round > 1 }, 9_000)).sent).toBe(1);
    const back = (await log.readToEnd('raw')).at(-1) as LogRecord;
    await producer.send([parkedRecord('parked', 'joiner', back, 'BAD_FRAME', 'still', 9_000)]);
    expect((await entries()).map(({ id, state }) => [id, state])).toEqual([[0, 'parked again']]);
    expect((await replayParked(log, producer, 'parked', {}, 9_000)).sent).toBe(0);
  }
});

test('a reply lost between the two sends: sent twice, still one record, and then it is over', async () => {
  const broker = createMemoryBroker();
  const log = broker.client();
  await log.createTopics([{ topic: 'raw', partitions: 2, config: {} }, { topic: 'parked', partitions: 1, config: {} }]);
  const producer = await log.producer();
  await producer.send([parkedRecord('parked', 'redactor', source(7), 'BAD_FRAME', 'why', 5_000)]);
  let calls = 0;
  broker.fault = () => {
    calls += 1;
    return calls === 1 ? 'reply-lost' : 'none';
  };
  await expect(replayParked(log, producer, 'parked', {}, 9_000)).rejects.toMatchObject({ retriable: true });
  await replayParked(log, producer, 'parked', {}, 9_000);
  expect((await replayParked(log, producer, 'parked', {}, 9_000)).sent).toBe(0);
  expect((await log.readToEnd('raw')).length).toBe(2);
});

test('a partition that is gone is named, not guessed', async () => {
  const log = createMemoryBroker().client();
  await log.createTopics([{ topic: 'raw', partitions: 1, config: {} }, { topic: 'parked', partitions: 1, config: {} }]);
  const producer = await log.producer();
  await producer.send([parkedRecord('parked', 'redactor', source(7), 'BAD_FRAME', 'why', 5_000)]);
  expect((await replayParked(log, producer, 'parked', {}, 9_000)).nowhere.map(({ partition }) => partition)).toEqual([1]);
});
