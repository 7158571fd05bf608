/**
 * The standing audit: metric and test aggregates against a recount of the unit rows they were summed from, in SQL.
 * Aggregates and units are read at two moments of a table that changes: a difference counts when no flush came between,
 * or when it is there in every one of several tries.
 */
import type { Store } from '../runtime/clickhouse-client.ts';
import { sqlQuery } from '../runtime/sql-files.ts';

export type AuditMismatch = {
  readonly what: 'metric aggregate' | 'test aggregate';
  readonly key: string;
  readonly aggregate: string;
  readonly recount: string;
};
export type Audit = {
  readonly mismatches: readonly AuditMismatch[];
  /** Times that the tables were read. */
  readonly tries: number;
  /** False: flushes came during every try, and what differed was never the same. */
  readonly settled: boolean;
};

type Row = Readonly<Record<string, unknown>>;
const keyOf = (row: Row, names: readonly string[]): string => names.map((name) => String(row[name] ?? '')).join('/');

async function recount(store: Store): Promise<AuditMismatch[]> {
  const metricAggregates = await store.rows<Row>(await sqlQuery('recount-metrics'));
  const testAggregates = await store.rows<Row>(await sqlQuery('recount-tests'));
  return [
    ...metricAggregates.map(
      (row): AuditMismatch => ({
        what: 'metric aggregate',
        key: keyOf(row, ['experiment', 'phase', 'arm', 'ordinal']),
        aggregate: JSON.stringify(row['aggregate']),
        recount: JSON.stringify(row['recount']),
      }),
    ),
    ...testAggregates.map(
      (row): AuditMismatch => ({
        what: 'test aggregate',
        key: keyOf(row, ['siblings', 'experiment', 'phase', 'arm', 'metric', 'segment']),
        aggregate: String(row['aggregate']),
        recount: String(row['recount']),
      }),
    ),
  ];
}

const checkpointsOf = async (store: Store): Promise<string> =>
  JSON.stringify(
    (await store.rows<{ partitionId: number; position: string }>(await sqlQuery('checkpoints')))
      .map(({ partitionId, position }) => [partitionId, position])
      .sort(),
  );

/** Throws what the store throws: a store that is away is no mismatch. */
export async function auditAggregates(store: Store, maxTries = 5): Promise<Audit> {
  let always: Map<string, AuditMismatch> | undefined;
  for (let tries = 1; ; tries += 1) {
    const before = await checkpointsOf(store);
    const found = await recount(store);
    const quiet = found.length === 0 || (await checkpointsOf(store)) === before;
    if (quiet) return { mismatches: found, tries, settled: true };
    const known = always;
    always = new Map(
      found.flatMap((mismatch) =>
        known === undefined || known.has(`${mismatch.what}/${mismatch.key}`)
          ? [[`${mismatch.what}/${mismatch.key}`, mismatch] as const]
          : [],
      ),
    );
    if (tries >= maxTries) return { mismatches: [...always.values()], tries, settled: always.size > 0 };
  }
}
