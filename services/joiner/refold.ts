/**
 * The unit log folded once more in memory, up to a version vector, through every generation that its partitions were
 * divided from: what `verify` compares a decision with.
 */
import type { UnitRecord } from '../../schemas/generated.ts';
import { ancestorsOf, chainOf, type Generation, holdsPartition, partitionIdsOf } from '../kernel/generations.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import { divideGeneration } from './divide.ts';
import { takeFlushRows } from './flush-rows.ts';
import { foldRecord } from './fold.ts';
import { createMemoryState, type MemoryState } from './joiner-store.memory.ts';
import { loadPartition, prefetch } from './load-partition.ts';
import { createPartitionState, type PartitionState } from './partition-state.ts';

export type RefoldRecord = {
  readonly partition: number;
  readonly offset: number;
  readonly records: readonly UnitRecord[];
};
/** Messages of a topic below an offset of each partition, in order. */
export type ReadTopic = (topic: string, until: readonly number[]) => Promise<readonly RefoldRecord[]>;

const everything = { units: Number.MAX_SAFE_INTEGER, events: Number.MAX_SAFE_INTEGER };

/** A store whose look-ups reach the partitions that each one was divided from. */
const storeOf = (chain: readonly Generation[]): MemoryState =>
  createMemoryState((partitionId) => {
    const owner = chain.find((other) => holdsPartition(other, partitionId));
    return owner === undefined ? [] : ancestorsOf(chain, owner, partitionId - owner.firstPartitionId);
  });

/** `upTo`: position by partition id of `generation`. The partitions come back as a look reads them. */
export async function refold(
  generations: readonly Generation[],
  generation: Generation,
  upTo: ReadonlyMap<number, number>,
  read: ReadTopic,
): Promise<readonly PartitionState[]> {
  const chain = chainOf(generations, generation);
  const store = storeOf(chain);
  let partitions: readonly PartitionState[] = [];
  for (const [index, current] of chain.entries()) {
    const child = chain[index + 1];
    const ends = partitionIdsOf(current).map((partitionId, partition) =>
      child === undefined ? (upTo.get(partitionId) ?? 0) : (child.ends[partition] ?? 0),
    );
    partitions = await foldGeneration(store, current, ends, index > 0, read);
    const flushes = partitions.map((partition, number) => takeFlushRows(partition, ends[number] ?? 0));
    if (child === undefined) continue;
    // A partition that never had a record has no checkpoint either.
    await store.write(flushes.filter((_, number) => (ends[number] ?? 0) > 0));
    await divideGeneration(store, current, child);
  }
  return partitions;
}

/** What was never divided is folded as it always was: everything in memory, nothing looked up. */
async function foldGeneration(
  store: MemoryState,
  generation: Generation,
  ends: readonly number[],
  isDivided: boolean,
  read: ReadTopic,
): Promise<readonly PartitionState[]> {
  const states = await Promise.all(
    partitionIdsOf(generation).map(async (partitionId) =>
      isDivided ? loadPartition(store, partitionId) : createPartitionState(partitionId),
    ),
  );
  const until = ends.map((position) => Math.ceil(position / positionsPerOffset));
  for (const { partition, offset, records } of await read(generation.topic, until)) {
    const state = states[partition];
    if (state === undefined) continue;
    const position = offset * positionsPerOffset;
    if (isDivided) await prefetch(store, state, records, position, everything);
    for (const [index, record] of records.entries()) foldRecord(state, record, position + index);
  }
  return states;
}
