/** The joiner's store in ClickHouse: statements of sql/queries, rows as text, inserts as RowBinary. */
import { stateColumns } from '../kernel/state-rows.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import type { JoinerStore } from './joiner-store.ts';
import type { LoadedEvent } from './presence.ts';
import { hexOf, type LoadedRow } from './restore.ts';
import { factColumns } from './rows.ts';

const withKeys = async (name: string, ids: readonly string[]): Promise<string> => (await sqlQuery(name)).replace('<keys>', ids.map(hexOf).join(','));

export function createJoinerStore(store: Store): JoinerStore {
  return {
    base: async (part) => store.rows<LoadedRow>(await sqlQuery('load-partition'), { part }),
    openUnits: async (part, experiment, phase, windows, after, limit) => store.rows(await sqlQuery('load-open-units'), { part, experiment, phase, windows, after, limit }),
    entityUnits: async (part, after, limit) => store.rows(await sqlQuery('load-entity-units'), { part, after, limit }),
    eventIds: async (part, below, after, limit) => store.rows(await sqlQuery('load-event-ids'), { part, below, after, limit }),
    units: async (part, ids) => store.rows<LoadedRow>(await withKeys('load-units', ids), { part }),
    events: async (part, ids, below) => store.rows<LoadedEvent>(await withKeys('load-events', ids), { part, below }),
    heads: async () => new Map((await store.rows<{ part: number; ver: string }>(await sqlQuery('checkpoints'))).map(({ part, ver }) => [part, Number(ver)])),
    write: async (flushes) => {
      // Facts first: those past the checkpoint are invisible to a load, those below it are all there. Then everything else at once.
      if (flushes.some(({ factCount }) => factCount > 0)) await store.insertBinary('facts', factColumns, flushes.map(({ facts }) => facts));
      await store.insertBinary('state', stateColumns, flushes.map(({ state }) => state));
    },
  };
}
