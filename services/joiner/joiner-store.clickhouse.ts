/** The joiner's store in ClickHouse: statements of sql/queries, rows as text, inserts as RowBinary. */
import type { PartitionRange } from '../kernel/generations.ts';
import { hexOfId } from '../kernel/ids.ts';
import { stateColumns } from '../kernel/state/kinds.ts';
import type { PartitionRow, UnitRowText } from '../kernel/state/read.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import { factColumns, type FlushRows } from './flush-rows.ts';
import type { JoinerStore } from './joiner-store.ts';
import type { LoadedEvent } from './prefetch.ts';

const withKeys = async (name: string, ids: readonly string[]): Promise<string> =>
  (await sqlQuery(name)).replace('<keys>', ids.map(hexOfId).join(','));

/** `ancestors` of a partition: where earlier events of its units lie (kernel/generations.ts). */
export function createJoinerStore(
  store: Store,
  ancestors: (partitionId: number) => readonly PartitionRange[] = () => [],
): JoinerStore {
  const ranges = (partitionId: number, below: number): { partitionIds: number[]; belows: number[] } => {
    const all = [...ancestors(partitionId), { partitionId, below }];
    return { partitionIds: all.map((range) => range.partitionId), belows: all.map((range) => range.below) };
  };
  return {
    base: async (partitionId) => store.rows<PartitionRow>(await sqlQuery('load-partition'), { partitionId }),
    openUnits: async (partitionId, experiment, phase, windows, after, limit) =>
      store.rows(await sqlQuery('load-open-units'), { partitionId, experiment, phase, windows, after, limit }),
    entityUnits: async (partitionId, after, limit) =>
      store.rows(await sqlQuery('load-entity-units'), { partitionId, after, limit }),
    eachEventId: async (partitionId, below, take) => {
      const query = await sqlQuery('load-event-ids');
      await store.eachOfSize(16, query, (id) => take(id.toString('latin1')), ranges(partitionId, below));
    },
    units: async (partitionId, ids) => store.rows<UnitRowText>(await withKeys('load-units', ids), { partitionId }),
    events: async (partitionId, ids, below) =>
      store.rows<LoadedEvent>(await withKeys('load-events', ids), ranges(partitionId, below)),
    checkpoints: () => readCheckpoints(store),
    inherit: async (from, { partitionId, first, last, isFirst }) =>
      store.command(await sqlQuery('inherit'), { from, to: partitionId, first, last, isFirst: isFirst ? 1 : 0 }),
    unroutedUnits: (partitionIds) => countUnroutedUnits(store, partitionIds),
    write: (flushes) => writeFlushes(store, flushes),
  };
}

async function readCheckpoints(store: Store): Promise<ReadonlyMap<number, number>> {
  const rows = await store.rows<{ partitionId: number; position: string }>(await sqlQuery('checkpoints'));
  return new Map(rows.map(({ partitionId, position }) => [partitionId, Number(position)]));
}

async function countUnroutedUnits(store: Store, partitionIds: readonly number[]): Promise<number> {
  const query = await sqlQuery('unrouted-units');
  const [row] = await store.rows<{ units: string }>(query, { partitionIds: [...partitionIds] });
  return Number(row?.units ?? 0);
}

/** The engine takes up to 1,048,576 rows of an insert as one block, there or not; ours are cut well below. */
const mostRows = 1_000_000;

/** In order, each group of at most `mostRows`; a flush is never cut. */
export function groupsOf(flushes: readonly FlushRows[], rowsOf: (flush: FlushRows) => number): FlushRows[][] {
  const groups: FlushRows[][] = [];
  let rows = Infinity;
  for (const flush of flushes) {
    if (rows + rowsOf(flush) > mostRows) {
      groups.push([]);
      rows = 0;
    }
    groups.at(-1)?.push(flush);
    rows += rowsOf(flush);
  }
  return groups;
}

/**
 * Facts first: those past the checkpoint are invisible to a load, those below it are all there. Then everything else of
 * a flush in one insert.
 */
async function writeFlushes(store: Store, flushes: readonly FlushRows[]): Promise<void> {
  const withFacts = flushes.filter(({ factCount }) => factCount > 0);
  for (const group of groupsOf(withFacts, ({ factCount }) => factCount))
    await store.insertBinary(
      'facts',
      factColumns,
      group.map(({ facts }) => facts),
    );
  for (const group of groupsOf(flushes, ({ stateCount }) => stateCount))
    await store.insertBinary(
      'state',
      stateColumns,
      group.map(({ state }) => state),
    );
}
