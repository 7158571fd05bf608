/** What the store does not take: one odd row, or one table that is away. */
import { expect, test } from 'vitest';
import { PipelineError } from '../../../services/kernel/pipeline-error.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import type { Store } from '../../../services/runtime/clickhouse-client.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { topicName, topicSpecs } from '../../../services/runtime/topics.ts';
import { startSink } from '../../../services/sink/index.ts';
import { readExamples } from '../../support/examples.ts';
import { createMemoryRegistry } from '../../support/memory-registry.ts';
import { until } from '../../support/until.ts';

type Rows = Parameters<Store['insertRows']>[1];

async function world(insert: (table: string, rows: Rows) => void) {
  const log = createMemoryBroker().client();
  await log.createTopics(topicSpecs('p', 1, false));
  const codec = createAvroCodec({ registry: createMemoryRegistry(), clock: { now: () => 0 } });
  await codec.register([
    { record: 'redacted-inference', topic: 'p.inference.v1' },
    { record: 'redacted-outcome', topic: 'p.outcome.v1' },
  ]);
  const producer = await log.producer();
  const tables = new Map<string, string[]>();
  const store = {
    insertRows: async (table: string, rows: Rows) => {
      insert(table, rows);
      const ids = rows.map((row) => String(row['event_id'] ?? row['outcome_id'] ?? row['code']));
      tables.set(table, [...(tables.get(table) ?? []), ...ids]);
    },
  } as Partial<Store> as Store;
  const send = async (record: 'redacted-inference' | 'redacted-outcome', ids: readonly string[]) => {
    const topic = topicName('p', record === 'redacted-inference' ? 'inference.v1' : 'outcome.v1');
    const [example] = readExamples(record);
    if (example === undefined) throw new Error('no example');
    const values = ids.map((id) => ({ ...example.value, event_id: id, outcome_id: id }));
    await producer.send(values.map((value) => ({ topic, partition: 0, value: codec.encode(record, value as never) })));
  };
  const start = () => startSink({ prefix: 'p', log, producer, codec, clock: { now: () => 0 }, store, lingerMs: 0 });
  return { log, tables, send, start };
}

test('a row that the store can never take is parked; those next to it and behind it are in their table', async () => {
  const { log, tables, send, start } = await world((_table, rows) => {
    if (rows.some((row) => row['event_id'] === 'odd'))
      throw new PipelineError('ROWS_REFUSED', 'insert into inferences: code 117 INCORRECT_DATA');
  });
  const ids = Array.from({ length: 20 }, (_, index) => `e-${index}`);
  await send('redacted-inference', [...ids.slice(0, 13), 'odd', ...ids.slice(13)]);
  const sink = await start();
  await until('the batch', () => sink.counts.in === 21 && sink.counts.waiting === 0);
  await send('redacted-inference', ['behind']);
  await until('what comes after', () => sink.counts.forwarded === 21);
  expect(tables.get('inferences')?.sort()).toEqual([...ids, 'behind'].sort());
  expect(Object.fromEntries(sink.counts.parked)).toEqual({ REFUSED: 1 });
  const [parked] = await log.readToEnd('p.parked.v1');
  expect(parked?.headers).toMatchObject({ 'x-stage': 'sink', 'x-error-code': 'REFUSED', 'x-offset': '13' });
  await until('its row among the parked', () => tables.get('parked')?.includes('REFUSED'));
  await sink.close();
});

test('a table that is away holds up no other, and what is in goes in once', async () => {
  let away = true;
  const { tables, send, start } = await world((table) => {
    if (table === 'inferences' && away) throw new PipelineError('STORE_UNAVAILABLE', 'read only', { retriable: true });
  });
  await send('redacted-inference', ['e']);
  await send('redacted-outcome', ['o']);
  const sink = await start();
  await until('the other table', () => tables.get('outcomes'));
  expect((await until('the reason', () => sink.waitingFor())).what).toContain('read only');
  away = false;
  await until('both', () => sink.counts.forwarded === 2);
  expect(Object.fromEntries(tables)).toEqual({ outcomes: ['o'], inferences: ['e'] });
  await sink.close();
});
