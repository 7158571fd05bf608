/** The joiner's store in memory as a trial harms it, and the writes that a flush is made of. */
import type { JoinerStore } from '../../../services/joiner/joiner-store.ts';
import type { FlushRows } from '../../../services/joiner/flush-rows.ts';
import { createMemoryState, type MemoryState, readStateRows, type StateRowRead } from '../../support/memory-state.ts';
import type { Build } from './build.ts';

export type FaultStore = {
  readonly memory: MemoryState;
  /** As the build under trial reads it. */
  readonly store: JoinerStore;
  /** An insert whenever it arrives: of two rows with one key the one at the later position stays. */
  insert(rows: readonly StateRowRead[]): void;
};

/** What an owner still has to send of a flush, in order. */
export type Write = (to: FaultStore) => void;

/** A partition is loaded again for as long as it looks half written: a build that leaves it so never begins. */
const mostLoads = 2_000;

export function createFaultStore(build: Build): FaultStore {
  const memory = createMemoryState();
  const rows = memory.rows as Map<string, StateRowRead>;
  const insert = (some: readonly StateRowRead[]): void => {
    for (const row of some) {
      const key = `${row.partitionId}/${row.kind}/${row.experiment}/${row.phase}/${row.key}`;
      if (Number(rows.get(key)?.position ?? -1) <= Number(row.position)) rows.set(key, row);
    }
  };
  let loads = 0;
  const base: JoinerStore['base'] = (partitionId) => {
    loads += 1;
    if (loads > mostLoads) throw new Error('the partition never loads');
    return memory.base(partitionId);
  };
  const unfiltered: Partial<JoinerStore> = {
    events: (partitionId, ids) => memory.events(partitionId, ids, Infinity),
    eachEventId: (partitionId, _below, take) => memory.eachEventId(partitionId, Infinity, take),
  };
  return { memory, store: { ...memory, base, ...(build.filtersFacts ? {} : unfiltered) }, insert };
}

const cuts: Readonly<Record<Build['inserts'], (row: StateRowRead) => boolean>> = {
  one: () => true,
  'state-first': () => true,
  'checkpoint-first': ({ kind }) => kind === 'checkpoint',
  'units-then-aggregates': ({ kind }) => kind === 'unit' || kind === 'entity',
};

export function writesOf(build: Build, flush: FlushRows): Write[] {
  const facts: Write = ({ memory }) => memory.writeFacts(flush);
  const rows = readStateRows(flush.state);
  const first = rows.filter(cuts[build.inserts]);
  const rest = rows.filter((row) => !first.includes(row));
  if (build.inserts === 'state-first') return [({ insert }) => insert(rows), facts];
  const states: Write[] = [({ insert }) => insert(first)];
  if (rest.length > 0) states.push(({ insert }) => insert(rest));
  return [facts, ...states];
}
