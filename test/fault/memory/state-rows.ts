/** What judges read from rows of table `state`: the one file of the trials in memory that knows its columns. */
import { totalLength } from '../../../services/kernel/state/kinds.ts';
import type { StateRowRead } from '../../support/memory-state.ts';
import type { TestStartSums } from '../entries-oracle.ts';
import type { Total } from '../oracle.ts';

type Rows = readonly StateRowRead[];

const sumOf = (rows: Rows, read: (row: StateRowRead) => string | undefined): number =>
  rows.reduce((total, row) => total + Number(read(row) ?? 0), 0);

export const metricAggregatesIn = (rows: Rows): Rows => rows.filter(({ kind }) => kind === 'metric_aggregate');
export const testAggregatesIn = (rows: Rows): Rows => rows.filter(({ kind }) => kind === 'test_aggregate');
/** Units that were seen in one arm alone: those that aggregates count. */
export const countedUnitsIn = (rows: Rows): Rows => rows.filter(({ kind, crossover }) => kind === 'unit' && !crossover);

/** Over all partitions. */
export function totalOf(rows: Rows, metric: string, arm: string): Total {
  const aggregates = metricAggregatesIn(rows).filter((row) => row.metric === metric && row.arm === arm);
  return {
    units: sumOf(aggregates, ({ units }) => units),
    numerator: sumOf(aggregates, ({ sums }) => sums[0]),
    denominator: sumOf(aggregates, ({ sums }) => sums[1]),
  };
}

export const lastSegmentOf = (testAggregates: Rows): number =>
  Math.max(0, ...testAggregates.map(({ segment }) => segment));

/** What a test that started at segment `from` has counted: the sum of its aggregates from there on. */
export function sumsSince(testAggregates: Rows, metric: string, arm: string, from: number): TestStartSums {
  const suffix = testAggregates.filter((row) => row.metric === metric && row.arm === arm && row.segment >= from);
  return {
    n: sumOf(suffix, ({ units }) => units),
    s: sumOf(suffix, ({ testSums }) => testSums[0]),
    sv: sumOf(suffix, ({ testSums }) => testSums[1]),
  };
}

/** Units and sums as a metric aggregate holds them. */
export const sumsIn = ({ units, sums }: StateRowRead): readonly string[] => [units, ...sums];

/** The same from the unit rows of its partition, one by one. */
export function recountOf({ arm, metricOrdinal }: StateRowRead, units: Rows): readonly string[] {
  const at = totalLength * metricOrdinal;
  const mine = units.filter((unit) => unit.arm === arm);
  const numbers = mine.map(({ totals }) => totals.slice(at, at + totalLength).map(BigInt));
  const total = (read: (y: bigint, d: bigint, known: bigint, unknown: bigint) => bigint): string =>
    String(numbers.reduce((sum, [y = 0n, d = 0n, known = 0n, unknown = 0n]) => sum + read(y, d, known, unknown), 0n));
  return [
    String(mine.length),
    total((y) => y),
    total((_, d) => d),
    total((y) => y * y),
    total((_, d) => d * d),
    total((y, d) => y * d),
    total((_y, _d, known) => known),
    total((_y, _d, _known, unknown) => unknown),
    total((_y, _d, _known, unknown) => (unknown > 0n ? 1n : 0n)),
  ];
}

const compared: readonly string[] = ['unit', 'test_aggregate', 'metric_aggregate'];
/** Units and aggregates of a partition as text, in an order of their own; when they were written does not matter. */
export const comparedText = (rows: Rows, partitionId: number): string[] =>
  rows
    .filter((row) => row.partitionId === partitionId && compared.includes(row.kind))
    .map(({ position: _position, ...row }) => JSON.stringify(row))
    .sort();
