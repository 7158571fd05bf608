/**
 * What one visit of a unit is worth, as a finite distribution: a few single points, then a tail of equally likely ones.
 * Finite, so that every log factor of a bet is computed once and a visit costs a look-up. A continuous tail is cut into
 * `tailPoints` equal shares, each standing for its median.
 */
export const tailPoints = 2_048;

export type ValueModel = {
  /** Probabilities of the first points. */
  readonly atoms: readonly number[];
  /** Values of every point, atoms first, in the metric's own unit; the tail is equally likely. */
  readonly points: readonly number[];
};

/** 1 with probability `rate`, else 0. */
export const aRate = (rate: number): ValueModel => ({ atoms: [1 - rate], points: [0, 1] });

/** Every point the same share; `quantile` maps (0, 1) to a value. */
export const aTail = (quantile: (p: number) => number, size = tailPoints): ValueModel => ({
  atoms: [],
  points: Array.from({ length: size }, (_, index) => quantile((index + 0.5) / size)),
});

/** exp(mu + sigma Z). */
export const lognormal = (mu: number, sigma: number, size = tailPoints): ValueModel =>
  aTail((p) => Math.exp(mu + sigma * normalQuantile(p)), size);

/** 0 except with probability `rate`, then as `tail` (which has no atoms). */
export const zeroInflated = (rate: number, tail: ValueModel): ValueModel => ({
  atoms: [1 - rate, ...tail.atoms.map((atom) => atom * rate)],
  points: [0, ...tail.points],
});

export const scaled = (model: ValueModel, factor: number): ValueModel => ({
  ...model,
  points: model.points.map((point) => point * factor),
});

/** Mean and variance of min(value, cap). */
export function momentsOf(
  { atoms, points }: ValueModel,
  cap = Infinity,
): { readonly mean: number; readonly variance: number } {
  const rest = 1 - atoms.reduce((sum, atom) => sum + atom, 0);
  const tail = points.length - atoms.length;
  let [mean, square] = [0, 0];
  for (const [index, point] of points.entries()) {
    const value = Math.min(point, cap);
    const share = atoms[index] ?? rest / tail;
    mean += share * value;
    square += share * value * value;
  }
  return { mean, variance: square - mean * mean };
}

/** Draws a point's index from a whole number in [0, 2^32): one comparison per atom, one multiplication for the tail. */
export type Sampler = {
  readonly limits: Float64Array;
  readonly tailAt: number;
  readonly tailScale: number;
  readonly last: number;
};

export function samplerOf({ atoms, points }: ValueModel): Sampler {
  const limits = new Float64Array(atoms.length);
  let below = 0;
  for (const [index, atom] of atoms.entries()) {
    below += atom * 2 ** 32;
    limits[index] = below;
  }
  return {
    limits,
    tailAt: below,
    tailScale: below >= 2 ** 32 ? 0 : (points.length - atoms.length) / (2 ** 32 - below),
    last: points.length - 1,
  };
}

export function pointOf(sampler: Sampler, draw: number): number {
  const { limits } = sampler;
  for (let index = 0; index < limits.length; index += 1) if (draw < (limits[index] as number)) return index;
  const point = limits.length + Math.floor((draw - sampler.tailAt) * sampler.tailScale);
  return Math.min(point, sampler.last);
}

/**
 * P. J. Acklam's rational approximation of the normal quantile, relative error at most 1.2e-9, p in (0, 1). For drawing
 * values only, never for a test.
 */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return (
      (((((-7.784894002430293e-3 * q - 3.223964580411365e-1) * q - 2.400758277161838) * q - 2.549732539343734) * q +
        4.374664141464968) *
        q +
        2.938163982698783) /
      ((((7.784695709041462e-3 * q + 3.224671290700398e-1) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1)
    );
  }
  const q = p - 0.5;
  const r = q * q;
  return (
    ((((((-3.969683028665376e1 * r + 2.209460984245205e2) * r - 2.759285104469687e2) * r + 1.38357751867269e2) * r -
      3.066479806614716e1) *
      r +
      2.506628277459239) *
      q) /
    (((((-5.447609879822406e1 * r + 1.615858368580409e2) * r - 1.556989798598866e2) * r + 6.680131188771972e1) * r -
      1.328068155288572e1) *
      r +
      1)
  );
}
