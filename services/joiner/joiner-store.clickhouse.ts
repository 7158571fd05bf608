/** The joiner's store in ClickHouse: statements of sql/queries, rows as text, inserts as RowBinary. */
import type { PartRange } from '../kernel/epochs.ts';
import { stateColumns } from '../kernel/state-rows.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import type { JoinerStore } from './joiner-store.ts';
import type { LoadedEvent } from './presence.ts';
import { hexOf, type LoadedRow } from './restore.ts';
import { factColumns } from './rows.ts';

const withKeys = async (name: string, ids: readonly string[]): Promise<string> =>
  (await sqlQuery(name)).replace('<keys>', ids.map(hexOf).join(','));

/** `ancestors` of a part: where earlier events of its units lie (kernel/epochs.ts). */
export function createJoinerStore(
  store: Store,
  ancestors: (part: number) => readonly PartRange[] = () => [],
): JoinerStore {
  const ranges = (part: number, below: number): { parts: number[]; belows: number[] } => {
    const all = [...ancestors(part), { part, below }];
    return { parts: all.map((range) => range.part), belows: all.map((range) => range.below) };
  };
  return {
    base: async (part) => store.rows<LoadedRow>(await sqlQuery('load-partition'), { part }),
    openUnits: async (part, experiment, phase, windows, after, limit) =>
      store.rows(await sqlQuery('load-open-units'), { part, experiment, phase, windows, after, limit }),
    entityUnits: async (part, after, limit) => store.rows(await sqlQuery('load-entity-units'), { part, after, limit }),
    eventIds: async (part, below, after, limit) =>
      store.rows(await sqlQuery('load-event-ids'), { ...ranges(part, below), after, limit }),
    units: async (part, ids) => store.rows<LoadedRow>(await withKeys('load-units', ids), { part }),
    events: async (part, ids, below) =>
      store.rows<LoadedEvent>(await withKeys('load-events', ids), ranges(part, below)),
    heads: async () =>
      new Map(
        (await store.rows<{ part: number; ver: string }>(await sqlQuery('checkpoints'))).map(({ part, ver }) => [
          part,
          Number(ver),
        ]),
      ),
    inherit: async (from, { part, first, last, eldest }) =>
      store.command(await sqlQuery('inherit'), { from, to: part, first, last, eldest: eldest ? 1 : 0 }),
    homeless: async (parts) =>
      Number((await store.rows<{ units: string }>(await sqlQuery('homeless'), { parts: [...parts] }))[0]?.units ?? 0),
    write: async (flushes) => {
      // Facts first: those past the checkpoint are invisible to a load, those below it are all there. Then everything
      // else at once.
      if (flushes.some(({ factCount }) => factCount > 0))
        await store.insertBinary(
          'facts',
          factColumns,
          flushes.map(({ facts }) => facts),
        );
      await store.insertBinary(
        'state',
        stateColumns,
        flushes.map(({ state }) => state),
      );
    },
  };
}
