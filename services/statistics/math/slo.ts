/**
 * An absolute limit on the candidate alone: error rate <= limit, or share of requests slower than T <= limit.
 * Exact; proof in `services/statistics/README.md`.
 */
import { binomialUpperTail } from '../../kernel/binomial.ts';
import { betaBinomialTuning, logEOfRate } from './beta-binomial.ts';
import { cannot, isCount, isProbability, lastFalse, type Outcome, type Result } from './special.ts';

/** Units at which the mixture is sharpest, and the level it is tuned for. */
const sharpestAt = 500;
const tuningAlpha = 0.05;

type Tested = {
  readonly bad: number;
  readonly units: number;
  readonly limit: number;
  readonly tunedFor?: number;
  readonly r?: number;
};

/**
 * log e that more than `limit` of the units are bad. One-sided beta-binomial mixture; null: each unit is bad with
 * probability at most `limit`, given the past. `bad` of `units` closed units, whole; `limit` in (0, 1); `tunedFor`
 * units at which it is sharpest (500), or `r` itself.
 */
export function logEOfSlo(tested: Tested): Outcome {
  const { bad, units } = tested;
  if (!isCount(bad) || !isCount(units) || bad > units)
    return cannot('counts are whole numbers, bad units at most all units');
  return logEOfShares(tested);
}

/**
 * The same where each unit is bad to a share x in [0, 1]; `bad` is the sum of x, a fraction. By the weighted inequality
 * of means (t/p)^x ((1-t)/(1-p))^(1-x) <= x t/p + (1-x)(1-t)/(1-p), which has mean at most 1 when E[x] <= p < t: the
 * mixture stays an e-process for shares, exactly; for 0-or-1 values it is the classical one.
 */
export function logEOfShares({ bad, units, limit, tunedFor = sharpestAt, r }: Tested): Outcome {
  if (!isProbability(limit)) return cannot('the limit lies strictly between 0 and 1');
  const tuned: Result<{ readonly r: number }> =
    r === undefined ? betaBinomialTuning(limit, tunedFor, tuningAlpha) : { ok: true, r };
  return tuned.ok ? logEOfRate({ bad, n: units, p: limit, r: tuned.r, sides: 'one' }) : tuned;
}

/**
 * The fewest bad ones among `units` that breach the limit at level `alpha`; a refusal where not even all of them would.
 */
export function sloBound({
  units,
  limit,
  alpha,
  tunedFor = sharpestAt,
}: {
  readonly units: number;
  readonly limit: number;
  readonly alpha: number;
  readonly tunedFor?: number;
}): Result<{ readonly bad: number }> {
  if (!isProbability(alpha)) return cannot('alpha lies strictly between 0 and 1');
  const all = logEOfSlo({ bad: units, units, limit, tunedFor });
  if (!all.ok) return all;
  if (all.logE < Math.log(1 / alpha)) return cannot('so few units cannot breach the limit at this level');
  const breaches = (bad: number): boolean => {
    const log = logEOfSlo({ bad: Math.floor(bad), units, limit, tunedFor });
    return log.ok && log.logE >= Math.log(1 / alpha);
  };
  return { ok: true, bad: Math.floor(lastFalse(breaches, 0, units)) + 1 };
}

/**
 * What a hard kill "k bad among the first n" spends: P(at least k of n bad) at rate `limit`, exactly. Checking at every
 * unit costs no more, since the count only grows. Whole numbers, 0 < k <= n <= 1,000,000; `limit` in (0, 1). Add it to
 * the budget of the SLO.
 */
export function hardKillAlpha(k: number, n: number, limit: number): Result<{ readonly alpha: number }> {
  if (!isCount(k) || !isCount(n) || k < 1 || k > n || n > 1_000_000)
    return cannot('a hard kill needs whole numbers, 1 <= k <= n <= 1,000,000');
  if (!isProbability(limit)) return cannot('the limit lies strictly between 0 and 1');
  return { ok: true, alpha: binomialUpperTail(k, n, limit) };
}
