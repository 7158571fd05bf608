/**
 * Student's t in its tails, and Lambert's W. `jstat`'s t rests on its incomplete beta, which is 1% off from a few
 * million degrees of freedom on.
 */
import { logBeta, logBetaTails } from './beta.ts';
import { normalQuantile } from './normal.ts';

/** log P(T > t), `df` > 0 degrees of freedom (fractions allowed): I_{df/(df+t^2)}(df/2, 1/2) / 2 for t >= 0. */
export function logStudentTUpperTail(t: number, df: number): number {
  const square = t * t;
  const { lower } = logBetaTails(
    df / 2,
    0.5,
    square === Infinity ? 0 : df / (df + square),
    square === Infinity ? 1 : square / (df + square),
  );
  return t >= 0 ? lower - Math.LN2 : Math.log1p(-0.5 * Math.exp(lower));
}

/** P(T > t). */
export const studentTUpperTail = (t: number, df: number): number => Math.exp(logStudentTUpperTail(t, df));

const logDensity = (t: number, df: number): number =>
  -logBeta(df / 2, 0.5) - 0.5 * Math.log(df) - ((df + 1) / 2) * Math.log1p((t * t) / df);

/** t with P(T <= t) = p, p in (0, 1), df > 0; NaN outside. Newton's method on the log tail, kept inside a bracket. */
export function studentTQuantile(p: number, df: number): number {
  if (!(p > 0 && p < 1) || !(df > 0)) return Number.NaN;
  if (p < 0.5) return -studentTQuantile(1 - p, df);
  if (p === 0.5) return 0;
  const target = Math.log1p(-p);
  let [low, high] = [0, Math.max(1, normalQuantile(p))];
  while (logStudentTUpperTail(high, df) > target) [low, high] = [high, high * 2];
  let t = low === 0 ? Math.min(high, normalQuantile(p)) : (low + high) / 2;
  for (let step = 0; step < 200; step += 1) {
    const tail = logStudentTUpperTail(t, df);
    if (tail > target) low = t;
    else high = t;
    const newton = t + (tail - target) * Math.exp(tail - logDensity(t, df));
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - t) <= 1e-15 * Math.abs(t)) return next;
    t = next;
  }
  return t;
}

/**
 * The branch w <= -1 of w exp(w) = x for x in [-1/e, 0), by Halley's method; NaN outside. For exact tuning of a normal
 * mixture.
 */
export function lambertWm1(x: number): number {
  if (!(x >= -Math.exp(-1) && x < 0)) return Math.abs(x + Math.exp(-1)) < 1e-16 ? -1 : Number.NaN;
  const near = -Math.sqrt(Math.max(0, 2 * (1 + Math.E * x)));
  const log = Math.log(-x);
  let w =
    x < -0.25 ? -1 + near - (near * near) / 3 + (11 / 72) * near ** 3 : log - Math.log(-log) + Math.log(-log) / log;
  for (let step = 0; step < 50; step += 1) {
    const grown = Math.exp(w);
    const error = w * grown - x;
    const slope = grown * (w + 1);
    const change = slope === 0 ? 0 : error / (slope - ((w + 2) * error) / (2 * w + 2));
    w -= change;
    if (Math.abs(change) <= 1e-15 * Math.abs(w)) break;
  }
  return w;
}
