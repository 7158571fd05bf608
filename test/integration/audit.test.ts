/**
 * The standing audit on the real engine: silent while the aggregates are right, also while flushes come; loud when one
 * number of one unit is not what it was.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { factColumns, takeFlushRows } from '../../services/joiner/flush-rows.ts';
import { foldRecord } from '../../services/joiner/fold.ts';
import { createPartitionState } from '../../services/joiner/partition-state.ts';
import { stateColumns } from '../../services/kernel/state/kinds.ts';
import { createStore, type Store } from '../../services/runtime/clickhouse-client.ts';
import { migrate } from '../../services/runtime/migrate.ts';
import { auditAggregates } from '../../services/statistics/audit.clickhouse.ts';
import { positionOf } from '../support/joiner-driver.ts';
import { aLog } from '../support/unit-log.ts';

let store: Store;
beforeAll(async () => {
  const url = process.env['CLICKHOUSE_URL'] ?? inject('addresses').clickhouseUrl;
  store = await createStore({ url, database: `audit_${process.pid}` });
  await migrate(store, { url });
});
afterAll(() => store.close());

test('equal while flushes of three partitions come and after them, different when a unit row is changed', async () => {
  expect(await auditAggregates(store)).toEqual({ mismatches: [], tries: 1, settled: true });
  const logs = fc.sample(aLog, { numRuns: 3, seed: 23 });
  let writing = true;
  const writes = (async () => {
    for (const [partitionId, log] of logs.entries()) {
      const fold = createPartitionState(partitionId);
      for (const [offset, record] of log.entries()) {
        foldRecord(fold, record, positionOf(offset));
        if (offset % 5 !== 4 && offset !== log.length - 1) continue;
        const { facts, state } = takeFlushRows(fold, positionOf(offset + 1));
        if (facts.length > 0) await store.insertBinary('facts', factColumns, facts);
        await store.insertBinary('state', stateColumns, state);
      }
    }
    writing = false;
  })();
  let audits = 0;
  while (writing) {
    expect((await auditAggregates(store)).mismatches).toEqual([]);
    audits += 1;
  }
  await writes;
  expect(audits).toBeGreaterThan(0);
  expect(await auditAggregates(store)).toMatchObject({ mismatches: [], settled: true });

  await store.command(
    `INSERT INTO state
      SELECT * REPLACE (
        position + 1 AS position,
        arrayMap((v, i) -> if(i = 2, v + 1, v), totals, arrayEnumerate(totals)) AS totals
      )
      FROM state FINAL
      WHERE log = 'unit' AND kind = 'unit' AND NOT crossover AND experiment = 'exp-test' LIMIT 1`,
  );
  const { mismatches, settled } = await auditAggregates(store);
  expect(settled).toBe(true);
  expect(mismatches.map(({ what, key }) => [what, /^exp-test\/\d\/\d\/[AB]\/0$/.test(key)])).toEqual([
    ['metric aggregate', true],
  ]);
}, 180_000);
