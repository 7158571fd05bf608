/**
 * A partition at its start: its checkpoint, cells and experiments, and of units and event ids only which there are.
 * Memory: the rows of one page, 16 bits a known id and 24 bytes an open entry, whatever the state holds.
 */
import type { UnitRecord } from '../../schemas/generated.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { PartitionState } from './partition-state.ts';
import type { JoinerStore } from './joiner-store.ts';
import {
  evict,
  installEvents,
  installUnits,
  knowUnit,
  type LoadedEvent,
  needsOf,
  type CacheLimits,
} from './prefetch.ts';
import { latin1, restorePartition } from './restore.ts';

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
    let ahead = false;
    for (const { revision, metrics } of partition.experiments.values()) {
      const windows = metrics.map(({ spec }) => spec.windowMs);
      for (let after = ''; ; ) {
        const page = await store.openUnits(partitionId, revision.spec.id, revision.phase, windows, after, pageRows);
        for (const { key, position, closes } of page) {
          ahead ||= Number(position) > partition.position;
          knowUnit(partition, latin1(key), closes.map(Number));
        }
        if (page.length < pageRows) break;
        after = page.at(-1)?.key ?? '';
      }
    }
    for (let after = ''; ; ) {
      const page = await store.entityUnits(partitionId, after, pageRows);
      for (const { key } of page) knowUnit(partition, latin1(key), []);
      if (page.length < pageRows) break;
      after = page.at(-1)?.key ?? '';
    }
    for (let after = ''; ; ) {
      const page = await store.eventIds(partitionId, partition.position, after, pageRows);
      for (const { id } of page) partition.seen.addEvicted(latin1(id));
      if (page.length < pageRows) break;
      after = page.at(-1)?.id ?? '';
    }
    if (!ahead && ((await store.checkpoints()).get(partitionId) ?? 0) <= partition.position) return partition;
  }
  throw new PipelineError(
    'STATE_CORRUPT',
    `partition ${partitionId} has rows past its checkpoint after ${loadAttempts} loads`,
    {
      retriable: true,
      hint: 'if no other joiner is flushing it, its last insert was torn: delete its rows above the checkpoint, the log folds them again',
    },
  );
}

/**
 * Makes a batch foldable; `position` is where it begins. undefined: it was already, nothing had to be asked.
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
  if (needs === undefined) return undefined;
  const loadUnits = async (ids: readonly string[]): Promise<boolean> => {
    for (let from = 0; from < ids.length; from += lookupKeys) {
      const asked = ids.slice(from, from + lookupKeys);
      if (!installUnits(partition, asked, await store.units(partition.partitionId, asked), position)) return false;
    }
    return true;
  };
  return (async () => {
    const found: LoadedEvent[] = [];
    for (let from = 0; from < needs.events.length; from += lookupKeys)
      found.push(...(await store.events(partition.partitionId, needs.events.slice(from, from + lookupKeys), position)));
    const units = [...new Set([...needs.units, ...found.map(({ unit }) => latin1(unit))])].filter(
      (id) => !partition.units.has(id),
    );
    if (!(await loadUnits(units))) return 'behind';
    installEvents(partition, found);
    return 'present';
  })();
}
