/**
 * Every possible combination of conditions at a look: the state is that of the first rule, in the order of
 * `services/control/README.md`.
 */
import { describe, expect, test } from 'vitest';
import { decide } from '../../../services/control/index.ts';
import type { Decision } from '../../../services/kernel/decision.ts';
import type { Evaluation, MetricEvaluation } from '../../../services/kernel/evaluation.ts';
import { aMetric, anEvaluation, anExperimentFile, aRevision, hour, monday } from '../../support/build.ts';

const file = anExperimentFile({
  extra:
    '  ramp: { coverage: [5, 100], hold: 1h, min_units: 10 }\n' +
    '  slos:\n' +
    '    - { id: errors_b, arm: B, metric: error_rate, worse_than: 0.2 }\n',
}).replace('id: reopen_rate, role: goal,', 'id: reopen_rate, role: goal, worthwhile: 0.01,');
const running = aRevision({}, file);
const past = (change: Partial<Decision>): Decision => ({
  decisionId: 'x',
  experimentId: 'exp-test',
  phase: 1,
  action: 'pause',
  reasonCode: 'MANUAL',
  ruleId: 'x',
  ruleVersion: 2,
  eventsFolded: 1,
  versionVector: [],
  configSha: '',
  revision: 1,
  evidence: '{}',
  actor: 'engine',
  traceId: '',
  ...change,
});

/** In the order of the rules: state, and the action of its decision, if any. */
const conditions = {
  harm: ['HARM', 'rollback'],
  slo: ['SLO_BREACH', 'rollback'],
  over: ['OVER', undefined],
  signal: ['SIGNAL', 'pause'],
  stale: ['STALE', undefined],
  srm: ['SRM', 'pause'],
  suspected: ['SRM_SUSPECTED', undefined],
  insufficient: ['INSUFFICIENT', undefined],
  win: ['WIN', 'promote'],
  futility: ['FUTILITY', 'stop'],
  horizon: ['HORIZON', 'conclude'],
  paused: ['PAUSED', undefined],
  ramp: ['RAMP_NEXT', 'advance'],
} as const;
type Condition = keyof typeof conditions;
const order = Object.keys(conditions) as Condition[];

function situation(on: ReadonlySet<Condition>): {
  readonly evaluation: Evaluation;
  readonly decisions: readonly Decision[];
} {
  // Older than the minimum run always; the horizon is 14 days, the ramp's step began long ago or just now.
  const now = monday + (on.has('horizon') ? 400 : 30) * hour;
  const experiment = {
    ...running,
    ...(on.has('over') && { status: 'stopped' as const }),
    appliedAt: on.has('ramp') ? monday : now,
  };
  const win = on.has('win') ? 9 : -5;
  const metrics: MetricEvaluation[] = [
    aMetric({ log: on.has('harm') ? 9 : 0, winLog: win }),
    aMetric({ metric: 'cost', winLog: win }),
    aMetric({ metric: 'hours', role: 'signal', log: on.has('signal') ? 9 : 0 }),
    aMetric({
      metric: 'reopen_rate',
      role: 'goal',
      winLog: win,
      interval: {
        ok: true,
        engine: 'asymptotic',
        alpha: 0.05,
        estimate: 0,
        lower: on.has('futility') ? -0.005 : -0.02,
        upper: 0.005,
      },
    }),
  ];
  const untested = metrics.map(({ harm: _harm, ...metric }) => metric);
  return {
    evaluation: anEvaluation({
      experiment,
      watermark: now,
      newestClock: now + (on.has('stale') ? 99 * hour : 0),
      srm: { logE: on.has('srm') ? 9 : on.has('suspected') ? 2 : 0, counts: { A: 900, B: 900 } },
      metrics: on.has('insufficient') ? untested : metrics,
      slos: [
        {
          id: 'errors_b',
          arm: 'B',
          metric: 'error_rate',
          action: 'rollback',
          status: on.has('slo') ? 'bad' : 'fine',
          killed: false,
        },
      ],
    }),
    decisions: on.has('paused') ? [past({})] : [],
  };
}

/** Nothing tested excludes harm and signals; a pause holds back what only people may go on with. */
const isPossible = (on: ReadonlySet<Condition>): boolean =>
  !(on.has('insufficient') && (on.has('harm') || on.has('signal')));
const heldByPause: ReadonlySet<Condition> = new Set(['win', 'futility', 'ramp']);
const expected = (on: ReadonlySet<Condition>): Condition | undefined =>
  order.find((condition) => on.has(condition) && !(on.has('paused') && heldByPause.has(condition)));

const judge = (on: ReadonlySet<Condition>): readonly [string, string | undefined] => {
  const { evaluation, decisions } = situation(on);
  const { state, decision } = decide(evaluation, decisions);
  return [state, decision?.action];
};
const wanted = (on: ReadonlySet<Condition>): readonly [string, string | undefined] => {
  const first = expected(on);
  return first === undefined ? ['CONTINUE', undefined] : conditions[first];
};

describe('one condition holds', () => {
  test.each(order)('%s', (condition) => expect(judge(new Set([condition]))).toEqual(conditions[condition]));
  test('none holds', () => expect(judge(new Set())).toEqual(['CONTINUE', undefined]));
});

describe('two conditions hold', () => {
  const pairs = order
    .flatMap((first, at) => order.slice(at + 1).map((second) => [first, second] as const))
    .filter((pair) => isPossible(new Set(pair)));
  test.each(pairs)('%s and %s', (...pair) => expect(judge(new Set(pair))).toEqual(wanted(new Set(pair))));
});

test('all 5,120 possible combinations of conditions, by their names', () => {
  const wrong: string[] = [];
  let tried = 0;
  for (let bits = 0; bits < 2 ** order.length; bits += 1) {
    const on = new Set(order.filter((_, at) => (bits >> at) % 2 === 1));
    if (!isPossible(on)) continue;
    tried += 1;
    const [got, want] = [judge(on), wanted(on)];
    if (got[0] !== want[0] || got[1] !== want[1])
      wrong.push(`${[...on].join(' + ')}: ${got.join(' ')} instead of ${want.join(' ')}`);
  }
  expect(wrong).toEqual([]);
  expect(tried).toBe(5_120);
}, 120_000);
