/**
 * Facts, one row per accepted record, written as the engine reads them the moment they are folded: keeping them as
 * objects until the flush cost a fifth of the joiner's time in garbage.
 */
import { createRowBinaryWriter, type RowBinaryWriter } from '../kernel/row-binary.ts';
import type { EpochMs } from '../kernel/time.ts';

export const factColumns = [
  'partition_id',
  'id',
  'position',
  'kind',
  'unit',
  'occurred_at',
  'received_at',
  'experiment',
  'phase',
  'arm',
  'name',
  'x',
] as const;

const kinds = { exposure: 1, inference: 2, outcome: 3 } as const;

export type Fact = {
  readonly kind: keyof typeof kinds;
  readonly id: string;
  readonly position: number;
  readonly unit: string;
  readonly occurredAt: EpochMs;
  readonly receivedAt: EpochMs;
  readonly experiment: string;
  readonly phase: number;
  readonly arm: string;
  readonly name: string;
  /** Numerator and denominator per metric (inference), or the value in millionths (outcome). Read at once, not kept. */
  readonly values: ArrayLike<number>;
};

export const createFactRows = (): RowBinaryWriter => createRowBinaryWriter(1 << 12);

export function writeFact(rows: RowBinaryWriter, partitionId: number, fact: Fact): void {
  rows.uint16(partitionId);
  rows.fixed(fact.id);
  rows.uint64(fact.position);
  rows.uint8(kinds[fact.kind]);
  rows.fixed(fact.unit);
  rows.int64(fact.occurredAt);
  rows.int64(fact.receivedAt);
  rows.text(fact.experiment);
  rows.uint32(fact.phase);
  rows.text(fact.arm);
  rows.text(fact.name);
  rows.length(fact.values.length);
  for (let index = 0; index < fact.values.length; index += 1) rows.int64(fact.values[index] ?? 0);
  rows.row();
}
