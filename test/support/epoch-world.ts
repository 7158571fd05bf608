/**
 * Changes of epoch without a broker or an engine: the unit log's topics as arrays, the joiner's store in memory, the
 * command's own steps between them. Before each of its writes it may be told to die: what had been written stays,
 * everything else is forgotten.
 */
import type { UnitRecord } from '../../schemas/generated.ts';
import type { EpochWorld } from '../../services/joiner/change-epoch.ts';
import { ancestorsOf, type Epoch, firstEpoch, holdsPart, openEpoch } from '../../services/kernel/epochs.ts';
import { partitionOf } from '../../services/kernel/ids.ts';
import type { Residency } from '../../services/joiner/presence.ts';
import type { RefoldRecord } from '../../services/joiner/refold.ts';
import { createOwner, type DrivenStore } from './fold-driver.ts';
import { createMemoryState, type StateRowRead } from './memory-state.ts';
import { tick } from './unit-log.ts';

export class Died extends Error {}

export type MemoryEpochs = EpochWorld & {
  /** Appends to the newest topic, as writers do; a record without a bucket goes to every partition. */
  append(records: readonly UnitRecord[]): void;
  /** The open epoch's joiner folds and flushes everything there is, or up to `until` of each partition. */
  join(until?: number): Promise<void>;
  /** Rows of the open epoch. */
  rows(): StateRowRead[];
  readonly facts: readonly { readonly part: number; readonly id: string; readonly unit: string }[];
  open(): Epoch;
  /** Messages of a topic below an offset of each partition. */
  read(topic: string, until: readonly number[]): Promise<readonly RefoldRecord[]>;
  /** The write after the next `writes` dies; undefined: none does. */
  dieAfter(writes: number | undefined): void;
  readonly deaths: number;
};

export function createMemoryEpochs(partitions: number, residency: Residency): MemoryEpochs {
  let epochs: readonly Epoch[] = [firstEpoch(partitions)];
  const topics = new Map<string, UnitRecord[][]>([['unit.v1', Array.from({ length: partitions }, () => [])]]);
  let writesLeft: number | undefined;
  let deaths = 0;
  const write = (what: () => void): void => {
    if (writesLeft === 0) {
      writesLeft = undefined;
      deaths += 1;
      throw new Died();
    }
    if (writesLeft !== undefined) writesLeft -= 1;
    what();
  };
  let known: readonly Epoch[] = epochs;
  const memory = createMemoryState((part) => {
    const epoch = known.find((other) => holdsPart(other, part));
    return epoch === undefined ? [] : ancestorsOf(known, epoch, part - epoch.firstPart);
  });
  const store: DrivenStore = {
    ...memory,
    writeFacts: (flush) => write(() => memory.writeFacts(flush)),
    writeState: (flush) => write(() => memory.writeState(flush)),
    // An INSERT ... SELECT may die after some of its rows.
    inherit: async (from, heir) => {
      const middle = heir.first + Math.floor((heir.last - heir.first) / 2);
      write(() => void memory.inherit(from, { ...heir, last: middle, eldest: false }));
      write(() => void memory.inherit(from, heir));
    },
    write: async (flushes) => {
      for (const flush of flushes) write(() => memory.writeFacts(flush));
      for (const flush of flushes) write(() => memory.writeState(flush));
    },
  };
  const open = (): Epoch => openEpoch(epochs) as Epoch;
  const newest = (): UnitRecord[][] => [...topics.values()].at(-1) as UnitRecord[][];
  const fold: EpochWorld['fold'] = async (epoch, all, until) => {
    known = all;
    for (const [partition, log] of (topics.get(epoch.topic) as UnitRecord[][]).entries()) {
      const upTo = log.slice(0, until[partition]);
      const owner = createOwner(store, upTo, residency, epoch.firstPart + partition);
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
    fold,
    open,
    read: async (topic, until) =>
      (topics.get(topic) as UnitRecord[][]).flatMap((log, partition) =>
        log.slice(0, until[partition]).map((record, offset) => ({ partition, offset, records: [record] })),
      ),
    get facts() {
      return memory.facts;
    },
    get deaths() {
      return deaths;
    },
    dieAfter: (writes) => {
      writesLeft = writes;
    },
    append: (records) => {
      const log = newest();
      for (const record of records) {
        if (record.bucket === undefined || record.bucket < 0) for (const partition of log) partition.push(record);
        else log[partitionOf(record.bucket, log.length)]?.push(record);
      }
    },
    join: (until) =>
      fold(
        open(),
        epochs,
        Array.from(
          { length: open().partitions },
          (_, partition) => until ?? topics.get(open().topic)?.[partition]?.length ?? 0,
        ),
      ),
    rows: () => [...memory.rows.values()].filter(({ part }) => holdsPart(open(), part)),
    epochs: async () => epochs,
    write: async (changed) =>
      write(() => {
        epochs = [...epochs.filter(({ epoch }) => !changed.some((other) => other.epoch === epoch)), ...changed];
      }),
    running: async () => [],
    createTopic: async (epoch) =>
      write(() => {
        if (!topics.has(epoch.topic))
          topics.set(
            epoch.topic,
            Array.from({ length: epoch.partitions }, () => []),
          );
      }),
    offsets: async (epoch) =>
      (topics.get(epoch.topic) as UnitRecord[][]).map(({ length }) => ({ first: 0, next: length })),
    tick: async (epoch, clocks) => {
      for (const [partition, log] of (topics.get(epoch.topic) as UnitRecord[][]).entries())
        write(() => log.push(tick(clocks[partition] ?? 0)));
    },
    store: (all) => {
      known = all;
      return store;
    },
    say: () => {},
  };
}
