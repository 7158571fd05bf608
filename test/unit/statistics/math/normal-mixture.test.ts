import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  logEOfNormalMixture,
  mixtureRho,
  msprtRho,
  msprtTau,
  normalMixtureBound,
  type Sides,
} from '../../../../services/statistics/math/normal-mixture.ts';
import { gaviHalfWidth, gaviRho } from '../../../../services/statistics/math/library/eppo.ts';

const refused = { ok: false, reason: expect.stringMatching(/\w/) };
const clock = fc.double({ min: 1e-3, max: 1e9, noNaN: true });
const level = fc.double({ min: 1e-6, max: 0.4, noNaN: true });
const sides = fc.constantFrom<Sides>('one', 'two');

propertyTest.prop([clock, level, clock, sides])(
  'the bound is where log e reaches log(1/alpha)',
  (v, alpha, rho, side) => {
    const bound = normalMixtureBound(v, alpha, rho, side);
    const log = logEOfNormalMixture(bound.ok ? bound.bound : Number.NaN, v, rho, side);
    expect(log.ok && Math.abs(log.logE - Math.log(1 / alpha))).toBeLessThan(1e-8);
  },
);
propertyTest.prop([
  fc.double({ min: -1e4, max: 1e4, noNaN: true }),
  clock,
  clock,
  fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
  sides,
])('scale free: score by k, clock and rho by k^2', (s, v, rho, k, side) => {
  const [plain, scaled] = [
    logEOfNormalMixture(s, v, rho, side),
    logEOfNormalMixture(s * k, v * k * k, rho * k * k, side),
  ];
  expect(plain.ok && scaled.ok && Math.abs(plain.logE - scaled.logE)).toBeLessThanOrEqual(
    1e-9 * Math.max(1, plain.ok ? Math.abs(plain.logE) : 1),
  );
});
propertyTest.prop([fc.double({ min: 0, max: 1e3, noNaN: true }), clock, clock])(
  'e of one side is between one and two times that of two above 0, and never above it below',
  (s, v, rho) => {
    const log = (score: number, side: Sides): number => {
      const out = logEOfNormalMixture(score, v, rho, side);
      return out.ok ? out.logE : Number.NaN;
    };
    const rounding = 1e-12 * (1 + Math.abs(log(s, 'two')));
    expect(log(s, 'one') - log(s, 'two')).toBeGreaterThanOrEqual(-rounding);
    expect(log(s, 'one') - log(s, 'two')).toBeLessThanOrEqual(Math.LN2 + rounding);
    expect(log(-s, 'one')).toBeLessThanOrEqual(log(-s, 'two') + rounding);
  },
);
propertyTest.prop([
  clock,
  fc.double({ min: 1e-6, max: 0.3, noNaN: true }),
  fc.double({ min: 0.2, max: 5, noNaN: true }),
])('no rho gives a tighter two-sided bound at the clock than the exact one', (v, alpha, factor) => {
  const exact = mixtureRho(v, alpha, 'two', 'exact');
  const at = (rho: number): number => {
    const out = normalMixtureBound(v, alpha, rho, 'two');
    return out.ok ? out.bound : Number.NaN;
  };
  expect(exact.ok && at(exact.rho) <= at(exact.rho * factor) * (1 + 1e-12)).toBe(true);
});
propertyTest.prop([
  fc.double({ min: 1e-9, max: 0.9, noNaN: true }),
  fc.integer({ min: 1, max: 1e9 }),
  fc.double({ min: 1, max: 1e7, noNaN: true }),
])("Eppo's half width is the two-sided bound on its clock with its rho", (alpha, units, tuning) => {
  const [rho, half] = [gaviRho(alpha, tuning), gaviHalfWidth(units, alpha, tuning)];
  const bound = normalMixtureBound(units, alpha, rho.ok ? rho.rho : Number.NaN, 'two');
  expect(half.ok && bound.ok && Math.abs((half.standardErrors * Math.sqrt(units)) / bound.bound - 1)).toBeLessThan(
    1e-12,
  );
});
describe('garbage gets a reason', () => {
  test.each<[string, () => unknown]>([
    ['a score that is no number', () => logEOfNormalMixture(Number.NaN, 1, 1, 'two')],
    ['an infinite score', () => logEOfNormalMixture(Infinity, 1, 1, 'one')],
    ['a negative clock', () => logEOfNormalMixture(1, -1, 1, 'two')],
    ['rho 0', () => logEOfNormalMixture(1, 1, 0, 'two')],
    ['alpha 1', () => normalMixtureBound(1, 1, 1, 'two')],
    ['one-sided tuning at a half', () => mixtureRho(100, 0.5, 'one')],
    ['tuning for no clock', () => mixtureRho(0, 0.05, 'two')],
    ['tuning at alpha 0', () => mixtureRho(100, 0, 'two', 'exact')],
    ['no mixing deviation', () => msprtRho(1, 0)],
    ['a horizon of nothing', () => msprtTau(0.05, 1, 0)],
    ["Eppo's at no units", () => gaviHalfWidth(0, 0.05)],
    ["Eppo's at alpha 0", () => gaviRho(0)],
    ["Eppo's with a negative tuning", () => gaviRho(0.05, -1)],
  ])('%s', (_name, call) => expect(call()).toEqual(refused));
});
