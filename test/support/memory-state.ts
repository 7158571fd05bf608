/**
 * The joiner's store in memory: it reads the very bytes of a flush, keeps every version of a row as the table does, and answers look-ups by the
 * highest. `asOf` answers as a crash would leave it: facts may be there without the state that was to follow them.
 */
import type { JoinerStore } from '../../services/joiner/joiner-store.ts';
import type { LoadedRow } from '../../services/joiner/restore.ts';
import type { FlushRows } from '../../services/joiner/rows.ts';

export type StateRowRead = LoadedRow & { readonly log: number; readonly part: number; readonly metric: string };
export type FactRead = { readonly part: number; readonly id: string; readonly ver: number; readonly kind: number; readonly unit: string; readonly occurredAt: number; readonly experiment: string; readonly x: readonly string[] };

function reader(bytes: Buffer) {
  let at = 0;
  const length = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const take = (size: number): Buffer => {
    at += size;
    return bytes.subarray(at - size, at);
  };
  const array = <T>(item: () => T): T[] => Array.from({ length: length() }, item);
  return {
    more: () => at < bytes.length,
    uint8: () => take(1).readUInt8(), uint16: () => take(2).readUInt16LE(), uint32: () => take(4).readUInt32LE(), int32: () => take(4).readInt32LE(),
    int64: () => take(8).readBigInt64LE(), int128: () => { const low = take(8).readBigUInt64LE(); return (take(8).readBigInt64LE() << 64n) | low; },
    text: () => take(length()).toString('utf8'), hex: (size = length()) => take(size).toString('hex').toUpperCase(), array,
  };
}

const kinds = ['', 'checkpoint', 'experiment', 'report', 'entry', 'unit', 'entity', 'pending', 'link'];

export function readStateRows(bytes: Buffer): StateRowRead[] {
  const rows: StateRowRead[] = [];
  for (const read = reader(bytes); read.more(); ) {
    rows.push({
      log: read.uint8(), part: read.uint16(), kind: kinds[read.uint8()] ?? '', experiment: read.text(), phase: read.uint32(), key: read.hex(), ver: String(read.int64()), arm: read.text(), metric: read.text(),
      candidate: read.text(), slot: read.int32(), clock: String(read.int64()), n: String(read.int64()), x: read.array(() => String(read.int64())), xx: read.array(() => String(read.int128())), y: read.array(() => String(read.int64())), body: read.text(),
    });
  }
  return rows;
}

export function readFacts(bytes: Buffer): FactRead[] {
  const facts: FactRead[] = [];
  for (const read = reader(bytes); read.more(); ) {
    const [part, id, ver, kind, unit, occurredAt] = [read.uint16(), read.hex(16), Number(read.int64()), read.uint8(), read.hex(16), Number(read.int64())];
    read.int64();
    const experiment = read.text();
    read.uint32();
    read.text();
    read.text();
    facts.push({ part, id, ver, kind, unit, occurredAt, experiment, x: read.array(() => String(read.int64())) });
  }
  return facts;
}

export type MemoryState = JoinerStore & {
  readonly rows: ReadonlyMap<string, StateRowRead>;
  readonly facts: readonly FactRead[];
  writeFacts(flush: FlushRows): void;
  /** `keep`: what of it becomes visible; a build that inserts in pieces can die between two. */
  writeState(flush: FlushRows, keep?: (row: StateRowRead) => boolean): void;
  readonly lookups: { units: number; events: number };
};

const keyOf = (row: StateRowRead): string => `${row.part}/${row.kind}/${row.experiment}/${row.phase}/${row.key}`;

export function createMemoryState(): MemoryState {
  const rows = new Map<string, StateRowRead>();
  const facts: FactRead[] = [];
  const lookups = { units: 0, events: 0 };
  const writeFacts = (flush: FlushRows): void => void facts.push(...readFacts(flush.facts));
  const writeState = (flush: FlushRows, keep: (row: StateRowRead) => boolean = () => true): void => {
    for (const row of readStateRows(flush.state)) if (keep(row) && Number(rows.get(keyOf(row))?.ver ?? -1) <= Number(row.ver)) rows.set(keyOf(row), row);
  };
  const of = (part: number, ...wanted: string[]): StateRowRead[] => [...rows.values()].filter((row) => row.part === part && wanted.includes(row.kind));
  const hex = (id: string): string => Buffer.from(id, 'latin1').toString('hex').toUpperCase();
  const page = <T extends { readonly key: string }>(all: readonly T[], after: string, limit: number): T[] => all.filter(({ key }) => key > after).sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit);
  return {
    rows, facts, lookups, writeFacts, writeState,
    base: async (part) => of(part, 'checkpoint', 'experiment', 'report', 'entry', 'pending'),
    openUnits: async (part, experiment, phase, windows, after, limit) => page(of(part, 'unit').filter((row) => row.experiment === experiment && row.phase === phase), after, limit).map(({ key, ver, y }) => ({
      key, ver, closes: [...new Set(windows.flatMap((window, metric) => (Number(y[9 * metric + 5]) >= 0 ? [String(Number(y[9 * metric + 6]) + window)] : [])))],
    })),
    entityUnits: async (part, after, limit) => page([...new Set(of(part, 'entity').map(({ key }) => key.slice(0, 32)))].map((key) => ({ key })), after, limit),
    eventIds: async (part, below, after, limit) => page([...new Set(facts.filter((fact) => fact.part === part && fact.ver < below && fact.kind < 3).map(({ id }) => id))].map((key) => ({ key })), after, limit).map(({ key }) => ({ id: key })),
    units: async (part, ids) => {
      lookups.units += ids.length;
      const wanted = new Set(ids.map(hex));
      return of(part, 'unit', 'entity').filter(({ key }) => wanted.has(key.slice(0, 32)));
    },
    events: async (part, ids, below) => {
      lookups.events += ids.length;
      const wanted = new Set(ids.map(hex));
      const found = facts.filter((fact) => fact.part === part && fact.ver < below && fact.kind < 3 && wanted.has(fact.id)).sort((a, b) => a.ver - b.ver);
      return [...new Map(found.map((fact) => [`${fact.id}${fact.unit}`, { id: fact.id, unit: fact.unit, at: String(fact.occurredAt) }])).values()];
    },
    heads: async () => new Map([...rows.values()].filter(({ kind }) => kind === 'checkpoint').map(({ part, ver }) => [part, Number(ver)])),
    write: async (flushes) => {
      for (const flush of flushes) writeFacts(flush);
      for (const flush of flushes) writeState(flush);
    },
  };
}
