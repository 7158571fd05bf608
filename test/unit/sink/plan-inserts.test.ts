import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { SinkRow } from '../../../services/sink/observation-rows.ts';
import { monthlyTables, planInserts } from '../../../services/sink/plan-inserts.ts';

const call = (at: number, id: string): SinkRow => ({ table: 'inferences', row: { occurred_at: at, event_id: id } });
const monthsOf = (rows: readonly SinkRow['row'][]): Set<string> =>
  new Set(rows.map(({ occurred_at: at }) => new Date(Number(at)).toISOString().slice(0, 7)));
/** Calls of `count` months, one after the other, `each` of a month, in no order. */
const scattered = (count: number, each = 2): SinkRow[] =>
  Array.from({ length: count * each }, (_, index) =>
    call(Date.UTC(1990, (index * 7) % count, 1 + Math.floor(index / count)), `e-${index}`),
  );

describe('one insert of a table partitioned by month', () => {
  test.each([
    [1, 1],
    [50, 1],
    [51, 2],
    [100, 2],
    [300, 6],
  ])('%d months: %d inserts, none of more than 50 months, every row once', (months, inserts) => {
    const rows = scattered(months);
    const planned = planInserts(rows);
    expect(planned.length).toBe(inserts);
    expect(Math.max(...planned.map((insert) => monthsOf(insert.rows).size))).toBeLessThanOrEqual(50);
    const ids = planned.flatMap((insert) => insert.rows.map(({ event_id: id }) => String(id)));
    expect(ids.sort()).toEqual(rows.map(({ row }) => String(row['event_id'])).sort());
    // A month is in one insert: a hundred small parts of it would have to be merged again.
    const seen = planned.flatMap((insert) => [...monthsOf(insert.rows)]);
    expect(seen.length).toBe(new Set(seen).size);
  });
  test('months are UTC: the last moment of one and the first of the next are two', () => {
    const edges = Array.from({ length: 51 }, (_, index) => [
      call(Date.UTC(2020, index + 1) - 1, `last-${index}`),
      call(Date.UTC(2020, index + 1), `first-${index}`),
    ]).flat();
    expect(planInserts(edges).map(({ rows }) => monthsOf(rows).size)).toEqual([50, 2]);
  });
});
test('a table that is not partitioned stays in one insert, and tables keep apart', () => {
  const outcomes = scattered(300).map(({ row }): SinkRow => ({ table: 'outcomes', row }));
  expect(planInserts([...outcomes, call(0, 'e')]).map(({ table, rows }) => [table, rows.length])).toEqual([
    ['outcomes', 600],
    ['inferences', 1],
  ]);
});
test('every table that a migration partitions is one of these, and no other table is', () => {
  const folder = fileURLToPath(new URL('../../../sql/migrations/', import.meta.url));
  const text = readdirSync(folder)
    .map((file) => readFileSync(folder + file, 'utf8').replaceAll(/^--.*$/gm, ''))
    .join('\n');
  const partitioned = text
    .split(/CREATE TABLE IF NOT EXISTS /)
    .slice(1)
    .flatMap((body) => {
      const by = /\) ENGINE =[^;]*PARTITION BY ([^;]*?) ORDER BY/.exec(body)?.[1];
      return by === undefined ? [] : [[/^\w+/.exec(body)?.[0], by]];
    });
  expect(partitioned).toEqual(Object.entries(monthlyTables).map(([table, column]) => [table, `toYYYYMM(${column})`]));
});
