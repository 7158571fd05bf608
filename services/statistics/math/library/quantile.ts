/**
 * Two-sample quantile test and confidence sequence of a quantile, by beta-binomial mixtures. Howard & Ramdas 2022
 * (Bernoulli 28(3)), section on A/B tests. Offered to analysts: no decision rests on it. Null: both arms have the same
 * p-quantile. Two-sided, exact, agnostic and slow: prefer betting or first events on a threshold fixed beforehand. For
 * each candidate value x of the common quantile each arm is asked "is a share p below x?"; the evidences add up (arms
 * are independent), and the most lenient x counts.
 */
import { betaBinomialTuning, logEOfRate } from '../beta-binomial.ts';
import { bucketLower, type Histogram, histogramSize, mergedBuckets } from './histogram.ts';
import { cannot, isProbability, type Interval, type Outcome, type Result, value } from '../special.ts';

/** p in (0, 1); tuned for `tunedFor` units of an arm (500) at `alpha` (0.05). */
export type QuantileTuning = { readonly p: number; readonly tunedFor?: number; readonly alpha?: number };

/** Share of an arm that may lie below a candidate x: at least `less`, at most `upTo` of `n` units. */
type Below = { readonly less: number; readonly upTo: number };
type Arm = { readonly n: number; readonly below: readonly Below[] };

/**
 * log e of one arm against "share p lies below x", at the most lenient count between `less` and `upTo`. The mixture has
 * one minimum over the count, `calm`.
 */
const lenient = (arm: Arm, at: number, calm: number, p: number, r: number): number => {
  const { less, upTo } = arm.below[at] ?? { less: 0, upTo: 0 };
  const log = logEOfRate({ bad: Math.min(Math.max(calm, less), upTo), n: arm.n, p, r, sides: 'two' });
  return log.ok ? log.logE : Number.NaN;
};

/**
 * The count (with fractions) at which n units speak least against p. Golden-section search: the mixture is convex in
 * the count.
 */
function calmest(n: number, p: number, r: number): number {
  const shrink = (Math.sqrt(5) - 1) / 2;
  const at = (bad: number): number => {
    const log = logEOfRate({ bad, n, p, r, sides: 'two' });
    return log.ok ? log.logE : Number.NaN;
  };
  let [low, high] = [0, n];
  for (let step = 0; step < 60; step += 1) {
    const [left, right] = [high - shrink * (high - low), low + shrink * (high - low)];
    if (at(left) <= at(right)) high = right;
    else low = left;
  }
  return (low + high) / 2;
}

function tune({ p, tunedFor = 500, alpha = 0.05 }: QuantileTuning): Result<{ readonly r: number }> {
  return isProbability(p)
    ? betaBinomialTuning(p, tunedFor, alpha)
    : cannot('the quantile lies strictly between 0 and 1');
}

function twoSample(a: Arm, b: Arm, tuning: QuantileTuning): Outcome {
  const tuned = tune(tuning);
  if (!tuned.ok) return tuned;
  const { p } = tuning;
  const [calmA, calmB] = [calmest(a.n, p, tuned.r), calmest(b.n, p, tuned.r)];
  let least = Infinity;
  for (const at of a.below.keys())
    least = Math.min(least, lenient(a, at, calmA, p, tuned.r) + lenient(b, at, calmB, p, tuned.r));
  return value(least);
}

/** Counts below and up to every value that occurs in either sample, and between them. */
function armOfValues(sorted: readonly number[], candidates: readonly number[]): Arm {
  const below: Below[] = [];
  let [less, upTo] = [0, 0];
  for (const x of candidates) {
    while (less < sorted.length && (sorted[less] ?? 0) < x) less += 1;
    while (upTo < sorted.length && (sorted[upTo] ?? 0) <= x) upTo += 1;
    below.push({ less, upTo });
  }
  return { n: sorted.length, below };
}

/**
 * log e from raw values of both arms, any order; every value a finite number, both arms non-empty. Anytime p: min(1,
 * 1/e).
 */
export function logEOfQuantile(
  control: readonly number[],
  candidate: readonly number[],
  tuning: QuantileTuning,
): Outcome {
  if (control.length === 0 || candidate.length === 0) return cannot('both arms need values');
  if (![...control, ...candidate].every(Number.isFinite)) return cannot('a value is not a number');
  const [a, b] = [control, candidate].map((values) => [...values].sort((x, y) => x - y)) as [number[], number[]];
  const candidates = [...new Set([...a, ...b])].sort((x, y) => x - y);
  return twoSample(armOfValues(a, candidates), armOfValues(b, candidates), tuning);
}

function armOfHistogram(histogram: Histogram, buckets: readonly number[], n: number): Arm {
  let below = 0;
  return {
    n,
    below: buckets.map((bucket) => {
      const less = below;
      below += histogram.get(bucket) ?? 0;
      return { less, upTo: below };
    }),
  };
}

/**
 * The same from log histograms. Candidates are whole buckets: anywhere inside one the share below may be anything
 * between its edges, so the answer never exceeds that of the raw values.
 */
export function logEOfQuantileHistogram(control: Histogram, candidate: Histogram, tuning: QuantileTuning): Outcome {
  const [a, b] = [histogramSize(control), histogramSize(candidate)];
  if (!a.ok) return a;
  if (!b.ok) return b;
  const buckets = mergedBuckets([control, candidate]);
  return twoSample(armOfHistogram(control, buckets, a.units), armOfHistogram(candidate, buckets, b.units), tuning);
}

/**
 * Confidence sequence of one arm's p-quantile at level `level`, rounded outward to edges, valid at all looks at once; 0
 * or Infinity where the data set no limit yet.
 */
export function quantileInterval(histogram: Histogram, level: number, tuning: QuantileTuning): Interval {
  const size = histogramSize(histogram);
  if (!size.ok) return size;
  const tuned = tune(tuning);
  if (!tuned.ok) return tuned;
  if (!isProbability(level)) return cannot('the level lies strictly between 0 and 1');
  const buckets = mergedBuckets([histogram]);
  const arm = armOfHistogram(histogram, buckets, size.units);
  const calm = calmest(size.units, tuning.p, tuned.r);
  const rejects = (k: number): boolean => {
    const log = logEOfRate({ bad: k, n: size.units, p: tuning.p, r: tuned.r, sides: 'two' });
    return log.ok && log.logE >= -Math.log(level);
  };
  const kept = buckets.filter((_, at) => lenient(arm, at, calm, tuning.p, tuned.r) < -Math.log(level));
  const [first, last] = [kept[0], kept.at(-1)];
  if (first === undefined || last === undefined) return cannot('no bucket is compatible with the data');
  return {
    ok: true,
    lower: rejects(0) ? bucketLower(first) : 0,
    upper: rejects(size.units) ? bucketLower(last + 1) : Infinity,
  };
}
