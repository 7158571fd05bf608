/**
 * The exact log histogram: bucket -> units, bucket = floor(log(x)/log(1.02)). Edges are fixed and counts exact, so
 * whatever is rounded outward to an edge stays exact. Offered to analysts: no decision rests on it.
 */
import { cannot, isCount, type Result } from '../special.ts';

/** bucket -> number of units whose value lies in [1.02^bucket, 1.02^(bucket+1)). -Infinity is the bucket of 0. */
export type Histogram = ReadonlyMap<number, number>;

const step = Math.log(1.02);

/**
 * Bucket of a value, in the metric's unit; 0 has the bucket -Infinity. A negative value or one that is no number has
 * none.
 */
export function bucketOf(x: number): Result<{ readonly bucket: number }> {
  return x >= 0 && x < Infinity
    ? { ok: true, bucket: x === 0 ? -Infinity : Math.floor(Math.log(x) / step) }
    : cannot('a value of a log histogram is at least 0 and finite');
}

/** Lower edge of a bucket, in the metric's unit; its upper edge is the next one's lower. */
export const bucketLower = (bucket: number): number => Math.exp(bucket * step);

/** Units in a histogram; a refusal for one that is empty or holds something else than whole counts of whole buckets. */
export function histogramSize(histogram: Histogram): Result<{ readonly units: number }> {
  let units = 0;
  for (const [bucket, count] of histogram) {
    if (!(Number.isInteger(bucket) || bucket === -Infinity) || !isCount(count))
      return cannot('buckets and their counts are whole numbers');
    units += count;
  }
  return units > 0 ? { ok: true, units } : cannot('a histogram is empty');
}

/** All buckets that occur, ascending. */
export const mergedBuckets = (histograms: readonly Histogram[]): readonly number[] =>
  [...new Set(histograms.flatMap((histogram) => [...histogram.keys()]))].sort((a, b) => a - b);
