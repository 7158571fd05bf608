/**
 * The normal distribution far into its tails. Own code because `jstat` 1.9.6 has no complementary branch: its cdf is
 * off 1.8% at -8 and exactly 0 from about -8.3 on, its quantile is 1.2% off at 1e-20 (against mpmath).
 * Held by `special.log_normal_cdf` vectors and a series in 400-bit integers.
 */
import { log1mExp } from './special.ts';

const halfLogTwoPi = 0.5 * Math.log(2 * Math.PI);

/** log of the standard normal density. */
export const logNormalDensity = (z: number): number => -0.5 * z * z - halfLogTwoPi;

/** Below this the series around 0 would lose digits to 1/2; beyond it the continued fraction is quick. */
const seriesReach = 2.2;

/** Phi(z) - 1/2 = phi(z) sum z^(2k+1) / (2k+1)!!, terms of one sign. |z| <= seriesReach. */
function aboveHalf(z: number): number {
  let term = z;
  let sum = z;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return sum * Math.exp(logNormalDensity(z));
}

/** log of Mills' ratio (1 - Phi(x)) / phi(x) = 1/(x + 1/(x + 2/(x + 3/...))), x > seriesReach, by Lentz' method. */
function logMillsRatio(x: number): number {
  if (x > 1e8) return -Math.log(x);
  let [c, d, fraction] = [x, 0, x];
  for (let k = 1; k < 500; k += 1) {
    d = 1 / (x + k * d);
    c = x + k / c;
    const step = c * d;
    fraction *= step;
    if (Math.abs(step - 1) < 1e-16) break;
  }
  return -Math.log(fraction);
}

/**
 * log Phi(z) for every z, about 1e-14 relative: a series near 0, Mills' continued fraction below -2.2. NaN only for
 * NaN.
 */
export function logNormalCdf(z: number): number {
  if (z < -seriesReach) return logNormalDensity(z) + logMillsRatio(-z);
  return z > seriesReach ? Math.log1p(-Math.exp(logNormalDensity(z) + logMillsRatio(z))) : Math.log(0.5 + aboveHalf(z));
}

/**
 * z^2/2 + log Phi(z), in which the tail's two large parts cancel on paper: the logarithm of Mills' ratio below -2.2.
 * What a one-sided mixture adds up.
 */
export const logScaledNormalCdf = (z: number): number =>
  z < -seriesReach ? logMillsRatio(-z) - halfLogTwoPi : 0.5 * z * z + logNormalCdf(z);

/** Phi(z). The upper tail is `normalCdf(-z)`. */
export const normalCdf = (z: number): number =>
  Math.abs(z) <= seriesReach ? 0.5 + aboveHalf(z) : Math.exp(logNormalCdf(z));

/**
 * z with log Phi(z) = logP, logP < 0. Newton's method from -sqrt(-2 logP), which lies left of the root because Phi(-x)
 * <= exp(-x^2/2)/2; log Phi is concave, so every step stays left and closes in. Above one half by symmetry.
 */
export function normalQuantileOfLog(logP: number): number {
  if (!(logP < 0)) return logP === 0 ? Infinity : Number.NaN;
  if (logP === -Infinity) return -Infinity;
  if (logP > -Math.LN2) return -normalQuantileOfLog(log1mExp(logP));
  let z = -Math.sqrt(-2 * logP);
  for (let step = 0; step < 100; step += 1) {
    const log = logNormalCdf(z);
    const change = (logP - log) * Math.exp(log - logNormalDensity(z));
    z += change;
    if (Math.abs(change) <= 1e-15 * Math.max(1, Math.abs(z))) break;
  }
  return z;
}

/**
 * z with Phi(z) = p, p in (0, 1). For p close to 1 use -normalQuantile(1 - p) with 1 - p known exactly, or
 * `normalQuantileOfLog`.
 */
export const normalQuantile = (p: number): number =>
  p <= 0.5 ? normalQuantileOfLog(Math.log(p)) : -normalQuantileOfLog(Math.log1p(-p));
