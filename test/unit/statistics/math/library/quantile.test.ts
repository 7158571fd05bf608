import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { dkwBand, dkwConstant, dkwRadius, dkwShift } from '../../../../../services/statistics/math/library/dkw.ts';
import {
  bucketLower,
  bucketOf,
  type Histogram,
  histogramSize,
} from '../../../../../services/statistics/math/library/histogram.ts';
import {
  logEOfQuantile,
  logEOfQuantileHistogram,
  quantileInterval,
} from '../../../../../services/statistics/math/library/quantile.ts';
import type { Outcome } from '../../../../../services/statistics/math/special.ts';

const refused = { ok: false, reason: expect.stringMatching(/\w/) };
const logE = (outcome: Outcome): number => (outcome.ok ? outcome.logE : Number.NaN);
const histogramOf = (values: readonly number[]): Histogram => {
  const counts = new Map<number, number>();
  for (const x of values) {
    const bucket = bucketOf(x);
    if (bucket.ok) counts.set(bucket.bucket, (counts.get(bucket.bucket) ?? 0) + 1);
  }
  return counts;
};
const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 120 });
const p = fc.double({ min: 0.05, max: 0.95, noNaN: true });
const ramp = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, k) => from + k);

propertyTest.prop([fc.double({ min: 1e-9, max: 1e12, noNaN: true })])('a value lies in its bucket', (x) => {
  const bucket = bucketOf(x);
  const b = bucket.ok ? bucket.bucket : Number.NaN;
  expect(bucketLower(b)).toBeLessThanOrEqual(x * (1 + 1e-12));
  expect(bucketLower(b + 1)).toBeGreaterThan(x * (1 - 1e-12));
});
propertyTest.prop([values, values, p], { numRuns: 60 })(
  'a histogram never says more than the values it was made from',
  (a, b, level) => {
    expect(logE(logEOfQuantileHistogram(histogramOf(a), histogramOf(b), { p: level }))).toBeLessThanOrEqual(
      logE(logEOfQuantile(a, b, { p: level })) + 1e-9,
    );
  },
);
propertyTest.prop([values, values, p, fc.double({ min: 1e-3, max: 1e3, noNaN: true })], { numRuns: 40 })(
  'only the order of values counts, and the arms may be swapped',
  (a, b, level, scale) => {
    const plain = logE(logEOfQuantile(a, b, { p: level }));
    expect(logE(logEOfQuantile(b, a, { p: level }))).toBeCloseTo(plain, 9);
    const stretch = (x: number): number => (x * scale) ** 3;
    // Values that fall together after stretching would change the question.
    if (new Set([...a, ...b].map(stretch)).size === new Set([...a, ...b]).size)
      expect(logE(logEOfQuantile(a.map(stretch), b.map(stretch), { p: level }))).toBeCloseTo(plain, 9);
  },
);
propertyTest.prop([values, p], { numRuns: 60 })(
  "a quantile's interval holds the sample's own quantile, rounded outward",
  (xs, level) => {
    const interval = quantileInterval(histogramOf(xs), 0.05, { p: level });
    const own = [...xs].sort((x, y) => x - y)[Math.min(xs.length - 1, Math.floor(level * xs.length))] ?? Number.NaN;
    expect(interval.ok && interval.lower <= own * (1 + 1e-12) && own <= interval.upper * (1 + 1e-12)).toBe(true);
  },
);
test('a median 30% higher is found, the same one is not, one unit says nothing', () => {
  expect(logE(logEOfQuantile(ramp(1, 1000), ramp(300, 1299), { p: 0.5 }))).toBeGreaterThan(Math.log(1e6));
  expect(logE(logEOfQuantile(ramp(1, 1000), ramp(1, 1000), { p: 0.5 }))).toBeLessThan(0);
  expect(logE(logEOfQuantile([1], [1000], { p: 0.5 }))).toBeLessThan(Math.log(20));
});
test('a billion units in each histogram', () => {
  const [a, b] = [
    new Map([
      [100, 5e8],
      [101, 5e8],
    ]),
    new Map([
      [100, 4.99e8],
      [101, 5.01e8],
    ]),
  ];
  expect(logE(logEOfQuantileHistogram(a, b, { p: 0.4 }))).toBeLessThan(0);
  expect(
    logE(
      logEOfQuantileHistogram(
        a,
        new Map([
          [100, 3e8],
          [101, 7e8],
        ]),
        { p: 0.4 },
      ),
    ),
  ).toBeGreaterThan(1e6);
});

describe('DKW', () => {
  test("the paper's constant at 5%, and more at 1%", () => {
    const [five, one] = [dkwConstant(0.05), dkwConstant(0.01)];
    expect(five.ok && five.constant).toBeCloseTo(8.1227, 3);
    expect(one.ok && five.ok && one.constant).toBeGreaterThan(five.ok ? five.constant : Infinity);
  });
  propertyTest.prop([fc.integer({ min: 100, max: 1e9 }), fc.integer({ min: 2, max: 9 })])(
    'the radius shrinks as units come',
    (units, factor) => {
      const [before, after] = [dkwRadius(units, 100, 0.05), dkwRadius(units * factor, 100, 0.05)];
      expect(before.ok && after.ok && after.radius < before.radius).toBe(true);
    },
  );
  test('the band is a distribution between 0 and 1 and holds its own; a shift is found in its direction only', () => {
    const [a, b] = [histogramOf(ramp(1, 4000)), histogramOf(ramp(1001, 5000))];
    const band = dkwBand(a, 100, 0.05);
    expect(
      band.ok &&
        band.edges.every(
          ({ lower, upper }, k) =>
            lower >= 0 && upper <= 1 && lower <= upper && upper >= (band.edges[k - 1]?.upper ?? 0),
        ),
    ).toBe(true);
    expect(dkwShift(a, b, 100, 0.05)).toMatchObject({ ok: true, shifted: true, distance: expect.closeTo(0.25, 1) });
    expect(dkwShift(b, a, 100, 0.05)).toMatchObject({ ok: true, shifted: false, distance: 0 });
    expect(dkwShift(a, a, 100, 0.05)).toMatchObject({ ok: true, shifted: false, distance: 0 });
  });
});
describe('garbage gets a reason', () => {
  const one: Histogram = new Map([[3, 5]]);
  test.each<[string, () => unknown]>([
    ['a negative value', () => bucketOf(-1)],
    ['a value that is no number', () => bucketOf(Number.NaN)],
    ['an endless value', () => bucketOf(Infinity)],
    ['an empty histogram', () => histogramSize(new Map())],
    ['a negative count', () => histogramSize(new Map([[3, -1]]))],
    ['half a bucket', () => histogramSize(new Map([[3.5, 1]]))],
    ['an empty arm', () => logEOfQuantile([], [1], { p: 0.5 })],
    ['a raw value that is no number', () => logEOfQuantile([Number.NaN], [1], { p: 0.5 })],
    ['a quantile of 1', () => logEOfQuantile([1], [1], { p: 1 })],
    ['tuned for nothing', () => logEOfQuantileHistogram(one, one, { p: 0.5, tunedFor: 0 })],
    ['an empty candidate', () => logEOfQuantileHistogram(one, new Map(), { p: 0.5 })],
    ['an interval at level 0', () => quantileInterval(one, 0, { p: 0.5 })],
    ['an interval of nothing', () => quantileInterval(new Map(), 0.05, { p: 0.5 })],
    ['a band before it begins', () => dkwBand(one, 100, 0.05)],
    ['a band from nothing', () => dkwRadius(5, 0, 0.05)],
    ['a band at alpha 1', () => dkwConstant(1)],
    ['a shift of an arm too small', () => dkwShift(one, one, 6, 0.05)],
  ])('%s', (_name, call) => expect(call()).toEqual(refused));
});
