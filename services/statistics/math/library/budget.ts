/**
 * Budget mode: the log e of `score.ts` against a lower threshold that is exact for a test of at most N pairs with its
 * first look at m. The threshold is the 1 - alpha quantile of sup over m <= n <= N of log e under Brownian motion; it
 * depends on m, N and the tuning only through their ratios. Valid up to N and no further: there is no extension.
 * Asymptotic: the gates of `score.ts` apply. `budget-table.ts` is written by `infra/scripts/budget-boundary.ts`.
 * Offered to analysts: no decision rests on it.
 */
import { budgetTable } from './budget-table.ts';
import { logNormalCdf } from '../normal.ts';
import { mixtureRho } from '../normal-mixture.ts';
import { cannot, isPositive, type Result } from '../special.ts';

/** 0 <= u < 1. */
export type Random = () => number;

export type BudgetShape = {
  /** Pairs at the first look, above 0; and at the last possible one, above the first. */
  readonly first: number;
  readonly horizon: number;
  /** Pairs the mixture is tuned for (one-sided, at 0.05): `ScoreTuning.pairs`. */
  readonly tuned: number;
};

/**
 * Chernoff's and Siegmund's correction: looks that lie one standard deviation apart miss -zeta(1/2)/sqrt(2 pi) of them
 * at a maximum.
 */
const missedBetweenLooks = 0.5826;

/**
 * One null path's sup of log e: in continuous time, and for a look at every pair. Steps of 2% in time, and between two
 * of them the maximum of a Brownian bridge drawn exactly, so that nothing falls between the steps; looks at every pair
 * miss 0.5826 of a pair's deviation of it.
 */
export function simulateSupremum(
  { first, horizon, tuned }: BudgetShape,
  random: Random,
): { readonly continuous: number; readonly everyPair: number } {
  const rho = rhoOf(tuned);
  const logE = (t: number, n: number): number =>
    0.5 * Math.log((4 * rho) / (n + rho)) + (t * t) / (2 * (n + rho)) + logNormalCdf(t / Math.sqrt(n + rho));
  const steps = Math.max(1, Math.ceil(Math.log(horizon / first) / Math.log(1.02)));
  const growth = (horizon / first) ** (1 / steps);
  let [n, t] = [first, normal(random) * Math.sqrt(first)];
  let continuous = logE(t, n);
  let everyPair = continuous;
  for (let step = 0; step < steps; step += 1) {
    const dt = n * (growth - 1);
    const next = t + normal(random) * Math.sqrt(dt);
    const peak = (t + next + Math.sqrt((next - t) ** 2 - 2 * dt * Math.log(1 - random()))) / 2;
    n += dt;
    t = next;
    // Evaluated in the middle of the step. e grows with t and is less than this bound, so a low peak needs no look.
    const at = n - dt / 2;
    if (peak <= 0 || (peak * peak) / (2 * (at + rho)) + 0.5 * Math.log((4 * rho) / (at + rho)) <= everyPair) continue;
    continuous = Math.max(continuous, logE(peak, at));
    everyPair = Math.max(everyPair, logE(peak - missedBetweenLooks, at));
  }
  return { continuous, everyPair };
}

const rhoOf = (tuned: number): number => {
  const result = mixtureRho(tuned, 0.05, 'one');
  return result.ok ? result.rho : Number.NaN;
};

/**
 * A standard normal draw by Box and Muller's cosine; the sine is not kept, draws stay functions of the stream alone.
 */
const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** The 1 - alpha quantiles of `runs` simulated suprema. Standard error at 5% and 100,000 runs: about 0.015. */
export function simulateThresholds(
  shape: BudgetShape,
  alphas: readonly number[],
  runs: number,
  random: Random,
): readonly { readonly continuous: number; readonly everyPair: number }[] {
  const suprema = Array.from({ length: runs }, () => simulateSupremum(shape, random));
  const [continuous, everyPair] = (['continuous', 'everyPair'] as const).map((key) =>
    Float64Array.from(suprema, (path) => path[key]).sort(),
  );
  return alphas.map((alpha) => {
    const at = Math.min(runs - 1, Math.ceil((1 - alpha) * runs) - 1);
    return { continuous: continuous?.[at] ?? Number.NaN, everyPair: everyPair?.[at] ?? Number.NaN };
  });
}

/** The nodes on both sides of x and how far x lies between them, on a log scale; the ends outside. */
function between(nodes: readonly number[], x: number): { readonly at: number; readonly share: number } {
  const at = Math.min(
    Math.max(
      nodes.findLastIndex((node) => node <= x),
      0,
    ),
    nodes.length - 2,
  );
  const [low, high] = [Math.log(nodes[at] ?? 1), Math.log(nodes[at + 1] ?? 1)];
  return { at, share: Math.min(1, Math.max(0, (Math.log(x) - low) / (high - low))) };
}

/**
 * Reject at level `alpha` (one that the table holds: 0.05, 0.025, 0.01) when the one-sided log e of `score.ts` reaches
 * `threshold`. `lookEvery` pairs between looks, 1 by default; 0 for any schedule. Interpolated in the logarithms of
 * horizon/first and tuned/first, and with what looks miss falling as 1/sqrt(first); outside the table's ratios, and for
 * other levels, a refusal: log(1/alpha) is always right.
 */
export function budgetThreshold(
  { first, horizon, tuned }: BudgetShape,
  alpha: number,
  lookEvery = 1,
): Result<{ readonly threshold: number }> {
  if (![first, horizon, tuned].every(isPositive) || horizon <= first)
    return cannot('the first look lies above 0, the horizon after it, the tuning above 0');
  if (!(lookEvery >= 0)) return cannot('looks lie 0 or more pairs apart');
  const { horizons, tunings, thresholds } = budgetTable;
  const level = thresholds.find((row) => row.alpha === alpha);
  if (level === undefined) return cannot(`the table holds the levels ${thresholds.map((row) => row.alpha).join(', ')}`);
  const [x, y] = [horizon / first, tuned / first];
  // A ratio of two numbers misses an end of the table by rounding.
  const outside = (nodes: readonly number[], given: number): boolean =>
    given < (nodes[0] ?? 0) * (1 - 1e-12) || given > (nodes.at(-1) ?? 0) * (1 + 1e-12);
  if (outside(horizons, x) || outside(tunings, y))
    return cannot('the ratios of horizon and tuning to the first look lie outside the table: use log(1/alpha)');
  const [row, column] = [between(horizons, x), between(tunings, y)];
  const read = (values: readonly (readonly number[])[]): number => {
    const cell = (i: number, j: number): number => (values[row.at + i]?.[column.at + j] ?? Number.NaN) / 1000;
    const along = (i: number): number => cell(i, 0) * (1 - column.share) + cell(i, 1) * column.share;
    return along(0) * (1 - row.share) + along(1) * row.share;
  };
  const [any, every] = [read(level.continuous), read(level.everyPair)];
  return { ok: true, threshold: any - (any - every) * Math.min(1, Math.sqrt((lookEvery * budgetTable.first) / first)) };
}
