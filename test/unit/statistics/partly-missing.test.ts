/** What goes missing in some of a unit's calls, or only where it is bad: seen, and never the ground of a decision. */
import { describe, expect, test } from 'vitest';
import { metricLine } from '../../support/metric-line.ts';
import { call, metricOf, play, type Visitor } from './play.ts';

describe('a candidate of whose calls only some go wrong', () => {
  const refusals = metricLine({
    id: 'refusal_rate',
    role: 'goal',
    numerator: 'refusals',
    harm: 0.05,
    baseline: { mean: 0.3, sd: 0.2 },
    cap: 1,
  });
  const cost = metricLine({
    id: 'cost_per_user',
    role: 'goal',
    numerator: 'cost_nano_usd',
    denominator: undefined,
    harm: '+20%',
    baseline: { mean: 5e3, sd: 1e3 },
    cap: 2e4,
  });
  const visits = [0, 1, 2, 3, 4];
  test('because they fail: it is rolled back, though no metric of errors is declared', () => {
    const found = play({
      metrics: refusals,
      visit: (path, visitor) => {
        for (const second of visits) {
          const fails = visitor.variant === 'B' && visitor.chance() < 0.4;
          const status = fails ? 'error' : visitor.chance() < 0.3 ? 'refusal' : 'success';
          path.send(call({ ...visitor, at: visitor.at + second * 1_000 }, { status }));
        }
      },
    });
    expect(found.decisions[0]).toMatchObject({ reasonCode: 'CALLS_LOST', metric: 'missing:answered' });
    expect(found.decisions.some(({ action }) => action === 'promote')).toBe(false);
  });
  test('because it crashes before them on later visits: it is rolled back', () => {
    const found = play({
      metrics: cost,
      visit: (path, visitor) => {
        for (const second of visits) {
          const at = visitor.at + second * 1_000;
          path.expose(visitor.user, visitor.variant, at);
          if (second > 0 && visitor.variant === 'B' && visitor.chance() < 0.4) continue;
          path.send(call({ ...visitor, at: at + 10 }, { cost_nano_usd: Math.round(500 + 1_000 * visitor.chance()) }));
        }
      },
    });
    expect(found.decisions[0]).toMatchObject({ reasonCode: 'CALLS_LOST', metric: 'missing:called again' });
  });
  test('exposures told twice for every call, in both arms, lose nothing', () => {
    const found = play({
      metrics: cost,
      visit: (path, visitor) => {
        path.expose(visitor.user, visitor.variant, visitor.at);
        path.expose(visitor.user, visitor.variant, visitor.at + 100);
        path.send(call({ ...visitor, at: visitor.at + 200 }, { cost_nano_usd: Math.round(10_000 * visitor.chance()) }));
      },
    });
    expect(found.decisions).toEqual([]);
    expect(metricOf(found, 'cost_per_user').status).toBe('fine');
  });
});

describe('a candidate that leaves its bad answers unchecked', () => {
  const checked = (unchecked: (visitor: Visitor, isBad: boolean) => boolean) =>
    play({
      metrics: metricLine({
        id: 'invalid_rate',
        role: 'goal',
        numerator: 'schema_invalid',
        denominator: 'schema_checked',
        harm: 0.05,
        baseline: { mean: 0.2, sd: 0.4 },
        cap: 1,
      }),
      visit: (path, visitor) => {
        const isBad = visitor.chance() < (visitor.variant === 'B' ? 0.4 : 0.2);
        path.send(call(visitor, { schema_valid: unchecked(visitor, isBad) ? null : !isBad }));
      },
    });
  test('is paused, not promoted', () => {
    const found = checked(({ variant, chance }, isBad) => variant === 'B' && isBad && chance() < 0.9);
    expect(found.decisions.map(({ reasonCode }) => reasonCode)).toEqual(['NOT_REPORTED']);
  });
  test('two calls of five checked at random in both arms are enough to find it', () => {
    const found = checked(({ chance }) => chance() < 0.6);
    expect(found.decisions[0]).toMatchObject({ action: 'rollback', reasonCode: 'HARM', metric: 'invalid_rate' });
  });
});

describe('harm that only what is missing could have made', () => {
  const cost = metricLine({
    id: 'cost_per_user',
    numerator: 'cost_nano_usd',
    denominator: undefined,
    harm: '+20%',
    baseline: { mean: 5_000, sd: 2_500 },
    cap: 10_000,
  });
  const priced = (price: (visitor: Visitor) => number | null) =>
    play({ metrics: cost, visit: (path, visitor) => path.send(call(visitor, { cost_nano_usd: price(visitor) })) });
  test('is no harm: a candidate whose cheap half has no price is paused for that', () => {
    const found = priced(({ variant, chance }) => {
      const nanoUsd = Math.round(10_000 * chance());
      return variant === 'B' && nanoUsd < 5_000 ? null : nanoUsd;
    });
    expect(found.decisions.map(({ reasonCode }) => reasonCode)).toEqual(['NOT_REPORTED']);
  });
  test('does not hide harm that is there whatever the missing prices are', () => {
    const found = priced(({ variant, chance }) => {
      const nanoUsd = Math.round(4_000 * chance()) + (variant === 'B' ? 5_000 : 0);
      return variant === 'B' && chance() < 0.03 ? null : nanoUsd;
    });
    expect(found.decisions[0]).toMatchObject({ action: 'rollback', reasonCode: 'HARM' });
  });
});
