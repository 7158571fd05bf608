/**
 * Facts, one row per accepted record, written as the engine reads them the moment they are folded: keeping them as
 * objects until the flush cost a fifth of the joiner's time in garbage.
 */
import { createRowBinaryWriter, type RowBinaryWriter } from '../kernel/row-binary.ts';
import { createRowBinaryReader } from '../kernel/row-binary-reader.ts';
import { totalField, totalLength } from '../kernel/state/kinds.ts';
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
  'amounts',
  'unknown',
  'outcome_kind',
  'value',
] as const;

const kinds = { exposure: 1, inference: 2, outcome: 3 } as const;

type FactOf<Kind extends keyof typeof kinds> = {
  readonly kind: Kind;
  readonly id: string;
  readonly position: number;
  readonly unit: string;
  readonly occurredAt: EpochMs;
  readonly receivedAt: EpochMs;
};
type InExperiment = { readonly experiment: string; readonly phase: number; readonly arm: string };
export type Fact =
  | (FactOf<'exposure'> & InExperiment)
  /** `amounts`: `totalLength` numbers per metric (`totalField`). Read at once, not kept. */
  | (FactOf<'inference'> & InExperiment & { readonly amounts: ArrayLike<number> })
  /** `value`: in millionths, null when it was taken back. */
  | (FactOf<'outcome'> & { readonly outcomeKind: string; readonly value: number | null });

export const createFactRows = (): RowBinaryWriter => createRowBinaryWriter(1 << 12);

export function writeFact(rows: RowBinaryWriter, partitionId: number, fact: Fact): void {
  rows.uint16(partitionId);
  rows.fixed(fact.id);
  rows.uint64(fact.position);
  rows.uint8(kinds[fact.kind]);
  rows.fixed(fact.unit);
  rows.int64(fact.occurredAt);
  rows.int64(fact.receivedAt);
  if (fact.kind === 'outcome') writeOutcome(rows, fact.outcomeKind, fact.value);
  else writeExposed(rows, fact, fact.kind === 'inference' ? fact.amounts : []);
  rows.row();
}

function writeOutcome(rows: RowBinaryWriter, outcomeKind: string, value: number | null): void {
  rows.zeros(1 + 4 + 1 + 1 + 1); // experiment, phase, arm, amounts, unknown
  rows.text(outcomeKind);
  rows.uint8(value === null ? 1 : 0);
  if (value !== null) rows.int64(value);
}

function writeExposed(
  rows: RowBinaryWriter,
  { experiment, phase, arm }: InExperiment,
  amounts: ArrayLike<number>,
): void {
  rows.text(experiment);
  rows.uint32(phase);
  rows.text(arm);
  const metrics = amounts.length / totalLength;
  rows.length(2 * metrics);
  let unknown = 0;
  for (let at = 0; at < amounts.length; at += totalLength) {
    rows.int64(amounts[at + totalField.numerator] ?? 0);
    rows.int64(amounts[at + totalField.denominator] ?? 0);
    unknown += amounts[at + totalField.unknown] ?? 0;
  }
  rows.length(unknown);
  for (let metric = 0; unknown > 0 && metric < metrics; metric += 1)
    if (amounts[metric * totalLength + totalField.unknown] === 1) rows.uint16(metric);
  rows.zeros(1); // outcome_kind
  rows.uint8(1); // value: null
}

/** A fact as the store in memory keeps it; ids in upper-case hex. */
export type FactRead = {
  readonly partitionId: number;
  readonly id: string;
  readonly position: number;
  readonly kind: keyof typeof kinds;
  readonly unit: string;
  readonly occurredAt: number;
  readonly receivedAt: number;
  readonly experiment: string;
  readonly phase: number;
  readonly arm: string;
  readonly amounts: readonly string[];
  readonly unknown: readonly number[];
  readonly outcomeKind: string;
  readonly value: string | null;
};

const kindOf = (number: number): FactRead['kind'] =>
  number === kinds.exposure ? 'exposure' : number === kinds.inference ? 'inference' : 'outcome';

export function readFacts(bytes: Buffer): FactRead[] {
  const facts: FactRead[] = [];
  for (const read = createRowBinaryReader(bytes); read.more(); )
    facts.push({
      partitionId: read.uint16(),
      id: read.hex(16),
      position: Number(read.int64()),
      kind: kindOf(read.uint8()),
      unit: read.hex(16),
      occurredAt: Number(read.int64()),
      receivedAt: Number(read.int64()),
      experiment: read.text(),
      phase: read.uint32(),
      arm: read.text(),
      amounts: read.array(() => String(read.int64())),
      unknown: read.array(() => read.uint16()),
      outcomeKind: read.text(),
      value: read.uint8() === 1 ? null : String(read.int64()),
    });
  return facts;
}
