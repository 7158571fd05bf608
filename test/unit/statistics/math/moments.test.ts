import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  type AdjustedSums,
  momentsAdjusted,
  momentsOfMean,
  momentsOfRate,
  momentsOfRatio,
  type RatioSums,
  skewnessOfSums,
} from '../../../../services/statistics/math/moments.ts';
import type { Result } from '../../../../services/statistics/math/special.ts';

function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.reason);
  return result as T;
}
const row = fc.record({
  y: fc.double({ min: 0, max: 50, noNaN: true }),
  x: fc.double({ min: 0.5, max: 9, noNaN: true }),
  p: fc.double({ min: 0, max: 20, noNaN: true }),
});
const arm = fc.array(row, { minLength: 3, maxLength: 60 });
type Row = { y: number; x: number; p: number };
const total = (rows: readonly Row[], f: (r: Row) => number): number => rows.reduce((sum, r) => sum + f(r), 0);
const ratioSums = (rows: readonly Row[]): RatioSums => ({
  units: rows.length,
  sumY: total(rows, (r) => r.y),
  sumX: total(rows, (r) => r.x),
  sumYY: total(rows, (r) => r.y ** 2),
  sumXX: total(rows, (r) => r.x ** 2),
  sumXY: total(rows, (r) => r.x * r.y),
});
const adjustedSums = (rows: readonly Row[]): AdjustedSums => ({
  units: rows.length,
  sumY: total(rows, (r) => r.y),
  sumP: total(rows, (r) => r.p),
  sumYY: total(rows, (r) => r.y ** 2),
  sumPP: total(rows, (r) => r.p ** 2),
  sumYP: total(rows, (r) => r.y * r.p),
});
const variance = (values: readonly number[]): number => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1);
};

describe('moments', () => {
  propertyTest.prop([arm])('of a ratio: the variance is that of the residual y - R x, unit by unit', (rows) => {
    const { mean, variance: got } = unwrap(momentsOfRatio(ratioSums(rows)));
    const want = variance(rows.map(({ y, x }) => y - mean * x)) / (total(rows, (r) => r.x) / rows.length) ** 2;
    expect(Math.abs(got - want)).toBeLessThanOrEqual(1e-9 * Math.max(1, want));
  });
  propertyTest.prop([arm, arm])(
    'adjusted: the variance is that of y - theta p, and theta 0 changes nothing',
    (a, b) => {
      const { control, theta } = unwrap(momentsAdjusted(adjustedSums(a), adjustedSums(b)));
      const want = variance(a.map(({ y, p }) => y - theta * p));
      expect(Math.abs(control.variance - want)).toBeLessThanOrEqual(1e-8 * Math.max(1, want, theta ** 2 * 400));
      const flat = (rows: readonly Row[]): AdjustedSums => adjustedSums(rows.map((r) => ({ ...r, p: 3 })));
      const plain = unwrap(momentsAdjusted(flat(a), flat(b)));
      expect([plain.theta, plain.control.mean]).toEqual([0, total(a, (r) => r.y) / a.length]);
    },
  );
  test('a covariate that is the outcome takes all the variance away', () => {
    const sums = (ys: number[]): AdjustedSums => adjustedSums(ys.map((y) => ({ y, x: 1, p: y })));
    const { theta, control, candidate } = unwrap(momentsAdjusted(sums([1, 2, 3, 9]), sums([2, 2, 5, 7])));
    expect(theta).toBeCloseTo(1, 12);
    expect(control.variance).toBeCloseTo(0, 10);
    expect(candidate.mean - control.mean).toBeCloseTo(0, 10);
  });
  propertyTest.prop([fc.integer({ min: 2, max: 1e9 }), fc.double({ min: 0, max: 1, noNaN: true })])(
    'a rate is the mean of zeros and ones',
    (units, share) => {
      const events = Math.floor(units * share);
      const [rate, mean] = [
        unwrap(momentsOfRate(units, events)),
        unwrap(momentsOfMean({ units, sum: events, sumSquares: events })),
      ];
      expect(Math.abs(rate.variance - mean.variance)).toBeLessThanOrEqual(1e-12);
    },
  );
  test('centring saves a small variance of large values', () =>
    expect(unwrap(momentsOfMean({ units: 4, sum: 6, sumSquares: 14, center: 1e9 }))).toMatchObject({
      mean: 1e9 + 1.5,
      variance: 5 / 3,
    }));
  test('skewness of sums', () =>
    expect(unwrap(skewnessOfSums({ units: 4, sum: 4, sumSquares: 16, sumCubes: 64 })).skewness).toBeCloseTo(
      2 / Math.sqrt(3),
      12,
    ));
});
