/**
 * One owner of a partition, step by step: load, bring in, fold, flush, lose the reply, die, find itself overtaken. What
 * the running stage does in its own time, a test does here in any order.
 */
import type { UnitRecord } from '../../schemas/generated.ts';
import { foldRecord } from '../../services/joiner/fold.ts';
import { createPartitionState, type PartitionState } from '../../services/joiner/partition-state.ts';
import type { JoinerStore } from '../../services/joiner/joiner-store.ts';

import { loadPartition, prefetch } from '../../services/joiner/load-partition.ts';
import type { CacheLimits } from '../../services/joiner/prefetch.ts';
import { type FlushRows, takeFlushRows } from '../../services/joiner/flush-rows.ts';
import { createMemoryState, type MemoryState } from './memory-state.ts';

/** One record a message. */
export const positionOf = (offset: number): number => offset * 4096;

export type DrivenStore = JoinerStore & {
  writeFacts(flush: FlushRows): void | Promise<void>;
  writeState(flush: FlushRows): void | Promise<void>;
};

export type Owner = {
  /** Records folded; the next offset. */
  readonly at: number;
  readonly state: PartitionState;
  readonly fastForwards: number;
  /** Loads if need be, then folds up to `count` records. */
  fold(count: number): Promise<void>;
  take(): void;
  /** Writes what was taken: facts alone, or all of it. */
  write(what: 'facts' | 'all'): Promise<void>;
  /** Forgets everything, what was taken too. */
  crash(): void;
};

export function createOwner(
  store: DrivenStore,
  log: readonly UnitRecord[],
  cacheLimits: CacheLimits,
  partitionId = 0,
): Owner {
  let state: PartitionState | undefined;
  let at = 0;
  let fastForwards = 0;
  let flying: { flush: FlushRows; of: PartitionState; facts: boolean } | undefined;
  const load = async (): Promise<PartitionState> => {
    state = await loadPartition(store, partitionId);
    at = state.position / 4096;
    return state;
  };
  const owner: Owner = {
    get at() {
      return at;
    },
    get state() {
      return state ?? createPartitionState(partitionId);
    },
    get fastForwards() {
      return fastForwards;
    },
    fold: async (count) => {
      let mine = state ?? (await load());
      for (let attempt = 0; ; attempt += 1) {
        if (attempt > 5) throw new Error('a load does not help: the store is ahead of its own checkpoint');
        const batch = log.slice(at, at + count);
        if (batch.length === 0) return;
        if ((await prefetch(store, mine, batch, positionOf(at), cacheLimits)) !== 'behind') {
          for (const record of batch) foldRecord(mine, record, positionOf(at++));
          return;
        }
        fastForwards += 1;
        mine = await load();
      }
    },
    take: () => {
      if (state === undefined || flying !== undefined || state.position === 0) return;
      flying = { flush: takeFlushRows(state, positionOf(at)), of: state, facts: false };
    },
    write: async (what) => {
      if (flying === undefined) return;
      if (!flying.facts) await store.writeFacts(flying.flush);
      flying.facts = true;
      if (what === 'facts') return;
      await store.writeState(flying.flush);
      flying.of.durable = flying.flush.taken;
      flying = undefined;
    },
    crash: () => {
      state = undefined;
      flying = undefined;
      at = 0;
    },
  };
  return owner;
}

/** Everything folded in memory, flushed once: what any other way of folding must agree with. */
export function foldEagerly(
  log: readonly UnitRecord[],
  partitionId = 0,
): { readonly state: PartitionState; readonly store: MemoryState } {
  const state = createPartitionState(partitionId);
  for (const [offset, record] of log.entries()) foldRecord(state, record, positionOf(offset));
  const store = createMemoryState();
  const flush = takeFlushRows(state, positionOf(log.length));
  store.writeFacts(flush);
  store.writeState(flush);
  return { state, store };
}

/**
 * What counts of a table: the highest version of each row, without the version, and the facts below the checkpoint,
 * each once.
 */
export function contentsOf(
  store: MemoryState,
  below: number,
): { readonly rows: readonly string[]; readonly facts: readonly string[] } {
  const rows = [...store.rows.values()].map(({ position: _ver, ...row }) => JSON.stringify(row)).sort();
  const facts = [
    ...new Set(store.facts.filter(({ position }) => position < positionOf(below)).map((fact) => JSON.stringify(fact))),
  ].sort();
  return { rows, facts };
}

/** An owner's last flush, until everything is in the store. */
export async function finish(owner: Owner, log: readonly UnitRecord[]): Promise<void> {
  await owner.write('all');
  do {
    await owner.fold(5);
    owner.take();
    await owner.write('all');
  } while (owner.at < log.length);
}
