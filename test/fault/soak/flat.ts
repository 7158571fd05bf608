/**
 * Is a figure flat over a soak? The middle third against the last third, the first being the time in which caches fill:
 * the median of the last may not be above `factor` times that of the middle plus `slack`. Medians, because a fault in
 * its minute is no trend; thirds, because whatever grows by a constant amount a minute grows by the same amount from
 * one to the next.
 */
export type Bound = { readonly factor: number; readonly slack: number };
export type Flatness = {
  readonly middle: number;
  readonly last: number;
  readonly limit: number;
  readonly most: number;
  readonly flat: boolean;
};

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[half] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
};

/**
 * Samples at equal distances, oldest first; undefined: nothing could be measured then. Fewer than three a third say
 * nothing, and that is not flat.
 */
export function flatness(samples: readonly (number | undefined)[], { factor, slack }: Bound): Flatness {
  const third = samples.length / 3;
  const within = (from: number, to: number): number[] =>
    samples.slice(Math.floor(from), Math.floor(to)).filter((value) => value !== undefined);
  const [middles, lasts] = [within(third, 2 * third), within(2 * third, samples.length)];
  const [middle, last] = [median(middles), median(lasts)];
  const limit = middle * factor + slack;
  return {
    middle,
    last,
    limit,
    most: Math.max(0, ...within(0, samples.length)),
    flat: Math.min(middles.length, lasts.length) >= 3 && last <= limit,
  };
}

const megabyte = 1e6;
/** What may be between two medians without being a trend. */
export const bounds = {
  /** Bytes. On 250 MB it lets 40 MB pass: over the 400 s between the thirds of a 20 minute soak, a leak of 100 kB/s. */
  resident: { factor: 1.1, slack: 15 * megabyte },
  /** Active parts of a table: merges come in steps. */
  parts: { factor: 1.25, slack: 8 },
  /**
   * In seconds of the input at its rate: flushes and commits come in steps, and a stage that joins again reads on in
   * one.
   */
  lag: { factor: 1.5, slack: 1 },
  /** Seconds. */
  freshness: { factor: 1.5, slack: 0.5 },
} as const satisfies Readonly<Record<string, Bound>>;
