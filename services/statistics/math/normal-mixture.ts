/**
 * Normal mixtures of a score S whose variance so far is the clock V: the one family behind the asymptotic test,
 * GrowthBook's sequential test, Eppo's GAVI and the mSPRT, which differ in their tuning rho and in sidedness only.
 * Howard, Ramdas, McAuliffe & Sekhon, arXiv 1810.08240. Null: S is a martingale (two-sided), or at most that
 * (one-sided), with variance V: exact for normal increments, asymptotic otherwise.
 */
import { logNormalCdf, logNormalDensity, logScaledNormalCdf } from './normal.ts';
import { cannot, isPositive, isProbability, lastFalse, type Outcome, type Result, value } from './special.ts';
import { lambertWm1 } from './student.ts';

export type Sides = 'one' | 'two';

/**
 * rho that makes the bound at level `alpha` tightest at clock `clock` (any unit; rho is in the same). Closed form rho =
 * V/(2 log(1/a) + log(1 + 2 log(1/a))); `exact` minimises the bound itself, rho = V/(-W_{-1}(-a^2/e) - 1). One-sided:
 * 2a in place of a, so alpha < 1/2 there.
 */
export function mixtureRho(
  clock: number,
  alpha: number,
  sides: Sides,
  form: 'approximate' | 'exact' = 'approximate',
): Result<{ readonly rho: number }> {
  const level = sides === 'two' ? alpha : 2 * alpha;
  if (!isPositive(clock) || !isProbability(level))
    return cannot(`tuning needs a clock above 0 and alpha between 0 and ${sides === 'two' ? 1 : 0.5}`);
  const budget = 2 * Math.log(1 / level);
  const rho =
    form === 'approximate'
      ? clock / (budget + Math.log1p(budget))
      : clock / (-lambertWm1(-(level * level) / Math.E) - 1);
  return isPositive(rho) ? { ok: true, rho } : cannot('alpha is too close to 0 or 1 to tune for');
}

/**
 * log e of score `s` at clock `v` >= 0. Two-sided: log(rho/(v+rho))/2 + s^2/(2(v+rho)). One-sided (evidence for s > 0):
 * log(4 rho/(v+rho))/2 + s^2/(2(v+rho)) + log Phi(s/sqrt(v+rho)).
 */
export function logEOfNormalMixture(s: number, v: number, rho: number, sides: Sides): Outcome {
  if (!Number.isFinite(s) || !(v >= 0 && v < Infinity) || !isPositive(rho))
    return cannot('a normal mixture needs a finite score, a clock of at least 0 and rho above 0');
  const total = v + rho;
  return sides === 'two'
    ? value(0.5 * Math.log(rho / total) + (s * s) / (2 * total))
    : value(0.5 * Math.log((4 * rho) / total) + logScaledNormalCdf(s / Math.sqrt(total)));
}

/** The score at which log e reaches log(1/alpha) at clock `v`: closed for two sides, by halving for one. */
export function normalMixtureBound(
  v: number,
  alpha: number,
  rho: number,
  sides: Sides,
): Result<{ readonly bound: number }> {
  if (!(v >= 0 && v < Infinity) || !isProbability(alpha) || !isPositive(rho))
    return cannot('a bound needs a clock of at least 0, alpha between 0 and 1 and rho above 0');
  const twoSided = Math.sqrt((v + rho) * (Math.log1p(v / rho) + 2 * Math.log(1 / alpha)));
  if (sides === 'two') return { ok: true, bound: twoSided };
  const reaches = (s: number): boolean => {
    const log = logEOfNormalMixture(s, v, rho, 'one');
    return log.ok && log.logE >= Math.log(1 / alpha);
  };
  // At 0 the one-sided e is the two-sided one, at most 1; above 0 it is between one and two times that.
  return { ok: true, bound: lastFalse(reaches, 0, twoSided * (1 + 1e-12)) };
}

/**
 * mSPRT (Johari, Pekelis & Walsh 2015) in these terms: mixing standard deviation `tau` of the mean effect and variance
 * `variance` of one step give rho = variance / tau^2 steps.
 */
export const msprtRho = (variance: number, tau: number): Result<{ readonly rho: number }> =>
  isPositive(variance) && isPositive(tau)
    ? { ok: true, rho: variance / (tau * tau) }
    : cannot('variance and mixing deviation lie above 0');

/**
 * tau that is best on average for a test that stops after `horizon` steps (Johari, Pekelis & Walsh): sigma
 * sqrt(Phi(-b)/(phi(b)/b - Phi(-b))), b = 2 log(1/alpha)/sqrt(horizon sigma^2).
 */
export function msprtTau(alpha: number, sigma: number, horizon: number): Result<{ readonly tau: number }> {
  if (!isProbability(alpha) || !isPositive(sigma) || !isPositive(horizon))
    return cannot('alpha lies strictly between 0 and 1, deviation and horizon above 0');
  const b = (2 * Math.log(1 / alpha)) / Math.sqrt(horizon * sigma * sigma);
  const mills = Math.exp(logNormalCdf(-b) - logNormalDensity(b));
  const tau = sigma * Math.sqrt(mills / (1 / b - mills));
  return isPositive(tau) ? { ok: true, tau } : cannot('no mixing deviation fits so short a horizon');
}
