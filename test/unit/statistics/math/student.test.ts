import { fc, test as propertyTest } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { normalCdf } from '../../../../services/statistics/math/normal.ts';
import {
  lambertWm1,
  logStudentTUpperTail,
  studentTQuantile,
  studentTUpperTail,
} from '../../../../services/statistics/math/student.ts';

const within = (got: number, want: number, relative: number) =>
  expect(Math.abs(got - want)).toBeLessThanOrEqual(relative * Math.abs(want));

propertyTest.prop([fc.double({ min: 1e-3, max: 1e8, noNaN: true })])(
  'one and two degrees of freedom have closed tails',
  (t) => {
    within(studentTUpperTail(t, 1), Math.atan(1 / t) / Math.PI, 1e-12);
    const root = Math.sqrt(2 + t * t);
    within(studentTUpperTail(t, 2), 1 / (root * (root + t)), 1e-12);
  },
);
propertyTest.prop([fc.double({ min: -6, max: 6, noNaN: true })])(
  'a billion degrees of freedom are normal',
  (t) => void within(studentTUpperTail(t, 1e9), normalCdf(-t), 1e-6),
);
propertyTest.prop([fc.double({ min: 0.5, max: 1e7, noNaN: true }), fc.double({ min: 1e-9, max: 0.49, noNaN: true })])(
  'the quantile inverts the tail',
  (df, p) => {
    within(logStudentTUpperTail(studentTQuantile(1 - p, df), df), Math.log1p(-(1 - p)), 1e-9);
    within(studentTQuantile(p, df), -studentTQuantile(1 - p, df), 1e-7);
  },
);
propertyTest.prop([fc.double({ min: 0, max: 50, noNaN: true }), fc.double({ min: 0.5, max: 1e6, noNaN: true })])(
  'tails add up to 1',
  (t, df) => void expect(studentTUpperTail(t, df) + studentTUpperTail(-t, df)).toBeCloseTo(1, 13),
);
test('what is no probability has no quantile', () =>
  expect([
    studentTQuantile(0, 3),
    studentTQuantile(1, 3),
    studentTQuantile(0.5, -1),
    studentTQuantile(Number.NaN, 3),
  ]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]));
propertyTest.prop([fc.double({ min: -690, max: -1.0001, noNaN: true })])('W(-1) inverts w exp(w)', (logX) => {
  const w = lambertWm1(-Math.exp(logX));
  expect(w).toBeLessThanOrEqual(-1);
  expect(Math.abs(w + Math.log(-w) - logX)).toBeLessThan(1e-12 * Math.abs(logX));
});
test('W(-1) at its ends', () => {
  expect(lambertWm1(-Math.exp(-1))).toBeCloseTo(-1, 7);
  expect([lambertWm1(0), lambertWm1(-0.4), lambertWm1(1)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
});
