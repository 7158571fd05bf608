/**
 * Rows of table `state`, which the joiner and the linker share: one kind a row, all true of one position of their log.
 */
import type { RowBinaryWriter } from './row-binary.ts';

/** Positions within the log: 4,096 to an offset, so that every record of a batch has its own. */
export const positionsPerOffset = 4096;

export const stateColumns = [
  'log',
  'partition_id',
  'kind',
  'experiment',
  'phase',
  'key',
  'position',
  'arm',
  'metric',
  'candidate',
  'slot',
  'clock',
  'n',
  'x',
  'xx',
  'y',
  'body',
] as const;
const stateKinds = {
  checkpoint: 1,
  experiment: 2,
  report: 3,
  entry: 4,
  unit: 5,
  entity: 6,
  pending: 7,
  link: 8,
} as const;
export type StateRow = {
  readonly kind: keyof typeof stateKinds;
  readonly experiment?: string;
  readonly phase?: number;
  readonly key?: string;
  readonly arm?: string;
  readonly metric?: string;
  readonly candidate?: string;
  readonly slot?: number;
  readonly clock?: number;
  readonly n?: number;
  readonly x?: Iterable<number> & { readonly length: number };
  readonly xx?: readonly bigint[];
  readonly y?: Iterable<number> & { readonly length: number };
  readonly body?: string;
};

/** `slot` of unit and entity rows: the unit's bucket + 1, so that 0 says that nobody knows it. */
export const bucketOfSlot = (slot: number): number => slot - 1;

/** One row of table `state`. `log` 1: unit log, 2: entity log. */
export function writeStateRow(
  writer: RowBinaryWriter,
  log: 1 | 2,
  partitionId: number,
  position: number,
  row: StateRow,
): void {
  writer.uint8(log);
  writer.uint16(partitionId);
  writer.uint8(stateKinds[row.kind]);
  writer.text(row.experiment ?? '');
  writer.uint32(row.phase ?? 0);
  writer.bytes(row.key ?? '');
  writer.uint64(position);
  writer.text(row.arm ?? '');
  writer.text(row.metric ?? '');
  writer.text(row.candidate ?? '');
  writer.int32(row.slot ?? 0);
  writer.int64(row.clock ?? 0);
  writer.int64(row.n ?? 0);
  writer.length(row.x?.length ?? 0);
  for (const value of row.x ?? []) writer.int64(value);
  writer.length(row.xx?.length ?? 0);
  for (const value of row.xx ?? []) writer.int128(value);
  writer.length(row.y?.length ?? 0);
  for (const value of row.y ?? []) writer.int64(value);
  writer.text(row.body ?? '');
  writer.row();
}

/** A unit's row, written without a row object: nearly all rows of a flush are these. `x` and `y`: ranges of `data`. */
export type UnitRow = {
  readonly experiment: string;
  readonly phase: number;
  readonly arm: string;
  readonly candidate: string;
  readonly slot: number;
  readonly clock: number;
  readonly n: number;
  readonly data: Float64Array;
  readonly x: readonly [from: number, to: number];
  readonly y: readonly [from: number, to: number];
};

export function writeUnitRow(
  writer: RowBinaryWriter,
  partitionId: number,
  position: number,
  key: string,
  { experiment, phase, arm, candidate, slot, clock, n, data, x, y }: UnitRow,
): void {
  writer.uint8(1);
  writer.uint16(partitionId);
  writer.uint8(stateKinds.unit);
  writer.text(experiment);
  writer.uint32(phase);
  writer.bytes(key);
  writer.uint64(position);
  writer.text(arm);
  writer.text('');
  writer.text(candidate);
  writer.int32(slot);
  writer.int64(clock);
  writer.int64(n);
  writer.length(x[1] - x[0]);
  writer.int64s(data, x[0], x[1]);
  writer.length(0);
  writer.length(y[1] - y[0]);
  writer.int64s(data, y[0], y[1]);
  writer.text('');
  writer.row();
}
