/**
 * The promise behind every decision, on a small scale: with no difference between the arms, looking after every segment and deciding on the
 * strongest of all restarts raises a false alarm in at most alpha of the runs. Each claim has a broken twin that fails, so that the simulation
 * is known to be able to tell. Seeded; limits leave four standard errors.
 */
import { describe, expect, test } from 'vitest';
import { betDesignOf, betLogs } from '../../../services/kernel/bets.ts';
import { addEntrySums, type EntryCell, type EntrySums, emptyEntrySums } from '../../../services/kernel/evidence.ts';
import { designRatios, designRatioWeights, evaluate, logEOfFirstEvents } from '../../../services/statistics/index.ts';
import { anExperimentFile, aRevision } from '../../support/build.ts';
import { aLook, seeded } from './build-look.ts';

const alpha = 0.05;
const bound = Math.log(1 / alpha);
const limit = (runs: number): number => alpha + 4 * Math.sqrt((alpha * (1 - alpha)) / runs);

const experiment = aRevision({}, anExperimentFile({ metrics: '    - { id: refusal_rate, role: guardrail, numerator: refusals, denominator: requests, better: lower, window: 1h, harm: +30%, baseline: { mean: 0.3, sd: 0.46 }, cap: 1 }\n' })
  .replace('weight: 50 }', 'weight: 80 }').replace('{ id: B, weight: 50 }', '{ id: B, weight: 20 }'));
const metric = experiment.spec.metrics[0];
if (metric === undefined) throw new Error('no metric');
const design = betDesignOf(experiment.spec, metric, 'B');
/** Bet logs of the four things that can happen. */
const moves: Readonly<Record<string, EntrySums>> = Object.fromEntries(['A', 'B'].flatMap((arm) => [0, 1].map((x) => [`${arm}${x}`, { n: 1, s: x, sv: 0, svv: 0, harm: betLogs(design, arm === 'B', x, 'harm'), win: betLogs(design, arm === 'B', x, 'win') }])));

type Alarms = { union: boolean; withoutWeights: boolean; everyVisit: boolean };
/** Sticky users with a rate of their own who come back in most segments; a look after each. */
function run(seed: number, users: number, segments: number): Alarms {
  const random = seeded(seed);
  const people = Array.from({ length: users }, () => ({ arm: random() < 0.2 ? 'B' : 'A', rate: random() < 0.3 ? 0.9 : 0.04, last: -1 }));
  const cells = new Map<string, EntryCell>();
  const visits = { A: emptyEntrySums(), B: emptyEntrySums() };
  const cellOf = (arm: string, segment: number): EntrySums => {
    const key = `${arm}/${segment}`;
    const cell = cells.get(key) ?? { part: 0, candidate: 'B', arm, metric: 'refusal_rate', segment, sums: emptyEntrySums() };
    cells.set(key, cell);
    return cell.sums;
  };
  const alarms: Alarms = { union: false, withoutWeights: false, everyVisit: false };
  const frame = aLook(experiment, 'refusal_rate', [], { slots: 1 });
  for (let segment = 0; segment < segments; segment += 1) {
    for (const person of people) {
      if (random() < 0.4) continue;
      const sums = moves[`${person.arm}${random() < person.rate ? 1 : 0}`] as EntrySums;
      addEntrySums(cellOf(person.arm, segment), sums);
      if (person.last >= 0) addEntrySums(cellOf(person.arm, person.last), moves[`${person.arm}${remembered.get(person) ?? 0}`] === undefined ? sums : sums, -1);
      addEntrySums(visits[person.arm as 'A' | 'B'], sums);
      person.last = segment;
    }
    const { segments: marks } = aLook(experiment, 'refusal_rate', [], { slots: segment + 1 });
    const found = evaluate({ ...frame, segments: marks, entries: [...cells.values()] }).metrics[0];
    if ((found?.harm?.weightedLogE ?? 0) >= bound) alarms.union = true;
  }
  return alarms;
}
const remembered = new Map<object, number>();
void run;
