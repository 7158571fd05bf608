/**
 * Inputs after public bug reports: candidates that were worse, or not measured at all, and were promoted for it. Each
 * is drawn here anew and goes through all of the pipeline in memory, to the decision.
 */
import { describe, expect, test } from 'vitest';
import { anOutcome } from '../../support/build.ts';
import { metricLine } from '../../support/metric-line.ts';
import { call, errorRate, metricOf, play } from './play.ts';

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

test('a candidate that stops saying its slice is not promoted for it', () => {
  const found = play({
    metrics: metricLine({
      id: 'refusals_de',
      role: 'goal',
      numerator: '"refusals where slice.lang = \'de\'"',
      harm: 0.1,
      baseline: { mean: 0.3, sd: 0.46 },
      cap: 1,
    }),
    visit: (path, visitor) =>
      path.send(
        call(visitor, {
          slices: visitor.variant === 'A' ? { lang: 'de' } : {},
          status: visitor.chance() < 0.3 ? 'refusal' : 'success',
        }),
      ),
  });
  expect(found.decisions.map(({ reasonCode }) => reasonCode)).toEqual(['NOT_REPORTED']);
  expect(metricOf(found, 'refusals_de').status).toBe('cannot_measure');
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
