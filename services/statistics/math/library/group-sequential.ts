/**
 * Group-sequential tests, the alternative to budget mode when looks are few and planned: bounds on z from a spending
 * function by recursive integration (Armitage, McPherson & Rowe 1969; Lan & DeMets 1983). Valid at the planned looks
 * only, under normality. Offered to analysts: no decision rests on them.
 */
import { logNormalCdf, normalCdf, normalQuantile } from '../normal.ts';
import { cannot, isPositive, isProbability, type Result } from '../special.ts';

export type Spending =
  | { readonly form: 'power'; readonly rho: number }
  | { readonly form: 'obrien-fleming' }
  | { readonly form: 'hwang-shih-decani'; readonly gamma: number };

/**
 * One-sided error spent by information share t in (0, 1]: power alpha t^rho (Spotify: rho = 2), O'Brien-Fleming-like 2
 * (1 - Phi(z_{alpha/2}/sqrt t)), Hwang-Shih-DeCani alpha (1 - exp(-gamma t))/(1 - exp(-gamma)).
 */
export function spent(spending: Spending, alpha: number, t: number): Result<{ readonly alpha: number }> {
  if (!isProbability(alpha) || !(t > 0 && t <= 1))
    return cannot('alpha lies strictly between 0 and 1, the share of information in (0, 1]');
  if (spending.form === 'power')
    return isPositive(spending.rho) ? { ok: true, alpha: alpha * t ** spending.rho } : cannot('rho lies above 0');
  if (spending.form === 'obrien-fleming')
    return { ok: true, alpha: 2 * Math.exp(logNormalCdf(normalQuantile(alpha / 2) / Math.sqrt(t))) };
  if (!Number.isFinite(spending.gamma)) return cannot('gamma is a number');
  return {
    ok: true,
    alpha: spending.gamma === 0 ? alpha * t : (alpha * Math.expm1(-spending.gamma * t)) / Math.expm1(-spending.gamma),
  };
}

/** The density of z at a look among paths that crossed nothing before, on a grid of points with Simpson weights. */
type Alive = { readonly points: readonly number[]; readonly mass: readonly number[] };

/** Points from low to high, closer than 1/20 of the step's deviation so that the kernel is resolved; Simpson's rule. */
function grid(low: number, high: number, density: (z: number) => number, deviation: number): Alive {
  const panels = 2 * Math.ceil(Math.max(60, ((high - low) / Math.min(1, deviation)) * 8) / 2);
  const width = (high - low) / panels;
  const points = Array.from({ length: panels + 1 }, (_, index) => low + index * width);
  return {
    points,
    mass: points.map(
      (z, index) => ((index === 0 || index === panels ? 1 : index % 2 === 1 ? 4 : 2) * width * density(z)) / 3,
    ),
  };
}

const normalDensity = (z: number): number => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
/** Beyond this no path matters: Phi(-9) = 1e-19. */
const far = 9;

/** z at look k given z at look k-1: mean z sqrt(t'/t), variance 1 - t'/t. */
const step = (from: number, to: number): { readonly shrink: number; readonly deviation: number } => ({
  shrink: Math.sqrt(from / to),
  deviation: Math.sqrt(1 - from / to),
});

function crosses(alive: Alive, from: number, to: number, bound: number): number {
  const { shrink, deviation } = step(from, to);
  return alive.points.reduce(
    (sum, z, index) => sum + (alive.mass[index] ?? 0) * normalCdf((shrink * z - bound) / deviation),
    0,
  );
}

function survive(
  alive: Alive | undefined,
  from: number,
  to: number,
  low: number,
  high: number,
  nextDeviation: number,
): Alive {
  if (alive === undefined) return grid(low, high, normalDensity, nextDeviation);
  const { shrink, deviation } = step(from, to);
  return grid(
    low,
    high,
    (y) =>
      alive.points.reduce(
        (sum, z, index) => sum + (alive.mass[index] ?? 0) * normalDensity((y - shrink * z) / deviation),
        0,
      ) / deviation,
    Math.min(deviation, nextDeviation),
  );
}

const areShares = (times: readonly number[]): boolean =>
  times.length > 0 && times.every((t, k) => t > (times[k - 1] ?? 0) && t <= 1);

/**
 * Probability that z reaches its upper bound at some look, under the null; bounds on z at shares `times`, ascending in
 * (0, 1]. Paths below are never stopped.
 */
export function crossingProbability(
  times: readonly number[],
  bounds: readonly number[],
): Result<{ readonly probability: number }> {
  if (!areShares(times) || times.length !== bounds.length || bounds.some(Number.isNaN))
    return cannot('looks are ascending shares of information in (0, 1], each with a bound');
  let [total, alive]: [number, Alive | undefined] = [0, undefined];
  for (const [k, t] of times.entries()) {
    const [bound, before, after] = [bounds[k] ?? far, times[k - 1] ?? 0, times[k + 1]];
    total += alive === undefined ? normalCdf(-bound) : crosses(alive, before, t, bound);
    alive = survive(alive, before, t, -far, Math.min(bound, far), after === undefined ? 1 : step(t, after).deviation);
  }
  return { ok: true, probability: total };
}

/**
 * Bounds on z at shares `times` that spend exactly as told. `sides` 2: symmetric, half of alpha to each side, a path
 * that leaves on either side is gone.
 */
export function groupSequentialBounds({
  times,
  alpha,
  sides,
  spending,
}: {
  readonly times: readonly number[];
  readonly alpha: number;
  readonly sides: 1 | 2;
  readonly spending: Spending;
}): Result<{ readonly bounds: readonly number[] }> {
  if (!areShares(times)) return cannot('looks are ascending shares of information in (0, 1]');
  const bounds: number[] = [];
  let [used, alive]: [number, Alive | undefined] = [0, undefined];
  for (const [k, t] of times.entries()) {
    const total = spent(spending, alpha / sides, t);
    if (!total.ok) return total;
    const [now, before, after] = [total.alpha - used, times[k - 1] ?? 0, times[k + 1]];
    const known = alive;
    let [low, high] = [-far, far];
    for (let halving = 0; halving < 60; halving += 1) {
      const middle = (low + high) / 2;
      if ((known === undefined ? normalCdf(-middle) : crosses(known, before, t, middle)) > now) low = middle;
      else high = middle;
    }
    bounds.push(high);
    used = total.alpha;
    if (after !== undefined)
      alive = survive(known, before, t, sides === 2 ? -high : -far, high, step(t, after).deviation);
  }
  return { ok: true, bounds };
}
