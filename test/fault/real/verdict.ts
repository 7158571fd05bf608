/** What is judged of a deployment: totals, every row, the recount in SQL, what was parked. Empty: all is right. */
import { parkedEntries } from '../../../services/cli/replay-parked.ts';
import { boundByLog, createPartitionState, foldRecord } from '../../../services/joiner/index.ts';
import type { PartitionState } from '../../../services/joiner/partition-state.ts';
import { takeFlushRows } from '../../../services/joiner/flush-rows.ts';
import { positionsPerOffset } from '../../../services/kernel/state/kinds.ts';
import type { Store } from '../../../services/runtime/clickhouse-client.ts';
import { topicName } from '../../../services/runtime/topics.ts';
import { auditAggregates } from '../../../services/statistics/audit.clickhouse.ts';
import { readStateRows } from '../../support/memory-state.ts';
import {
  comparedColumns,
  comparedKinds,
  type ComparedRow,
  selectCompared,
  selectTotals,
  type TotalRow,
} from '../../support/state-sql.ts';
import { differ } from '../differ.ts';
import type { Total } from '../oracle.ts';
import type { Place } from './place.ts';

/** Totals in the store, over the partitions of `where`, against the oracle's; `of` is named in what is wrong. */
export async function storedTotalsWrong(
  store: Store,
  totals: ReadonlyMap<string, Total>,
  { where = '1', of = '' } = {},
): Promise<string[]> {
  const stored = await store.rows<TotalRow>(selectTotals(where));
  return [...totals].flatMap(([key, want]) => {
    const row = stored.find(({ metric, arm }) => `${metric}/${arm}` === key);
    const have: Total = {
      units: Number(row?.units ?? 0),
      numerator: Number(row?.numerator ?? 0),
      denominator: Number(row?.denominator ?? 0),
    };
    return differ(`totals of ${key}${of}`, have, want);
  });
}

export const totalsWrong = ({ connection }: Place, totals: ReadonlyMap<string, Total>): Promise<string[]> =>
  storedTotalsWrong(connection.store, totals);

/** Units and aggregates as sorted text; partition ids count from `firstPartitionId`. */
export const textOfRows = (rows: readonly ComparedRow[], firstPartitionId = 0): string[] =>
  rows
    .map((row) => JSON.stringify([row.partitionId - firstPartitionId, ...comparedColumns.map((column) => row[column])]))
    .sort();

/** The unit log folded from its beginning, by partition, everything kept in memory. */
async function foldedAgain({ prefix, partitions, connection }: Place): Promise<PartitionState[]> {
  const { log, codec } = connection;
  const states = Array.from({ length: partitions }, (_, partitionId) => createPartitionState(partitionId));
  for (const { partition, offset, timestamp, value } of await log.readToEnd(topicName(prefix, 'unit.v1'))) {
    if (value === null) continue;
    await codec.prepare([value]);
    const decoded = codec.decode(['unit-record'], value);
    if (decoded.ok)
      for (const [index, record] of boundByLog(decoded.value.records, timestamp).entries())
        foldRecord(states[partition] as PartitionState, record, offset * positionsPerOffset + index);
  }
  return states;
}

/** Every unit and aggregate against a fold of the unit log from its beginning. */
export async function rowsWrong(place: Place): Promise<string[]> {
  const have = textOfRows(await place.connection.store.rows<ComparedRow>(selectCompared()));
  const want = textOfRows(
    (await foldedAgain(place))
      .flatMap((state) => readStateRows(takeFlushRows(state, state.position).state))
      .filter(({ kind }) => comparedKinds.includes(kind)),
  );
  const extra = have.filter((row) => !want.includes(row));
  if (have.length === want.length && extra.length === 0) return [];
  const counts = `${have.length} of ${want.length}, ${extra.length} not in it`;
  return [`rows differ from a fold of the log: ${counts}, first ${extra[0] ?? '-'}`];
}

export async function recountWrong({ prefix, connection }: Place, badSent: number): Promise<string[]> {
  const audit = await auditAggregates(connection.store);
  const parked = parkedEntries(await connection.log.readToEnd(topicName(prefix, 'parked.v1')));
  return [
    ...differ('recount', [audit.mismatches, audit.settled], [[], true]),
    ...differ('parked', parked.length, badSent),
  ];
}
