import { chainOf, type Generation, type PartitionRange } from '../kernel/generations.ts';

/**
 * Where the facts of a version vector lie: its own partitions up to it, and those they were divided from up to their
 * ends.
 */
export const rangesOf = (
  generations: readonly Generation[],
  generation: Generation,
  upTo: ReadonlyMap<number, number>,
): PartitionRange[] => {
  const chain = chainOf(generations, generation);
  return [
    ...chain.slice(1).flatMap((child, index) =>
      child.ends.map((below, partition) => ({
        partitionId: (chain[index]?.firstPartitionId ?? 0) + partition,
        below,
      })),
    ),
    ...[...upTo].map(([partitionId, below]) => ({ partitionId, below })),
  ];
};
