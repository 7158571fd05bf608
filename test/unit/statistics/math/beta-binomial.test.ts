import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  betaBinomialTuning,
  boundedScoreBound,
  logEOfBoundedScore,
  logEOfRate,
  rateInterval,
} from '../../../../services/statistics/math/beta-binomial.ts';
import { hardKillAlpha, logEOfSlo, sloBound } from '../../../../services/statistics/math/slo.ts';
import type { Outcome } from '../../../../services/statistics/math/special.ts';
import { logBinomialTails } from './reference.ts';

const refused = { ok: false, reason: expect.stringMatching(/\w/) };
const logE = (outcome: Outcome): number => (outcome.ok ? outcome.logE : Number.NaN);
const rate = fc.double({ min: 0.001, max: 0.999, noNaN: true });
const counts = fc
  .tuple(fc.integer({ min: 0, max: 5_000 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([n, share]) => ({ n, bad: Math.floor(n * share) }));

propertyTest.prop([counts, rate, fc.constantFrom('one' as const, 'two' as const)])(
  'under the null the next unit keeps e on average',
  ({ n, bad }, p, sides) => {
    const tuned = betaBinomialTuning(p, 500, 0.05);
    const e = (more: number, of: number): number =>
      logE(logEOfRate({ bad: bad + more, n: n + of, p, r: tuned.ok ? tuned.r : Number.NaN, sides }));
    const now = e(0, 0);
    expect(p * Math.exp(e(1, 1) - now) + (1 - p) * Math.exp(e(0, 1) - now)).toBeCloseTo(1, 8);
  },
);
propertyTest.prop([counts, rate])('a centred score is the same evidence as its counts', ({ n, bad }, p) => {
  const direct = logE(logEOfRate({ bad, n, p, r: 2, sides: 'two' }));
  const centred = logE(
    logEOfBoundedScore({ s: bad - p * n, v: p * (1 - p) * n, down: p, up: 1 - p, r: 2, sides: 'two' }),
  );
  expect(Math.abs(direct - centred)).toBeLessThanOrEqual(1e-8 * Math.max(1, Math.abs(direct)));
});
propertyTest.prop([
  fc.double({ min: 1, max: 1e6, noNaN: true }),
  fc.double({ min: 0.01, max: 0.2, noNaN: true }),
  fc.double({ min: 0.05, max: 0.95, noNaN: true }),
])('the bound is where log e reaches log(1/alpha), or the largest score there is', (v, alpha, p) => {
  const given = { v, down: p, up: 1 - p, r: 5, sides: 'two' as const };
  const bound = boundedScoreBound({ ...given, alpha });
  const at = bound.ok ? bound.bound : Number.NaN;
  const log = logE(logEOfBoundedScore({ ...given, s: at }));
  if (at < (v / p) * (1 - 1e-9)) expect(Math.abs(log + Math.log(alpha))).toBeLessThan(1e-5);
  else expect(log).toBeLessThanOrEqual(-Math.log(alpha) + 1e-5);
});
propertyTest.prop([counts.filter(({ n }) => n > 0)], { numRuns: 30 })(
  "a rate's interval holds its estimate and mirrors with good and bad",
  ({ n, bad }) => {
    const [interval, reversed] = [
      rateInterval({ bad, n, alpha: 0.05 }),
      rateInterval({ bad: n - bad, n, alpha: 0.05 }),
    ];
    if (!interval.ok || !reversed.ok) throw new Error('refused');
    expect(interval.lower <= bad / n && bad / n <= interval.upper).toBe(true);
    expect(reversed.lower).toBeCloseTo(1 - interval.upper, 9);
  },
);

propertyTest.prop([counts, fc.double({ min: 0.01, max: 0.5, noNaN: true })], { numRuns: 40 })(
  'an SLO is breached exactly from its bound on',
  ({ n }, limit) => {
    const bound = sloBound({ units: n, limit, alpha: 0.01 });
    const at = (bad: number): number => logE(logEOfSlo({ bad, units: n, limit }));
    if (!bound.ok) return void expect(at(n)).toBeLessThan(Math.log(100));
    expect(at(bound.bad)).toBeGreaterThanOrEqual(Math.log(100));
    expect(at(bound.bad - 1)).toBeLessThan(Math.log(100));
  },
);
propertyTest.prop(
  [fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 300 }), fc.double({ min: 0.1, max: 0.9, noNaN: true })],
  { numRuns: 30 },
)('a hard kill spends the exact binomial tail', (k, more, limit) => {
  const spent = hardKillAlpha(k, k + more, limit);
  expect(spent.ok && Math.log(spent.alpha)).toBeCloseTo(logBinomialTails(k, k + more, limit).lower, 9);
});
test('20 of the first 25 at a limit of 2% costs nothing worth naming, 5 of 25 does', () => {
  const [rare, common] = [hardKillAlpha(20, 25, 0.02), hardKillAlpha(5, 25, 0.02)];
  expect(rare.ok && rare.alpha).toBeLessThan(1e-25);
  expect(common.ok && common.alpha).toBeCloseTo(0.00014, 4);
});
test('a billion units: ten deviations above the limit are a breach, on it they are none, below it even less', () => {
  const at = (deviations: number): number =>
    logE(logEOfSlo({ bad: Math.round(2e7 + deviations * Math.sqrt(1e9 * 0.02 * 0.98)), units: 1e9, limit: 0.02 }));
  // Laplace: (50 deviations^2/2 less the mixture's price of about log(sqrt(n/rho)) = 8.7)
  expect(at(10)).toBeGreaterThan(35);
  expect(at(10)).toBeLessThan(50);
  expect(at(0)).toBeLessThan(-5);
  expect(at(-10)).toBeLessThan(at(0));
});
describe('garbage gets a reason', () => {
  test.each<[string, () => unknown]>([
    ['more bad than units', () => logEOfSlo({ bad: 3, units: 2, limit: 0.1 })],
    ['a negative count', () => logEOfSlo({ bad: -1, units: 2, limit: 0.1 })],
    ['half a unit', () => logEOfSlo({ bad: 0.5, units: 2, limit: 0.1 })],
    ['no number', () => logEOfSlo({ bad: Number.NaN, units: 2, limit: 0.1 })],
    ['a limit of 0', () => logEOfSlo({ bad: 1, units: 2, limit: 0 })],
    ['a limit of 1', () => logEOfSlo({ bad: 1, units: 2, limit: 1 })],
    ['r of 0', () => logEOfSlo({ bad: 1, units: 2, limit: 0.1, r: 0 })],
    ['tuned for nothing', () => logEOfSlo({ bad: 1, units: 2, limit: 0.1, tunedFor: 0 })],
    ['a bound for one unit', () => sloBound({ units: 1, limit: 0.1, alpha: 0.01 })],
    ['0 of n', () => hardKillAlpha(0, 5, 0.1)],
    ['more than n of n', () => hardKillAlpha(6, 5, 0.1)],
    ['a rate of no units', () => rateInterval({ bad: 0, n: 0, alpha: 0.05 })],
    ['a rate at alpha 0', () => rateInterval({ bad: 0, n: 5, alpha: 0 })],
    ['a score beyond its largest', () => logEOfBoundedScore({ s: 100, v: 1, down: 0.5, up: 0.5, r: 1, sides: 'two' })],
    ['steps of nothing', () => logEOfBoundedScore({ s: 0, v: 1, down: 0, up: 0.5, r: 1, sides: 'two' })],
    ['a bound at alpha 1', () => boundedScoreBound({ v: 1, alpha: 1, down: 0.5, up: 0.5, r: 1, sides: 'two' })],
  ])('%s', (_name, call) => expect(call()).toEqual(refused));
});
