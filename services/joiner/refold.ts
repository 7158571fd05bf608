/**
 * The unit log folded once more in memory, up to a version vector, through every generation that its parts were divided
 * from: what `verify` compares a decision with.
 */
import type { UnitRecord } from '../../schemas/generated.ts';
import { ancestorsOf, chainOf, type Generation, holdsPartition } from '../kernel/generations.ts';
import { positionsPerOffset } from '../kernel/state-rows.ts';
import { divideGeneration } from './divide.ts';
import { foldRecord } from './fold.ts';
import { createPartitionState, type PartitionState } from './partition-state.ts';
import { createMemoryState } from './joiner-store.memory.ts';
import { loadPartition, prefetch } from './load-partition.ts';
import { takeFlushRows } from './rows.ts';

export type RefoldRecord = {
  readonly partition: number;
  readonly offset: number;
  readonly records: readonly UnitRecord[];
};

const everything = { units: Number.MAX_SAFE_INTEGER, events: Number.MAX_SAFE_INTEGER };

/**
 * `upTo`: version by part of `generation`. `read`: messages of a topic below an offset of each partition, in order. The
 * partitions as a look reads them.
 */
export async function refold(
  generations: readonly Generation[],
  generation: Generation,
  upTo: ReadonlyMap<number, number>,
  read: (topic: string, until: readonly number[]) => Promise<readonly RefoldRecord[]>,
): Promise<readonly PartitionState[]> {
  const chain = chainOf(generations, generation);
  const store = createMemoryState((partitionId) => {
    const owner = chain.find((other) => holdsPartition(other, partitionId));
    return owner === undefined ? [] : ancestorsOf(chain, owner, partitionId - owner.firstPartitionId);
  });
  let partitions: readonly PartitionState[] = [];
  for (const [index, current] of chain.entries()) {
    const child = chain[index + 1];
    const partitionIds = Array.from(
      { length: current.partitions },
      (_, partition) => current.firstPartitionId + partition,
    );
    const ends = partitionIds.map((partitionId, partition) =>
      child === undefined ? (upTo.get(partitionId) ?? 0) : (child.ends[partition] ?? 0),
    );
    // What was never divided is folded as it always was: everything in memory, nothing looked up.
    const folds = await Promise.all(
      partitionIds.map(async (partitionId) =>
        index === 0 ? createPartitionState(partitionId) : loadPartition(store, partitionId),
      ),
    );
    for (const { partition, offset, records } of await read(
      current.topic,
      ends.map((position) => Math.ceil(position / positionsPerOffset)),
    )) {
      const fold = folds[partition];
      if (fold === undefined) continue;
      if (index > 0) await prefetch(store, fold, records, offset * positionsPerOffset, everything);
      for (const [at, record] of records.entries()) foldRecord(fold, record, offset * positionsPerOffset + at);
    }
    const flushes = folds.map((fold, partition) => takeFlushRows(fold, ends[partition] ?? 0));
    if (child !== undefined) {
      // A partition that never had a record has no checkpoint either.
      await store.write(flushes.filter((_, partition) => (ends[partition] ?? 0) > 0));
      await divideGeneration(store, current, child);
    }
    partitions = folds;
  }
  return partitions;
}
