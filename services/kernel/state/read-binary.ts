/** Rows of a flush read back from the bytes that were written: what the store in memory, laws and trials work on. */
import { createRowBinaryReader, type RowBinaryReader } from '../row-binary-reader.ts';
import { type StateKind, stateKinds, stateLogs } from './kinds.ts';
import type { StateRowText } from './read.ts';

/** As a statement returns a row, and the log it belongs to. */
export type StateRowRead = StateRowText & { readonly log: keyof typeof stateLogs };

/** Names by number. */
const namesOf = <T extends string>(numbers: Readonly<Record<T, number>>): ReadonlyMap<number, T> =>
  new Map((Object.keys(numbers) as T[]).map((name) => [numbers[name], name]));
const [logs, kinds] = [namesOf(stateLogs), namesOf<StateKind>(stateKinds)];

function nameOf<T>(names: ReadonlyMap<number, T>, number: number): T {
  const name = names.get(number);
  if (name === undefined) throw new RangeError(`${number} is none of ${[...names.keys()].join(', ')}`);
  return name;
}

const int64 = (read: RowBinaryReader): string => String(read.int64());

const readRow = (read: RowBinaryReader): StateRowRead => ({
  log: nameOf(logs, read.uint8()),
  partitionId: read.uint16(),
  kind: nameOf(kinds, read.uint8()),
  experiment: read.text(),
  phase: read.uint32(),
  key: read.hex(),
  position: int64(read),
  arm: read.text(),
  bucket: read.int16(),
  crossover: read.uint8() === 1,
  firstExposedAt: int64(read),
  totals: read.array(() => int64(read)),
  entries: read.array(() => int64(read)),
  metric: read.text(),
  candidate: read.text(),
  metricOrdinal: read.uint16(),
  segment: read.uint32(),
  stateRevision: read.uint16(),
  eventClock: int64(read),
  expiresAt: int64(read),
  units: int64(read),
  firstEvents: int64(read),
  waiting: read.uint32(),
  sums: read.array(() => String(read.int256())),
  testSums: read.array(() => String(read.int128())),
  body: read.text(),
});

export function readStateRows(bytes: Buffer): StateRowRead[] {
  const rows: StateRowRead[] = [];
  for (const read = createRowBinaryReader(bytes); read.more(); ) rows.push(readRow(read));
  return rows;
}
