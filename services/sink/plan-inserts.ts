/**
 * One insert a table, or more where the engine would refuse it: of a table that is partitioned by month, one insert may
 * reach into a hundred partitions and no further (`max_partitions_per_insert_block`). Calls whose clients' clocks are
 * years apart would else stop the sink for everybody.
 */
import type { SinkRow } from './observation-rows.ts';

export type Insert = { readonly table: SinkRow['table']; readonly rows: readonly SinkRow['row'][] };

/** Half of what the engine allows unless told otherwise. */
const maxMonths = 50;

/** Tables with `PARTITION BY toYYYYMM(...)` in sql/migrations, and the column that it names. */
export const monthlyTables: Readonly<Partial<Record<SinkRow['table'], string>>> = { inferences: 'occurred_at' };

/** Months of the calendar, in UTC as in the table. */
function monthOf(at: unknown): number {
  const date = new Date(Number(at));
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** In the order of the months, so that each insert has months of its own; rows of one month keep theirs. */
function splitByMonth(rows: readonly SinkRow['row'][], column: string): (readonly SinkRow['row'][])[] {
  const byMonth = new Map<number, SinkRow['row'][]>();
  for (const row of rows) {
    const month = monthOf(row[column]);
    const some = byMonth.get(month);
    if (some) some.push(row);
    else byMonth.set(month, [row]);
  }
  if (byMonth.size <= maxMonths) return [rows];
  const months = [...byMonth].sort(([one], [other]) => one - other).map(([, some]) => some);
  return Array.from({ length: Math.ceil(months.length / maxMonths) }, (_, index) =>
    months.slice(index * maxMonths, (index + 1) * maxMonths).flat(),
  );
}

export function planInserts(rows: readonly SinkRow[]): readonly Insert[] {
  const byTable = new Map<SinkRow['table'], SinkRow['row'][]>();
  for (const { table, row } of rows) {
    const some = byTable.get(table);
    if (some) some.push(row);
    else byTable.set(table, [row]);
  }
  return [...byTable].flatMap(([table, some]): Insert[] => {
    const column = monthlyTables[table];
    const parts = column === undefined ? [some] : splitByMonth(some, column);
    return parts.map((part) => ({ table, rows: part }));
  });
}
