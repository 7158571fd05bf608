import { describe, expect, test } from 'vitest';
import { applyDecision, decide } from '../../../services/control/index.ts';
import type { Decision } from '../../../services/kernel/decision.ts';
import type { Evaluation, MetricEvaluation } from '../../../services/kernel/evaluation.ts';
import { emptyEntrySums } from '../../../services/kernel/evidence.ts';
import type { ExperimentRevision } from '../../../services/kernel/experiment.ts';
import { anExperimentFile, aRevision, hour, monday } from '../../support/build.ts';

const metricOf = (candidate: string, metric: string, role: MetricEvaluation['role'], harmLog: number, winLog = -5): MetricEvaluation => {
  const test = (logE: number) => ({ engine: 'E1' as const, restart: { kind: 'whole' as const, label: 'whole phase', index: 0, weight: 0.375 }, logE, weightedLogE: logE, control: emptyEntrySums(), candidate: emptyEntrySums() });
  return { metric, candidate, role, arms: [], harm: test(harmLog), win: test(winLog), status: 'fine' };
};
const look = (experiment: ExperimentRevision, metrics: readonly MetricEvaluation[], change: Partial<Evaluation> = {}): Evaluation => ({
  experiment, versionVector: [{ part: 0, ver: 4096 }], watermark: monday + 30 * hour, newestClock: monday + 30 * hour, eventsFolded: 10, crossovers: 0, settled: true, srm: { logE: 0, counts: { A: 900, B: 900 } }, metrics, ...change,
});
const three = anExperimentFile().replace('    - { id: B, weight: 50 }\n', '    - { id: B, weight: 50 }\n    - { id: C, weight: 50 }\n');

describe('a ramp', () => {
  const ramped = aRevision({}, anExperimentFile({ extra: '  ramp: { coverage: [5, 25, 50, 100], hold: 6h, min_units: 10 }\n' }));
  const calm = [metricOf('B', 'error_rate', 'guardrail', 0)];
  test('asks for a step once: looks before it is obeyed do not climb on', () => {
    const past: Decision[] = [];
    for (let n = 1; n <= 3; n += 1) {
      const { state, decision } = decide(look(ramped, calm, { versionVector: [{ part: 0, ver: n * 4096 }] }), past);
      expect(state).toBe('RAMP_NEXT');
      if (decision) past.push(decision);
    }
    expect(past.map(({ action }) => action)).toEqual(['advance']);
    const obeyed = applyDecision(ramped, past[0] as Decision, monday + 30 * hour) as ExperimentRevision;
    expect(obeyed.coverage).toBe(25);
    // The hold counts from the new step, then the next one is due.
    expect(decide(look(obeyed, calm), past).state).toBe('CONTINUE');
    expect(decide(look(obeyed, calm, { watermark: monday + 36 * hour, newestClock: monday + 36 * hour }), past).decision).toMatchObject({ action: 'advance', seq: 2 });
  });
  test('a step decided on another revision, or while paused, is not taken', () => {
    const step = decide(look(ramped, calm), []).decision as Decision;
    expect(applyDecision({ ...ramped, revision: 2, coverage: 25 }, step, monday)).toBeUndefined();
    expect(applyDecision({ ...ramped, status: 'paused' }, step, monday)).toBeUndefined();
  });
  test.each([['stale', { newestClock: monday + 99 * hour }], ['a suspected sample ratio', { srm: { logE: Math.log(3), counts: { A: 900, B: 900 } } }]])('%s holds it', (_name, change) => {
    expect(decide(look(ramped, calm, change), []).decision).toBeUndefined();
  });
});

describe('sample ratio', () => {
  test('its bound is 1 / alpha_srm', () => {
    const strict = aRevision({}, anExperimentFile({ extra: '  analysis: { alpha_srm: 0.01 }\n' }));
    const at = (experiment: ExperimentRevision, logE: number) => decide(look(experiment, [metricOf('B', 'error_rate', 'guardrail', 0)], { srm: { logE, counts: {} } }), []).state;
    expect([at(strict, Math.log(100)), at(strict, Math.log(99)), at(aRevision(), Math.log(999)), at(aRevision(), Math.log(1000))]).toEqual(['SRM', 'SRM_SUSPECTED', 'SRM_SUSPECTED', 'SRM']);
  });
});

describe('several candidates', () => {
  const experiment = aRevision({}, three);
  test('each is rolled back on its own, then all is over', () => {
    const both = [metricOf('B', 'error_rate', 'guardrail', 4), metricOf('C', 'error_rate', 'guardrail', 5)];
    const first = decide(look(experiment, both), []).decision as Decision;
    const second = decide(look(experiment, both), [first]).decision as Decision;
    expect([first, second].map(({ candidate, seq }) => [candidate, seq])).toEqual([['C', 1], ['B', 2]]);
    expect(first.decisionId).not.toBe(second.decisionId);
    expect(decide(look(experiment, both), [first, second])).toEqual({ state: 'OVER', ruleId: 'over' });
  });
  test('the error for winning is split over all of them, also when one is over', () => {
    const rolledBack = decide(look(experiment, [metricOf('C', 'error_rate', 'guardrail', 9)]), []).decision as Decision;
    const winning = (log: number) => decide(look(experiment, ['B', 'C'].flatMap((arm) => [metricOf(arm, 'error_rate', 'guardrail', 0, 9), metricOf(arm, 'reopen_rate', 'goal', 0, log)])), [rolledBack]).decision?.action;
    expect([winning(Math.log(20)), winning(Math.log(40))]).toEqual([undefined, 'promote']);
  });
});

test('the culprit is the strongest, whatever the order of the metrics; the others are in the evidence', () => {
  const metrics = [metricOf('B', 'error_rate', 'guardrail', 3.5), metricOf('B', 'cost', 'guardrail', 6)];
  const [one, two] = [metrics, [...metrics].reverse()].map((order) => decide(look(aRevision(), order), []).decision as Decision);
  expect(one).toEqual(two);
  expect(one?.metric).toBe('cost');
  expect(JSON.parse(one?.evidence ?? '{}').alsoHarmed).toEqual([{ metric: 'error_rate', restart: 'whole phase', weightedLogE: 3.5 }]);
});
test('the bound is met by reaching it, not by a rounded 2.996', () => {
  const at = (log: number) => decide(look(aRevision(), [metricOf('B', 'error_rate', 'guardrail', log)]), []).state;
  expect([at(Math.log(20)), at(Math.log(20) - 1e-9)]).toEqual(['HARM', 'CONTINUE']);
});
