/**
 * Eppo's GAVI confidence sequence, for people who migrate: the two-sided normal mixture with a rho of its own. Howard
 * et al. (arXiv 1810.08240); Eppo's docs, "statistical nitty-gritty". t and the tuning are TOTAL units of both arms.
 * One-sided a is run as two-sided 2a. ASYMPTOTIC. Offered to analysts: no decision rests on it.
 */
import { cannot, isPositive, isProbability, type Result } from '../special.ts';

/** Eppo's default: tightest at 10,000 units. */
export const gaviTuning = 10_000;

/** log(log(e/alpha^2)) - 2 log alpha: what the tuning is divided by. */
export function gaviDivisor(alpha: number): Result<{ readonly divisor: number }> {
  return isProbability(alpha)
    ? { ok: true, divisor: Math.log(1 - 2 * Math.log(alpha)) - 2 * Math.log(alpha) }
    : cannot('alpha lies strictly between 0 and 1');
}

/** rho = tuning / divisor, in units. */
export function gaviRho(alpha: number, tuning: number = gaviTuning): Result<{ readonly rho: number }> {
  const divisor = gaviDivisor(alpha);
  if (!divisor.ok) return divisor;
  return isPositive(tuning) ? { ok: true, rho: tuning / divisor.divisor } : cannot('the tuning lies above 0');
}

/** Half width in standard errors at `units` total units: sqrt((t+rho) log((t+rho)/(rho alpha^2)) / t). */
export function gaviHalfWidth(
  units: number,
  alpha: number,
  tuning: number = gaviTuning,
): Result<{ readonly standardErrors: number }> {
  const tuned = gaviRho(alpha, tuning);
  if (!tuned.ok) return tuned;
  if (!isPositive(units)) return cannot('units lie above 0');
  return {
    ok: true,
    standardErrors: Math.sqrt(((units + tuned.rho) * (Math.log1p(units / tuned.rho) - 2 * Math.log(alpha))) / units),
  };
}
