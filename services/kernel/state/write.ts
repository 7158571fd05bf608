/** Rows of table `state`, as ClickHouse reads them. */
import {
  type MetricAggregate,
  type TestSums,
  testSumCounts,
  type testSumScalars,
  testSumWeights,
} from '../evidence.ts';
import type { RowBinaryWriter } from '../row-binary.ts';
import { joinSum } from '../wide-sums.ts';
import { type RowPlace, type StateKind, type StateRow, stateKinds, stateLogs, type UnitRow } from './kinds.ts';

/** A row's columns past its place; what a kind does not use stays out. */
type Columns = {
  readonly experiment?: string;
  readonly phase?: number;
  readonly key?: string;
  readonly arm?: string;
  readonly bucket?: number;
  readonly metric?: string;
  readonly candidate?: string;
  readonly metricOrdinal?: number;
  readonly segment?: number;
  readonly stateRevision?: number;
  readonly eventClock?: number;
  readonly expiresAt?: number;
  readonly units?: number;
  readonly firstEvents?: number;
  readonly waiting?: number;
  readonly sums?: readonly bigint[];
  readonly testSums?: readonly bigint[];
  readonly body?: string;
};

/** Column `sums`. */
const sumsOf = (aggregate: Omit<MetricAggregate, 'partitionId'>): readonly bigint[] => {
  const { numerator, denominator, numerator2, denominator2, product } = aggregate;
  const { knownCalls, unknownCalls, incompleteUnits } = aggregate;
  return [numerator, denominator, numerator2, denominator2, product, knownCalls, unknownCalls, BigInt(incompleteUnits)];
};

/** Column `test_sums`. */
export function testSumsOf(sums: TestSums): readonly bigint[] {
  const { high } = sums;
  const bets = (of: 'harm' | 'win'): bigint[] => sums[of].map((value, j) => joinSum(value, high?.[of][j]));
  const scalars = (fields: readonly (typeof testSumScalars)[number][]): bigint[] =>
    fields.map((field) => joinSum(sums[field], high?.[field]));
  return [
    ...scalars(['s', 'sv', 'svv']),
    ...bets('harm'),
    ...bets('win'),
    ...scalars([...testSumCounts, ...testSumWeights]),
  ];
}

function columnsOf(row: StateRow): Columns {
  if (row.kind === 'metric_aggregate') {
    const { experiment, phase, key, metricOrdinal, aggregate } = row;
    const { arm, metric, units, firstEvents } = aggregate;
    return { experiment, phase, key, metricOrdinal, arm, metric, units, firstEvents, sums: sumsOf(aggregate) };
  }
  if (row.kind === 'test_aggregate') {
    const { experiment, phase, key, aggregate } = row;
    const { arm, metric, candidate, segment, sums } = aggregate;
    return {
      experiment,
      phase,
      key,
      arm,
      metric,
      candidate,
      segment,
      units: Number(joinSum(sums.n, sums.high?.n)),
      testSums: testSumsOf(sums),
    };
  }
  return row;
}

function writePlace(writer: RowBinaryWriter, { log, partitionId }: RowPlace, kind: StateKind): void {
  writer.uint8(stateLogs[log]);
  writer.uint16(partitionId);
  writer.uint8(stateKinds[kind]);
}

export function writeStateRow(writer: RowBinaryWriter, place: RowPlace, row: StateRow): void {
  const columns = columnsOf(row);
  writePlace(writer, place, row.kind);
  writer.text(columns.experiment ?? '');
  writer.uint32(columns.phase ?? 0);
  writer.bytes(columns.key ?? '');
  writer.uint64(place.position);
  writer.text(columns.arm ?? '');
  writer.int16(columns.bucket ?? -1);
  writer.zeros(1 + 8 + 1 + 1); // crossover, first_exposed_at, totals, entries: unit rows alone
  writer.text(columns.metric ?? '');
  writer.text(columns.candidate ?? '');
  writer.uint16(columns.metricOrdinal ?? 0);
  writer.uint32(columns.segment ?? 0);
  writer.uint16(columns.stateRevision ?? 0);
  writer.int64(columns.eventClock ?? 0);
  writer.int64(columns.expiresAt ?? 0);
  writer.int64(columns.units ?? 0);
  writer.int64(columns.firstEvents ?? 0);
  writer.uint32(columns.waiting ?? 0);
  writer.length(columns.sums?.length ?? 0);
  for (const value of columns.sums ?? []) writer.int256(value);
  writer.length(columns.testSums?.length ?? 0);
  for (const value of columns.testSums ?? []) writer.int128(value);
  writer.text(columns.body ?? '');
  writer.row();
}

/** Bytes of the columns after `entries`: three empty texts, two empty arrays, numbers that are zero. */
const bytesAfterEntries = 1 + 1 + 2 + 4 + 2 + 8 + 8 + 8 + 8 + 4 + 1 + 1 + 1;

/** A unit's row, written without an object of columns in between. */
export function writeUnitRow(writer: RowBinaryWriter, place: RowPlace, row: UnitRow): void {
  const { data, totals, entries } = row;
  writePlace(writer, place, 'unit');
  writer.text(row.experiment);
  writer.uint32(row.phase);
  writer.bytes(row.key);
  writer.uint64(place.position);
  writer.text(row.arm);
  writer.int16(row.bucket);
  writer.uint8(row.crossover ? 1 : 0);
  writer.int64(row.firstExposedAt);
  writer.length(totals[1] - totals[0]);
  writer.int64s(data, totals[0], totals[1]);
  writer.length(entries[1] - entries[0]);
  writer.int64s(data, entries[0], entries[1]);
  writer.zeros(bytesAfterEntries);
  writer.row();
}
