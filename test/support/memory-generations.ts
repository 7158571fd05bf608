/**
 * Changes of generation without a broker or an engine: the unit log's topics as arrays, the joiner's store in memory,
 * the command's own steps between them. Before each of its writes it may be told to die: what had been written stays,
 * everything else is forgotten.
 */
import type { UnitRecord } from '../../schemas/generated.ts';
import type { GenerationPort } from '../../services/joiner/change-generation.ts';
import {
  ancestorsOf,
  type Generation,
  firstGeneration,
  holdsPartition,
  openGeneration,
} from '../../services/kernel/generations.ts';
import { partitionOf } from '../../services/kernel/ids.ts';
import type { CacheLimits } from '../../services/joiner/prefetch.ts';
import type { RefoldRecord } from '../../services/joiner/refold.ts';
import { createOwner, type DrivenStore } from './joiner-driver.ts';
import { createMemoryState, type MemoryState, type StateRowRead } from './memory-state.ts';
import { tick } from './unit-log.ts';

export class Died extends Error {}

export type MemoryGenerations = GenerationPort & {
  /** Appends to the newest topic, as writers do; a record without a bucket goes to every partition. */
  append(records: readonly UnitRecord[]): void;
  /** The open generation's joiner folds and flushes everything there is, or up to `until` of each partition. */
  join(until?: number): Promise<void>;
  /** Rows of the open generation. */
  rows(): StateRowRead[];
  readonly facts: readonly { readonly partitionId: number; readonly id: string; readonly unit: string }[];
  open(): Generation;
  /** Messages of a topic below an offset of each partition. */
  read(topic: string, until: readonly number[]): Promise<readonly RefoldRecord[]>;
  /** The write after the next `writes` dies; undefined: none does. */
  dieAfter(writes: number | undefined): void;
  readonly deaths: number;
};

type Write = (what: () => void) => void;
type UnitLog = UnitRecord[][];

/** Writes, the one after the next `dieAfter` of which dies. */
function createMortalWrites() {
  let left: number | undefined;
  let deaths = 0;
  const write: Write = (what) => {
    if (left === 0) {
      left = undefined;
      deaths += 1;
      throw new Died();
    }
    if (left !== undefined) left -= 1;
    what();
  };
  const dieAfter = (writes: number | undefined): void => {
    left = writes;
  };
  return { write, dieAfter, deaths: () => deaths };
}

/** The joiner's store, of which every write may die. */
const createMortalStore = (memory: MemoryState, write: Write): DrivenStore => ({
  ...memory,
  writeFacts: (flush) => write(() => memory.writeFacts(flush)),
  writeState: (flush) => write(() => memory.writeState(flush)),
  // An INSERT ... SELECT may die after some of its rows.
  inherit: async (from, child) => {
    const middle = child.first + Math.floor((child.last - child.first) / 2);
    write(() => void memory.inherit(from, { ...child, last: middle, isFirst: false }));
    write(() => void memory.inherit(from, child));
  },
  write: async (flushes) => {
    for (const flush of flushes) write(() => memory.writeFacts(flush));
    for (const flush of flushes) write(() => memory.writeState(flush));
  },
});

/** The unit log's topics, oldest first. */
function createTopics(partitions: number, write: Write) {
  const topics = new Map<string, UnitLog>([['unit.v1', Array.from({ length: partitions }, () => [])]]);
  const logOf = (topic: string): UnitLog => topics.get(topic) as UnitLog;
  const newest = (): UnitLog => [...topics.values()].at(-1) as UnitLog;
  const append: MemoryGenerations['append'] = (records) => {
    const log = newest();
    for (const record of records) {
      if (record.bucket === undefined || record.bucket < 0) for (const partition of log) partition.push(record);
      else log[partitionOf(record.bucket, log.length)]?.push(record);
    }
  };
  const read: MemoryGenerations['read'] = async (topic, until) =>
    logOf(topic).flatMap((log, partition) =>
      log.slice(0, until[partition]).map((record, offset) => ({ partition, offset, records: [record] })),
    );
  const createTopic: GenerationPort['createTopic'] = async ({ topic, partitions: count }) =>
    write(() => {
      if (!topics.has(topic))
        topics.set(
          topic,
          Array.from({ length: count }, () => []),
        );
    });
  const offsets: GenerationPort['offsets'] = async ({ topic }) =>
    logOf(topic).map(({ length }) => ({ first: 0, next: length }));
  const tickAll: GenerationPort['tick'] = async ({ topic }, clocks) => {
    for (const [partition, log] of logOf(topic).entries()) write(() => log.push(tick(clocks[partition] ?? 0)));
  };
  return { logOf, port: { append, read, createTopic, offsets, tick: tickAll } };
}

export function createMemoryGenerations(partitions: number, cacheLimits: CacheLimits): MemoryGenerations {
  let generations: readonly Generation[] = [firstGeneration(partitions)];
  let known: readonly Generation[] = generations;
  const { write, dieAfter, deaths } = createMortalWrites();
  const { logOf, port } = createTopics(partitions, write);
  const memory = createMemoryState((partitionId) => {
    const generation = known.find((other) => holdsPartition(other, partitionId));
    return generation === undefined ? [] : ancestorsOf(known, generation, partitionId - generation.firstPartitionId);
  });
  const store = createMortalStore(memory, write);
  const open = (): Generation => openGeneration(generations) as Generation;
  const fold: GenerationPort['fold'] = async (generation, all, until) => {
    known = all;
    for (const [partition, log] of logOf(generation.topic).entries()) {
      const upTo = log.slice(0, until[partition]);
      const owner = createOwner(store, upTo, cacheLimits, generation.firstPartitionId + partition);
      for (;;) {
        await owner.fold(7);
        owner.take();
        await owner.write('facts');
        await owner.write('all');
        if (owner.at >= upTo.length) break;
      }
    }
  };
  return {
    ...port,
    fold,
    open,
    dieAfter,
    get facts() {
      return memory.facts;
    },
    get deaths() {
      return deaths();
    },
    join: (until) =>
      fold(
        open(),
        generations,
        logOf(open().topic).map(({ length }) => until ?? length),
      ),
    rows: () => [...memory.rows.values()].filter(({ partitionId }) => holdsPartition(open(), partitionId)),
    generations: async () => generations,
    write: async (changed) =>
      write(() => {
        generations = [
          ...generations.filter(({ generation }) => !changed.some((other) => other.generation === generation)),
          ...changed,
        ];
      }),
    running: async () => [],
    store: (all) => {
      known = all;
      return store;
    },
    say: () => {},
  };
}
