/**
 * Rows of table `state` as the statements in sql/queries return them, and what they say. A statement names the columns
 * it reads in camel case; 64- and 128-bit integers come as text, keys as hex, times as epoch milliseconds.
 */
import { betCount } from '../bets.ts';
import {
  emptyTestSums,
  type MetricAggregate,
  type TestAggregate,
  type TestSums,
  testSumCounts,
  testSumWeights,
} from '../evidence.ts';
import type { ExperimentRevision } from '../experiment.ts';
import { parseRevision } from '../experiment-json.ts';
import { splitSum } from '../wide-sums.ts';
import type { ExperimentBody, StateKind } from './kinds.ts';

/** Every column; a statement returns some of them. */
export type StateRowText = {
  readonly partitionId: number;
  readonly kind: StateKind;
  readonly experiment: string;
  readonly phase: number;
  readonly key: string;
  readonly position: string;
  readonly arm: string;
  readonly bucket: number;
  readonly crossover: boolean;
  readonly firstExposedAt: string;
  readonly totals: readonly string[];
  readonly entries: readonly string[];
  readonly metric: string;
  readonly candidate: string;
  readonly metricOrdinal: number;
  readonly segment: number;
  readonly stateRevision: number;
  readonly eventClock: string;
  readonly expiresAt: string;
  readonly units: string;
  readonly firstEvents: string;
  readonly waiting: number;
  readonly sums: readonly string[];
  readonly testSums: readonly string[];
  readonly body: string;
};

type OfExperiment = 'partitionId' | 'kind' | 'experiment' | 'phase' | 'key' | 'position';
type OfMetricAggregate = 'arm' | 'metric' | 'metricOrdinal' | 'units' | 'firstEvents' | 'sums';
type OfTestAggregate = 'arm' | 'metric' | 'candidate' | 'segment' | 'units' | 'testSums';
type OfCheckpoint = 'stateRevision' | 'eventClock';

/** look.sql: checkpoints, experiments and both kinds of aggregates. */
export type LookRow = Pick<StateRowText, OfExperiment | OfMetricAggregate | OfTestAggregate | 'eventClock' | 'body'>;
/** load-partition.sql: the same, and waiting outcomes. */
export type PartitionRow = LookRow & Pick<StateRowText, OfCheckpoint | 'expiresAt' | 'waiting'>;
/** load-units.sql: units and their entities. */
export type UnitRowText = Pick<
  StateRowText,
  | Exclude<OfExperiment, 'partitionId'>
  | 'arm'
  | 'bucket'
  | 'crossover'
  | 'firstExposedAt'
  | 'totals'
  | 'entries'
  | 'body'
>;
/** load-links.sql. */
export type LinkRowText = Pick<StateRowText, 'kind' | 'key' | 'position' | 'eventClock' | 'body'>;

export function readMetricAggregate(
  row: Pick<StateRowText, 'partitionId' | Exclude<OfMetricAggregate, 'metricOrdinal'>>,
): MetricAggregate {
  const { partitionId, arm, metric } = row;
  const [numerator = 0n, denominator = 0n, numerator2 = 0n, denominator2 = 0n, product = 0n, ...calls] =
    row.sums.map(BigInt);
  const [knownCalls = 0n, unknownCalls = 0n, incomplete = 0n] = calls;
  const counts = {
    units: Number(row.units),
    firstEvents: Number(row.firstEvents),
    incompleteUnits: Number(incomplete),
  };
  const sums = { numerator, denominator, numerator2, denominator2, product, knownCalls, unknownCalls };
  return { partitionId, arm, metric, ...counts, ...sums };
}

function testSumsFrom(values: readonly number[]): TestSums {
  const [n = 0, s = 0, sv = 0, svv = 0, ...rest] = values;
  const [harm, win] = [rest.slice(0, betCount), rest.slice(betCount, 2 * betCount)];
  const sums: TestSums = { ...emptyTestSums(), n, s, sv, svv, harm, win };
  for (const [index, field] of [...testSumCounts, ...testSumWeights].entries())
    sums[field] = rest[2 * betCount + index] ?? 0;
  return sums;
}

function readTestSums({ units, testSums }: Pick<StateRowText, 'units' | 'testSums'>): TestSums {
  const split = [units, ...testSums].map((text) => splitSum(BigInt(text)));
  return { ...testSumsFrom(split.map(([low]) => low)), high: testSumsFrom(split.map(([, high]) => high)) };
}

export function readTestAggregate(row: Pick<StateRowText, 'partitionId' | OfTestAggregate>): TestAggregate {
  const { partitionId, candidate, arm, metric, segment } = row;
  return { partitionId, candidate, arm, metric, segment, sums: readTestSums(row) };
}

/** An experiment's body with its revision parsed. */
export type ExperimentState = Omit<ExperimentBody, 'revision'> & { readonly revision: ExperimentRevision };

export function readExperimentBody(text: string): ExperimentState {
  const body = JSON.parse(text) as ExperimentBody;
  return { ...body, revision: parseRevision(body.revision) };
}
