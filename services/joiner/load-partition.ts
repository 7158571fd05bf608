/**
 * A partition at its start: its checkpoint, aggregates and experiments, and of units and event ids only which there
 * are. Memory: the rows of one page, 16 bits an id in the membership filter and 24 bytes an open entry, whatever the
 * state holds.
 */
import type { UnitRecord } from '../../schemas/generated.ts';
import { idOfHex } from '../kernel/ids.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { PartitionState } from './partition-state.ts';
import type { JoinerStore } from './joiner-store.ts';
import {
  addEvictedUnit,
  type CacheLimits,
  evict,
  installEvents,
  installUnits,
  type LoadedEvent,
  type Needs,
  needsOf,
} from './prefetch.ts';
import { restorePartition } from './restore.ts';

const pageRows = 100_000;

/** Keys in one look-up, at most: they travel in the statement. */
const lookupKeys = 3_000;

/** Attempts at a load that others' flushes may spoil; past them it is the store that is wrong. */
const loadAttempts = 5;

/** Loads until no other owner has flushed meanwhile: what the pages say must be true of the checkpoint's position. */
export async function loadPartition(store: JoinerStore, partitionId: number): Promise<PartitionState> {
  for (let attempt = 0; attempt < loadAttempts; attempt += 1) {
    const rows = await store.base(partitionId);
    const partition = restorePartition(partitionId, rows, true);
    if (!rows.some(({ kind }) => kind === 'checkpoint')) return partition;
    const { isAhead } = await loadOpenUnits(store, partition);
    await loadEntityUnits(store, partition);
    await loadEventIds(store, partition);
    if (!isAhead && ((await store.checkpoints()).get(partitionId) ?? 0) <= partition.position) return partition;
  }
  throw new PipelineError(
    'STATE_CORRUPT',
    `partition ${partitionId} has rows past its checkpoint after ${loadAttempts} loads`,
    {
      retriable: true,
      hint:
        'if no other joiner is flushing it, its last insert was torn: ' +
        'delete its rows above the checkpoint, the log folds them again',
    },
  );
}

/** Page after page, `cursor` being the key to go on from; until one is not full. */
async function eachPage<T>(
  read: (after: string) => Promise<readonly T[]>,
  cursor: (row: T) => string,
  take: (row: T) => void,
): Promise<void> {
  for (let after = ''; ; ) {
    const page = await read(after);
    for (const row of page) take(row);
    const last = page.at(-1);
    if (page.length < pageRows || last === undefined) return;
    after = cursor(last);
  }
}

/** `isAhead`: a unit's row is true of a position past the checkpoint, so somebody has flushed since it was read. */
async function loadOpenUnits(store: JoinerStore, partition: PartitionState): Promise<{ readonly isAhead: boolean }> {
  const { partitionId } = partition;
  let isAhead = false;
  for (const { revision, metrics } of partition.experiments.values()) {
    const windows = metrics.map(({ spec }) => spec.windowMs);
    await eachPage(
      (after) => store.openUnits(partitionId, revision.spec.id, revision.phase, windows, after, pageRows),
      ({ key }) => key,
      ({ key, position, closes }) => {
        isAhead ||= Number(position) > partition.position;
        addEvictedUnit(partition, idOfHex(key), closes.map(Number));
      },
    );
  }
  return { isAhead };
}

const loadEntityUnits = (store: JoinerStore, partition: PartitionState): Promise<void> =>
  eachPage(
    (after) => store.entityUnits(partition.partitionId, after, pageRows),
    ({ key }) => key,
    ({ key }) => addEvictedUnit(partition, idOfHex(key), []),
  );

/** One pass over what there is: pages in the order of ids would sort all that is left for each. */
async function loadEventIds(store: JoinerStore, { partitionId, position, seen }: PartitionState): Promise<void> {
  let last = '';
  await store.eachEventId(partitionId, position, (id) => {
    if (id !== last) seen.addEvicted(id);
    last = id;
  });
}

/**
 * Brings in what a batch needs; `position` is where it begins. undefined: it was all there, nothing had to be asked.
 * 'behind': another owner ran ahead, the partition must be loaded again.
 */
export function prefetch(
  store: JoinerStore,
  partition: PartitionState,
  batch: readonly UnitRecord[],
  position: number,
  cacheLimits: CacheLimits,
): Promise<'present' | 'behind'> | undefined {
  evict(partition, cacheLimits);
  const needs = needsOf(partition, batch);
  return needs === undefined ? undefined : fetchNeeds(store, partition, needs, position);
}

async function fetchNeeds(
  store: JoinerStore,
  partition: PartitionState,
  needs: Needs,
  position: number,
): Promise<'present' | 'behind'> {
  const { partitionId } = partition;
  const found: LoadedEvent[] = [];
  for (let from = 0; from < needs.events.length; from += lookupKeys)
    found.push(...(await store.events(partitionId, needs.events.slice(from, from + lookupKeys), position)));
  const wanted = new Set([...needs.units, ...found.map(({ unit }) => idOfHex(unit))]);
  const missing = [...wanted].filter((id) => !partition.units.has(id));
  for (let from = 0; from < missing.length; from += lookupKeys) {
    const asked = missing.slice(from, from + lookupKeys);
    if (!installUnits(partition, asked, await store.units(partitionId, asked), position)) return 'behind';
  }
  installEvents(partition, found);
  return 'present';
}
