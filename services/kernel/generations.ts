/**
 * Generations of the state that is computed from the unit log. A new generation begins when the log gets more
 * partitions (a new topic, whose state was divided from the old one's) or when a log is read again from its beginning.
 * Every partition of every generation has a number of its own, the partition id, which rows and version vectors carry.
 * So no row of one generation replaces a row of another: whatever makes a generation can be killed and run again, and
 * earlier decisions keep what they rest on.
 */
import { bucketCount } from './ids.ts';

export type Generation = {
  readonly generation: number;
  /** Without the prefix: `unit.v1`, `unit.v1.g1`. */
  readonly topic: string;
  /** Ids `firstPartitionId` to `firstPartitionId + partitions - 1`, in the order of the topic's partitions. */
  readonly firstPartitionId: number;
  readonly partitions: number;
  /** The generation whose state it was divided from; -1: it begins with its topic. */
  readonly parent: number;
  /** Last position of each of the parent's partitions; empty until it is known. */
  readonly ends: readonly number[];
  /**
   * 0 planned: its ids are taken. 1: its state has been divided from its parent's. 2: open. The highest open generation
   * is what everybody reads.
   */
  readonly step: 0 | 1 | 2;
};

export const firstTopic = 'unit.v1';

/** The topic that a change of partitions makes, without the prefix: `unit.v1.g1`; `unit.v1` for the first. */
export const unitTopic = (generation: number): string =>
  generation === 0 ? firstTopic : `${firstTopic}.g${generation}`;

/** Which of the unit log's topics it is, the other way round; undefined: none of them. `topic`: without the prefix. */
export function generationOfTopic(topic: string): number | undefined {
  if (topic === firstTopic) return 0;
  const digits = /^unit\.v1\.g(\d{1,9})$/.exec(topic)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
export const firstGeneration = (partitions: number): Generation => ({
  generation: 0,
  topic: firstTopic,
  firstPartitionId: 0,
  partitions,
  parent: -1,
  ends: [],
  step: 2,
});

export const openGeneration = (generations: readonly Generation[]): Generation | undefined =>
  generations.filter(({ step }) => step === 2).sort((a, b) => b.generation - a.generation)[0];

export const holdsPartition = ({ firstPartitionId, partitions }: Generation, partitionId: number): boolean =>
  partitionId >= firstPartitionId && partitionId < firstPartitionId + partitions;

/** Ids of its partitions, in their order. */
export const partitionIdsOf = ({ firstPartitionId, partitions }: Generation): number[] =>
  Array.from({ length: partitions }, (_, partition) => firstPartitionId + partition);

/** From the generation that began with its topic to this one. */
export function chainOf(generations: readonly Generation[], generation: Generation): readonly Generation[] {
  const parent = generations.find((other) => other.generation === generation.parent);
  return parent === undefined ? [generation] : [...chainOf(generations, parent), generation];
}

/** A partition that events may lie in, up to a position (exclusive). */
export type PartitionRange = { readonly partitionId: number; readonly below: number };

/**
 * Where earlier events of a partition's units lie, oldest first: the partitions that it was divided from, each up to
 * its end.
 */
export function ancestorsOf(
  generations: readonly Generation[],
  generation: Generation,
  partition: number,
): readonly PartitionRange[] {
  const parent = generations.find((other) => other.generation === generation.parent);
  if (parent === undefined) return [];
  const from = parentPartition(parent, generation, partition);
  return [
    ...ancestorsOf(generations, parent, from),
    { partitionId: parent.firstPartitionId + from, below: generation.ends[from] ?? 0 },
  ];
}

/** floor(bucket * P / 4096) splits ranges exactly when P is multiplied: partition p becomes k p to k p + k - 1. */
export const parentPartition = (parent: Generation, child: Generation, partition: number): number =>
  Math.floor((partition * parent.partitions) / child.partitions);

/** What a partition inherits from the one it was divided from. */
export type ChildPartition = {
  readonly partitionId: number;
  /** Its units: buckets from `first` to `last`, both included. */
  readonly first: number;
  readonly last: number;
  /** Sums over units stay whole, with the first child; the others begin at zero. */
  readonly isFirst: boolean;
};

export function childrenOf(parent: Generation, child: Generation, partition: number): readonly ChildPartition[] {
  const factor = child.partitions / parent.partitions;
  return Array.from({ length: factor }, (_, index): ChildPartition => {
    const mine = partition * factor + index;
    const from = (at: number): number => Math.ceil((at * bucketCount) / child.partitions);
    return {
      partitionId: child.firstPartitionId + mine,
      first: from(mine),
      last: from(mine + 1) - 1,
      isFirst: index === 0,
    };
  });
}

/**
 * How many partitions of a generation stand for one of the first generation of its chain. Only the sums of such sibling
 * partitions together are what their units say.
 */
export const siblingsOf = (generations: readonly Generation[], generation: Generation): number =>
  generation.partitions / (chainOf(generations, generation)[0]?.partitions ?? generation.partitions);
