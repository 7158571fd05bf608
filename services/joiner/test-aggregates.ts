/** Adding a unit's closed entry to the sums that tests read. */
import { type BetDesign, fixedPoint, scaledValue } from '../kernel/bets.ts';
import { emptyTestSums, type TestSums } from '../kernel/evidence.ts';
import { aggregateKey, type ExperimentState, type MetricState } from './experiment-state.ts';
import type { UnitInExperiment } from './unit-state.ts';

/**
 * The entry's value in the metric's own unit; 0 when the denominator is 0: no unit leaves a test because of what
 * happened to it.
 */
export function entryValue(metric: MetricState, numerator: number, denominator: number): number {
  if (!metric.hasDenominator) return numerator * metric.ratio;
  return denominator === 0 ? 0 : (numerator / denominator) * metric.ratio;
}

function addBets(into: number[], bets: readonly number[], z: number, sign: 1 | -1): void {
  for (let j = 0; j < bets.length; j += 1)
    into[j] = (into[j] ?? 0) + sign * Math.floor(Math.log1p((bets[j] ?? 0) * z) * fixedPoint);
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

/**
 * Adds or subtracts one unit's value. The arithmetic is `betLogs` of kernel/bets.ts without its allocations; a test
 * holds them equal.
 */
function addToAggregate(
  experiment: ExperimentState,
  segment: number,
  arm: number,
  metricIndex: number,
  value: number,
  sign: 1 | -1,
): void {
  const metric = experiment.metrics[metricIndex] as MetricState;
  const x = scaledValue(metric.spec, value);
  for (let candidate = 0; candidate < experiment.candidates.length; candidate += 1) {
    const isCandidate = experiment.candidates[candidate] === arm;
    if (!isCandidate && arm !== experiment.control) continue;
    const key = aggregateKey(experiment, segment, candidate, isCandidate ? 1 : 0, metricIndex);
    const aggregate = touchedAggregate(experiment, key);
    aggregate.n += sign;
    if (value > 0) aggregate.s += sign;
    aggregate.sv += sign * Math.floor(x * fixedPoint);
    aggregate.svv += sign * Math.floor(x * x * fixedPoint);
    const design = metric.designs[candidate] as BetDesign;
    const z = (isCandidate ? (x - design.center) / design.q : -(x - design.center) / (1 - design.q)) - design.tolerance;
    addBets(aggregate.harm, design.harm, z, sign);
    addBets(aggregate.win, design.win, -z, sign);
  }
}

/**
 * The difference array: a value counts in its segment, and no longer in the segment `previous` (-1: there is none) of
 * the unit's entry before it. `sign` -1 takes a value back.
 */
export function addDifference(
  member: UnitInExperiment,
  metric: number,
  segment: number,
  previous: number,
  value: number,
  sign: 1 | -1,
): void {
  addToAggregate(member.experiment, segment, member.arm, metric, value, sign);
  if (previous >= 0) addToAggregate(member.experiment, previous, member.arm, metric, value, -sign as 1 | -1);
}
