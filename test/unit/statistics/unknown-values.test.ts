/**
 * Inputs after public bug reports: candidates that were worse, or not measured at all, and were promoted for it. Each
 * is drawn here anew and goes through all of the pipeline in memory, to the decision.
 */
import { describe, expect, test } from 'vitest';
import { decide } from '../../../services/control/index.ts';
import type { Decision } from '../../../services/kernel/decision.ts';
import { createRandom, seedOf } from '../../../services/simulation/random.ts';
import { anExperimentFile, anInference, anOutcome, aRevision, hour, monday } from '../../support/build.ts';
import { createMemoryPath, type MemoryPath } from '../../support/memory-path.ts';
import { metricLine } from '../../support/metric-line.ts';

type Visitor = {
  readonly user: string;
  readonly variant: 'A' | 'B';
  readonly at: number;
  readonly chance: () => number;
};
type Story = {
  readonly metrics: string;
  readonly extra?: string;
  readonly users?: number;
  readonly everyMs?: number;
  readonly seed?: number;
  readonly visit: (path: MemoryPath, visitor: Visitor) => void;
};

/** A look every 50 users, and a day of ticks at the end; decisions as they come. */
function play({ metrics, extra = '', users = 1_200, everyMs = 3 * 60_000, seed = 1, visit }: Story) {
  const path = createMemoryPath(2);
  path.apply(
    aRevision({}, anExperimentFile({ metrics, extra: `  analysis: { min_run: 24h, horizon: 30d }\n${extra}` })),
  );
  const decisions: Decision[] = [];
  const look = (): void => void decisions.push(...[path.decide('exp-test')].flatMap((found) => found ?? []));
  let at = monday;
  for (let user = 0; user < users; user += 1) {
    const random = createRandom(seedOf(seed, user));
    const chance = (): number => random.next() / 2 ** 32;
    at = monday + user * everyMs;
    visit(path, { user: `user-${user}`, variant: chance() < 0.5 ? 'A' : 'B', at, chance });
    if (user % 50 === 49) look();
  }
  for (let hours = 1; hours <= 24; hours += 8) {
    path.tick(at + hours * hour);
    look();
  }
  const evaluation = path.look('exp-test');
  return { decisions, evaluation, state: decide(evaluation, decisions).state };
}
const metricOf = ({ evaluation }: ReturnType<typeof play>, id: string) => {
  const found = evaluation.metrics.find(({ metric }) => metric === id);
  if (found === undefined) throw new Error(`no metric ${id}`);
  return found;
};

const errorRate = metricLine({
  id: 'error_rate',
  numerator: 'errors',
  harm: 0.05,
  margin: 0.05,
  baseline: { mean: 0.05, sd: 0.218 },
  cap: 1,
});
const call = ({ user, variant, at }: Visitor, fields: Parameters<typeof anInference>[0] = {}) =>
  anInference({ user, variant, at, ticket: `T-${user}`, ...fields });

describe('a candidate without prices', () => {
  const cost = metricLine({
    id: 'cost',
    role: 'goal',
    numerator: 'cost_nano_usd',
    harm: '+20%',
    baseline: { mean: 10e6, sd: 5e6 },
    cap: 40e6,
  });
  const unpriced = (share: number) =>
    play({
      metrics: cost + errorRate,
      visit: (path, visitor) => {
        const priced = visitor.variant === 'A' || visitor.chance() >= share;
        const amount = Math.round(5e6 + 10e6 * visitor.chance());
        path.send(
          call(visitor, {
            cost_nano_usd: priced ? amount : null,
            status: visitor.chance() < 0.05 ? 'error' : 'success',
          }),
        );
      },
    });
  test('is not promoted: the metric cannot be measured, the share is told, and a pause says so', () => {
    const found = unpriced(1);
    expect(found.decisions.map(({ action, reasonCode, metric }) => [action, reasonCode, metric])).toEqual([
      ['pause', 'NOT_REPORTED', 'missing:measured:cost'],
    ]);
    const { status, reason, arms } = metricOf(found, 'cost');
    expect(status).toBe('cannot_measure');
    expect(reason).toMatch(/not known for 100% of B's entries.*unpriced; give the model a price/);
    expect(arms[1]).toMatchObject({ known: 0, unknownCalls: arms[1]?.units });
    expect(arms[1]?.estimate).toBeUndefined();
  });
  test('nor when only some prices are missing', () =>
    expect(unpriced(0.3).decisions.every(({ action }) => action !== 'promote')).toBe(true));
  test('with prices for all it is decided as ever', () =>
    expect(metricOf(unpriced(0), 'cost')).toMatchObject({ status: 'fine', arms: [{ unknown: 0 }, { unknown: 0 }] }));
});

describe('a candidate whose calls never come', () => {
  const metrics =
    metricLine({
      id: 'refusal_rate',
      role: 'goal',
      numerator: 'refusals',
      harm: 0.1,
      baseline: { mean: 0.2, sd: 0.4 },
      cap: 1,
    }) + errorRate;
  const crashing = (share: number, baseline = 0) =>
    play({
      metrics,
      visit: (path, visitor) => {
        path.expose(visitor.user, visitor.variant, visitor.at);
        if (visitor.chance() < (visitor.variant === 'B' ? share : baseline)) return;
        path.send(call(visitor, { at: visitor.at + 1_000, status: visitor.chance() < 0.2 ? 'refusal' : 'success' }));
      },
    });
  test('is rolled back for it, and nothing else is said of it', () => {
    const found = crashing(1);
    expect(found.decisions[0]).toMatchObject({
      action: 'rollback',
      reasonCode: 'CALLS_LOST',
      metric: 'missing:called',
    });
    expect(found.decisions.some(({ action }) => action === 'promote')).toBe(false);
    expect(metricOf(found, 'refusal_rate')).toMatchObject({ status: 'cannot_measure' });
    expect(metricOf(found, 'refusal_rate').reason).toMatch(
      /exposed and never called; look between assign\(\) and record\(\)/,
    );
  });
  test('at a loss of 20% within 300 units of the candidate', () => {
    const found = crashing(0.2);
    expect(found.decisions[0]).toMatchObject({ reasonCode: 'CALLS_LOST' });
    const { srm } = JSON.parse(found.decisions[0]?.evidence ?? '{}') as { srm: { counts: { B: number } } };
    expect(srm.counts.B).toBeLessThan(300);
  });
  test('as in control it is no harm, and no win either', () => {
    const found = crashing(0.3, 0.3);
    expect(found.decisions).toEqual([]);
    expect(found.state).toBe('CANNOT_MEASURE');
  });
});

test('a candidate that resolves less and reopens more of it is rolled back, not promoted', () => {
  const found = play({
    metrics: metricLine({
      id: 'reopen_rate',
      role: 'goal',
      numerator: 'any(ticket_reopened)',
      denominator: 'any(ticket_resolved)',
      window: '6h',
      harm: 0.1,
      baseline: { mean: 0.36, sd: 0.48 },
      cap: 1,
    }),
    visit: (path, visitor) => {
      path.send(call(visitor));
      const isB = visitor.variant === 'B';
      const ticket = { ticket: `T-${visitor.user}` };
      if (visitor.chance() >= (isB ? 0.4 : 0.9)) return;
      path.send(anOutcome({ ...ticket, kind: 'ticket_resolved', at: visitor.at + 1_000 }));
      if (visitor.chance() >= (isB ? 0.6 : 0.4)) return;
      path.send(anOutcome({ ...ticket, kind: 'ticket_reopened', at: visitor.at + 2_000 }));
    },
  });
  expect(found.decisions[0]).toMatchObject({ action: 'rollback', reasonCode: 'HARM', metric: 'reopen_rate' });
  const [control, candidate] = metricOf(found, 'reopen_rate').arms;
  expect(candidate?.estimate).toBeGreaterThan(control?.estimate ?? 1);
  expect(candidate?.none).toBeGreaterThan(0);
});

test('a margin that turns negative by refunds is rolled back', () => {
  const found = play({
    metrics: metricLine({
      id: 'margin_per_user',
      numerator: 'sum(margin)',
      denominator: undefined,
      better: 'higher',
      window: '6h',
      harm: '+20%',
      baseline: { mean: 20, sd: 20 },
      cap: 60,
    }),
    visit: (path, visitor) => {
      path.send(call(visitor));
      const buys = visitor.chance() < 0.5;
      if (!buys && visitor.variant === 'A') return;
      path.send(
        anOutcome({ ticket: `T-${visitor.user}`, kind: 'margin', value: buys ? 40 : -38, at: visitor.at + 1_000 }),
      );
    },
  });
  expect(found.decisions[0]).toMatchObject({ action: 'rollback', metric: 'margin_per_user' });
  expect(metricOf(found, 'margin_per_user').clipped).toMatch(/lie outside \[-31\.\d+, 60\]/);
});

describe('a ramp', () => {
  const ramp = '  ramp: { coverage: [25, 50, 100], hold: 6h, min_units: 50 }\n';
  const silentFrom = (hours: number, extra = ramp) =>
    play({
      metrics: errorRate,
      extra,
      visit: (path, visitor) => {
        if (visitor.variant === 'B' && visitor.at > monday + hours * hour) return;
        path.send(call(visitor));
      },
    });
  test('does not climb for a candidate that has fallen silent, though the file says nothing of it', () => {
    const found = silentFrom(5.5);
    expect(found.decisions.filter(({ action }) => action === 'advance')).toEqual([]);
    expect(found.evaluation.quiet.arms).toContain('B');
  });
  test('climbs while both are called', () =>
    expect(silentFrom(Infinity).decisions[0]).toMatchObject({ action: 'advance', reasonCode: 'RAMP_NEXT' }));
  test('does not climb on ticks alone: a clock that moves is no sign of life', () => {
    const path = createMemoryPath(2);
    path.apply(aRevision({}, anExperimentFile({ metrics: errorRate, extra: ramp })));
    for (let user = 0; user < 200; user += 1)
      path.send(anInference({ user: `u${user}`, variant: user % 2 === 0 ? 'A' : 'B', at: monday + user * 60_000 }));
    expect(path.decide('exp-test')).toBeUndefined();
    for (let hours = 4; hours <= 12; hours += 1) {
      path.tick(monday + hours * hour);
      expect(path.decide('exp-test')).toBeUndefined();
    }
  });
});

describe('sums that a double does not hold', () => {
  const revenue = metricLine({
    id: 'revenue',
    role: 'goal',
    numerator: 'sum(order_total)',
    denominator: undefined,
    better: 'higher',
    window: '6h',
    harm: '+20%',
    baseline: { mean: 1e9, sd: 9e8 },
    cap: 12e9,
  });
  test('eleven orders of a billion for one unit: nine count, two are dropped by name, others go on', () => {
    const path = createMemoryPath(1);
    path.apply(aRevision({}, anExperimentFile({ metrics: revenue })));
    path.send(anInference({ user: 'big', ticket: 'T-big', at: monday }));
    for (let order = 1; order <= 11; order += 1)
      path.send(anOutcome({ ticket: 'T-big', kind: 'order_total', value: 999_999_999.99, at: monday + order * 1_000 }));
    path.send(anInference({ user: 'small', ticket: 'T-small', at: monday + hour }));
    path.send(anOutcome({ ticket: 'T-small', kind: 'order_total', value: 10, at: monday + hour + 1_000 }));
    path.tick(monday + 24 * hour);
    const [control] = path.look('exp-test').metrics[0]?.arms ?? [];
    expect(control).toMatchObject({ units: 2, numerator: String(9n * 999_999_999_990_000n + 10_000_000n) });
    expect(path.partitions[0]?.counts.dropped.get('sum-limit')).toBe(2);
  });
  test('scores of a billion: the calls past it are unknown for that metric, and count for the others', () => {
    const path = createMemoryPath(1);
    const score = metricLine({
      id: 'score',
      numerator: 'score(size)',
      denominator: undefined,
      harm: '+20%',
      baseline: { mean: 1e9, sd: 9e8 },
      cap: 12e9,
    });
    path.apply(aRevision({}, anExperimentFile({ metrics: score + errorRate })));
    for (let at = 0; at < 12; at += 1)
      path.send(anInference({ user: 'big', scores: { size: 1e9 }, at: monday + at * 1_000 }));
    path.tick(monday + 24 * hour);
    const [scores, errors] = path.look('exp-test').metrics;
    expect(scores?.arms[0]).toMatchObject({ knownCalls: 9, unknownCalls: 3 });
    expect(errors?.arms[0]).toMatchObject({ knownCalls: 12, unknownCalls: 0 });
  });
});
