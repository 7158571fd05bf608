/** What tests ask table `state` on a real engine, in rows that compare with those of a fold in memory. */
import type { StateRowText } from '../../services/kernel/state/read.ts';

export const testAggregateKind = 'test_aggregate';
/** Units and aggregates: the rows that a fold in memory must agree with. */
export const comparedKinds: readonly string[] = ['metric_aggregate', testAggregateKind, 'unit'];
/** Columns of units and aggregates that a fold in memory must agree with. */
export const comparedColumns = [
  'kind',
  'key',
  'arm',
  'crossover',
  'metric',
  'candidate',
  'metricOrdinal',
  'segment',
  'units',
  'firstEvents',
  'totals',
  'entries',
  'sums',
  'testSums',
] as const;
export type ComparedRow = Pick<StateRowText, 'partitionId' | (typeof comparedColumns)[number]>;

const asText = (column: string): string => `arrayMap(v -> toString(v), ${column})`;

/** Units and aggregates of the unit log. `where`: of which partitions. */
export const selectCompared = (where = '1'): string => `
  SELECT partition_id AS partitionId, kind, hex(key) AS key, arm, crossover, metric, candidate,
    metric_ordinal AS metricOrdinal, segment, units, first_events AS firstEvents,
    ${asText('totals')} AS totals, ${asText('entries')} AS entries,
    ${asText('sums')} AS sums, ${asText('test_sums')} AS testSums
  FROM state FINAL
  WHERE log = 'unit' AND ${where} AND kind IN ('metric_aggregate', 'test_aggregate', 'unit')`;

export type TotalRow = {
  readonly metric: string;
  readonly arm: string;
  readonly units: string;
  readonly numerator: string;
  readonly denominator: string;
};

/** Totals by metric and arm, over the partitions of `where`. */
export const selectTotals = (where = '1'): string => `
  SELECT metric, arm, toString(sum(units)) AS units, toString(sum(sums[1])) AS numerator,
    toString(sum(sums[2])) AS denominator
  FROM state FINAL
  WHERE log = 'unit' AND ${where} AND kind = 'metric_aggregate'
  GROUP BY metric, arm
  ORDER BY metric, arm`;

/** Position of the checkpoint of each partition of the unit log. */
export const selectCheckpoints = `
  SELECT partition_id AS partitionId, max(state.position) AS position
  FROM state WHERE log = 'unit' AND kind = 'checkpoint' GROUP BY partition_id`;
