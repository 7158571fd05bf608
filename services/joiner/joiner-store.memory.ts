/**
 * The joiner's store in memory: it reads the very bytes of a flush, keeps of each row the highest version as the table
 * does, and answers look-ups as ClickHouse does. Laws and trials run on it, and `verify`, which folds through divided
 * partitions without touching the tables.
 */
import type { PartitionRange } from '../kernel/generations.ts';
import { readInferenceBucket } from '../kernel/ids.ts';
import { bucketOfSlot } from '../kernel/state-rows.ts';
import type { JoinerStore } from './joiner-store.ts';
import type { LoadedRow } from './restore.ts';
import type { FlushRows } from './rows.ts';

export type StateRowRead = LoadedRow & { readonly log: number; readonly partitionId: number; readonly metric: string };
export type FactRead = {
  readonly partitionId: number;
  readonly id: string;
  readonly position: number;
  readonly kind: number;
  readonly unit: string;
  readonly occurredAt: number;
  readonly experiment: string;
  readonly x: readonly string[];
};

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
    uint8: () => take(1).readUInt8(),
    uint16: () => take(2).readUInt16LE(),
    uint32: () => take(4).readUInt32LE(),
    int32: () => take(4).readInt32LE(),
    int64: () => take(8).readBigInt64LE(),
    int128: () => {
      const low = take(8).readBigUInt64LE();
      return (take(8).readBigInt64LE() << 64n) | low;
    },
    text: () => take(length()).toString('utf8'),
    hex: (size = length()) => take(size).toString('hex').toUpperCase(),
    array,
  };
}

const kinds = ['', 'checkpoint', 'experiment', 'report', 'entry', 'unit', 'entity', 'pending', 'link'];

export function readStateRows(bytes: Buffer): StateRowRead[] {
  const rows: StateRowRead[] = [];
  for (const read = reader(bytes); read.more(); ) {
    rows.push({
      log: read.uint8(),
      partitionId: read.uint16(),
      kind: kinds[read.uint8()] ?? '',
      experiment: read.text(),
      phase: read.uint32(),
      key: read.hex(),
      position: String(read.int64()),
      arm: read.text(),
      metric: read.text(),
      candidate: read.text(),
      slot: read.int32(),
      clock: String(read.int64()),
      n: String(read.int64()),
      x: read.array(() => String(read.int64())),
      xx: read.array(() => String(read.int128())),
      y: read.array(() => String(read.int64())),
      body: read.text(),
    });
  }
  return rows;
}

export function readFacts(bytes: Buffer): FactRead[] {
  const facts: FactRead[] = [];
  for (const read = reader(bytes); read.more(); ) {
    const [partitionId, id, position, kind, unit, occurredAt] = [
      read.uint16(),
      read.hex(16),
      Number(read.int64()),
      read.uint8(),
      read.hex(16),
      Number(read.int64()),
    ];
    read.int64();
    const experiment = read.text();
    read.uint32();
    read.text();
    read.text();
    facts.push({
      partitionId,
      id,
      position,
      kind,
      unit,
      occurredAt,
      experiment,
      x: read.array(() => String(read.int64())),
    });
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

const keyOf = (row: Pick<StateRowRead, 'partitionId' | 'kind' | 'experiment' | 'phase' | 'key'>): string =>
  `${row.partitionId}/${row.kind}/${row.experiment}/${row.phase}/${row.key}`;

/** `ancestors` of a part: where earlier events of its units lie (kernel/generations.ts). */
export function createMemoryState(
  ancestors: (partitionId: number) => readonly PartitionRange[] = () => [],
): MemoryState {
  const rows = new Map<string, StateRowRead>();
  const facts: FactRead[] = [];
  const lookups = { units: 0, events: 0 };
  const writeFacts = (flush: FlushRows): void => void facts.push(...readFacts(flush.facts));
  const writeState = (flush: FlushRows, keep: (row: StateRowRead) => boolean = () => true): void => {
    for (const row of readStateRows(flush.state))
      if (keep(row) && Number(rows.get(keyOf(row))?.position ?? -1) <= Number(row.position)) rows.set(keyOf(row), row);
  };
  const of = (partitionId: number, ...wanted: string[]): StateRowRead[] =>
    [...rows.values()].filter((row) => row.partitionId === partitionId && wanted.includes(row.kind));
  const hex = (id: string): string => Buffer.from(id, 'latin1').toString('hex').toUpperCase();
  const accepted = (partitionId: number, below: number): FactRead[] => {
    const ranges = new Map(
      [...ancestors(partitionId), { partitionId, below }].map((range) => [range.partitionId, range.below]),
    );
    return facts.filter((fact) => fact.kind < 3 && fact.position < (ranges.get(fact.partitionId) ?? 0));
  };
  const page = <T extends { readonly key: string }>(all: readonly T[], after: string, limit: number): T[] =>
    all
      .filter(({ key }) => key > after)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .slice(0, limit);
  return {
    rows,
    facts,
    lookups,
    writeFacts,
    writeState,
    base: async (partitionId) => of(partitionId, 'checkpoint', 'experiment', 'report', 'entry', 'pending'),
    openUnits: async (partitionId, experiment, phase, windows, after, limit) =>
      page(
        of(partitionId, 'unit').filter((row) => row.experiment === experiment && row.phase === phase),
        after,
        limit,
      ).map(({ key, position, y }) => ({
        key,
        position,
        closes: [
          ...new Set(
            windows.flatMap((window, metric) =>
              Number(y[9 * metric + 5]) >= 0 ? [String(Number(y[9 * metric + 6]) + window)] : [],
            ),
          ),
        ],
      })),
    entityUnits: async (partitionId, after, limit) =>
      page(
        [...new Set(of(partitionId, 'entity').map(({ key }) => key.slice(0, 32)))].map((key) => ({ key })),
        after,
        limit,
      ),
    eventIds: async (partitionId, below, after, limit) =>
      page(
        [...new Set(accepted(partitionId, below).map(({ id }) => id))].map((key) => ({ key })),
        after,
        limit,
      ).map(({ key }) => ({ id: key })),
    units: async (partitionId, ids) => {
      lookups.units += ids.length;
      const wanted = new Set(ids.map(hex));
      return of(partitionId, 'unit', 'entity').filter(({ key }) => wanted.has(key.slice(0, 32)));
    },
    events: async (partitionId, ids, below) => {
      lookups.events += ids.length;
      const wanted = new Set(ids.map(hex));
      const found = accepted(partitionId, below)
        .filter(({ id }) => wanted.has(id))
        .sort((a, b) => a.partitionId - b.partitionId || a.position - b.position);
      return [
        ...new Map(
          found.map((fact) => [
            `${fact.id}${fact.unit}`,
            {
              id: fact.id,
              unit: fact.unit,
              at: String(fact.occurredAt),
              inherited: Number(fact.partitionId !== partitionId),
            },
          ]),
        ).values(),
      ];
    },
    checkpoints: async () =>
      new Map(
        [...rows.values()]
          .filter(({ kind }) => kind === 'checkpoint')
          .map(({ partitionId, position }) => [partitionId, Number(position)]),
      ),
    inherit: async (from, { partitionId, first, last, isFirst }) => {
      const within = (bucket: number): boolean => bucket >= first && bucket <= last;
      for (const row of of(from, 'unit', 'entity', 'pending', 'report', 'entry')) {
        const mine =
          row.kind === 'report' || row.kind === 'entry'
            ? isFirst
            : row.kind === 'pending'
              ? Number(row.n) > 0 && within(readInferenceBucket(row.key))
              : within(bucketOfSlot(row.slot));
        const copy = { ...row, partitionId, position: '0' };
        if (mine && !rows.has(keyOf(copy))) rows.set(keyOf(copy), copy);
      }
    },
    unroutedUnits: async (partitionIds) =>
      new Set(
        [...rows.values()]
          .filter(
            (row) =>
              partitionIds.includes(row.partitionId) && (row.kind === 'unit' || row.kind === 'entity') && row.slot < 1,
          )
          .map(({ key }) => key.slice(0, 32)),
      ).size,
    write: async (flushes) => {
      for (const flush of flushes) writeFacts(flush);
      for (const flush of flushes) writeState(flush);
    },
  };
}
