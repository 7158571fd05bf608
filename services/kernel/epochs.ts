/**
 * Epochs: generations of what is folded from the unit log. Another number of partitions is a new topic whose state was
 * divided from the old one's; a rebuild folds topics that are there again. Every partition of every epoch has a number
 * of its own, `part`, which rows and version vectors carry: no row of one epoch ever replaces a row of another, so that
 * whatever makes an epoch can be killed and run again, and earlier decisions keep what they rest on.
 */
import { bucketCount } from './ids.ts';

export type Epoch = {
  readonly epoch: number;
  /** Without the prefix: `unit.v1`, `unit.v1.e1`. */
  readonly topic: string;
  /** Parts `firstPart` to `firstPart + partitions - 1`, in the order of the topic's partitions. */
  readonly firstPart: number;
  readonly partitions: number;
  /** The epoch whose state it was divided from; -1: it begins with its topic. */
  readonly parent: number;
  /** Final version of each of the parent's partitions; empty until it is known. */
  readonly ends: readonly number[];
  /**
   * 0 planned: its numbers are taken. 1: its state has been divided from its parent's. 2: open. The highest open epoch
   * is what everybody reads.
   */
  readonly step: 0 | 1 | 2;
};

export const firstTopic = 'unit.v1';
export const firstEpoch = (partitions: number): Epoch => ({
  epoch: 0,
  topic: firstTopic,
  firstPart: 0,
  partitions,
  parent: -1,
  ends: [],
  step: 2,
});

export const openEpoch = (epochs: readonly Epoch[]): Epoch | undefined =>
  epochs.filter(({ step }) => step === 2).sort((a, b) => b.epoch - a.epoch)[0];

export const holdsPart = ({ firstPart, partitions }: Epoch, part: number): boolean =>
  part >= firstPart && part < firstPart + partitions;

/** From the epoch that began with its topic to this one. */
export function chainOf(epochs: readonly Epoch[], epoch: Epoch): readonly Epoch[] {
  const parent = epochs.find((other) => other.epoch === epoch.parent);
  return parent === undefined ? [epoch] : [...chainOf(epochs, parent), epoch];
}

/** A part that a partition's events may lie in, up to a version (exclusive). */
export type PartRange = { readonly part: number; readonly below: number };

/**
 * Where earlier events of a partition's units lie, oldest first: the parts that its part was divided from, up to their
 * ends.
 */
export function ancestorsOf(epochs: readonly Epoch[], epoch: Epoch, partition: number): readonly PartRange[] {
  const parent = epochs.find((other) => other.epoch === epoch.parent);
  if (parent === undefined) return [];
  const from = parentPartition(parent, epoch, partition);
  return [...ancestorsOf(epochs, parent, from), { part: parent.firstPart + from, below: epoch.ends[from] ?? 0 }];
}

/** floor(bucket * P / 4096) splits ranges exactly when P is multiplied: partition p becomes k p to k p + k - 1. */
export const parentPartition = (parent: Epoch, child: Epoch, partition: number): number =>
  Math.floor((partition * parent.partitions) / child.partitions);

/** What a part inherits from the part it was divided from. */
export type Heir = {
  readonly part: number;
  /** Its units: buckets from `first` to `last`, both included. */
  readonly first: number;
  readonly last: number;
  /** Sums over units stay whole, with the first heir; the others begin at zero. */
  readonly eldest: boolean;
};

export function heirsOf(parent: Epoch, child: Epoch, partition: number): readonly Heir[] {
  const factor = child.partitions / parent.partitions;
  return Array.from({ length: factor }, (_, index): Heir => {
    const mine = partition * factor + index;
    const from = (at: number): number => Math.ceil((at * bucketCount) / child.partitions);
    return { part: child.firstPart + mine, first: from(mine), last: from(mine + 1) - 1, eldest: index === 0 };
  });
}

/**
 * How many partitions of an epoch stand for one of the first epoch of its chain: only their sums together are what
 * their units say.
 */
export const familyOf = (epochs: readonly Epoch[], epoch: Epoch): number =>
  epoch.partitions / (chainOf(epochs, epoch)[0]?.partitions ?? epoch.partitions);
