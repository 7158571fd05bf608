/**
 * The joiner's store in memory: it reads the very bytes of a flush, keeps of each row the highest position as the table
 * does, and answers look-ups as ClickHouse does. Laws and trials run on it, and `verify`, which goes through divided
 * partitions without touching the tables.
 */
import type { ChildPartition, PartitionRange } from '../kernel/generations.ts';
import { hexOfId, idOfHex, readInferenceBucket } from '../kernel/ids.ts';
import { entryField, entryLength, type StateKind } from '../kernel/state/kinds.ts';
import { readStateRows, type StateRowRead } from '../kernel/state/read-binary.ts';
import { type FactRead, readFacts } from './fact-rows.ts';
import type { FlushRows } from './flush-rows.ts';
import type { JoinerStore, OpenUnit } from './joiner-store.ts';
import type { LoadedEvent } from './prefetch.ts';

export type MemoryState = JoinerStore & {
  readonly rows: ReadonlyMap<string, StateRowRead>;
  readonly facts: readonly FactRead[];
  writeFacts(flush: FlushRows): void;
  /** `keep`: what of it becomes visible; a build that inserts in pieces can die between two. */
  writeState(flush: FlushRows, keep?: (row: StateRowRead) => boolean): void;
  readonly lookups: { units: number; events: number };
};

/** The table's sorting key. */
const keyOf = (row: Pick<StateRowRead, 'partitionId' | 'kind' | 'experiment' | 'phase' | 'key'>): string =>
  `${row.partitionId}/${row.kind}/${row.experiment}/${row.phase}/${row.key}`;

const hexKey = (id: string): string => hexOfId(id).toUpperCase();
const unitDigits = 32;
const unitKey = ({ key }: { readonly key: string }): string => key.slice(0, unitDigits);

const page = <T extends { readonly key: string }>(all: readonly T[], after: string, limit: number): T[] =>
  all
    .filter(({ key }) => key > after)
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, limit);
const eachOnce = (keys: readonly string[]): { readonly key: string }[] => [...new Set(keys)].map((key) => ({ key }));

/** As load-open-units.sql. */
function openUnitOf({ key, position, entries }: StateRowRead, windows: readonly number[]): OpenUnit {
  const closes = windows.flatMap((windowMs, metric) => {
    const entry = entryLength * metric;
    const isOpen = Number(entries[entry + entryField.openSegment]) >= 0;
    return isOpen ? [String(Number(entries[entry + entryField.openStart]) + windowMs)] : [];
  });
  return { key, position, closes: [...new Set(closes)] };
}

/** As inherit.sql: whether a child gets the row. */
function isInherited(row: StateRowRead, { first, last, isFirst }: ChildPartition): boolean {
  const isWithin = (bucket: number): boolean => bucket >= first && bucket <= last;
  switch (row.kind) {
    case 'metric_aggregate':
    case 'test_aggregate':
      return isFirst;
    case 'pending':
      return row.waiting > 0 && isWithin(readInferenceBucket(row.key));
    case 'unit':
    case 'entity':
      return isWithin(row.bucket);
    default:
      return false;
  }
}

/** As load-events.sql: each pair of event and unit once, in the order in which they were accepted. */
function loadedEvents(accepted: readonly FactRead[], partitionId: number): LoadedEvent[] {
  const found = [...accepted].sort((a, b) => a.partitionId - b.partitionId || a.position - b.position);
  const events = new Map<string, LoadedEvent>();
  for (const fact of found) {
    const { id, unit } = fact;
    events.set(`${id}${unit}`, {
      id,
      unit,
      at: String(fact.occurredAt),
      inherited: Number(fact.partitionId !== partitionId),
    });
  }
  return [...events.values()];
}

/** Rows and facts as the tables hold them. */
function createTables(ancestors: (partitionId: number) => readonly PartitionRange[]) {
  const rows = new Map<string, StateRowRead>();
  const facts: FactRead[] = [];
  return {
    rows,
    facts,
    writeFacts: (flush: FlushRows): void => void facts.push(...readFacts(flush.facts)),
    writeState: (flush: FlushRows, keep: (row: StateRowRead) => boolean = () => true): void => {
      for (const row of readStateRows(flush.state)) {
        const held = Number(rows.get(keyOf(row))?.position ?? -1);
        if (keep(row) && held <= Number(row.position)) rows.set(keyOf(row), row);
      }
    },
    of: (partitionId: number, ...kinds: StateKind[]): StateRowRead[] =>
      [...rows.values()].filter((row) => row.partitionId === partitionId && kinds.includes(row.kind)),
    /** Facts of events accepted below a position of the partition, or in one that it was divided from. */
    accepted: (partitionId: number, below: number): FactRead[] => {
      const ranges = new Map(
        [...ancestors(partitionId), { partitionId, below }].map((range) => [range.partitionId, range.below]),
      );
      return facts.filter(
        ({ kind, position, partitionId: at }) => kind !== 'outcome' && position < (ranges.get(at) ?? 0),
      );
    },
  };
}

/** `ancestors` of a partition: where earlier events of its units lie (kernel/generations.ts). */
export function createMemoryState(
  ancestors: (partitionId: number) => readonly PartitionRange[] = () => [],
): MemoryState {
  const { rows, facts, writeFacts, writeState, of, accepted } = createTables(ancestors);
  const lookups = { units: 0, events: 0 };
  return {
    rows,
    facts,
    lookups,
    writeFacts,
    writeState,
    base: async (partitionId) =>
      of(partitionId, 'checkpoint', 'experiment', 'metric_aggregate', 'test_aggregate', 'pending'),
    openUnits: async (partitionId, experiment, phase, windows, after, limit) => {
      const units = of(partitionId, 'unit').filter((row) => row.experiment === experiment && row.phase === phase);
      return page(units, after, limit).map((row) => openUnitOf(row, windows));
    },
    entityUnits: async (partitionId, after, limit) =>
      page(eachOnce(of(partitionId, 'entity').map(unitKey)), after, limit),
    eachEventId: async (partitionId, below, take) => {
      for (const { id } of accepted(partitionId, below)) take(idOfHex(id));
    },
    units: async (partitionId, ids) => {
      lookups.units += ids.length;
      const wanted = new Set(ids.map(hexKey));
      return of(partitionId, 'unit', 'entity').filter((row) => wanted.has(unitKey(row)));
    },
    events: async (partitionId, ids, below) => {
      lookups.events += ids.length;
      const wanted = new Set(ids.map(hexKey));
      return loadedEvents(
        accepted(partitionId, below).filter(({ id }) => wanted.has(id)),
        partitionId,
      );
    },
    checkpoints: async () =>
      new Map(
        [...rows.values()]
          .filter(({ kind }) => kind === 'checkpoint')
          .map(({ partitionId, position }) => [partitionId, Number(position)]),
      ),
    inherit: async (from, child) => {
      for (const row of [...rows.values()].filter(({ partitionId }) => partitionId === from)) {
        const copy = { ...row, partitionId: child.partitionId, position: '0' };
        if (isInherited(row, child) && !rows.has(keyOf(copy))) rows.set(keyOf(copy), copy);
      }
    },
    unroutedUnits: async (partitionIds) => {
      const unrouted = partitionIds
        .flatMap((partitionId) => of(partitionId, 'unit', 'entity'))
        .filter(({ bucket }) => bucket < 0);
      return new Set(unrouted.map(unitKey)).size;
    },
    write: async (flushes) => {
      for (const flush of flushes) writeFacts(flush);
      for (const flush of flushes) writeState(flush);
    },
  };
}
