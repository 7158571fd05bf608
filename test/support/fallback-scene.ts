/**
 * Visitors who sign in: what processes of an app record under an experiment with a fallback unit, and what redactor,
 * linker and joiner make of it in four partitions.
 */
import { createTestTripline } from '../../services/emitter/index.ts';
import type { ExperimentRevision } from '../../services/kernel/experiment.ts';
import { anExperimentFile, aRevision, hour, monday } from './build.ts';
import { createMemoryPath } from './memory-path.ts';
import { metricLines } from './metric-line.ts';

export const metrics = metricLines([
  { id: 'requests', denominator: undefined, numerator: 'requests', harm: '+20%', baseline: { mean: 3, sd: 2 }, cap: 9 },
  {
    id: 'solved',
    denominator: undefined,
    role: 'goal',
    numerator: 'any(ticket_resolved)',
    better: 'higher',
    window: '72h',
    harm: '10%',
    baseline: { mean: 0.3, sd: 0.4 },
    cap: 1,
  },
]);
export const revision = aRevision({}, anExperimentFile({ extra: '  fallback_unit: session\n', metrics }));
type Names = { readonly sessionId?: string; readonly userId?: string };

/** A process of the app: what it records is stamped with the minute that the test says. */
export const aProcess = (...experiments: ExperimentRevision[]) => {
  const tripline = createTestTripline({ experiments: [revision, ...experiments] });
  let told = 0;
  return {
    /** Everything recorded since the last call, as of that minute. */
    at: (minute: number) => {
      const recorded = tripline.events().slice(told);
      told += recorded.length;
      return recorded.map(({ record, event }) => ({
        at: monday + minute * 60_000,
        record,
        event: { ...(event as object), occurred_at: monday + minute * 60_000 },
      }));
    },
    call: (names: Names) => tripline.record({ arms: [tripline.assign('exp-test', names)], ...names }),
    tripline,
  };
};
export type Recorded = ReturnType<ReturnType<typeof aProcess>['at']>;

export const play = (recorded: Recorded, others: readonly ExperimentRevision[] = []) => {
  const path = createMemoryPath(4);
  for (const each of [revision, ...others]) path.apply(each);
  for (const each of recorded) path.receive(each, each.at);
  path.tick(monday + 400 * hour);
  const { metrics: found, crossoverReasons, srm } = path.look('exp-test');
  const sumOf = (metric: string, field: 'units' | 'numerator') =>
    found.find((each) => each.metric === metric)?.arms.reduce((sum, arm) => sum + Number(arm[field]), 0);
  return {
    units: sumOf('requests', 'units'),
    requests: sumOf('requests', 'numerator'),
    solved: sumOf('solved', 'numerator'),
    crossoverReasons,
    assigned: Object.values(srm.counts).reduce((sum, units) => sum + units, 0),
    path,
  };
};
