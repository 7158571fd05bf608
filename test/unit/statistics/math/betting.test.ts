import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  type CountsRevision,
  countsInterval,
  logEOfCounts,
  logEOfUnits,
} from '../../../../services/statistics/math/betting.ts';
import {
  logEOfFirstEvents,
  logEOfFirstEventsBeta,
  designRatios,
  designRatioWeights,
  rateRatioInterval,
} from '../../../../services/statistics/math/first-event.ts';
import { logEOfRatio } from '../../../../services/statistics/math/sample-ratio.ts';
import type { Outcome } from '../../../../services/statistics/math/special.ts';

const refused = { ok: false, reason: expect.stringMatching(/\w/) };
const logE = (outcome: Outcome): number => (outcome.ok ? outcome.logE : Number.NaN);
const design = { center: 0.1, design: 0.02, variance: 0.09 };
const revision = fc
  .record({
    allocation: fc.double({ min: 0.02, max: 0.98, noNaN: true }),
    unitsA: fc.integer({ min: 1, max: 20_000 }),
    unitsB: fc.integer({ min: 1, max: 20_000 }),
    a: fc.double({ min: 0, max: 1, noNaN: true }),
    b: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(
    ({ a, b, ...rest }): CountsRevision => ({
      ...rest,
      eventsA: Math.floor(a * rest.unitsA),
      eventsB: Math.floor(b * rest.unitsB),
    }),
  );
const grid = { ratios: designRatios(1.2), weights: designRatioWeights };

describe('betting', () => {
  propertyTest.prop([
    revision,
    fc.double({ min: 0, max: 0.9, noNaN: true }),
    fc.double({ min: 0.001, max: 0.09, noNaN: true }),
  ])('harm falls as more is tolerated: what makes the interval an interval', (given, tolerance, more) => {
    const at = (d0: number): number => logE(logEOfCounts({ ...design, side: 'harm', tolerance: d0, epochs: [given] }));
    expect(at(tolerance + more)).toBeLessThanOrEqual(at(tolerance) + 1e-9);
  });
  propertyTest.prop([fc.array(revision, { minLength: 1, maxLength: 3 })], { numRuns: 60 })(
    'the interval and the tests at 2/alpha agree at 0, and at a tolerance',
    (epochs) => {
      const interval = countsInterval({ ...design, alpha: 0.05, epochs });
      // Wild counts may leave no difference compatible; then both tests have fired.
      const [harm, win] = (['harm', 'win'] as const).map(
        (side) => logE(logEOfCounts({ ...design, side, tolerance: 0, epochs })) >= Math.log(40),
      );
      if (!interval.ok) return void expect(interval.reason).toMatch(/assumption/);
      expect([interval.lower >= 0, interval.upper <= 0]).toEqual([harm, win]);
      if (interval.lower > 0.01)
        expect(
          logE(logEOfCounts({ ...design, side: 'harm', tolerance: interval.lower * 0.99, epochs })),
        ).toBeGreaterThanOrEqual(Math.log(40));
      if (interval.lower > 0 && interval.lower < 0.9)
        expect(
          logE(logEOfCounts({ ...design, side: 'harm', tolerance: interval.lower * 1.001 + 1e-9, epochs })),
        ).toBeLessThan(Math.log(40));
    },
  );
  propertyTest.prop([revision, fc.integer({ min: 0, max: 100 })])(
    'a revision split in two is the same revision',
    (given, percent) => {
      const cut = (n: number): [number, number] => [
        Math.floor((n * percent) / 100),
        n - Math.floor((n * percent) / 100),
      ];
      const [goodA, badA, goodB, badB] = [
        cut(given.unitsA - given.eventsA),
        cut(given.eventsA),
        cut(given.unitsB - given.eventsB),
        cut(given.eventsB),
      ];
      const halves = ([0, 1] as const).map((k) => ({
        allocation: given.allocation,
        unitsA: goodA[k] + badA[k],
        eventsA: badA[k],
        unitsB: goodB[k] + badB[k],
        eventsB: badB[k],
      }));
      const [whole, split] = [[given], halves].map((epochs) =>
        logE(logEOfCounts({ ...design, side: 'harm', tolerance: 0, epochs })),
      ) as [number, number];
      expect(Math.abs(whole - split)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(whole)));
    },
  );
  test('a billion units: the interval is narrow and holds the truth', () => {
    const interval = countsInterval({
      ...design,
      alpha: 0.05,
      epochs: [{ allocation: 0.5, unitsA: 5e8, eventsA: 5e7, unitsB: 5e8, eventsB: 5e7 + 5e4 }],
    });
    expect(
      interval.ok && interval.lower < 1e-4 && interval.upper > 1e-4 && interval.upper - interval.lower < 0.01,
    ).toBe(true);
  });
  test('after one unit in each arm nothing is excluded', () =>
    expect(
      countsInterval({
        ...design,
        alpha: 0.05,
        epochs: [{ allocation: 0.5, unitsA: 1, eventsA: 0, unitsB: 1, eventsB: 1 }],
      }),
    ).toEqual({ ok: true, lower: -1, upper: 1 }));
});

describe('first events', () => {
  const first = fc.record({
    allocation: fc.double({ min: 0.02, max: 0.98, noNaN: true }),
    eventsA: fc.nat(20_000),
    eventsB: fc.nat(20_000),
  });
  propertyTest.prop([
    first,
    fc.double({ min: 0.5, max: 500, noNaN: true }),
    fc.constantFrom('harm' as const, 'win' as const),
  ])('Beta form: under the null the next first event keeps e on average', (given, k, side) => {
    const { allocation: q } = given;
    const e = (a: number, b: number): number =>
      logE(
        logEOfFirstEventsBeta({
          ...given,
          side,
          eventsA: given.eventsA + a,
          eventsB: given.eventsB + b,
          prior: [k * q, k * (1 - q)],
        }),
      );
    const now = e(0, 0);
    expect(q * Math.exp(e(0, 1) - now) + (1 - q) * Math.exp(e(1, 0) - now)).toBeCloseTo(1, 7);
  });
  propertyTest.prop([first.filter(({ eventsA, eventsB }) => eventsA + eventsB > 0)], { numRuns: 60 })(
    'the ratio interval agrees with the tests at 2/alpha, and swaps with the arms',
    (given) => {
      const at = (revision: typeof given) =>
        rateRatioInterval({ epochs: [revision], ...grid, alpha: 0.05, oneShot: true });
      const [interval, swapped] = [
        at(given),
        at({ allocation: 1 - given.allocation, eventsA: given.eventsB, eventsB: given.eventsA }),
      ];
      if (!interval.ok || !swapped.ok || !interval.lower.ok || !interval.upper.ok || !swapped.upper.ok)
        throw new Error('refused');
      const [harm, win] = (['harm', 'win'] as const).map(
        (side) => logE(logEOfFirstEvents({ side, epochs: [given], ...grid })) >= Math.log(40),
      );
      expect([interval.lower.ratio >= 1, interval.upper.ratio <= 1]).toEqual([harm, win]);
      if (interval.lower.ratio === 0) expect(swapped.upper.ratio).toBe(Infinity);
      else expect(Math.abs(Math.log(swapped.upper.ratio) + Math.log(interval.lower.ratio))).toBeLessThan(1e-6);
    },
  );
  test('for sticky units only limits on the near side of 1 are stated', () => {
    const at = (eventsA: number, eventsB: number) =>
      rateRatioInterval({ epochs: [{ allocation: 0.5, eventsA, eventsB }], ...grid, alpha: 0.05, oneShot: false });
    expect(at(100, 300)).toEqual({
      ok: true,
      lower: { ok: true, ratio: expect.toSatisfy((ratio: number) => ratio > 1 && ratio < 3) },
      upper: refused,
    });
    expect(at(300, 100)).toEqual({
      ok: true,
      lower: refused,
      upper: { ok: true, ratio: expect.toSatisfy((ratio: number) => ratio < 1) },
    });
    expect(at(100, 100)).toEqual({ ok: true, lower: refused, upper: refused });
  });
});

test('the sample ratio at a billion units: a fair split is fair, one in 1e4 too many is found', () => {
  const at = (extra: number): number => logE(logEOfRatio([{ counts: [9e8 - extra, 1e8 + extra], shares: [0.9, 0.1] }]));
  expect(at(0)).toBeLessThan(0);
  expect(at(1e5)).toBeGreaterThan(40);
  expect(logE(logEOfRatio([{ counts: [1e8 + 1e5, 9e8 - 1e5], shares: [0.1, 0.9] }]))).toBeCloseTo(at(1e5), 6);
});

describe('garbage gets a reason', () => {
  const epochs = [{ allocation: 0.5, unitsA: 10, eventsA: 1, unitsB: 10, eventsB: 2 }];
  const first = [{ allocation: 0.5, eventsA: 1, eventsB: 2 }];
  test.each<[string, () => unknown]>([
    ['interval at alpha 0', () => countsInterval({ ...design, alpha: 0, epochs })],
    [
      'interval of an empty arm',
      () =>
        countsInterval({
          ...design,
          alpha: 0.05,
          epochs: [{ allocation: 0.5, unitsA: 10, eventsA: 1, unitsB: 0, eventsB: 0 }],
        }),
    ],
    ['interval of nothing', () => countsInterval({ ...design, alpha: 0.05, epochs: [] })],
    [
      'q of 1',
      () =>
        countsInterval({
          ...design,
          alpha: 0.05,
          epochs: [{ allocation: 1, unitsA: 10, eventsA: 1, unitsB: 1, eventsB: 0 }],
        }),
    ],
    [
      'n < s',
      () =>
        countsInterval({
          ...design,
          alpha: 0.05,
          epochs: [{ allocation: 0.5, unitsA: 10, eventsA: 11, unitsB: 1, eventsB: 0 }],
        }),
    ],
    [
      'a variance without end',
      () => logEOfCounts({ ...design, variance: Infinity, side: 'harm', tolerance: 0, epochs }),
    ],
    ['a tolerance of everything', () => logEOfCounts({ ...design, side: 'harm', tolerance: 1, epochs })],
    ['a cap below the baseline', () => logEOfUnits([[1, true, 0.5]], [0.1], [1], 5, 4)],
    ['a negative value', () => logEOfUnits([[-1, true, 0.5]], [0.1], [1], 1, 4)],
    ['a value that is no number', () => logEOfUnits([[Number.NaN, true, 0.5]], [0.1], [1], 1, 4)],
    ['weights above 1', () => logEOfUnits([[1, true, 0.5]], [0.1, 0.1], [1, 1], 1, 4)],
    ['a negative bet', () => logEOfUnits([[1, true, 0.5]], [-0.1], [1], 1, 4)],
    [
      'ratio weights above 1',
      () => logEOfFirstEvents({ side: 'harm', epochs: first, ratios: [1.2, 1.4], weights: [1, 1] }),
    ],
    ['a prior of nothing', () => logEOfFirstEventsBeta({ allocation: 0.5, eventsA: 1, eventsB: 1, prior: [0, 1] })],
    ['half a first event', () => logEOfFirstEventsBeta({ allocation: 0.5, eventsA: 0.5, eventsB: 1, prior: [1, 1] })],
    ['ratio interval without events', () => rateRatioInterval({ epochs: [], ...grid, alpha: 0.05, oneShot: true })],
    [
      'ratio interval with a grid below 1',
      () => rateRatioInterval({ epochs: first, ratios: [0.9], weights: [1], alpha: 0.05, oneShot: true }),
    ],
    ['ratio interval at alpha 2', () => rateRatioInterval({ epochs: first, ...grid, alpha: 2, oneShot: true })],
    ['sample ratio without concentrations', () => logEOfRatio([{ counts: [1, 2], shares: [0.5, 0.5] }], [])],
    ['sample ratio with a concentration of 0', () => logEOfRatio([{ counts: [1, 2], shares: [0.5, 0.5] }], [0])],
  ])('%s', (_name, call) => expect(call()).toMatchObject(refused));
});
