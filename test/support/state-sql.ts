/** What tests ask table `state` on a real engine, in rows that compare with those of a fold in memory. */
import type { StateRowRead } from './memory-state.ts';

export const testAggregateKind = 'entry';
/** Units and aggregates: the rows that a fold in memory must agree with. */
export const comparedKinds: readonly string[] = ['report', testAggregateKind, 'unit'];
/** Their columns. */
export const comparedColumns = ['kind', 'key', 'arm', 'metric', 'candidate', 'slot', 'n', 'x', 'xx', 'y'] as const;
export type ComparedRow = Pick<StateRowRead, 'partitionId'> & Readonly<Record<string, unknown>>;

const asText = (column: string): string => `arrayMap(v -> toString(v), ${column}) AS ${column}`;

/** Units and aggregates of the unit log. `where`: of which partitions. */
export const selectCompared = (where = '1'): string => `
  SELECT partition_id AS partitionId, kind, hex(key) AS key, arm, metric, candidate, slot, n,
    ${asText('x')}, ${asText('xx')}, ${asText('y')}
  FROM state FINAL
  WHERE log = 'unit' AND ${where} AND kind IN ('report', 'entry', 'unit')`;

export type TotalRow = {
  readonly metric: string;
  readonly arm: string;
  readonly units: string;
  readonly numerator: string;
  readonly denominator: string;
};

/** Totals by metric and arm, over the partitions of `where`. */
export const selectTotals = (where = '1'): string => `
  SELECT metric, arm, toString(sum(n)) AS units, toString(sum(xx[1])) AS numerator,
    toString(sum(xx[2])) AS denominator
  FROM state FINAL
  WHERE log = 'unit' AND ${where} AND kind = 'report'
  GROUP BY metric, arm
  ORDER BY metric, arm`;

/** Position of the checkpoint of each partition of the unit log. */
export const selectCheckpoints = `
  SELECT partition_id AS partitionId, max(state.position) AS position
  FROM state WHERE log = 'unit' AND kind = 'checkpoint' GROUP BY partition_id`;
