/** Calls whose clocks are decades apart, on the real engine: refused as one insert, taken as the sink plans them. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { planKeep } from '../../services/pipeline/keep-rows.ts';
import { createStore, type Store } from '../../services/runtime/clickhouse-client.ts';
import { migrate } from '../../services/runtime/migrate.ts';
import { storeCodes } from '../../services/runtime/store-codes.ts';
import { inferenceRow } from '../../services/sink/observation-rows.ts';
import { planInserts } from '../../services/sink/plan-inserts.ts';
import { readExamples } from '../support/examples.ts';

const database = `sink_months_${randomBytes(4).toString('hex')}`;
let store: Store;
beforeAll(async () => {
  const url = process.env['CLICKHOUSE_URL'] ?? inject('addresses').clickhouseUrl;
  store = await createStore({ url, database });
  await migrate(store, { url });
});
afterAll(() => store.close());

test('300 months from 2001, and the last moment that a time may be', async () => {
  const [example] = readExamples('redacted-inference');
  if (example === undefined) throw new Error('no example');
  const times = [...Array.from({ length: 300 }, (_, index) => Date.UTC(2001, index, 15)), 0, Date.UTC(2300, 0) - 1];
  const rows = times.map((at, index) =>
    inferenceRow({ ...example.value, event_id: `e-${index}`, occurred_at: at }, { partition: 0, offset: index }),
  );
  const inferences = rows.map(({ row }) => row);
  await expect(store.insertRows('inferences', inferences)).rejects.toThrow(/code 252/);
  for (const { table, rows: some } of planInserts(rows)) await store.insertRows(table, some);
  const query = `SELECT count() AS n, uniqExact(toYYYYMM(occurred_at)) AS months, toString(max(occurred_at)) AS last
    FROM inferences`;
  expect(await store.rows(query)).toEqual([{ n: '302', months: '302', last: '2299-12-31 23:59:59.999' }]);
});

test('the codes of the store have the names that we know them by', async () => {
  const codes = Object.keys(storeCodes);
  const names = await store.rows<{ name: string }>(
    'SELECT errorCodeToName(toInt32(arrayJoin({codes:Array(String)}))) AS name',
    { codes },
  );
  expect(names.map(({ name }) => name)).toEqual(codes.map((code) => storeCodes[code]?.[0]));
});

test('how long rows are kept is set once, and is found to be set', async () => {
  const keep = { readings: 90, acks: 0, parked: 30 };
  const first = await planKeep(store, keep);
  expect(first).toHaveLength(3);
  for (const statement of first) await store.command(statement);
  expect(await planKeep(store, keep)).toEqual([]);
});
