/**
 * How long rows are kept that no decision rests on: readings, acks, what was parked. A time to live of the table, set
 * only where it is another one: the engine goes through a table whose time to live is changed. Holes in the log that
 * somebody accepted stay for good.
 */
import type { Store } from '../runtime/clickhouse-client.ts';
import type { Settings } from './config.ts';

/** Days; 0: for ever. */
export type Keep = { readonly readings: number; readonly acks: number; readonly parked: number };

export const keepOf = (settings: Settings): Keep => ({
  readings: settings.TRIPLINE_KEEP_READINGS_DAYS,
  acks: settings.TRIPLINE_KEEP_ACKS_DAYS,
  parked: settings.TRIPLINE_KEEP_PARKED_DAYS,
});

const clauseOf = (days: number, condition = ''): string =>
  `written_at + toIntervalDay(${days})${condition === '' ? '' : ` WHERE ${condition}`}`;

function wishes(keep: Keep): readonly { readonly table: string; readonly ttl: string | undefined }[] {
  const ttl = (days: number, condition?: string) => (days === 0 ? undefined : clauseOf(days, condition));
  const readings = ttl(keep.readings);
  return [
    { table: 'readings', ttl: readings },
    { table: 'missing', ttl: readings },
    { table: 'acks', ttl: ttl(keep.acks) },
    { table: 'parked', ttl: ttl(keep.parked, "code NOT IN ('LOG_GAP', 'LOG_CUT')") },
  ];
}

/** The statements that are left to run; none for a table that is not there yet. */
export async function planKeep(store: Pick<Store, 'rows' | 'database'>, keep: Keep): Promise<readonly string[]> {
  const rows = await store.rows<{ name: string; engine: string }>(
    'SELECT name, engine_full AS engine FROM system.tables WHERE database = {database:String}',
    { database: store.database },
  );
  const engines = new Map(rows.map(({ name, engine }) => [name, engine]));
  return wishes(keep).flatMap(({ table, ttl }) => {
    const there = / TTL (.*?)( SETTINGS |$)/.exec(engines.get(table) ?? '')?.[1];
    if (!engines.has(table) || there === ttl) return [];
    return [`ALTER TABLE ${table} ${ttl === undefined ? 'REMOVE TTL' : `MODIFY TTL ${ttl}`}`];
  });
}
