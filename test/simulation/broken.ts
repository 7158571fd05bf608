/**
 * Engines that are wrong on purpose, each by one classic mistake. A harness that lets one of them pass could not be
 * believed about the others.
 */
import { aRate } from '../../services/simulation/values.ts';
import {
  alpha,
  metricFor,
  type Tables,
  tablesFor,
  unionPrior,
  watchBetting,
  watchFirstEvent,
  wholeOnly,
} from './engines.ts';
import { countAlarms, type PreparedCell } from './false-alarms.ts';
import { halfNormal, naive, watchRule } from './peers.ts';
import { prepareScenario, type Watcher, type Scenario } from './walk.ts';

const segments = 56;
type Case = {
  readonly name: string;
  readonly why: string;
  readonly scenario: Scenario;
  readonly right: (tables: Tables) => Watcher;
  readonly broken: (tables: Tables) => Watcher;
};

const same = (share: number, rate: number): Scenario['revisions'][number] => ({
  share,
  control: aRate(rate),
  candidate: aRate(rate),
});
const plain: Scenario = {
  visits: 10_000,
  revisions: [same(0.5, 0.1)],
  revisionStarts: [],
  segments,
  isEvent: (value) => value > 0,
};
/** Units that nearly always show the same value: twelve visits of one are hardly more than one. */
const sticky: Scenario = { ...plain, revisions: [same(0.5, 0.1)], sticky: { meanVisits: 12, sameAgain: 0.8 } };
/**
 * 5%, 25%, 50%, while the baseline that both arms share moves (`services/statistics/README.md`, ramps); or stands
 * still, and then pooling does no harm.
 */
const ramp = (rates: readonly [number, number, number]): Scenario => ({
  ...plain,
  visits: 20_000,
  revisions: [same(0.05, rates[0]), same(0.25, rates[1]), same(0.5, rates[2])],
  revisionStarts: [8_000, 14_000],
});
const pooled = (): Watcher => watchRule(halfNormal(500, alpha), { minUnits: 200, cap: 1 });

export const brokenCases: readonly Case[] = [
  {
    name: 'naive z',
    why: 'a fixed-sample test looked at after every unit',
    scenario: plain,
    right: (tables) => watchBetting(tables, wholeOnly),
    broken: () => watchRule(naive(1.645), { minUnits: 100, cap: 1 }),
  },
  {
    name: 'pooled ramp',
    why: 'totals over ramp revisions with different shares (Simpson)',
    scenario: ramp([0.3, 0.4, 0.3]),
    right: (tables) => watchBetting(tables, wholeOnly),
    broken: pooled,
  },
  {
    name: 'unit counted twice',
    why: 'every visit of a unit that comes back is bet on',
    scenario: sticky,
    right: (tables) => watchBetting(tables, unionPrior(segments)),
    broken: (tables) => watchBetting(tables, wholeOnly, { everyVisit: true }),
  },
  {
    name: 'test starts without the union bound',
    why: 'each of 56 test starts spends all of alpha',
    scenario: plain,
    right: (tables) => watchBetting(tables, unionPrior(segments)),
    broken: (tables) => watchBetting(tables, () => 0),
  },
  {
    name: 'events as independent units',
    why: 'repeated events carry the label of their unit',
    scenario: sticky,
    right: (tables) => watchFirstEvent(tables),
    broken: (tables) => watchFirstEvent(tables, { everyEvent: true }),
  },
];

/** The pooled rule on a ramp whose baseline stands still: what it must not be blamed for. */
export const steadyRamp: Case = {
  name: 'pooled ramp, steady baseline',
  why: '',
  scenario: ramp([0.3, 0.3, 0.3]),
  right: (tables) => watchBetting(tables, wholeOnly),
  broken: pooled,
};

/** Alarms of the right and of the broken engine in `runs` null runs, on the same visits. */
export function compare(
  { scenario, right, broken }: Case,
  seed: number,
  runs: number,
): { readonly right: number; readonly broken: number } {
  const baseline = scenario.revisions[0]?.control ?? aRate(0.1);
  const prepared: PreparedCell = {
    cell: { outcome: 'binary', rate: 0.1, share: 0.5, arrival: 'fixed' },
    prepared: prepareScenario(scenario),
    tables: tablesFor(metricFor(baseline, 1, 0.2), scenario.revisions, segments),
  };
  const [good = 0, bad = 0] = countAlarms(prepared, seed, 0, 0, runs, ({ tables }) => [right(tables), broken(tables)]);
  return { right: good, broken: bad };
}
