import { fc, test as propertyTest } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import {
  logNormalCdf,
  logScaledNormalCdf,
  normalCdf,
  normalQuantile,
  normalQuantileOfLog,
} from '../../../../services/statistics/math/normal.ts';
import { logNormalCdfExactly } from './reference.ts';

const within = (got: number, want: number, relative: number) =>
  expect(Math.abs(got - want)).toBeLessThanOrEqual(relative * Math.abs(want) + Number.MIN_VALUE);

propertyTest.prop([fc.double({ min: -25, max: 6, noNaN: true })], { numRuns: 60 })(
  'log Phi agrees with 1,400 bits to 1e-12',
  (z) => void within(logNormalCdf(z), logNormalCdfExactly(z), 1e-12),
);
test.each([-2.2, -2.2000001, 2.2, 2.2000001, 0, -24.5, 5.9])(
  'also where series and continued fraction meet, and at the ends: %f',
  (z) => within(logNormalCdf(z), logNormalCdfExactly(z), 1e-12),
);
propertyTest.prop([fc.double({ min: -8, max: 8, noNaN: true })])(
  'both tails add up to 1',
  (z) => void expect(normalCdf(z) + normalCdf(-z)).toBeCloseTo(1, 14),
);
propertyTest.prop([fc.double({ min: -1e5, max: -1e-9, noNaN: true })])(
  'the quantile inverts log Phi, however deep',
  (logP) => void within(logNormalCdf(normalQuantileOfLog(logP)), logP, 1e-11),
);
propertyTest.prop([fc.double({ min: 1e-6, max: 0.5, noNaN: true })])(
  'quantiles are symmetric',
  (p) => void expect(normalQuantile(1 - p) + normalQuantile(1 - (1 - p))).toBeCloseTo(0, 9),
);
test('z^2/2 + log Phi has no cancellation: at -1e6 it is Mills ratio 1/x over the root of 2 pi', () =>
  expect(logScaledNormalCdf(-1e6)).toBeCloseTo(-Math.log(1e6) - 0.5 * Math.log(2 * Math.PI), 11));
test('known quantiles', () => {
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
  expect(normalQuantile(1e-20)).toBeCloseTo(-9.2623400898, 10);
  expect(normalQuantile(0.5)).toBeCloseTo(0, 15);
});
test('the ends are the ends, and only what is no number is none', () => {
  expect([normalQuantileOfLog(0), normalQuantileOfLog(-Infinity), logNormalCdf(-1e200), logNormalCdf(40)]).toEqual([
    Infinity,
    -Infinity,
    -Infinity,
    -0,
  ]);
  expect([normalQuantileOfLog(0.1), logNormalCdf(Number.NaN), normalQuantile(2)]).toEqual([
    Number.NaN,
    Number.NaN,
    Number.NaN,
  ]);
});
