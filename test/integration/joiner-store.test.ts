/**
 * The joiner's look-ups on the real engine answer what the store in memory answers, and a fold that evicts ends in the
 * rows of one that keeps everything.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createJoinerStore } from '../../services/joiner/joiner-store.clickhouse.ts';
import type { JoinerStore } from '../../services/joiner/joiner-store.ts';
import { factColumns, takeFlushRows } from '../../services/joiner/flush-rows.ts';
import { stateColumns } from '../../services/kernel/state/kinds.ts';
import type { PartitionRow, UnitRowText } from '../../services/kernel/state/read.ts';
import { createStore, type Store } from '../../services/runtime/clickhouse-client.ts';
import { migrate } from '../../services/runtime/migrate.ts';
import { contentsOf, createOwner, finish, foldEagerly, positionOf } from '../support/joiner-driver.ts';
import { createMemoryState, readFacts, readStateRows } from '../support/memory-state.ts';
import { aLog } from '../support/unit-log.ts';

let store: Store;
beforeAll(async () => {
  const url = process.env['CLICKHOUSE_URL'] ?? inject('addresses').clickhouseUrl;
  store = await createStore({ url, database: `joiner_store_${process.pid}` });
  await migrate(store, { url });
});
afterAll(() => store.close());

const logs = fc.sample(aLog, { numRuns: 5, seed: 11 });
const driven = () => {
  const real = createJoinerStore(store);
  return {
    ...real,
    writeFacts: ({ facts }: { facts: Buffer }) =>
      facts.length > 0 ? store.insertBinary('facts', factColumns, facts) : Promise.resolve(),
    writeState: ({ state }: { state: Buffer }) => store.insertBinary('state', stateColumns, state),
  };
};
const byText = <T>(rows: readonly T[]): T[] =>
  [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
type Row = Pick<PartitionRow, 'kind' | 'experiment' | 'phase' | 'key' | 'position'>;
/** The row with the highest position of each key, with the columns that its statement returns. */
const newest = <R extends Row>(rows: readonly R[], columnsOf: (row: R) => object) => {
  const best = new Map<string, R>();
  for (const row of rows) {
    const at = `${row.kind}/${row.experiment}/${row.phase}/${row.key}`;
    if (Number(row.position) >= Number(best.get(at)?.position ?? 0)) best.set(at, row);
  }
  return byText([...best].map(([at, row]) => ({ at, position: row.position, ...columnsOf(row) })));
};
const unitColumns = (row: UnitRowText) => {
  const { arm, bucket, crossover, firstExposedAt, totals, entries, body } = row;
  return { arm, bucket, crossover, firstExposedAt, totals, entries, body };
};
const baseColumns = (row: PartitionRow) => {
  const { partitionId, arm, metric, candidate, metricOrdinal, segment, stateRevision, eventClock, expiresAt } = row;
  const { units, firstEvents, waiting, sums, testSums, body } = row;
  const counts = { units, firstEvents, waiting, sums, testSums, body };
  return {
    ...{ partitionId, arm, metric, candidate, metricOrdinal, segment, stateRevision, eventClock, expiresAt },
    ...counts,
  };
};

test.each(logs.map((log, partitionId) => [partitionId, log] as const))(
  'log %d: every look-up answers as the double does, then the evicting fold ends in the eager rows',
  async (partitionId, log) => {
    const double = createMemoryState();
    const both = driven();
    const eager = foldEagerly(log, partitionId);
    const owner = createOwner(
      {
        ...both,
        writeFacts: async (flush) => {
          double.writeFacts(flush);
          await both.writeFacts(flush);
        },
        writeState: async (flush) => {
          double.writeState(flush);
          await both.writeState(flush);
        },
      },
      log,
      { units: 2, events: 3 },
      partitionId,
    );
    while (owner.at < log.length) {
      await owner.fold(7);
      owner.take();
      await owner.write('all');
      if (owner.at % 5 === 0 && owner.at < log.length) owner.crash();
      else if (owner.at % 3 === 0) await same(both, double, partitionId, owner.at);
    }
    await finish(owner, log);
    expect(owner.state.counts.loaded).toBeGreaterThan(0);
    expect(contentsOf(double, log.length)).toEqual(contentsOf(eager.store, log.length));
  },
);

async function same(
  real: JoinerStore,
  double: ReturnType<typeof createMemoryState>,
  partitionId: number,
  at: number,
): Promise<void> {
  const units = [
    ...new Set(
      [...double.rows.values()]
        .filter((row) => row.partitionId === partitionId && row.key.length >= 32)
        .map(({ key }) => Buffer.from(key.slice(0, 32), 'hex').toString('latin1')),
    ),
  ].slice(0, 4);
  expect(newest(await real.units(partitionId, units), unitColumns)).toEqual(
    newest(await double.units(partitionId, units), unitColumns),
  );
  const events = double.facts
    .filter((fact) => fact.partitionId === partitionId)
    .map(({ id }) => Buffer.from(id, 'hex').toString('latin1'))
    .slice(-6);
  expect(byText(await real.events(partitionId, events, positionOf(at - 1)))).toEqual(
    byText(await double.events(partitionId, events, positionOf(at - 1))),
  );
  for (const after of ['', '75312E2E2E2E2E2E2E2E2E2E2E2E2E2E']) {
    const windows = [3_600_000, 3_600_000, 3_600_000, 259_200_000, 259_200_000];
    const sorted = (rows: readonly { key: string; position: string; closes: readonly string[] }[]) =>
      rows.map(({ closes, ...row }) => ({ ...row, closes: [...closes].sort() }));
    expect(sorted(await real.openUnits(partitionId, 'exp-test', 1, windows, after, 3))).toEqual(
      sorted(await double.openUnits(partitionId, 'exp-test', 1, windows, after, 3)),
    );
    expect(await real.entityUnits(partitionId, after, 2)).toEqual(await double.entityUnits(partitionId, after, 2));
  }
  expect(await idsIn(real, partitionId, positionOf(at))).toEqual(await idsIn(double, partitionId, positionOf(at)));
  expect((await real.checkpoints()).get(partitionId)).toBe((await double.checkpoints()).get(partitionId));
  expect(newest(await real.base(partitionId), baseColumns)).toEqual(
    newest(await double.base(partitionId), baseColumns),
  );
}

/** Each once, in order: the store may say them as they lie. */
async function idsIn(store: Pick<JoinerStore, 'eachEventId'>, partitionId: number, below: number): Promise<string[]> {
  const ids = new Set<string>();
  await store.eachEventId(partitionId, below, (id) => void ids.add(id));
  return [...ids].sort();
}

test('a flush is what the double reads of it', async () => {
  const { state } = foldEagerly(logs[0] ?? [], 9);
  const flush = takeFlushRows(state, positionOf(1_000));
  expect(readStateRows(flush.state).length).toBe(flush.stateCount);
  expect(readFacts(flush.facts).length).toBe(flush.factCount);
});
