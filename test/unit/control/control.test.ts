import { describe, expect, test } from 'vitest';
import {
  applyDecision,
  decide,
  fromDecisionRecord,
  personsDecision,
  parseExperimentFile,
  planRevision,
  toDecisionRecord,
  whateverRuns,
} from '../../../services/control/index.ts';
import type { Evaluation } from '../../../services/kernel/evaluation.ts';
import type { Decision } from '../../../services/kernel/decision.ts';
import { aMetric, anEvaluation, anExperimentFile, aRevision, hour, monday } from '../../support/build.ts';

const metric = aMetric;
const evaluation = anEvaluation;
const pastOf = (change: Partial<Decision>): Decision => ({
  decisionId: 'x',
  experimentId: 'exp-test',
  phase: 1,
  action: 'rollback',
  reasonCode: 'HARM',
  ruleId: 'harm',
  ruleVersion: 1,
  eventsFolded: 1,
  versionVector: [],
  configSha: '',
  revision: 1,
  evidence: '{}',
  actor: 'engine',
  traceId: '',
  ...change,
});

const harmed = metric({ log: 4 });
const signal = metric({ metric: 'latency', role: 'signal', log: 4 });
/** What is the matter, what was decided before, and the state and action that follow. */
const looks: readonly [string, Partial<Evaluation>, readonly Decision[], string, string | undefined][] = [
  ['unsettled partitions decide nothing', { settled: false, metrics: [harmed] }, [], 'UNSETTLED', undefined],
  ['harm rolls back', { metrics: [harmed] }, [], 'HARM', 'rollback'],
  [
    'harm wins over stale and sample ratio',
    { metrics: [harmed], newestClock: monday + 99 * hour, srm: { logE: 20, counts: {} } },
    [],
    'HARM',
    'rollback',
  ],
  ['a rolled-back candidate is over', { metrics: [harmed] }, [pastOf({ candidate: 'B' })], 'OVER', undefined],
  ['a signal pauses', { metrics: [signal, metric()] }, [], 'SIGNAL', 'pause'],
  [
    'a signal pauses once',
    { metrics: [signal, metric()] },
    [pastOf({ action: 'pause', reasonCode: 'SIGNAL', metric: 'latency', candidate: 'B' })],
    'PAUSED',
    undefined,
  ],
  [
    'harm is still seen after a pause',
    { metrics: [signal, harmed] },
    [pastOf({ action: 'pause', reasonCode: 'SIGNAL', metric: 'latency', candidate: 'B' })],
    'HARM',
    'rollback',
  ],
  [
    'stale comes before sample ratio',
    { newestClock: monday + 99 * hour, srm: { logE: 20, counts: {} } },
    [],
    'STALE',
    undefined,
  ],
  ['sample ratio pauses', { srm: { logE: 7, counts: {} } }, [], 'SRM', 'pause'],
  [
    'sample ratio lasts',
    { srm: { logE: 0, counts: {} } },
    [pastOf({ action: 'pause', reasonCode: 'SRM' })],
    'SRM',
    undefined,
  ],
  ['a suspected sample ratio blocks', { srm: { logE: 2, counts: {} } }, [], 'SRM_SUSPECTED', undefined],
  ['nothing to test', { metrics: [{ ...metric(), harm: undefined } as never] }, [], 'INSUFFICIENT', undefined],
  [
    'a win promotes after the minimum run',
    {
      watermark: monday + 25 * hour,
      newestClock: monday + 25 * hour,
      metrics: [metric({ winLog: 4 }), metric({ metric: 'reopen_rate', role: 'goal', winLog: 4 })],
    },
    [],
    'WIN',
    'promote',
  ],
  [
    'no win before the minimum run',
    { metrics: [metric({ winLog: 4 }), metric({ metric: 'reopen_rate', role: 'goal', winLog: 4 })] },
    [],
    'CONTINUE',
    undefined,
  ],
  [
    'no win while a guardrail is not shown to be safe',
    {
      watermark: monday + 25 * hour,
      newestClock: monday + 25 * hour,
      metrics: [metric({ winLog: 1 }), metric({ metric: 'reopen_rate', role: 'goal', winLog: 4 })],
    },
    [],
    'CONTINUE',
    undefined,
  ],
  [
    'the horizon concludes',
    { watermark: monday + 400 * hour, newestClock: monday + 400 * hour },
    [],
    'HORIZON',
    'conclude',
  ],
  [
    'the horizon concludes once',
    { watermark: monday + 400 * hour, newestClock: monday + 400 * hour },
    [pastOf({ action: 'conclude', reasonCode: 'HORIZON' })],
    'HORIZON',
    undefined,
  ],
  ['otherwise it goes on', {}, [], 'CONTINUE', undefined],
];

describe('rules, first match wins', () => {
  test.each(looks)('%s', (_name, change, past, state, action) => {
    const judged = decide(evaluation(change), past);
    expect([judged.state, judged.decision?.action]).toEqual([state, action]);
  });
  test('a ramp advances when its step has held long enough, with enough units', () => {
    const experiment = aRevision(
      {},
      anExperimentFile({ extra: '  ramp: { coverage: [5, 50, 100], hold: 6h, min_units: 10 }\n' }),
    );
    const at = (hours: number, units: number) =>
      decide(
        evaluation({
          experiment,
          watermark: monday + hours * hour,
          newestClock: monday + hours * hour,
          srm: { logE: 0, counts: { A: units, B: units } },
        }),
        [],
      ).decision?.action;
    expect([at(5, 9), at(6, 9), at(6, 4)]).toEqual([undefined, 'advance', undefined]);
    expect(experiment.coverage).toBe(5);
    expect(applyDecision(experiment, pastOf({ action: 'advance' }), monday)?.coverage).toBe(50);
  });
  test('the same look gives the same bytes, and the record holds all of it', () => {
    const one = decide(evaluation({ metrics: [harmed] }), []).decision as Decision;
    expect(decide(evaluation({ metrics: [metric({ log: 4 })] }), []).decision).toEqual(one);
    expect(fromDecisionRecord(toDecisionRecord(one))).toEqual(one);
    expect(JSON.parse(one.evidence)).toMatchObject({ metric: 'error_rate', design: { q: 0.5 } });
  });
});

describe('revisions', () => {
  test.each([
    ['rollback', 'rolled_back', 0],
    ['stop', 'stopped', 0],
    ['pause', 'paused', 100],
    ['promote', 'promoted', 100],
  ] as const)('%s', (action, status, coverage) => {
    expect(applyDecision(aRevision(), pastOf({ action }), monday)).toMatchObject({
      status,
      coverage,
      revision: 2,
      phase: 1,
    });
  });
  test('obeying twice changes nothing', () => {
    const once = applyDecision(aRevision(), pastOf({}), monday);
    expect(once && applyDecision(once, pastOf({}), monday)).toBeUndefined();
  });
  test('the same file plans nothing; other arms, metrics or alphas are a new phase, other times are not', () => {
    const first = aRevision();
    const plan = (text: string) => {
      const parsed = parseExperimentFile(text, 'f');
      return parsed.ok ? planRevision(parsed.spec, parsed.sha, first, monday + hour, 'a', 'b') : undefined;
    };
    expect(plan(anExperimentFile())).toBeUndefined();
    expect(plan(anExperimentFile().replace('weight: 50 }', 'weight: 60 }'))).toMatchObject({
      phase: 2,
      revision: 2,
      phaseStartedAt: monday + hour,
    });
    expect(plan(anExperimentFile({ extra: '  analysis: { alpha_harm: 0.01 }\n' }))).toMatchObject({
      phase: 2,
      revision: 2,
    });
    expect(plan(anExperimentFile({ extra: '  analysis: { restart_every: 3h }\n' }))).toMatchObject({
      phase: 2,
      revision: 2,
    });
    expect(plan(anExperimentFile({ extra: '  analysis: { min_run: 2d, freshness: 1m }\n' }))).toMatchObject({
      phase: 1,
      revision: 2,
      phaseStartedAt: monday,
    });
  });
  test('a kill names who and why', () =>
    expect(
      personsDecision(whateverRuns('exp-test'), { action: 'rollback', actor: 'sre', reason: 'INC-1' }, monday),
    ).toMatchObject({
      action: 'rollback',
      reasonCode: 'KILL',
      actor: 'sre',
      note: 'INC-1',
    }));
});
