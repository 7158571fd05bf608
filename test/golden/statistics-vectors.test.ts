/**
 * Vectors of the statistics library: stats/vectors.json in TRIPLINE_TEST_DATA, or any file of the same form there.
 * Prints the methods it has no function for.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type CountsRevision,
  designRatioWeights,
  configurationChangeWeight,
  logBayesFactor,
  logEOfCounts,
  logEOfFirstEvents,
  logEOfRatio,
  logEOfUnits,
  slotWeight,
  suffixSums,
  wholePhaseWeight,
} from '../../services/statistics/index.ts';
import { emptyTestSums, type TestSums } from '../../services/kernel/evidence.ts';
import { betLogs, lambdaGrid } from '../../services/kernel/bets.ts';
import { logEOfSums } from '../../services/statistics/math/betting.ts';
import { realData } from '../support/real-data.ts';
import { asymptoticMethods, exactMethods, type Inputs, number } from './statistics-methods.ts';

type Vector = {
  id: string;
  method: string;
  inputs: Record<string, never>;
  expected: unknown;
  tolerance: number;
  tolerance_kind?: string;
  optional?: boolean;
};
const folder = realData();
const read = (): Vector[] => {
  const content = JSON.parse(readFileSync(`${folder}/stats/vectors.json`, 'utf8')) as Vector[] | { vectors: Vector[] };
  return Array.isArray(content) ? content : content.vectors;
};
const vectors = folder === undefined ? [] : read();
type VectorRevision = { alloc_B: number; units_A: number; events_A: number; units_B: number; events_B: number };
const revision = ({ alloc_B, units_A, events_A, units_B, events_B }: VectorRevision): CountsRevision => ({
  allocation: alloc_B,
  unitsA: units_A,
  eventsA: events_A,
  unitsB: units_B,
  eventsB: events_B,
});

const methods: Readonly<Record<string, (inputs: Inputs) => unknown>> = {
  ...asymptoticMethods,
  ...exactMethods,
  'ipw_betting.log_e': (i) =>
    number(
      logEOfUnits(
        i.units.map(([x, b, q]: [number, number, number]) => [x, b === 1, q]),
        i.lambdas,
        i.weights,
        i.center,
        i.cap,
      ),
    ),
  'ipw_betting.default_prior.log_e': (i) => {
    const variance = i.var_z / (1 / i.alloc_B + 1 / (1 - i.alloc_B));
    const out = logEOfCounts({
      side: 'harm',
      epochs: [revision(i)],
      center: i.center,
      design: i.design_delta,
      variance,
      tolerance: 0,
    });
    return { lambdas: out.lambdas?.[0], log_e: number(out) };
  },
  'ipw_betting.counts.log_e': (i) => {
    const out = logEOfCounts({
      side: i.side,
      epochs: i.epochs.map(revision),
      center: i.center,
      design: i.design_delta,
      variance: i.variance,
      tolerance: i.tolerance_d0,
    });
    return { lambdas_per_epoch: out.lambdas, log_e: number(out) };
  },
  'conditional_binomial.rate_ratio_grid.log_e': (i) =>
    number(
      logEOfFirstEvents({
        side: 'harm',
        epochs: [{ allocation: i.alloc_B, eventsA: i.events_A, eventsB: i.events_B }],
        ratios: i.ratios,
        weights: i.weights,
      }),
    ),
  'conditional_binomial.design_grid.log_e': (i) =>
    number(
      logEOfFirstEvents({
        side: i.side,
        epochs: i.epochs.map((e: VectorRevision) => ({
          allocation: e.alloc_B,
          eventsA: e.events_A,
          eventsB: e.events_B,
        })),
        ratios: i.ratios,
        weights: i.weights ?? designRatioWeights,
        toleranceRatio: i.tolerance_ratio,
      }),
    ),
  'dirichlet_multinomial.log_bayes_factor': (i) =>
    cumulative(i.increments).map((counts) => number(logBayesFactor(counts, i.prior, i.theta0))),
  // p: running minimum of 1 / BF. A row that gives counts only is the moment it stopped, so its last factor is its
  // largest.
  'dirichlet_multinomial.sequential': (i) => {
    const factors = (i.increments ? cumulative(i.increments) : [i.counts_at_stop]).map((counts: number[]) =>
      Math.exp(
        number(
          logBayesFactor(
            counts,
            i.theta0.map((share: number) => i.concentration * share),
            i.theta0,
          ),
        ),
      ),
    );
    const bf = factors.at(-1) ?? Number.NaN;
    const units = (i.counts_at_stop ?? []).reduce((sum: number, count: number) => sum + count, 0);
    return { p: 1 / Math.max(1, ...factors), ...(i.increments ? { bf, posterior: bf / (1 + bf) } : { n: units }) };
  },
  'dirichlet_multinomial.epoch_product.log_e': (i) =>
    number(
      logEOfRatio(
        i.epochs.map((e: { counts: number[]; theta0: number[] }) => ({ counts: e.counts, shares: e.theta0 })),
        [i.concentration],
      ),
    ),
  'dirichlet_multinomial.k_mixture.log_e': (i) =>
    number(
      logEOfRatio(
        i.epochs.map((e: { counts: number[]; theta0: number[] }) => ({ counts: e.counts, shares: e.theta0 })),
        i.concentrations,
      ),
    ),
  'restart.weights': (i) => i.slots.map((slot: number) => slotWeight(slot, i.planned_segments)),
  'restart.e1_union': (i) => testStartUnion(i),
};
const cumulative = (increments: number[][]): number[][] =>
  increments.map((_, upTo) =>
    (increments[0] ?? []).map((__, arm) =>
      increments.slice(0, upTo + 1).reduce((sum, row) => sum + (row[arm] ?? 0), 0),
    ),
  );

function testStartUnion(i: {
  alloc_B: number;
  center: number;
  design_delta: number;
  variance: number;
  planned_segments: number;
  segments: { kind: string; slot: number }[];
  entries: [string, number, boolean, number][];
}) {
  const [q, c] = [i.alloc_B, i.center];
  const harm = lambdaGrid(i.design_delta, i.variance, q, -Math.max(c / q, (1 - c) / (1 - q)));
  const frozen = { q, center: c, design: i.design_delta, variance: i.variance, tolerance: 0, isRatio: false };
  const design = { ...frozen, harm, win: harm, mostWeight: { harm: [], win: [] } };
  const arms = [i.segments.map(emptyTestSums), i.segments.map(emptyTestSums)];
  const last = new Map<string, number>();
  for (const [unit, segment, isCandidate, x] of i.entries) {
    const logs = betLogs(design, isCandidate, x, 'harm');
    const add = (sums: TestSums | undefined, sign: number): void => {
      if (sums === undefined) return;
      sums.n += sign;
      for (const [j, log] of logs.entries()) sums.harm[j] = (sums.harm[j] ?? 0) + sign * log;
    };
    const previous = last.get(unit);
    if (previous === segment) continue;
    add(arms[isCandidate ? 1 : 0]?.[segment], 1);
    if (previous !== undefined) add(arms[isCandidate ? 1 : 0]?.[previous], -1);
    last.set(unit, segment);
  }
  const [a, b] = arms.map(suffixSums) as [TestSums[], TestSums[]];
  const logs = a.map((sums, k) => number(logEOfSums(sums.harm, b[k]?.harm ?? [])));
  const weighted = i.segments.map(
    ({ kind, slot }, k) =>
      (logs[k] ?? 0) +
      Math.log(
        kind === 'whole'
          ? wholePhaseWeight
          : kind === 'slot'
            ? slotWeight(slot, i.planned_segments)
            : configurationChangeWeight(slot),
      ),
  );
  return {
    lambdas: harm,
    difference_n: arms[0]?.map((sums, k) => sums.n + (arms[1]?.[k]?.n ?? 0)),
    units_per_restart: a.map((sums, k) => sums.n + (b[k]?.n ?? 0)),
    log_e_per_restart: logs,
    weighted,
    best_restart: weighted.indexOf(Math.max(...weighted)),
  };
}

function near(got: unknown, want: unknown, tolerance: number, kind: string): void {
  if (typeof want === 'number') {
    expect(got).toBeTypeOf('number');
    expect(Math.abs((got as number) - want)).toBeLessThanOrEqual(
      kind === 'relative' ? tolerance * Math.abs(want) : tolerance,
    );
  } else if (Array.isArray(want)) {
    expect(got).toHaveLength(want.length);
    for (const [index, item] of want.entries()) near((got as unknown[])[index], item, tolerance, kind);
  } else if (typeof want === 'object' && want !== null)
    for (const [key, item] of Object.entries(want)) near((got as Record<string, unknown>)[key], item, tolerance, kind);
  else expect(got).toEqual(want);
}

describe.skipIf(folder === undefined)('vectors', () => {
  const known = vectors.filter(({ method }) => method in methods);
  const without = (isOptional: boolean): readonly string[] => [
    ...new Set(
      vectors
        .filter(({ method, optional }) => !(method in methods) && (optional ?? false) === isOptional)
        .map(({ method }) => method),
    ),
  ];
  console.log(
    `methods without a function: ${without(false).join(', ') || 'none'}; ` +
      `optional ones: ${without(true).join(', ') || 'none'}`,
  );
  test('there are some, and every method that is not optional has a function', () => {
    expect(known.length).toBeGreaterThan(15);
    expect(without(false)).toEqual([]);
  });
  // Sums of a test start are floored to 2^-32 per entry and bet: they may lie below by that much for each entry, and
  // not above.
  const floored = (inputs: { entries?: unknown[] }): number => (inputs.entries?.length ?? 0) * 2 ** -32;
  test.each(known.map((vector) => [vector.id, vector] as const))(
    '%s',
    (_id, { method, inputs, expected, tolerance, tolerance_kind }) =>
      near(
        methods[method]?.(inputs),
        expected,
        tolerance + (method === 'restart.e1_union' ? floored(inputs) : 0),
        tolerance_kind ?? 'absolute',
      ),
  );
});
