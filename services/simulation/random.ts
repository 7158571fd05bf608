/**
 * Chance from a seed: sfc32 (C. Doty-Humphrey's Small Fast Counter, as in PractRand), 32 bits a draw. Each run of each
 * cell has a stream of its own, so that a result depends neither on how runs are spread over threads nor on the order
 * in which they end.
 */
export type Random = {
  /** Whole number in [0, 2^32). */
  readonly next: () => number;
};

/** murmur3's finaliser (A. Appleby): every bit of the input changes half of the output's. Whole number in [0, 2^32). */
export function mix32(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** One number for a path of whole numbers such as [seed, cell, run]. */
export const seedOf = (...path: readonly number[]): number =>
  path.reduce((state, part) => mix32(state ^ mix32((part + 0x9e3779b9) | 0)), 0x2545f491);

export function createRandom(seed: number): Random {
  let [a, b, c, counter] = [0x9e3779b9 | 0, 0x243f6a88 | 0, seed | 0, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  // The first draws still remember the constants.
  for (let round = 0; round < 15; round += 1) next();
  return { next };
}
