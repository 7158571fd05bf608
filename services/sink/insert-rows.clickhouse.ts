/**
 * Rows of a batch into their tables. Tables do not wait for each other: what one of them refuses holds up none of the
 * others. A row that can never go in is found by halving its insert, and its record is parked. A batch that is tried
 * again does not insert again what is in.
 */
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import type { Refuse } from '../runtime/stage-options.ts';
import type { SinkRow } from './observation-rows.ts';
import { type Insert, planInserts } from './plan-inserts.ts';

type Rows = { readonly value: readonly SinkRow[] };

/** The rows that the table takes; `onRefused` hears of each other. */
async function insertTaken(
  store: Pick<Store, 'insertRows'>,
  { table, rows }: Insert,
  onRefused: (row: SinkRow['row'], error: PipelineError) => void,
): Promise<void> {
  try {
    await store.insertRows(table, rows);
  } catch (error) {
    const [first] = rows;
    if (!(error instanceof PipelineError) || error.code !== 'ROWS_REFUSED' || first === undefined) throw error;
    if (rows.length === 1) return onRefused(first, error);
    const half = Math.ceil(rows.length / 2);
    await insertTaken(store, { table, rows: rows.slice(0, half) }, onRefused);
    await insertTaken(store, { table, rows: rows.slice(half) }, onRefused);
  }
}

export function createInserter<D extends Rows>(
  store: Pick<Store, 'insertRows'>,
): (batch: readonly D[], refuse: Refuse<D>) => Promise<void> {
  /** What is still to be inserted of a batch. */
  const plans = new WeakMap<readonly D[], Insert[]>();
  return async (batch, refuse) => {
    const plan = plans.get(batch) ?? [...planInserts(batch.flatMap(({ value }) => value))];
    plans.set(batch, plan);
    const left: Insert[] = [];
    let problem: unknown;
    for (const insert of plan) {
      try {
        await insertTaken(store, insert, (row, { message }) => {
          const delivery = batch.find(({ value }) => value.some((one) => one.row === row));
          if (delivery !== undefined) refuse(delivery, 'REFUSED', `table ${insert.table}: ${message}`);
        });
      } catch (error) {
        left.push(insert);
        problem ??= error;
      }
    }
    plans.set(batch, left);
    if (problem !== undefined) throw problem;
  };
}
