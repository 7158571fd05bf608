import { fc, test as propertyTest } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import {
  log1pMinus,
  logBeta,
  logBetaTails,
  logDirichletRatio,
  logRegularizedBeta,
  logRegularizedBetaComplement,
  regularizedBeta,
  stirlingCorrection,
} from '../../../../services/statistics/math/beta.ts';
import { lgamma } from '../../../../services/statistics/math/special.ts';
import { logBetaExactly, logBinomialTails } from './reference.ts';

const close = (got: number, want: number, tolerance: number) =>
  expect(Math.abs(got - want)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(want)));
const whole = (max: number) => fc.integer({ min: 1, max });

propertyTest.prop([whole(600), whole(600)], { numRuns: 60 })(
  'log B of whole numbers agrees with factorials',
  (a, b) => void close(logBeta(a, b), logBetaExactly(a, b), 1e-14),
);
propertyTest.prop([fc.double({ min: 1e-6, max: 1e10, noNaN: true }), fc.double({ min: 1e-6, max: 1e10, noNaN: true })])(
  'B(a+1, b) = B(a, b) a/(a+b), for every size',
  (a, b) =>
    void close(
      logBeta(a + 1, b) - logBeta(a, b),
      Math.log(a / (a + b)),
      1e-15 * Math.max(100, Math.abs(logBeta(a, b))),
    ),
);
test.each([
  [0.5, 0.5, Math.log(Math.PI)],
  [1, 7, -Math.log(7)],
  [0.5, 1e9, 0.5 * Math.log(Math.PI / 1e9) + 1 / 8e9],
])('log B(%f, %f)', (a, b, want) => close(logBeta(a, b), want, 1e-14));
propertyTest.prop([fc.double({ min: 0.01, max: 500, noNaN: true })])(
  'the Stirling correction completes lgamma',
  (x) =>
    void close((x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + stirlingCorrection(x), lgamma(x), 1e-12),
);
propertyTest.prop([fc.double({ min: -0.2, max: 0.2, noNaN: true })])(
  'log(1+u) - u lies between its first two terms',
  (u) =>
    void expect(Math.abs(log1pMinus(u) + (u * u) / 2 - u ** 3 / 3)).toBeLessThanOrEqual(
      Math.abs(u) ** 4 / 3 + 1e-15 * u * u,
    ),
);

propertyTest.prop([whole(400), whole(400), fc.double({ min: 0.1, max: 0.9, noNaN: true })], { numRuns: 60 })(
  'both tails of the incomplete beta agree with exact binomial sums to 1e-11, in logs',
  (a, b, x) => {
    const exact = logBinomialTails(a, a + b - 1, x);
    const got = logBetaTails(a, b, x);
    close(got.lower, exact.lower, 1e-11);
    close(got.upper, exact.upper, 1e-11);
  },
);
const sizes = fc.double({ min: -1, max: 9.5, noNaN: true }).map((exponent) => 10 ** exponent);
propertyTest.prop([sizes, sizes, fc.double({ min: -6, max: 6, noNaN: true })], { numRuns: 200 })(
  'tails add up to 1 and reflect, up to 3e9, within six deviations of the mean',
  (a, b, deviations) => {
    const mean = a / (a + b);
    const x = Math.min(Math.max(mean + deviations * Math.sqrt((mean * (1 - mean)) / (a + b + 1)), 1e-12), 1 - 1e-12);
    const { lower, upper } = logBetaTails(a, b, x, 1 - x);
    close(Math.exp(lower) + Math.exp(upper), 1, 1e-13);
    const reversed = logBetaTails(b, a, 1 - x, x);
    close(reversed.upper, lower, 1e-12);
    close(reversed.lower, upper, 1e-12);
  },
);
propertyTest.prop([sizes, sizes, fc.double({ min: -4, max: 4, noNaN: true })], { numRuns: 200 })(
  'I(a, b) - I(a+1, b) = x^a y^b / (a B(a, b)): the recurrence, at every size',
  (a, b, deviations) => {
    const mean = a / (a + b);
    const x = Math.min(Math.max(mean + deviations * Math.sqrt((mean * (1 - mean)) / (a + b + 1)), 1e-9), 1 - 1e-9);
    const step = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - Math.log(a) - logBeta(a, b));
    // x^a y^b by logarithms is good to about (a + b) 1e-16 only.
    expect(Math.abs(regularizedBeta(a, b, x) - regularizedBeta(a + 1, b, x) - step)).toBeLessThanOrEqual(
      1e-11 + step * (a + b) * 1e-15,
    );
  },
);
test('a binomial of two billion units is symmetric at its mean', () => {
  const { lower, upper } = logBetaTails(1e9, 1e9, 0.5);
  close(lower, -Math.LN2, 5e-11);
  close(upper, -Math.LN2, 5e-11);
});
test('edges', () => {
  expect([logRegularizedBeta(2, 3, 0), logRegularizedBeta(2, 3, 1), logRegularizedBetaComplement(2, 3, 1)]).toEqual([
    -Infinity,
    0,
    -Infinity,
  ]);
  expect(logRegularizedBeta(2, 3, Number.NaN)).toBeNaN();
});

// The predictive rule is what a Dirichlet-multinomial is: one more of v multiplies by (prior_v + n_v)/(all) over p_v.
propertyTest.prop([
  fc.integer({ min: 0, max: 9 }),
  fc.double({ min: -5, max: 5, noNaN: true }),
  fc.double({ min: 0.02, max: 0.98, noNaN: true }),
  fc.constantFrom(10, 1000, 100_000),
])('one unit more multiplies by its predictive probability, at 1e9 units too', (digits, deviations, q, k) => {
  const units = 10 ** digits;
  const b = Math.round(Math.min(Math.max(units * q + deviations * Math.sqrt(units * q * (1 - q)), 0), units));
  const ratio = (extra: number): number => logDirichletRatio([units - b, b + extra], [k * (1 - q), k * q], [1 - q, q]);
  close(ratio(1) - ratio(0), Math.log((k * q + b) / (k + units) / q), 1e-9);
});
test('no counts, no evidence', () => expect(logDirichletRatio([0, 0, 0], [1, 2, 3], [1 / 6, 1 / 3, 1 / 2])).toBe(0));
