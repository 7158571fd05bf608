/**
 * Beta-binomial mixtures: exact evidence about one rate from `bad` of `n`. Howard, Ramdas, McAuliffe & Sekhon (arXiv
 * 1810.08240), beta-binomial mixture; behind the SLO test and the quantile test. Null: each unit is bad with
 * probability p0 (two-sided), or at most p0 (one-sided), given the past.
 */
import { logBetaTails, logDirichletRatio } from './beta.ts';
import { mixtureRho, type Sides } from './normal-mixture.ts';
import {
  cannot,
  isPositive,
  isProbability,
  lastFalse,
  type Interval,
  type Outcome,
  type Result,
  value,
} from './special.ts';

/**
 * r for a rate p, tuned for `tunedFor` units at level `alpha`: rho(tunedFor p(1-p)) - p(1-p), at least p(1-p)/1000. The
 * prior is Beta(r/(1-p), r/p), whose mean is p.
 */
export function betaBinomialTuning(
  p: number,
  tunedFor: number,
  alpha: number,
  sides: Sides = 'two',
): Result<{ readonly r: number }> {
  if (!isProbability(p)) return cannot('the rate lies strictly between 0 and 1');
  const variance = p * (1 - p);
  const tuned = mixtureRho(tunedFor * variance, alpha, sides);
  return tuned.ok ? { ok: true, r: Math.max(tuned.rho - variance, 1e-3 * variance) } : tuned;
}

/**
 * log e of `bad` of `n` units (bad may be a fraction: the quantile test clips inside an atom) against the rate p, with
 * r as tuned above: logB(r/(1-p)+k, r/p+n-k) - logB(r/(1-p), r/p) - k log p - (n-k) log(1-p), and one-sided (rate above
 * p) + log I^c_p(posterior) - log I^c_p(prior).
 */
export function logEOfRate({
  bad,
  n,
  p,
  r,
  sides,
}: {
  readonly bad: number;
  readonly n: number;
  readonly p: number;
  readonly r: number;
  readonly sides: Sides;
}): Outcome {
  if (!isProbability(p) || !isPositive(r)) return cannot('the rate lies strictly between 0 and 1, r above 0');
  if (!(bad >= 0 && bad <= n && n < Infinity)) return cannot('bad units are at least 0 and at most all units');
  const prior = [r / (1 - p), r / p] as const;
  const twoSided = logDirichletRatio([bad, n - bad], prior, [p, 1 - p]);
  return value(
    sides === 'two'
      ? twoSided
      : twoSided +
          logBetaTails(prior[0] + bad, prior[1] + n - bad, p, 1 - p).upper -
          logBetaTails(prior[0], prior[1], p, 1 - p).upper,
  );
}

/**
 * The same mixture for a score S = k - pn on a clock V, steps up to `up` and down to `down` (p = down/(down+up), V = up
 * down n): for sums that are already centred.
 */
export function logEOfBoundedScore({
  s,
  v,
  down,
  up,
  r,
  sides,
}: {
  readonly s: number;
  readonly v: number;
  readonly down: number;
  readonly up: number;
  readonly r: number;
  readonly sides: Sides;
}): Outcome {
  if (!isPositive(down) || !isPositive(up) || !(v >= 0)) return cannot('steps lie above 0, the clock at 0 or above');
  const range = down + up;
  const k = (v + up * s) / (up * range);
  const rest = (v - down * s) / (down * range);
  // A score at its largest possible value may miss 0 by rounding.
  const clip = (x: number): number => (x < 0 && x > -1e-9 * (1 + v) ? 0 : x);
  return logEOfRate({ bad: clip(k), n: clip(k) + clip(rest), p: down / range, r: r / (range * range), sides });
}

/**
 * The score at which the two-sided or one-sided form reaches log(1/alpha); v/down, the largest score there can be,
 * where it never does.
 */
export function boundedScoreBound({
  v,
  alpha,
  down,
  up,
  r,
  sides,
}: {
  readonly v: number;
  readonly alpha: number;
  readonly down: number;
  readonly up: number;
  readonly r: number;
  readonly sides: Sides;
}): Result<{ readonly bound: number }> {
  const atZero = logEOfBoundedScore({ s: 0, v, down, up, r, sides });
  if (!atZero.ok) return atZero;
  if (!isProbability(alpha)) return cannot('alpha lies strictly between 0 and 1');
  const reaches = (s: number): boolean => {
    const log = logEOfBoundedScore({ s, v, down, up, r, sides });
    return log.ok && log.logE >= Math.log(1 / alpha);
  };
  const largest = v / down;
  return { ok: true, bound: reaches(largest) ? lastFalse(reaches, 0, largest) : largest };
}

/**
 * Confidence sequence of one rate, valid at all looks at once: all p that the two-sided mixture does not reject at
 * 1/alpha, each p with the prior tuned for `tunedFor` units. `bad` of `n` whole units; [0, 1] is the honest answer
 * after one unit, none a refusal.
 */
export function rateInterval({
  bad,
  n,
  alpha,
  tunedFor = 500,
}: {
  readonly bad: number;
  readonly n: number;
  readonly alpha: number;
  readonly tunedFor?: number;
}): Interval {
  if (!Number.isSafeInteger(bad) || !Number.isSafeInteger(n) || bad < 0 || n < 1 || bad > n)
    return cannot('a rate needs a whole number of units above 0, bad ones among them');
  if (!isProbability(alpha) || !isPositive(tunedFor))
    return cannot('alpha lies strictly between 0 and 1, tunedFor above 0');
  const rejects = (p: number): boolean => {
    if (p <= 0 || p >= 1) return true;
    const tuned = betaBinomialTuning(p, tunedFor, 0.05);
    const log: Outcome = tuned.ok ? logEOfRate({ bad, n, p, r: tuned.r, sides: 'two' }) : tuned;
    return log.ok && log.logE >= Math.log(1 / alpha);
  };
  const seen = bad / n;
  return {
    ok: true,
    lower: bad === 0 ? 0 : lastFalse(rejects, seen, 0),
    upper: bad === n ? 1 : lastFalse(rejects, seen, 1),
  };
}
