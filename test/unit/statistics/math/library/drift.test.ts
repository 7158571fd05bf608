import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../../services/demo/story.ts';
import { budgetThreshold, simulateThresholds } from '../../../../../services/statistics/math/library/budget.ts';
import {
  type Detector,
  detectorAlarms,
  driftLogFactors,
  startDetector,
  stepDetector,
} from '../../../../../services/statistics/math/library/drift.ts';
import {
  crossingProbability,
  groupSequentialBounds,
  spent,
} from '../../../../../services/statistics/math/library/group-sequential.ts';
import { logEOfLogrank } from '../../../../../services/statistics/math/library/logrank.ts';
import {
  anytimeP,
  eBenjaminiHochberg,
  intersect,
  mergeEValues,
} from '../../../../../services/statistics/math/library/merge.ts';
import { eHolm } from '../../../../../services/kernel/e-holm.ts';
import type { Result } from '../../../../../services/statistics/math/special.ts';

const refused = { ok: false, reason: expect.stringMatching(/\w/) };
function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.reason);
  return result as T;
}

describe('logrank', () => {
  propertyTest.prop([
    fc.integer({ min: 1, max: 1e9 }),
    fc.integer({ min: 1, max: 1e9 }),
    fc.double({ min: 0.1, max: 10, noNaN: true }),
  ])('under equal hazards the next event keeps e on average', (atRiskA, atRiskB, ratio) => {
    const e = (inCandidate: boolean): number =>
      Math.exp(unwrap(logEOfLogrank([{ atRiskA, atRiskB, inCandidate }], [ratio])).logE);
    const p0 = atRiskB / (atRiskA + atRiskB);
    expect(p0 * e(true) + (1 - p0) * e(false)).toBeCloseTo(1, 10);
  });
});
describe('drift', () => {
  const run = (kind: Detector['kind'], factors: readonly (readonly number[])[]): number => {
    let [detector, last] = [unwrap(startDetector(kind, [0.5, 0.5])).detector, -Infinity];
    for (const logs of factors) ({ detector, logM: last } = unwrap(stepDetector(detector, logs)));
    return last;
  };
  propertyTest.prop([
    fc.array(fc.tuple(fc.double({ min: -3, max: 3, noNaN: true }), fc.double({ min: -3, max: 3, noNaN: true })), {
      minLength: 1,
      maxLength: 30,
    }),
  ])('Shiryaev-Roberts is the sum over starting points of the products, CUSUM its largest', (factors) => {
    const products = ([0, 1] as const).map((j) =>
      factors.map((_, from) => Math.exp(factors.slice(from).reduce((sum, logs) => sum + logs[j], 0))),
    );
    const mean = (f: (from: readonly number[]) => number): number =>
      Math.log(0.5 * f(products[0] ?? []) + 0.5 * f(products[1] ?? []));
    expect(run('shiryaev-roberts', factors)).toBeCloseTo(
      mean((all) => all.reduce((sum, x) => sum + x, 0)),
      9,
    );
    expect(run('cusum', factors)).toBeCloseTo(
      mean((all) => Math.max(...all)),
      9,
    );
  });
  propertyTest.prop([
    fc.double({ min: 0.05, max: 0.95, noNaN: true }),
    fc.constantFrom('rise' as const, 'fall' as const),
    fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  ])('a factor has mean 1 at the baseline', (mean, towards, bet) => {
    const e = (x: number): number =>
      Math.exp(unwrap(driftLogFactors({ x, mean, cap: 1, towards, bets: [bet] })).logFactors[0] ?? Number.NaN);
    expect(mean * e(1) + (1 - mean) * e(0)).toBeCloseTo(1, 12);
  });
  test('alarms at 1/alpha and not at a level that is none', () =>
    expect([
      detectorAlarms(Math.log(100), 0.01),
      detectorAlarms(4.6, 0.01),
      detectorAlarms(99, 0),
      detectorAlarms(Number.NaN, 0.1),
    ]).toEqual([true, false, false, false]));
});
describe('merging', () => {
  const many = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 8 });
  propertyTest.prop([many])('an average lies between its smallest and largest, equal weights', (logEs) => {
    const merged = unwrap(
      mergeEValues(
        logEs,
        logEs.map(() => 1 / logEs.length),
      ),
    ).logE;
    expect(merged).toBeGreaterThanOrEqual(Math.min(...logEs) - 1e-9);
    expect(merged).toBeLessThanOrEqual(Math.max(...logEs) + 1e-9);
  });
  propertyTest.prop([many, fc.double({ min: 0.001, max: 0.5, noNaN: true })])(
    'e-Holm names somebody exactly when the family falls, and all that fall alone',
    (logEs, alpha) => {
      const weights = logEs.map(() => 1 / logEs.length);
      const { rejected } = unwrap(eHolm(logEs, weights, alpha));
      const family = logEs.some((logE, k) => logE + Math.log(weights[k] ?? 0) >= -Math.log(alpha) + 1e-12);
      if (family) expect(rejected).toContain(true);
      for (const [k, logE] of logEs.entries()) {
        if (logE + Math.log(weights[k] ?? 0) > -Math.log(alpha) + 1e-9) expect(rejected[k]).toBe(true);
        if (logE < -Math.log(alpha) - 1e-9) expect(rejected[k]).toBe(false);
      }
    },
  );
  test('the second falls at a lower bar once the first is named; without weight nobody falls', () => {
    expect(unwrap(eHolm([Math.log(50), Math.log(25), 9], [0.5, 0.5, 0], 0.05)).rejected).toEqual([true, true, false]);
    expect(unwrap(eHolm([Math.log(30), Math.log(25), 0], [0.5, 0.5, 0], 0.05)).rejected).toEqual([false, false, false]);
    expect(unwrap(eBenjaminiHochberg([Math.log(30), Math.log(31), 0], 0.05)).rejected).toEqual([true, true, false]);
    expect(unwrap(eBenjaminiHochberg([], 0.05)).rejected).toEqual([]);
  });
  test('p of e, and intersections', () => {
    expect([unwrap(anytimeP(Math.log(20))).p, unwrap(anytimeP(-5)).p]).toEqual([expect.closeTo(0.05, 12), 1]);
    expect(intersect({ lower: -1, upper: 2 }, { lower: 0, upper: 3 })).toEqual({ ok: true, lower: 0, upper: 2 });
    expect(intersect({ lower: -1, upper: 0 }, { lower: 1, upper: 3 })).toEqual(refused);
  });
});
describe('budget', () => {
  // Published thresholds, simulated with a look at every pair. Ours have a standard error of 0.014; the longest
  // horizon lies 0.08 above the published figure (it lifts the threshold, so it is the safe side), the others within
  // 0.05.
  test.each([
    [100, 1_000, 500, 2.33],
    [100, 10_000, 500, 2.71],
    [100, 100_000, 500, 2.79],
    [100, 10_000, 2_500, 2.56],
    [500, 50_000, 2_500, 2.74],
    [1_000, 10_000, 5_000, 2.39],
  ])('first %d, horizon %d, tuned for %d: %f', (first, horizon, tuned, want) => {
    const { threshold } = unwrap(budgetThreshold({ first, horizon, tuned }, 0.05));
    expect(Math.abs(threshold - want)).toBeLessThanOrEqual(horizon === 100_000 ? 0.1 : 0.05);
    expect(threshold).toBeLessThan(unwrap(budgetThreshold({ first, horizon, tuned }, 0.05, 0)).threshold);
  });
  test('the table is what its script simulates', () => {
    const [simulated] = simulateThresholds({ first: 100, horizon: 1_000, tuned: 500 }, [0.05], 4_000, createRandom(11));
    expect(
      Math.abs(
        (simulated?.everyPair ?? 0) -
          unwrap(budgetThreshold({ first: 100, horizon: 1_000, tuned: 500 }, 0.05)).threshold,
      ),
    ).toBeLessThan(0.25);
  });
  propertyTest.prop([
    fc.double({ min: 2, max: 1000, noNaN: true }),
    fc.double({ min: 0.5, max: 25, noNaN: true }),
    fc.constantFrom(0.05, 0.025, 0.01),
    fc.double({ min: 1, max: 1e5, noNaN: true }),
  ])('never above log(1/alpha), which is valid without a horizon', (x, y, alpha, first) => {
    const { threshold } = unwrap(budgetThreshold({ first, horizon: first * x, tuned: first * y }, alpha, 0));
    expect(threshold).toBeGreaterThan(0.9);
    expect(threshold).toBeLessThan(-Math.log(alpha) + 0.02);
  });
});
describe('group sequential', () => {
  propertyTest.prop(
    [
      fc.integer({ min: 1, max: 8 }),
      fc.double({ min: 0.001, max: 0.2, noNaN: true }),
      fc.constantFrom(
        { form: 'power' as const, rho: 2 },
        { form: 'obrien-fleming' as const },
        { form: 'hwang-shih-decani' as const, gamma: -4 },
      ),
    ],
    { numRuns: 20 },
  )('bounds cross as often as they spend', (looks, alpha, spending) => {
    const times = Array.from({ length: looks }, (_, k) => (k + 1) / looks);
    const { bounds } = unwrap(groupSequentialBounds({ times, alpha, sides: 1, spending }));
    expect(unwrap(crossingProbability(times, bounds)).probability).toBeCloseTo(alpha, 5);
    expect(unwrap(spent(spending, alpha, 1)).alpha).toBeCloseTo(alpha, 12);
  });
});
describe('garbage gets a reason', () => {
  const detector = unwrap(startDetector('cusum', [1])).detector;
  const power = { form: 'power' as const, rho: 2 };
  test.each<[string, () => unknown]>([
    ['an event of nobody at risk', () => logEOfLogrank([{ atRiskA: 5, atRiskB: 0, inCandidate: true }], [2])],
    [
      'a risk set that is no number',
      () => logEOfLogrank([{ atRiskA: Number.NaN, atRiskB: 1, inCandidate: true }], [2]),
    ],
    ['a hazard ratio of 0', () => logEOfLogrank([], [0])],
    ['no hazard ratio', () => logEOfLogrank([], [])],
    ['detector without bets', () => startDetector('cusum', [])],
    ['a factor missing', () => stepDetector(detector, [])],
    ['a factor that is no number', () => stepDetector(detector, [Number.NaN])],
    ['a value above the cap', () => driftLogFactors({ x: 2, mean: 0.5, cap: 1, towards: 'rise', bets: [0.5] })],
    ['a cap below the baseline', () => driftLogFactors({ x: 0, mean: 2, cap: 1, towards: 'rise', bets: [0.5] })],
    ['a bet of everything', () => driftLogFactors({ x: 0, mean: 0.5, cap: 1, towards: 'rise', bets: [1] })],
    ['weights above 1', () => mergeEValues([1, 1], [0.9, 0.9])],
    ['a weight missing', () => mergeEValues([1, 1], [1])],
    ['an e-value that is no number', () => mergeEValues([Number.NaN], [1])],
    ['p of nothing', () => anytimeP(Number.NaN)],
    ['Holm at alpha 0', () => eHolm([1], [1], 0)],
    ['BH of no number', () => eBenjaminiHochberg([Number.NaN], 0.05)],
    ['a limit that is no number', () => intersect({ lower: Number.NaN, upper: 1 }, { lower: 0, upper: 1 })],
    ['a horizon before the first look', () => budgetThreshold({ first: 100, horizon: 100, tuned: 500 }, 0.05)],
    ['a level that is not in the table', () => budgetThreshold({ first: 100, horizon: 1000, tuned: 500 }, 0.04)],
    ['ratios outside the table', () => budgetThreshold({ first: 1, horizon: 1e6, tuned: 5 }, 0.05)],
    ['looks back in time', () => budgetThreshold({ first: 100, horizon: 1000, tuned: 500 }, 0.05, -1)],
    ['shares that fall', () => groupSequentialBounds({ times: [0.5, 0.4], alpha: 0.05, sides: 1, spending: power })],
    ['a share above 1', () => crossingProbability([0.5, 1.1], [2, 2])],
    ['spending at alpha 0', () => spent(power, 0, 0.5)],
    ['a power of 0', () => spent({ form: 'power', rho: 0 }, 0.05, 0.5)],
  ])('%s', (_name, call) => expect(call()).toEqual(refused));
});
