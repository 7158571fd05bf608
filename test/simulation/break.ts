/**
 * A candidate that breaks mid-run, with users who come back (`services/statistics/README.md`): what test starts find,
 * what the whole-phase test is blind to, and what counting events as independent units costs. A 20% canary, 5,000 users
 * of whom a few come often; the break falls between two scheduled test starts.
 */
import { createRandom, seedOf } from '../../services/simulation/random.ts';
import { aRate, lognormal, scaled } from '../../services/simulation/values.ts';
import { alpha, metricFor, type TestStartPrior, tablesFor, unionPrior, watchBetting, wholeOnly } from './engines.ts';
import { normalMixture, watchRule } from './peers.ts';
import { prepareScenario, type PreparedScenario, walk, type Watcher } from './walk.ts';

export type BreakCase = {
  readonly id: string;
  readonly kind: 'rate' | 'cost';
  readonly rate: number;
  readonly factor: number;
  readonly fromStart?: boolean;
};
export const breakCases: readonly BreakCase[] = [
  { id: 'rate 10% x1.5', kind: 'rate', rate: 0.1, factor: 1.5 },
  { id: 'rate 10% x2', kind: 'rate', rate: 0.1, factor: 2 },
  { id: 'rate 30% x1.2', kind: 'rate', rate: 0.3, factor: 1.2 },
  { id: 'rate 30% x1.5', kind: 'rate', rate: 0.3, factor: 1.5 },
  { id: 'cost x1.2', kind: 'cost', rate: 1, factor: 1.2 },
  { id: 'cost x1.6', kind: 'cost', rate: 1, factor: 1.6 },
  { id: 'rate 30% x1.2 from the start', kind: 'rate', rate: 0.3, factor: 1.2, fromStart: true },
];
export const breakColumns = [
  'test starts',
  'whole phase',
  'all alpha at the break',
  'event-level GrowthBook form',
] as const;

const visits = 100_000;
const slots = 56;
/** Half segments, so that a break can fall between test starts: slot k begins at half segment 2k. */
const halves = 2 * slots;
const breakHalf = 45;
export const breakAt = Math.ceil((breakHalf * visits) / halves);

const slotPrior: TestStartPrior = (half) => (half % 2 === 0 ? unionPrior(slots)(half / 2) : -Infinity);

export function prepareBreak({ kind, rate, factor, fromStart = false }: BreakCase): {
  readonly prepared: PreparedScenario;
  readonly watchers: () => Watcher[];
} {
  const healthy = kind === 'rate' ? aRate(rate) : lognormal(0, 0.55);
  const broken = kind === 'rate' ? aRate(rate * factor) : scaled(healthy, factor);
  const cap = kind === 'rate' ? 1 : 5;
  const before = { share: 0.2, control: healthy, candidate: fromStart ? broken : healthy };
  const revisions = [before, { ...before, candidate: broken }];
  const prepared = prepareScenario({
    visits,
    revisions,
    revisionStarts: [breakAt],
    segments: halves,
    isEvent: (value) => value > 0,
    sticky: { population: 5_000, sameAgain: 0.3 },
  });
  const tables = tablesFor(metricFor(healthy, cap, 0.2), revisions, halves);
  return {
    prepared,
    watchers: () => [
      watchBetting(tables, slotPrior),
      watchBetting(tables, wholeOnly),
      watchBetting(tables, (half) => (half === (fromStart ? 0 : breakHalf) ? 0 : -Infinity)),
      watchRule(normalMixture(5_000, alpha), { minUnits: 100, cap: Infinity, everyVisit: true }),
    ],
  };
}

/** Visit at which each column stopped, 0 for never. */
export function breakTimes(
  prepared: ReturnType<typeof prepareBreak>,
  seed: number,
  index: number,
  from: number,
  to: number,
): number[][] {
  const times: number[][] = breakColumns.map(() => []);
  for (let run = from; run < to; run += 1) {
    const own = seedOf(seed, 77, index, run);
    for (const [at, stopped] of walk(prepared.prepared, createRandom(own), own, prepared.watchers()).entries())
      times[at]?.push(stopped);
  }
  return times;
}
