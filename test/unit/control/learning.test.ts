/** From a file without baselines to a phase with frozen ones. */
import { describe, expect, test } from 'vitest';
import { assign, createAssignmentTable } from '../../../services/assignment/index.ts';
import { applyDecision, decide, parseExperimentFile, planRevision } from '../../../services/control/index.ts';
import type { Decision } from '../../../services/kernel/decision.ts';
import type { MetricAggregate } from '../../../services/kernel/evidence.ts';
import type { ExperimentRevision } from '../../../services/kernel/experiment.ts';
import { evaluate, learningUnits } from '../../../services/statistics/index.ts';
import { anEvaluation, anExperimentFile, anInference, hour, monday } from '../../support/build.ts';
import { createMemoryPath } from '../../support/memory-path.ts';

const file = anExperimentFile({ extra: '  ramp: { coverage: [10, 100], hold: 6h, min_units: 10 }\n' })
  .replace(', baseline: { mean: 1000, sd: 500 }, cap: 5000', '')
  .replace(', baseline: { mean: 0.05, sd: 0.2 }, cap: 1 }\n    - { id: cost', ' }\n    - { id: cost');
const plan = (text: string, previous?: ExperimentRevision, now = monday): ExperimentRevision | undefined => {
  const parsed = parseExperimentFile(text, 'f.yaml');
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
  return planRevision(parsed.spec, parsed.sha, previous, now, 'a', 'b');
};
const learning = plan(file.replace('harm: +0.05', 'harm: +20%')) as ExperimentRevision;

/** `units` control units with one request each; `costs` repeat over them. */
const metricAggregates = (units: number, costs: readonly number[], errors = 0): MetricAggregate[] => {
  const all = Array.from({ length: units }, (_, at) => costs[at % costs.length] ?? 0);
  const aggregate = (metric: string, values: readonly number[]): MetricAggregate => ({
    partitionId: 0,
    arm: 'A',
    metric,
    units,
    firstEvents: 0,
    numerator: BigInt(values.reduce((sum, y) => sum + y, 0)),
    denominator: BigInt(units),
    numerator2: BigInt(values.reduce((sum, y) => sum + y * y, 0)),
    denominator2: BigInt(units),
    product: BigInt(values.reduce((sum, y) => sum + y, 0)),
    knownCalls: BigInt(units),
    unknownCalls: 0n,
    incompleteUnits: 0,
  });
  return [
    aggregate('cost', all),
    aggregate(
      'error_rate',
      all.map((_, at) => (at < errors ? 1 : 0)),
    ),
  ];
};
const lookAt = (hours: number, testAggregates: readonly MetricAggregate[]) =>
  evaluate({
    experiment: learning,
    metricAggregates: testAggregates,
    entries: [],
    segments: [],
    configurationChanges: [],
    partitions: [
      {
        partitionId: 0,
        position: 1,
        clock: monday + hours * hour,
        revision: 1,
        events: 1,
        crossovers: 0,
        assigned: { A: testAggregates[0]?.units ?? 0 },
      },
    ],
  });

describe('while baselines are learned', () => {
  test('everybody has control, at full coverage whatever the ramp', () => {
    expect(learning).toMatchObject({
      phase: 1,
      coverage: 100,
      spec: { arms: [{ id: 'A' }], learning: { arms: [{ id: 'A' }, { id: 'B' }] } },
    });
    const table = createAssignmentTable([learning]);
    expect(
      new Set(Array.from({ length: 200 }, (_, at) => assign(table, 'exp-test', { userId: `u${at}` }).variant)),
    ).toEqual(new Set(['A']));
  });
  test.each([
    ['too few units', 80, metricAggregates(learningUnits - 1, [900, 1100])],
    ['a window that has not passed', 72, metricAggregates(600, [900, 1100])],
    ['values that do not vary', 80, metricAggregates(600, [1000])],
  ])('%s: it goes on', (_name, hours, testAggregates) =>
    expect(decide(lookAt(hours, testAggregates), [])).toEqual({ state: 'LEARNING', ruleId: 'learn' }),
  );
  test('a rate without an event yet is half an event', () => {
    const { learned } = lookAt(80, metricAggregates(500, [900, 1100]));
    expect(learned?.ok && learned.baselines['error_rate']?.mean).toBe(0.001);
  });
});

describe('when they are known', () => {
  const { decision } = decide(lookAt(80, metricAggregates(600, [900, 1100], 60)), []);
  const next = applyDecision(learning, decision as Decision, monday + 80 * hour) as ExperimentRevision;
  test('the candidates start in a new phase at the first step, with the baselines frozen', () => {
    expect(decision).toMatchObject({ action: 'advance', reasonCode: 'BASELINE_LEARNED', ruleId: 'learn' });
    expect(next).toMatchObject({
      phase: 2,
      revision: 2,
      coverage: 10,
      phaseStartedAt: monday + 80 * hour,
      spec: { arms: [{ id: 'A' }, { id: 'B' }] },
    });
    expect(next.spec.learning).toBeUndefined();
    const [errors, cost] = next.spec.metrics;
    // Mean 1000, standard deviation 100 (n - 1 of 600); a tenth of the units had an error, and harm is a fifth of that.
    expect(cost).toMatchObject({
      baseline: { mean: 1000, sd: expect.closeTo(100.08, 1) },
      harm: 200,
      cap: expect.closeTo(1257.8, 0),
    });
    expect(errors).toMatchObject({
      cap: 1,
      harm: expect.closeTo(0.02, 12),
      baseline: { mean: 0.1, sd: expect.closeTo(0.3, 2) },
    });
  });
  test('it is asked for once, and obeyed once', () => {
    expect(decide(lookAt(81, metricAggregates(600, [900, 1100])), [decision as Decision]).decision).toBeUndefined();
    expect(applyDecision(next, decision as Decision, monday)).toBeUndefined();
  });
  test('the same file says nothing new; another time keeps what was learned, another metric learns again', () => {
    const text = file.replace('harm: +0.05', 'harm: +20%');
    expect(plan(text, next)).toBeUndefined();
    expect(plan(text.replace('metrics:', 'analysis: { min_run: 2d }\n  metrics:'), next)).toMatchObject({
      phase: 2,
      coverage: 10,
    });
    expect(plan(text.replace('harm: +20%', 'harm: +30%'), next)).toMatchObject({
      phase: 3,
      coverage: 100,
      spec: { arms: [{ id: 'A' }] },
    });
  });
  test('an ordinary advance does not end learning', () => {
    const other = { ...(decision as Decision), evidence: '{}' };
    expect(applyDecision(learning, other, monday)).toBeUndefined();
    expect(decide(anEvaluation({ experiment: learning, metrics: [] }), []).state).toBe('LEARNING');
  });
});

test('through the fold: control alone, then both arms from nothing, with the frozen numbers', () => {
  const path = createMemoryPath(2);
  path.apply(learning);
  for (let at = 0; at < 520; at += 1)
    path.send(
      anInference({
        user: `u${at}`,
        cost_nano_usd: at % 2 === 0 ? 900 : 1100,
        status: at % 10 === 0 ? 'error' : 'success',
        at: monday + at,
      }),
    );
  path.send(anInference({ user: 'early', variant: 'B', at: monday + 600 }));
  path.tick(monday + 80 * hour);
  const advance = path.decide('exp-test') as Decision;
  expect(advance).toMatchObject({ action: 'advance', reasonCode: 'BASELINE_LEARNED', eventsFolded: 520 });
  const next = applyDecision(learning, advance, monday + 80 * hour) as ExperimentRevision;
  path.apply(next);
  path.send(
    anInference({
      user: 'u1',
      variant: 'B',
      at: monday + 81 * hour,
      exposures: [{ experiment_id: 'exp-test', phase: 2, variant: 'B', unit_type: 'user', reason: 'SPLIT' }],
    }),
  );
  expect(path.look('exp-test')).toMatchObject({
    settled: true,
    eventsFolded: 1,
    srm: { counts: { A: 0, B: 1 } },
    experiment: {
      phase: 2,
      spec: { metrics: [{ harm: expect.closeTo(0.02, 9) }, { baseline: { mean: 1000 } }, {}, {}, {}] },
    },
  });
});
test('another design under the same phase is not taken: the experiment never settles', () => {
  const path = createMemoryPath(1);
  const first = plan(anExperimentFile()) as ExperimentRevision;
  path.apply(first);
  path.apply({ ...first, revision: 2, spec: { ...first.spec, analysis: { ...first.spec.analysis, alphaHarm: 0.5 } } });
  expect(path.look('exp-test')).toMatchObject({ experiment: { revision: 1 } });
  expect(path.partitions[0]?.counts.dropped.get('design-changed-within-phase')).toBe(1);
});
