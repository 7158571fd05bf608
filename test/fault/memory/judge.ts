/**
 * The verdict of a trial in memory: totals against the input, entries against the logs, aggregates against the unit
 * rows, checkpoints against the ends.
 */
import type { UnitRecord } from '../../../schemas/generated.ts';
import type { ExperimentRevision, ExperimentSpec } from '../../../services/kernel/experiment.ts';
import type { Arrival } from '../../../services/replay/scenario-lines.ts';
import type { StateRowRead } from '../../support/memory-state.ts';
import { differ } from '../differ.ts';
import type { Disorder } from '../disorder.ts';
import { entriesOf } from '../entries-oracle.ts';
import { totalsOf } from '../oracle.ts';
import {
  countedUnitsIn,
  lastSegmentOf,
  metricAggregatesIn,
  recountOf,
  sumsIn,
  sumsSince,
  testAggregatesIn,
  totalOf,
} from './state-rows.ts';

type Rows = readonly StateRowRead[];

export const totalsWrong = (rows: Rows, spec: ExperimentSpec, arrivals: readonly Arrival[]): string[] =>
  [...totalsOf(spec, arrivals)].flatMap(([key, want]) => {
    const [metric = '', arm = ''] = key.split('/');
    return differ(`totals of ${key}`, totalOf(rows, metric, arm), want);
  });

const checkpointWrong = (rows: Rows, partitionId: number, records: number): string[] =>
  differ(
    `checkpoint of ${partitionId}`,
    rows.find(({ kind }) => kind === 'checkpoint')?.position,
    String(records * 4096),
  );

/** Every test, from whichever segment it was started. */
function entriesWrong(rows: Rows, partitionId: number, revision: ExperimentRevision, log: readonly UnitRecord[]) {
  const { spec } = revision;
  const wrong: string[] = [];
  const testAggregates = testAggregatesIn(rows);
  const expected = entriesOf(spec, revision.phaseStartedAt, log);
  const expectedSegments = [...expected.keys()].map((key) => Number(key.split('/')[2]));
  const segments = Math.max(lastSegmentOf(testAggregates), ...expectedSegments);
  for (const { id: metric } of spec.metrics)
    for (const { id: arm } of spec.arms)
      for (let from = 0; from <= segments; from += 1) {
        const want = expected.get(`${metric}/${arm}/${from}`) ?? { n: 0, s: 0, sv: 0 };
        const what = `entries of ${metric}/${arm} since ${from} in ${partitionId}`;
        wrong.push(...differ(what, sumsSince(testAggregates, metric, arm, from), want));
      }
  return wrong;
}

function recountWrong(rows: Rows, partitionId: number): string[] {
  const units = countedUnitsIn(rows);
  return metricAggregatesIn(rows).flatMap((aggregate) =>
    differ(
      `recount of ${aggregate.metric}/${aggregate.arm} in ${partitionId}`,
      sumsIn(aggregate),
      recountOf(aggregate, units),
    ),
  );
}

export const judge = (
  rows: Rows,
  revision: ExperimentRevision,
  input: Disorder,
  logs: readonly (readonly UnitRecord[])[],
): string[] => [
  ...totalsWrong(rows, revision.spec, input.arrivals),
  ...logs.flatMap((log, partitionId) => {
    const mine = rows.filter((row) => row.partitionId === partitionId);
    return [
      ...checkpointWrong(mine, partitionId, log.length),
      ...entriesWrong(mine, partitionId, revision, log),
      ...recountWrong(mine, partitionId),
    ];
  }),
];
