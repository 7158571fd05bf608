/** The rules by what they are for. Long because the rules are one table: every case looks at the same experiment. */
import { describe, expect, test } from 'vitest';
import { applyDecision, decide } from '../../../services/control/index.ts';
import type { Decision } from '../../../services/kernel/decision.ts';
import type { Evaluation, MetricEvaluation } from '../../../services/kernel/evaluation.ts';
import type { ExperimentRevision } from '../../../services/kernel/experiment.ts';
import { aMetric, anEvaluation, anExperimentFile, aRevision, hour, monday } from '../../support/build.ts';

const metricOf = (
  candidate: string,
  metric: string,
  role: MetricEvaluation['role'],
  log: number,
  winLog = -5,
): MetricEvaluation => aMetric({ candidate, metric, role, log, winLog, arms: [] });
const look = (
  experiment: ExperimentRevision,
  metrics: readonly MetricEvaluation[],
  change: Partial<Evaluation> = {},
): Evaluation =>
  anEvaluation({
    experiment,
    metrics,
    watermark: monday + 30 * hour,
    newestClock: monday + 30 * hour,
    srm: { logE: 0, counts: { A: 900, B: 900 } },
    ...change,
  });
const three = anExperimentFile().replace(
  '    - { id: B, weight: 50 }\n',
  '    - { id: B, weight: 50 }\n    - { id: C, weight: 50 }\n',
);

describe('a ramp', () => {
  const ramped = aRevision(
    {},
    anExperimentFile({ extra: '  ramp: { coverage: [5, 25, 50, 100], hold: 6h, min_units: 10 }\n' }),
  );
  const calm = [metricOf('B', 'error_rate', 'guardrail', 0)];
  test('asks for a step once: looks before it is obeyed do not climb on', () => {
    const past: Decision[] = [];
    for (let n = 1; n <= 3; n += 1) {
      const { state, decision } = decide(
        look(ramped, calm, { versionVector: [{ partitionId: 0, position: n * 4096 }] }),
        past,
      );
      expect(state).toBe('RAMP_NEXT');
      if (decision) past.push(decision);
    }
    expect(past.map(({ action }) => action)).toEqual(['advance']);
    const obeyed = applyDecision(ramped, past[0] as Decision, monday + 30 * hour) as ExperimentRevision;
    expect(obeyed.coverage).toBe(25);
    // The hold and the units count from the new step, then the next one is due.
    expect(decide(look(obeyed, calm), past).state).toBe('CONTINUE');
    expect(
      decide(
        look(obeyed, calm, {
          watermark: monday + 36 * hour,
          newestClock: monday + 36 * hour,
          srm: { logE: 0, counts: { A: 904, B: 905 } },
        }),
        past,
      ).state,
    ).toBe('CONTINUE');
    expect(
      decide(
        look(obeyed, calm, {
          watermark: monday + 36 * hour,
          newestClock: monday + 36 * hour,
          srm: { logE: 0, counts: { A: 905, B: 905 } },
        }),
        past,
      ).decision,
    ).toMatchObject({ action: 'advance' });
  });
  test('a step decided on another revision, or while paused, is not taken', () => {
    const step = decide(look(ramped, calm), []).decision as Decision;
    expect(applyDecision({ ...ramped, revision: 2, coverage: 25 }, step, monday)).toBeUndefined();
    expect(applyDecision({ ...ramped, status: 'paused' }, step, monday)).toBeUndefined();
  });
  test.each([
    ['stale', { newestClock: monday + 99 * hour }],
    ['a suspected sample ratio', { srm: { logE: Math.log(3), counts: { A: 900, B: 900 } } }],
  ])('%s holds it', (_name, change) => {
    expect(decide(look(ramped, calm, change), []).decision).toBeUndefined();
  });
});

describe('sample ratio', () => {
  test('its bound is 1 / alpha_srm', () => {
    const strict = aRevision({}, anExperimentFile({ extra: '  analysis: { alpha_srm: 0.01 }\n' }));
    const at = (experiment: ExperimentRevision, logE: number) =>
      decide(look(experiment, [metricOf('B', 'error_rate', 'guardrail', 0)], { srm: { logE, counts: {} } }), []).state;
    expect([
      at(strict, Math.log(100)),
      at(strict, Math.log(99)),
      at(aRevision(), Math.log(999)),
      at(aRevision(), Math.log(1000)),
    ]).toEqual(['SRM', 'SRM_SUSPECTED', 'SRM_SUSPECTED', 'SRM']);
  });
});

describe('several candidates', () => {
  const experiment = aRevision({}, three);
  test('HARM rolls its candidate back: each on its own, then all is OVER', () => {
    const both = [metricOf('B', 'error_rate', 'guardrail', 4), metricOf('C', 'error_rate', 'guardrail', 5)];
    const first = decide(look(experiment, both), []).decision as Decision;
    const second = decide(look(experiment, both), [first]).decision as Decision;
    expect([first, second].map(({ candidate }) => candidate)).toEqual(['C', 'B']);
    expect(first.decisionId).not.toBe(second.decisionId);
    expect(decide(look(experiment, both), [first, second])).toEqual({ state: 'OVER', ruleId: 'over' });
  });
  test('the error for winning is split over all of them, also when one is over', () => {
    const rolledBack = decide(look(experiment, [metricOf('C', 'error_rate', 'guardrail', 9)]), []).decision as Decision;
    const winning = (log: number) =>
      decide(
        look(
          experiment,
          ['B', 'C'].flatMap((arm) => [
            metricOf(arm, 'error_rate', 'guardrail', 0, 9),
            metricOf(arm, 'reopen_rate', 'goal', 0, log),
          ]),
        ),
        [rolledBack],
      ).decision?.action;
    expect([winning(Math.log(20)), winning(Math.log(40))]).toEqual([undefined, 'promote']);
  });
});

test('the breaching metric is the strongest, whatever the order of the metrics; the others are in the evidence', () => {
  const metrics = [metricOf('B', 'error_rate', 'guardrail', 3.5), metricOf('B', 'cost', 'guardrail', 6)];
  const [one, two] = [metrics, [...metrics].reverse()].map(
    (order) => decide(look(aRevision(), order), []).decision as Decision,
  );
  expect(one).toEqual(two);
  expect(one?.metric).toBe('cost');
  expect(JSON.parse(one?.evidence ?? '{}').alsoHarmed).toEqual([
    { metric: 'error_rate', testStart: 'whole phase', weightedLogE: 3.5 },
  ]);
});
test('the bound is met by reaching it, not by a rounded 2.996', () => {
  const at = (log: number) => decide(look(aRevision(), [metricOf('B', 'error_rate', 'guardrail', log)]), []).state;
  expect([at(Math.log(20)), at(Math.log(20) - 1e-9)]).toEqual(['HARM', 'CONTINUE']);
});

describe('a step with a tolerance', () => {
  const ramped = aRevision(
    {},
    anExperimentFile({
      extra: '  ramp: { coverage: [5, 100], hold: 6h, min_units: 10, tolerance: 1, patience: 3d }\n',
    }),
  );
  const upTo = (upper: number, gate?: string): MetricEvaluation =>
    aMetric({
      interval: {
        ok: true,
        engine: 'asymptotic',
        alpha: 0.05,
        estimate: 0,
        lower: -0.1,
        upper,
        ...(gate !== undefined && { gate }),
      },
    });
  const at = (metric: MetricEvaluation, hours = 30): string =>
    decide(look(ramped, [metric], { watermark: monday + hours * hour, newestClock: monday + hours * hour }), []).state;
  test.each([
    ['a limit below the declared harm', upTo(0.049), 30, 'RAMP_NEXT'],
    ['a limit above it', upTo(0.051), 30, 'CONTINUE'],
    ['an interval whose gates have not passed', upTo(0.01, 'each arm needs 200 closed units'), 30, 'CONTINUE'],
    ['no interval', aMetric(), 30, 'CONTINUE'],
    ['no interval, and patience has run out', aMetric(), 73, 'RAMP_NEXT'],
  ])('%s', (_name, metric, hours, state) => expect(at(metric, hours)).toBe(state));
  test('a margin that is shown to be kept, by the exact test', () => {
    const margined = aRevision(
      {},
      anExperimentFile({ extra: '  ramp: { coverage: [5, 100], hold: 6h, min_units: 10, tolerance: 1 }\n' }).replace(
        'cap: 1 }',
        'cap: 1, margin: 0.02 }',
      ),
    );
    const kept = (winLog: number): string => decide(look(margined, [aMetric({ winLog })]), []).state;
    expect([kept(Math.log(20)), kept(2.9)]).toEqual(['RAMP_NEXT', 'CONTINUE']);
  });
});

describe('futility', () => {
  const worth = aRevision(
    {},
    anExperimentFile().replace('id: reopen_rate, role: goal,', 'id: reopen_rate, role: goal, worthwhile: 0.01,'),
  );
  const goal = (lower: number, change: Partial<MetricEvaluation> = {}): MetricEvaluation =>
    aMetric({
      metric: 'reopen_rate',
      role: 'goal',
      interval: { ok: true, engine: 'asymptotic', alpha: 0.05, estimate: 0, lower, upper: 0.02 },
      ...change,
    });
  test.each([
    ['the benefit at best is too small', goal(-0.009), 'FUTILITY'],
    ['it may still be large enough', goal(-0.011), 'CONTINUE'],
    ['a win has become unlikely', goal(-0.03, { conditionalPower: 0.09 }), 'FUTILITY'],
    ['a win is still likely', goal(-0.03, { conditionalPower: 0.11 }), 'CONTINUE'],
    [
      'an interval that may not be acted on',
      goal(-0.009, {
        interval: {
          ok: true,
          engine: 'asymptotic',
          alpha: 0.05,
          estimate: 0,
          lower: -0.009,
          upper: 0.02,
          gate: 'too few',
        },
      }),
      'CONTINUE',
    ],
  ])('%s', (_name, metric, state) => expect(decide(look(worth, [metric]), []).state).toBe(state));
  test('without `worthwhile` nothing is futile', () =>
    expect(decide(look(aRevision(), [goal(-0.001)]), []).state).toBe('CONTINUE'));
});

describe('e-Holm', () => {
  const named = (log: number): string[] =>
    JSON.parse(
      decide(
        look(aRevision(), [metricOf('B', 'error_rate', 'guardrail', 5), metricOf('B', 'cost', 'guardrail', log)]),
        [],
      ).decision?.evidence ?? '{}',
    ).alsoHarmed?.map(({ metric }: { metric: string }) => metric) ?? [];
  test("the second is named with the first one's share added to its own: 0.4 of 0.6", () => {
    expect([named(Math.log(20 * 0.6) + 1e-9), named(Math.log(20 * 0.6) - 1e-9)]).toEqual([['cost'], []]);
  });
});

test('candidates that share alpha_harm need twice the evidence each', () => {
  const shared = aRevision({}, three.replace('  metrics:', '  analysis: { fwer: true }\n  metrics:'));
  const at = (log: number): string =>
    decide(
      look(shared, [metricOf('B', 'error_rate', 'guardrail', log), metricOf('C', 'error_rate', 'guardrail', 0)]),
      [],
    ).state;
  expect([at(Math.log(40) + 1e-9), at(Math.log(40) - 1e-9)]).toEqual(['HARM', 'CONTINUE']);
});

test('who came back is said with a rollback from a test start, and nowhere else', () => {
  const attrition = [{ candidate: 'B', returns: { testStart: 'schedule 3', logE: 9 } }];
  const harmed = metricOf('B', 'error_rate', 'guardrail', 5);
  const late: MetricEvaluation = {
    ...harmed,
    ...(harmed.harm && {
      harm: { ...harmed.harm, testStart: { kind: 'schedule', label: 'schedule 4', index: 4, weight: 0.01 } },
    }),
  };
  const labels = (metric: MetricEvaluation): unknown =>
    JSON.parse(decide(look(aRevision(), [metric], { attrition }), []).decision?.evidence ?? '{}').labels;
  expect([labels(late), labels(harmed)]).toEqual([['ATTRITION_MAY_DIFFER'], undefined]);
});

test('an arm without traffic makes the phase stale', () =>
  expect(decide(look(aRevision(), [metricOf('B', 'error_rate', 'guardrail', 0)], { silent: ['B'] }), []).state).toBe(
    'STALE',
  ));
