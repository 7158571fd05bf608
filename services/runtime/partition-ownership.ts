/**
 * A partition of a stage that keeps state, at the process that owns it.
 *
 * States: not ours -> loading (from its checkpoint in the store) -> active -> not ours (a rebalance takes all back;
 * what is not flushed is dropped, and the next owner folds it again).
 *
 * An active partition may find the store ahead of itself: somebody else owned it meanwhile. It is then behind, and
 * fast-forwarding as soon as somebody asks for it: its memory is dropped, the store's state is loaded, folding goes on
 * from there and skips what the store already has. Then it is active again.
 */
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import { retryUntilAborted } from './retry.ts';
import type { StageCounts } from './stage.ts';
import type { StageLifecycle, Work } from './stage-lifecycle.ts';
import { beginWork, isClosed } from './stage-lifecycle.ts';

type Standing =
  | { readonly kind: 'active' }
  | { readonly kind: 'behind' }
  | { readonly kind: 'fast-forwarding'; readonly done: Promise<void> };

export type OwnedPartition<State> = {
  readonly partition: number;
  standing: Standing;
  state: State;
  /** Next offset to fold. */
  next: number;
  /** Next offset whose predecessors are all durable. */
  flushed: number;
  /** Next offset that the group was told of; -1: of none. */
  committed: number;
  /** Records folded and not flushed. */
  unflushed: number;
  /** A chunk of it is being folded. */
  busy: boolean;
  /** When it last had a record, or a tick instead. */
  touchedAt: number;
};

type Loaded<State> = { readonly state: State; readonly offset: number };

export type Ownership<State> = {
  readonly lifecycle: StageLifecycle;
  readonly counts: StageCounts;
  readonly load: (partition: number) => Promise<Loaded<State>>;
  readonly owned: Map<number, OwnedPartition<State>>;
  /** The latest load of each partition. */
  readonly loads: Map<number, symbol>;
  /** Partitions that wait for a flush: enough is folded and not written. */
  readonly blocked: Set<() => void>;
  fastForwards: number;
};

export const createOwnership = <State>(
  deps: Pick<Ownership<State>, 'lifecycle' | 'counts' | 'load'>,
): Ownership<State> => ({ ...deps, owned: new Map(), loads: new Map(), blocked: new Set(), fastForwards: 0 });

const active: Standing = { kind: 'active' };
const behind: Standing = { kind: 'behind' };

export const isBehind = ({ standing }: { readonly standing: Standing }): boolean => standing.kind !== 'active';

/** The store is ahead of it. */
export function fallBehind(mine: { standing: Standing }): void {
  if (mine.standing.kind === 'active') mine.standing = behind;
}

export const isAheadOf = (checkpoint: number | undefined, { next }: { readonly next: number }): boolean =>
  (checkpoint ?? 0) > next * positionsPerOffset;

/** Records of all partitions that are folded and not flushed. */
export function pendingRecords({ owned }: { readonly owned: Ownership<unknown>['owned'] }): number {
  let pending = 0;
  for (const { unflushed } of owned.values()) pending += unflushed;
  return pending;
}

/** Whoever waits for a flush looks again. */
export function unblock({ blocked }: { readonly blocked: Set<() => void> }): void {
  for (const go of blocked) go();
  blocked.clear();
}

/** What is folded and not flushed counts as never taken in. */
function forget(counts: StageCounts, mine: { unflushed: number }): void {
  counts.waiting -= mine.unflushed;
  counts.in -= mine.unflushed;
  mine.unflushed = 0;
}

/** not ours -> loading -> active; the first offset to read, or undefined when it was taken back meanwhile. */
export async function takeOver<State>(ownership: Ownership<State>, partition: number): Promise<number | undefined> {
  const { lifecycle, loads, owned } = ownership;
  const work = beginWork(lifecycle);
  const ask = Symbol();
  loads.set(partition, ask);
  // A load that was given up when its session seemed lost must not land on top of a later one.
  const isOver = (): boolean => work.isStale() || loads.get(partition) !== ask;
  const loaded = await retryUntilAborted(async () => ownership.load(partition), {
    abandoned: () => isClosed(lifecycle) || isOver(),
    onWaiting: work.onWaiting,
  });
  if (loaded === undefined || isOver()) return undefined;
  owned.set(partition, {
    partition,
    standing: active,
    state: loaded.state,
    next: loaded.offset,
    flushed: loaded.offset,
    committed: -1,
    unflushed: 0,
    busy: false,
    touchedAt: lifecycle.clock.now(),
  });
  return loaded.offset;
}

/** behind -> fast-forwarding -> active. Whoever asks meanwhile waits for the same load. */
export function fastForward<State>(
  ownership: Ownership<State>,
  mine: OwnedPartition<State>,
  work: Work,
): Promise<void> {
  if (mine.standing.kind === 'fast-forwarding') return mine.standing.done;
  const done = (async () => {
    const loaded = await retryUntilAborted(async () => ownership.load(mine.partition), work);
    if (loaded === undefined || work.abandoned()) return;
    forget(ownership.counts, mine);
    mine.state = loaded.state;
    mine.next = loaded.offset;
    mine.flushed = loaded.offset;
    mine.standing = active;
    ownership.fastForwards += 1;
    unblock(ownership);
  })();
  mine.standing = { kind: 'fast-forwarding', done };
  return done;
}

/** active -> not ours, all of them. */
export function takeBackAll(ownership: Ownership<unknown>): void {
  ownership.lifecycle.rebalance += 1;
  for (const mine of ownership.owned.values()) forget(ownership.counts, mine);
  ownership.owned.clear();
  unblock(ownership);
}
