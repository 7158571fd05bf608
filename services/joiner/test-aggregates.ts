/** Adding a unit's closed entry to the sums that tests read. */
import type { BetDesign } from '../kernel/bets.ts';
import { addEntry, type ClosedEntry, evenScales, type Scales, scalesOf } from '../kernel/entry-sums.ts';
import { entryValue } from '../kernel/entry-value.ts';
import { emptyTestSums, type TestSums } from '../kernel/evidence.ts';
import { carryWhenLarge } from '../kernel/wide-sums.ts';
import { aggregateKey, contributionKey, type ExperimentState, type MetricState } from './experiment-state.ts';
import type { UnitInExperiment } from './unit-state.ts';

/**
 * What the weight of an entry of this arm is multiplied by. All entries that close at one record have the same scales,
 * those of the sums before it: in which order they close must not matter.
 */
export function nextScales(experiment: ExperimentState, position: number, arm: number, metric: number): Scales {
  const { scales, candidates } = experiment;
  if (scales.position !== position) {
    scales.position = position;
    scales.byMetric.clear();
  }
  let ofMetric = scales.byMetric.get(metric);
  if (ofMetric === undefined) {
    ofMetric = candidates.map((_, candidate) => {
      const [control, candidateSums] = ([0, 1] as const).map(
        (side) => experiment.contributions[contributionKey(experiment, candidate, side, metric)],
      );
      return control && candidateSums ? scalesOf(control, candidateSums) : evenScales;
    });
    scales.byMetric.set(metric, ofMetric);
  }
  return ofMetric[candidates.indexOf(arm)] ?? evenScales;
}

function touchedAggregate(experiment: ExperimentState, key: number): TestSums {
  let aggregate = experiment.testAggregates.get(key);
  if (aggregate === undefined) {
    aggregate = emptyTestSums();
    experiment.testAggregates.set(key, aggregate);
  }
  experiment.touchedAggregates.add(key);
  return aggregate;
}

/** Adds to the aggregate of a segment, and what that changes to the arm's contributions. */
function addToSegment(
  { experiment, arm }: UnitInExperiment,
  segment: number,
  metricIndex: number,
  entry: ClosedEntry,
  sign: 1 | -1,
): void {
  const metric = experiment.metrics[metricIndex] as MetricState;
  for (let candidate = 0; candidate < experiment.candidates.length; candidate += 1) {
    const isCandidate = experiment.candidates[candidate] === arm;
    if (!isCandidate && arm !== experiment.control) continue;
    const side = isCandidate ? 1 : 0;
    const sums = touchedAggregate(experiment, aggregateKey(experiment, segment, candidate, side, metricIndex));
    const contributed = experiment.contributions[contributionKey(experiment, candidate, side, metricIndex)];
    const { n, w, bound } = sums;
    addEntry(sums, metric.spec, metric.designs[candidate] as BetDesign, isCandidate, entry, sign);
    if (contributed !== undefined) {
      contributed.n += sums.n - n;
      contributed.w += sums.w - w;
      contributed.bound += sums.bound - bound;
    }
    carryWhenLarge(sums);
  }
}

/**
 * The difference array: an entry counts in its segment, and no longer in the segment `previous` (-1: there is none) of
 * the unit's entry before it. `sign` -1 takes it back.
 */
export function addDifference(
  member: UnitInExperiment,
  metric: number,
  segment: number,
  previous: number,
  counted: Pick<ClosedEntry, 'counts' | 'scales'>,
  sign: 1 | -1,
): void {
  const { rule } = member.experiment.metrics[metric] as MetricState;
  const entry = { ...counted, value: entryValue(rule, counted.counts) };
  addToSegment(member, segment, metric, entry, sign);
  if (previous >= 0) addToSegment(member, previous, metric, entry, -sign as 1 | -1);
}
