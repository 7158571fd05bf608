/**
 * The promise behind every decision, on a small scale: with no difference between the arms, looking after every segment
 * and deciding on the strongest of all test starts raises a false alarm in at most alpha of the runs. Each claim has a
 * broken twin that fails, so that the simulation is known to be able to tell. Seeded; limits leave four standard
 * errors.
 */
import { describe, expect, test } from 'vitest';
import { betDesignOf, betLogs, fixedPoint } from '../../../services/kernel/bets.ts';
import { weightPoint } from '../../../services/kernel/entry-sums.ts';
import { addTestSums, type TestAggregate, type TestSums, emptyTestSums } from '../../../services/kernel/evidence.ts';
import {
  designRatios,
  designRatioWeights,
  evaluate,
  logEOfFirstEvents,
  logEOfSums,
  type Outcome,
  suffixSums,
} from '../../../services/statistics/index.ts';
import { createRandom } from '../../../services/demo/story.ts';
import { clopperPearson } from '../../../services/simulation/limits.ts';
import { type Cell, countAlarms, engines, nameOf, prepareCell } from '../../simulation/false-alarms.ts';
import { anExperimentFile, aRevision } from '../../support/build.ts';
import { aLook } from './build-look.ts';
import { metricLine } from '../../support/metric-line.ts';

const alpha = 0.05;
const logE = (outcome: Outcome): number => (outcome.ok ? outcome.logE : -Infinity);
const bound = Math.log(1 / alpha);
const limit = (runs: number): number => alpha + 4 * Math.sqrt((alpha * (1 - alpha)) / runs);

const experiment = aRevision(
  {},
  anExperimentFile({
    metrics: metricLine({
      id: 'refusal_rate',
      numerator: 'refusals',
      harm: '+30%',
      baseline: { mean: 0.3, sd: 0.46 },
      cap: 1,
    }),
  })
    .replace('weight: 50 }', 'weight: 80 }')
    .replace('{ id: B, weight: 50 }', '{ id: B, weight: 20 }'),
);
const metric = experiment.spec.metrics[0];
if (metric === undefined) throw new Error('no metric');
const design = betDesignOf(experiment.spec, metric, 'B');
/** Bet logs of the four things that can happen. */
const moves: Readonly<Record<string, TestSums>> = Object.fromEntries(
  ['A', 'B'].flatMap((arm) =>
    [0, 1].map((x) => [
      `${arm}${x}`,
      {
        ...emptyTestSums(),
        n: 1,
        known: 1,
        s: x,
        sv: x * fixedPoint,
        w: weightPoint,
        wx: x * weightPoint,
        ww: weightPoint,
        harm: betLogs(design, arm === 'B', x, 'harm'),
        win: betLogs(design, arm === 'B', x, 'win'),
      },
    ]),
  ),
);

type Alarms = { readonly union: boolean; readonly withoutWeights: boolean; readonly everyVisit: boolean };

/**
 * Sticky users, each with a rate of their own, who come back in three of five segments; one in ten leaves for a new
 * one. A look after each segment.
 */
function run(seed: number, users: number, segments: number): Alarms {
  const random = createRandom(seed);
  const someone = () => ({ arm: random() < 0.2 ? 'B' : 'A', rate: random() < 0.3 ? 0.9 : 0.04, last: -1 });
  const people = Array.from({ length: users }, someone);
  const testAggregates = new Map<string, TestAggregate>();
  const sumsOf = (arm: string, segment: number): TestSums => {
    const key = `${arm}/${segment}`;
    const aggregate = testAggregates.get(key) ?? {
      partitionId: 0,
      candidate: 'B',
      arm,
      metric: 'refusal_rate',
      segment,
      sums: emptyTestSums(),
    };
    testAggregates.set(key, aggregate);
    return aggregate.sums;
  };
  const [visitsA, visitsB] = [emptyTestSums(), emptyTestSums()];
  let [union, withoutWeights, everyVisit] = [false, false, false];
  for (let segment = 0; segment < segments; segment += 1) {
    for (let at = 0; at < users; at += 1) {
      if (random() < 0.1) people[at] = someone();
      const person = people[at];
      if (person === undefined || random() < 0.4) continue;
      const value = moves[`${person.arm}${random() < person.rate ? 1 : 0}`] as TestSums;
      addTestSums(sumsOf(person.arm, segment), value);
      if (person.last >= 0) addTestSums(sumsOf(person.arm, person.last), value, -1);
      addTestSums(person.arm === 'B' ? visitsB : visitsA, value);
      person.last = segment;
    }
    const frame = aLook(experiment, 'refusal_rate', [], { slots: segment + 1 });
    const harm = evaluate({ ...frame, entries: [...testAggregates.values()] }).metrics[0]?.harm;
    union ||= (harm?.weightedLogE ?? 0) >= bound;
    const [a, b] = ['A', 'B'].map((arm) =>
      suffixSums(Array.from({ length: segment + 1 }, (_, at) => testAggregates.get(`${arm}/${at}`)?.sums)),
    );
    withoutWeights ||= a?.some((sums, k) => logE(logEOfSums(sums.harm, b?.[k]?.harm ?? [])) >= bound) === true;
    everyVisit ||= logE(logEOfSums(visitsA.harm, visitsB.harm)) >= bound;
  }
  return { union, withoutWeights, everyVisit };
}

describe('betting from every test start, no difference between the arms', () => {
  const runs = 500;
  const all = Array.from({ length: runs }, (_, seed) => run(seed + 1, 250, 40));
  const share = (alarm: keyof Alarms): number => all.filter((one) => one[alarm]).length / runs;
  test('40 looks at 40 test starts stay under alpha', () => {
    console.log(
      `false alarms of ${runs} runs at alpha ${alpha}: union ${share('union')}, ` +
        `test starts without weights ${share('withoutWeights')}, every visit a unit ${share('everyVisit')}`,
    );
    expect(share('union')).toBeLessThanOrEqual(limit(runs));
  });
  test('twin: test starts that each spend all of alpha do not', () =>
    expect(share('withoutWeights')).toBeGreaterThan(limit(runs)));
  test('twin: visits counted as units do not', () => expect(share('everyVisit')).toBeGreaterThan(limit(runs)));
});

describe('first events, no difference between the arms, a look at every event', () => {
  const q = 0.2;
  const runs = 600;
  /** Share of runs with an alarm within 400 events; `repeats`: how often a unit's event is counted. */
  const share = (repeats: number): number => {
    let alarms = 0;
    for (let seed = 1; seed <= runs; seed += 1) {
      const random = createRandom(seed);
      const counts = { a: 0, b: 0 };
      for (let event = 0; event < 400; event += 1) {
        counts[random() < q ? 'b' : 'a'] += repeats;
        if (
          logE(
            logEOfFirstEvents({
              side: 'harm',
              epochs: [{ allocation: q, eventsA: counts.a, eventsB: counts.b }],
              ratios: designRatios(1.5),
              weights: designRatioWeights,
            }),
          ) >= bound
        ) {
          alarms += 1;
          break;
        }
      }
    }
    return alarms / runs;
  };
  test('first events stay under alpha', () => expect(share(1)).toBeLessThanOrEqual(limit(runs)));
  test('twin: every event of a unit, five each, does not', () => expect(share(5)).toBeGreaterThan(limit(runs)));
});

describe('the hardest cells of `npm run simulate`, a look at every visit', () => {
  const hard: readonly Cell[] = [
    { outcome: 'binary', rate: 0.05, share: 0.05, arrival: 'ramp' },
    { outcome: 'binary', rate: 0.5, share: 0.5, arrival: 'fixed' },
    { outcome: 'lognormal', rate: 1, share: 0.1, arrival: 'fixed' },
    { outcome: 'zero-inflated', rate: 0.05, share: 0.5, arrival: 'sticky' },
    { outcome: 'lognormal', rate: 1, share: 0.05, arrival: 'sticky' },
  ];
  const hardRuns = 120;
  test.each(hard.map((aggregate) => [nameOf(aggregate), aggregate] as const))(
    '%s: no engine is refuted',
    (_, aggregate) => {
      const alarms = countAlarms(prepareCell(aggregate), 8, 0, 0, hardRuns);
      for (const [at, engine] of engines.entries())
        expect([engine, clopperPearson(alarms[at] ?? 0, hardRuns).lower <= alpha]).toEqual([engine, true]);
    },
  );
});
