/**
 * G2, G3, G4: units until a harm is found, every rule at the same harm-side error (5%: two-sided rules run at 10%), on
 * the same visits. The oracle is Wald's test of the pooled rate in both arms against the two true rates, which nobody
 * knows beforehand.
 */
import { budgetThreshold } from '../../services/statistics/index.ts';
import { createRandom, seedOf } from '../../services/simulation/random.ts';
import { aRate, lognormal, scaled } from '../../services/simulation/values.ts';
import { alpha, metricFor, tablesFor, watchBetting, watchFirstEvent, wholeOnly } from './engines.ts';
import { halfNormal, likelihoodRatio, mixtureSprt, normalMixture, watchRule } from './peers.ts';
import { prepareScenario, type PreparedScenario, walk, type Watcher } from './walk.ts';

export type SpeedCase = {
  readonly id: string;
  readonly kind: 'rate' | 'cost';
  readonly share: number;
  readonly factor: number;
  readonly visits: number;
  readonly capQuantile?: number;
};
export type PreparedCase = {
  readonly of: SpeedCase;
  readonly prepared: PreparedScenario;
  readonly names: readonly string[];
  readonly watchers: () => Watcher[];
};

const baseRate = 0.1;
/** Budget mode: horizon, first look and tuning in pairs. The tuning lies between the two harms that G3 asks for. */
export const budget = { first: 100, horizon: 10_000, tuned: 750 } as const;
const budgetBound = (): number => {
  const found = budgetThreshold(budget, alpha);
  if (!found.ok) throw new RangeError(found.reason);
  return found.threshold;
};

/** Wald's test between two pairs of rates; `effect` = candidate / control under the alternative. */
function oracle(control: number, candidate: number): Watcher {
  const pooled = (control + candidate) / 2;
  const gains = [control, candidate].map((rate) => [Math.log((1 - rate) / (1 - pooled)), Math.log(rate / pooled)]);
  let sum = 0;
  return {
    see: ({ isCandidate, value }) => {
      sum += gains[isCandidate ? 1 : 0]?.[value > 0 ? 1 : 0] as number;
      return sum >= Math.log(1 / alpha);
    },
  };
}

export function prepareCase(of: SpeedCase): PreparedCase {
  const { kind, share, factor, visits } = of;
  const isRate = kind === 'rate';
  const control = isRate ? aRate(baseRate) : lognormal(0, 1.5, 16_384);
  const candidate = isRate ? aRate(baseRate * factor) : scaled(control, factor);
  const cap = isRate ? 1 : (control.points[Math.floor((of.capQuantile ?? 1) * control.points.length)] ?? Infinity);
  const revisions = [{ share, control, candidate }];
  const prepared = prepareScenario({
    visits,
    revisions,
    revisionStarts: [],
    segments: 1,
    isEvent: (value) => value > 0,
  });
  const tables = tablesFor(metricFor(control, cap, 0.2), revisions, 1);
  const rule =
    (made: Parameters<typeof watchRule>[0], minUnits = 100, maxPairs = Infinity) =>
    () =>
      watchRule(made, { minUnits, cap, maxPairs });
  const rows: readonly (readonly [string, () => Watcher])[] = [
    ['betting, design prior, exact', () => watchBetting(tables, wholeOnly)],
    ...(isRate
      ? ([
          ['oracle', () => oracle(baseRate, factor === 1 ? baseRate * 1.2 : baseRate * factor)],
          ['first-event, design ratios, exact', () => watchFirstEvent(tables)],
          [
            'budget mode, 10k pairs',
            rule(halfNormal(budget.tuned, alpha, budgetBound()), budget.first, budget.horizon),
          ],
          ['mSPRT tau=.02', rule(mixtureSprt(0.02, 2 * alpha))],
          ['GLR', rule(likelihoodRatio(2 * alpha))],
        ] as const)
      : [1_000, 5_000].map((pairs) => [`asymptotic, half-normal ${pairs}`, rule(halfNormal(pairs, alpha))] as const)),
    ['asymptotic, half-normal 500', rule(halfNormal(500, alpha))],
    ['asymptotic, half-normal 2500', rule(halfNormal(2_500, alpha))],
    ['GrowthBook form N*=5000', rule(normalMixture(5_000, 2 * alpha))],
    ['Eppo form', rule(normalMixture(10_000, 2 * alpha))],
    ...(isRate
      ? []
      : ([
          ['betting, win side', () => watchBetting(tables, wholeOnly, { side: 'win' })],
          ['asymptotic 500, win side', () => watchRule(halfNormal(500, alpha), { minUnits: 100, cap, sign: -1 })],
        ] as const)),
  ];
  return { of, prepared, names: rows.map(([name]) => name), watchers: () => rows.map(([, make]) => make()) };
}

/** Stopping times, one list per rule, 0 for never. */
export function stoppingTimes(
  prepared: PreparedCase,
  seed: number,
  index: number,
  from: number,
  to: number,
): number[][] {
  const times: number[][] = prepared.names.map(() => []);
  for (let run = from; run < to; run += 1) {
    const own = seedOf(seed, index, run);
    for (const [at, stopped] of walk(prepared.prepared, createRandom(own), own, prepared.watchers()).entries())
      times[at]?.push(stopped);
  }
  return times;
}

export const rateCases: readonly SpeedCase[] = [
  { id: '10% -> 10%', kind: 'rate', share: 0.5, factor: 1, visits: 100_000 },
  { id: '10% -> 12%', kind: 'rate', share: 0.5, factor: 1.2, visits: 100_000 },
  { id: '10% -> 15%', kind: 'rate', share: 0.5, factor: 1.5, visits: 100_000 },
];
export const costCases: readonly SpeedCase[] = [0.999, 0.99].flatMap((capQuantile) =>
  [1, 1.1, 1.2, 1.4].map(
    (factor): SpeedCase => ({
      id: `cost x${factor}, cap p${100 * capQuantile}`,
      kind: 'cost',
      share: 0.1,
      factor,
      visits: factor === 1 ? 100_000 : 200_000,
      capQuantile,
    }),
  ),
);
