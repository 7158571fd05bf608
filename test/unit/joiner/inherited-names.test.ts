/** Ids, slices, scores, guardrails and kinds that are names of what every object has count like any other. */
import { expect, test } from 'vitest';
import { finishLearning } from '../../../services/control/resolve-metrics.ts';
import { assign, createAssignmentTable } from '../../../services/assignment/index.ts';
import type { ExperimentSpec } from '../../../services/kernel/experiment.ts';
import { anExperimentFile, anInference, anOutcome, aRevision, hour, monday } from '../../support/build.ts';
import { createMemoryPath } from '../../support/memory-path.ts';
import { metricLines } from '../../support/metric-line.ts';

type Names = {
  readonly [Plain in 'm1' | 'm2' | 'm3' | 'm4' | 'A' | 'B' | 'score' | 'guard' | 'slice' | 'kind']: string;
};
const plain: Names = {
  m1: 'm1',
  m2: 'm2',
  m3: 'm3',
  m4: 'm4',
  A: 'A',
  B: 'B',
  score: 'score',
  guard: 'guard',
  slice: 'slice',
  kind: 'kind',
};
const inherited: Names = {
  m1: 'constructor',
  m2: 'toString',
  m3: 'valueOf',
  m4: 'hasOwnProperty',
  A: 'isPrototypeOf',
  B: 'constructor',
  score: 'constructor',
  guard: 'toLocaleString',
  slice: 'valueOf',
  kind: 'propertyIsEnumerable',
};

const metricsOf = (names: Names): string => {
  const common = { baseline: { mean: 0.1, sd: 0.3 }, harm: '+0.05', cap: 1 };
  return metricLines([
    { ...common, id: names.m1, numerator: `score(${names.score})` },
    { ...common, id: names.m2, numerator: `guardrail(${names.guard})` },
    { ...common, id: names.m3, numerator: `errors where slice.${names.slice} = 'x'`, denominator: undefined },
    { ...common, id: names.m4, numerator: `any(${names.kind})`, denominator: 'requests' },
  ]);
};

/** What a look finds, with the plain names put back. */
function found(names: Names) {
  const file = anExperimentFile({ metrics: metricsOf(names) })
    .replace('id: A,', `id: ${names.A},`)
    .replace('id: B,', `id: ${names.B},`);
  const path = createMemoryPath(2);
  path.apply(aRevision({}, file));
  for (let n = 0; n < 80; n += 1) {
    const about = { user: `u${n}`, ticket: `t${n}`, variant: n % 2 === 0 ? names.A : names.B, at: monday + n * 1_000 };
    path.send(
      anInference({
        ...about,
        event_id: `e${n}`,
        status: n % 3 === 0 ? 'error' : 'success',
        scores: n % 4 === 0 ? {} : { [names.score]: (n % 5) / 5 },
        guardrails: n % 7 === 0 ? [{ name: names.guard, kind: 'k', action: 'block', score: null }] : [],
        slices: n % 2 === 0 ? { [names.slice]: 'x' } : {},
      }),
    );
    if (n % 6 === 0)
      path.send(anOutcome({ ticket: `t${n}`, kind: names.kind, outcome_id: `o${n}`, at: monday + hour / 2 }));
  }
  path.tick(monday + 10 * hour);
  const { metrics, srm } = path.look('exp-test');
  const arms = { [names.A]: 'A', [names.B]: 'B' };
  return {
    metrics: metrics.map(({ harm, arms: totals, status }) => [
      status,
      harm?.logE,
      totals.map(({ arm, ...numbers }) => ({ ...numbers, arm: arms[arm] })),
    ]),
    srm: [srm.logE, Object.entries(srm.counts).map(([arm, units]) => [arms[arm], units])],
  };
}

test('an experiment whose every name is one of Object.prototype counts as the one with plain names', () => {
  expect(found(inherited)).toEqual(found(plain));
});

test('a metric called constructor has no baseline until one is learned', () => {
  const { spec } = aRevision();
  const metrics = spec.metrics.map((metric) => ({ ...metric, id: metric.id === 'cost' ? 'constructor' : metric.id }));
  const learning = { arms: spec.arms, metrics: [{ id: 'constructor' }] } as never;
  const learningSpec: ExperimentSpec = { ...spec, metrics, learning };
  expect(finishLearning(learningSpec, {})).toMatchObject({ code: 'no-baseline' });
});

test('an experiment called constructor is forced only where somebody forces it', () => {
  const revision = aRevision();
  const table = createAssignmentTable([{ ...revision, spec: { ...revision.spec, id: 'constructor' } }]);
  const subject = { userId: 'u' };
  expect(assign(table, 'constructor', subject, { stale: false, forced: {} }).reason).toBe('SPLIT');
  expect(assign(table, 'constructor', subject, { stale: false, forced: { constructor: 'B' } }).reason).toBe('FORCED');
});
