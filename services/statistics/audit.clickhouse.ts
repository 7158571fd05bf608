/**
 * The standing audit: metric and test aggregates against a recount of the unit rows they were summed from, in SQL,
 * slice by slice: one phase of one experiment in one group of partitions. Aggregates and units are read at two moments
 * of a table that changes: a difference counts when no flush came between, or when it is there in every one of several
 * tries.
 */
import type { Store } from '../runtime/clickhouse-client.ts';
import { sqlQuery } from '../runtime/sql-files.ts';

/** Partition ids `first` to `last`: one, or those that one was divided into. */
export type AuditSlice = {
  readonly experiment: string;
  readonly phase: number;
  readonly first: number;
  readonly last: number;
};

export type AuditMismatch = {
  readonly what: 'metric aggregate' | 'test aggregate';
  readonly key: string;
  readonly aggregate: string;
  readonly recount: string;
};
export type Audit = {
  readonly mismatches: readonly AuditMismatch[];
  /** Times that the tables were read; of several slices the most. */
  readonly tries: number;
  /** False: flushes came during every try, and what differed was never the same. */
  readonly settled: boolean;
};

type Row = Readonly<Record<string, unknown>>;

export const sliceKey = ({ experiment, phase, first, last }: AuditSlice): string =>
  `${experiment}/${phase}/${first === last ? first : `${first}-${last}`}`;

export const auditSlices = async (store: Store): Promise<AuditSlice[]> =>
  store.rows<AuditSlice>(await sqlQuery('audit-slices'));

async function recount(store: Store, slice: AuditSlice): Promise<AuditMismatch[]> {
  const params = { ...slice };
  const metricAggregates = await store.rows<Row>(await sqlQuery('recount-metrics'), params);
  const testAggregates = await store.rows<Row>(await sqlQuery('recount-tests'), params);
  const keyOf = (...parts: unknown[]): string => [sliceKey(slice), ...parts].join('/');
  return [
    ...metricAggregates.map(
      (row): AuditMismatch => ({
        what: 'metric aggregate',
        key: keyOf(row['arm'], row['ordinal']),
        aggregate: JSON.stringify(row['aggregate']),
        recount: JSON.stringify(row['recount']),
      }),
    ),
    ...testAggregates.map(
      (row): AuditMismatch => ({
        what: 'test aggregate',
        key: keyOf(row['arm'], row['metric'], row['segment']),
        aggregate: String(row['aggregate']),
        recount: String(row['recount']),
      }),
    ),
  ];
}

const checkpointsOf = async (store: Store, { first, last }: AuditSlice): Promise<string> =>
  JSON.stringify(
    (await store.rows<{ partitionId: number; position: string }>(await sqlQuery('checkpoints')))
      .filter(({ partitionId }) => partitionId >= first && partitionId <= last)
      .map(({ partitionId, position }) => [partitionId, position])
      .sort(),
  );

/** Throws what the store throws: a store that is away, or a recount that takes too long, is no mismatch. */
export async function auditSlice(store: Store, slice: AuditSlice, maxTries = 5): Promise<Audit> {
  let always: Map<string, AuditMismatch> | undefined;
  for (let tries = 1; ; tries += 1) {
    const before = await checkpointsOf(store, slice);
    const found = await recount(store, slice);
    const quiet = found.length === 0 || (await checkpointsOf(store, slice)) === before;
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

/** Every slice, one after the other. */
export async function auditAggregates(store: Store): Promise<Audit> {
  let audit: Audit = { mismatches: [], tries: 1, settled: true };
  for (const slice of await auditSlices(store)) {
    const { mismatches, tries, settled } = await auditSlice(store, slice);
    audit = {
      mismatches: [...audit.mismatches, ...mismatches],
      tries: Math.max(audit.tries, tries),
      settled: audit.settled && settled,
    };
  }
  return audit;
}
