/**
 * "Anything about the distribution moved": a band around an empirical distribution that holds at all sample sizes at
 * once. Howard & Ramdas 2022 (Bernoulli), time-uniform DKW. Distribution-free, exact, weakest power; offered to
 * analysts, no decision rests on it. Null of the test: no value is exceeded more often in the candidate than in
 * control.
 */
import { bucketLower, type Histogram, histogramSize, mergedBuckets } from './histogram.ts';
import { cannot, isPositive, isProbability, lastFalse, type Result } from '../special.ts';

/** The paper's leading factor. */
const leading = 0.85;

/**
 * C in sup_x |F_n - F| <= 0.85 sqrt((log(1 + log(t/m)) + C)/t) for all t >= m with probability 1 - alpha: the smallest
 * C whose stitched error bound min over eta of 4 exp(-g C) (1 + 1/((g - 1) log eta)), g = 2 (0.85 - sqrt(2 (eta -
 * 1)/C))^2 / eta > 1, is at most alpha. 8.1227 at 5%.
 */
export function dkwConstant(alpha: number): Result<{ readonly constant: number }> {
  if (!isProbability(alpha)) return cannot('alpha lies strictly between 0 and 1');
  const error = (c: number, eta: number): number => {
    const g = (2 / eta) * Math.max(0, leading - Math.sqrt((2 * (eta - 1)) / c)) ** 2;
    return g <= 1 ? Infinity : Math.log(4) - g * c + Math.log1p(1 / ((g - 1) * Math.log(eta)));
  };
  const least = (c: number): number => {
    // Unimodal in eta; golden-section search on a log scale of eta - 1, where the minimum is not pressed against 0.
    const shrink = (Math.sqrt(5) - 1) / 2;
    let [low, high] = [Math.log(1e-12), Math.log(2 * leading * leading - 1)];
    for (let step = 0; step < 200; step += 1) {
      const [left, right] = [high - shrink * (high - low), low + shrink * (high - low)];
      if (error(c, 1 + Math.exp(left)) <= error(c, 1 + Math.exp(right))) high = right;
      else low = left;
    }
    return error(c, 1 + Math.exp((low + high) / 2));
  };
  return { ok: true, constant: lastFalse((c) => least(c) <= Math.log(alpha), 0.1, 10 - 4 * Math.log(alpha)) };
}

/**
 * Half height of the band after `units` units of one arm, `from` >= 1 units on; a refusal before, where the band is not
 * defined.
 */
export function dkwRadius(units: number, from: number, alpha: number): Result<{ readonly radius: number }> {
  const constant = dkwConstant(alpha);
  if (!constant.ok) return constant;
  if (!isPositive(units) || !(from >= 1) || units < from)
    return cannot('the band begins at its first sample size, at least 1 unit');
  return { ok: true, radius: leading * Math.sqrt((Math.log1p(Math.log(units / from)) + constant.constant) / units) };
}

/**
 * The band at every upper edge of a bucket, where the histogram's distribution function is exact: P(X < edge) lies in
 * [lower, upper].
 */
export function dkwBand(
  histogram: Histogram,
  from: number,
  alpha: number,
): Result<{ readonly edges: readonly { readonly edge: number; readonly lower: number; readonly upper: number }[] }> {
  const units = histogramSize(histogram);
  if (!units.ok) return units;
  const radius = dkwRadius(units.units, from, alpha);
  if (!radius.ok) return radius;
  let below = 0;
  return {
    ok: true,
    edges: mergedBuckets([histogram]).map((bucket) => {
      below += histogram.get(bucket) ?? 0;
      return {
        edge: bucketLower(bucket + 1),
        lower: Math.max(0, below / units.units - radius.radius),
        upper: Math.min(1, below / units.units + radius.radius),
      };
    }),
  };
}

/**
 * Whether the candidate exceeds some value more often than control does, at every look at once: sup over edges of F_A -
 * F_B above both radii together, each at alpha/2.
 */
export function dkwShift(
  control: Histogram,
  candidate: Histogram,
  from: number,
  alpha: number,
): Result<{ readonly distance: number; readonly threshold: number; readonly shifted: boolean }> {
  const [a, b] = [histogramSize(control), histogramSize(candidate)];
  if (!a.ok) return a;
  if (!b.ok) return b;
  const [ra, rb] = [dkwRadius(a.units, from, alpha / 2), dkwRadius(b.units, from, alpha / 2)];
  if (!ra.ok) return ra;
  if (!rb.ok) return rb;
  let [belowA, belowB, distance] = [0, 0, 0];
  for (const bucket of mergedBuckets([control, candidate])) {
    belowA += control.get(bucket) ?? 0;
    belowB += candidate.get(bucket) ?? 0;
    distance = Math.max(distance, belowA / a.units - belowB / b.units);
  }
  const threshold = ra.radius + rb.radius;
  return { ok: true, distance, threshold, shifted: distance > threshold };
}
