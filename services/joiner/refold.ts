/**
 * The unit log folded once more in memory, up to a version vector, through every epoch that its parts were divided
 * from: what `verify` compares a decision with.
 */
import type { UnitRecord } from '../../schemas/generated.ts';
import { ancestorsOf, chainOf, type Epoch, holdsPart } from '../kernel/epochs.ts';
import { positionsPerOffset } from '../kernel/state-rows.ts';
import { divideEpoch } from './divide.ts';
import { foldRecord } from './fold.ts';
import { createPartitionFold, type PartitionFold } from './fold-state.ts';
import { createMemoryState } from './joiner-store.memory.ts';
import { loadPartition, makePresent } from './load-partition.ts';
import { takeFlushRows } from './rows.ts';

export type RefoldRecord = {
  readonly partition: number;
  readonly offset: number;
  readonly records: readonly UnitRecord[];
};

const everything = { units: Number.MAX_SAFE_INTEGER, events: Number.MAX_SAFE_INTEGER };

/**
 * `upTo`: version by part of `epoch`. `read`: messages of a topic below an offset of each partition, in order. The
 * partitions as a look reads them.
 */
export async function refold(
  epochs: readonly Epoch[],
  epoch: Epoch,
  upTo: ReadonlyMap<number, number>,
  read: (topic: string, until: readonly number[]) => Promise<readonly RefoldRecord[]>,
): Promise<readonly PartitionFold[]> {
  const chain = chainOf(epochs, epoch);
  const store = createMemoryState((part) => {
    const owner = chain.find((other) => holdsPart(other, part));
    return owner === undefined ? [] : ancestorsOf(chain, owner, part - owner.firstPart);
  });
  let partitions: readonly PartitionFold[] = [];
  for (const [index, current] of chain.entries()) {
    const child = chain[index + 1];
    const parts = Array.from({ length: current.partitions }, (_, partition) => current.firstPart + partition);
    const ends = parts.map((part, partition) =>
      child === undefined ? (upTo.get(part) ?? 0) : (child.ends[partition] ?? 0),
    );
    // What was never divided is folded as it always was: everything in memory, nothing looked up.
    const folds = await Promise.all(
      parts.map(async (part) => (index === 0 ? createPartitionFold(part) : loadPartition(store, part))),
    );
    for (const { partition, offset, records } of await read(
      current.topic,
      ends.map((ver) => Math.ceil(ver / positionsPerOffset)),
    )) {
      const fold = folds[partition];
      if (fold === undefined) continue;
      if (index > 0) await makePresent(store, fold, records, offset * positionsPerOffset, everything);
      for (const [at, record] of records.entries()) foldRecord(fold, record, offset * positionsPerOffset + at);
    }
    const flushes = folds.map((fold, partition) => takeFlushRows(fold, ends[partition] ?? 0));
    if (child !== undefined) {
      // A partition that never had a record has no checkpoint either.
      await store.write(flushes.filter((_, partition) => (ends[partition] ?? 0) > 0));
      await divideEpoch(store, current, child);
    }
    partitions = folds;
  }
  return partitions;
}
