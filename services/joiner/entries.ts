/**
 * Entries: when a unit enters a test, what its entry is worth, and what closing adds to the difference array. On
 * closing with value v in segment s, the unit's previous entry being in segment L, the sums of s gain v and those of L
 * lose it. The sums of the test that starts at segment k are then the suffix sums over j >= k, in which each unit
 * counts once, with its first entry since k.
 */
import { PipelineError } from '../kernel/pipeline-error.ts';
import { entryField, entryLength } from '../kernel/state/kinds.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { MetricState } from './experiment-state.ts';
import { outcomesOfEntry } from './outcome-totals.ts';
import type { PartitionState } from './partition-state.ts';
import { addDifference, entryValue } from './test-aggregates.ts';
import { entriesAt, type UnitInExperiment, type UnitState } from './unit-state.ts';

const {
  lastSegment,
  lastStart,
  lastNumerator,
  lastDenominator,
  previousSegment,
  openSegment,
  openStart,
  openNumerator,
  openDenominator,
} = entryField;

const at = (array: Float64Array, index: number): number => array[index] ?? 0;

/** The next flush writes the unit's row. */
export const touchMember = (partition: PartitionState, member: UnitInExperiment): void => {
  if (member.touched) return;
  member.touched = true;
  member.unit.dirtyIn = partition.taken + 1;
  partition.touchedMembers.add(member);
};

/** Opens entries for every metric in which the unit has not entered this segment and none is open. */
export function enter(partition: PartitionState, member: UnitInExperiment, occurredAt: EpochMs): void {
  const { experiment, data } = member;
  const segment = experiment.segments.length - 1;
  const from = entriesAt(member);
  for (let window = 0; window < experiment.windows.length; window += 1) {
    const group = experiment.windows[window];
    if (group === undefined) continue;
    let opened = false;
    for (const metric of group.metrics) {
      const entry = from + metric * entryLength;
      if (at(data, entry + openSegment) >= 0 || at(data, entry + lastSegment) === segment) continue;
      data[entry + openSegment] = segment;
      data[entry + openStart] = occurredAt;
      data[entry + openNumerator] = 0;
      data[entry + openDenominator] = 0;
      opened = true;
    }
    if (opened) {
      touchMember(partition, member);
      partition.closing.push(occurredAt + group.windowMs, member.unit.id);
    }
  }
}

/**
 * Adds an inference's contribution to the open entries whose window it falls into. `values`: numerator, denominator per
 * metric.
 */
export function accumulate(member: UnitInExperiment, occurredAt: EpochMs, values: Float64Array): void {
  const { experiment, data } = member;
  const from = entriesAt(member);
  for (let metric = 0; metric < experiment.metrics.length; metric += 1) {
    const entry = from + metric * entryLength;
    if (at(data, entry + openSegment) < 0) continue;
    const start = at(data, entry + openStart);
    const windowMs = experiment.metrics[metric]?.spec.windowMs ?? 0;
    if (occurredAt < start || occurredAt > start + windowMs) continue;
    data[entry + openNumerator] = at(data, entry + openNumerator) + at(values, 2 * metric);
    data[entry + openDenominator] = at(data, entry + openDenominator) + at(values, 2 * metric + 1);
  }
}

function closeEntry(partition: PartitionState, member: UnitInExperiment, metricIndex: number): void {
  const { data, experiment } = member;
  const metric = experiment.metrics[metricIndex] as MetricState;
  const entry = entriesAt(member) + metricIndex * entryLength;
  const segment = at(data, entry + openSegment);
  const start = at(data, entry + openStart);
  let numerator = at(data, entry + openNumerator);
  let denominator = at(data, entry + openDenominator);
  if (metric.ofOutcomes) {
    const outcomes = outcomesOfEntry(member, metric, start);
    numerator += outcomes.numerator;
    denominator += outcomes.denominator;
  }
  const previous = at(data, entry + lastSegment);
  addDifference(member, metricIndex, segment, previous, entryValue(metric, numerator, denominator), 1);
  data[entry + lastSegment] = segment;
  data[entry + lastStart] = start;
  data[entry + lastNumerator] = numerator;
  data[entry + lastDenominator] = denominator;
  data[entry + previousSegment] = previous;
  data[entry + openSegment] = -1;
  touchMember(partition, member);
}

/**
 * Closes what the partition's clock has passed. Sums do not depend on their order, so the order of units that close at
 * one tick of the clock does not matter.
 */
export function closeDue(partition: PartitionState): void {
  const { closing, clock, units } = partition;
  while (closing.next() < clock) {
    const unit = units.get(closing.pop());
    if (unit !== undefined) closeUnit(partition, unit);
    else if (partition.membership)
      throw new PipelineError(
        'STATE_CORRUPT',
        `partition ${partition.partitionId} folds past the close of a unit that was not loaded`,
        { hint: 'report it: the units of a batch must be prefetched before it is folded' },
      );
  }
}

function closeUnit(partition: PartitionState, unit: UnitState): void {
  for (const member of unit.experiments) {
    if (member.crossed) continue;
    const from = entriesAt(member);
    for (const { windowMs, metrics } of member.experiment.windows) {
      for (const metric of metrics) {
        const entry = from + metric * entryLength;
        const isOpen = at(member.data, entry + openSegment) >= 0;
        if (isOpen && at(member.data, entry + openStart) + windowMs < partition.clock)
          closeEntry(partition, member, metric);
      }
    }
  }
}

/**
 * After an outcome changed: the last closed entry of each metric that counts outcomes is valued again, the old value
 * taken back.
 */
export function revalue(partition: PartitionState, member: UnitInExperiment): void {
  if (member.crossed) return;
  for (let index = 0; index < member.experiment.metrics.length; index += 1) revalueEntry(partition, member, index);
}

function revalueEntry(partition: PartitionState, member: UnitInExperiment, index: number): void {
  const { data, experiment } = member;
  const metric = experiment.metrics[index] as MetricState;
  const entry = entriesAt(member) + index * entryLength;
  const segment = at(data, entry + lastSegment);
  if (!metric.ofOutcomes || segment < 0) return;
  const outcomes = outcomesOfEntry(member, metric, at(data, entry + lastStart));
  const before = { numerator: at(data, entry + lastNumerator), denominator: at(data, entry + lastDenominator) };
  const numerator = metric.spec.numerator.of === 'outcome' ? outcomes.numerator : before.numerator;
  const denominator = metric.spec.denominator?.of === 'outcome' ? outcomes.denominator : before.denominator;
  if (numerator === before.numerator && denominator === before.denominator) return;
  const previous = at(data, entry + previousSegment);
  addDifference(member, index, segment, previous, entryValue(metric, before.numerator, before.denominator), -1);
  addDifference(member, index, segment, previous, entryValue(metric, numerator, denominator), 1);
  data[entry + lastNumerator] = numerator;
  data[entry + lastDenominator] = denominator;
  touchMember(partition, member);
}

/** Before a unit's outcomes are forgotten: what they are worth to its open entries stays. */
export function freezeOutcomes(member: UnitInExperiment): void {
  const { data, experiment } = member;
  const from = entriesAt(member);
  for (const [index, metric] of experiment.metrics.entries()) {
    const entry = from + index * entryLength;
    if (!metric.ofOutcomes || at(data, entry + openSegment) < 0) continue;
    const outcomes = outcomesOfEntry(member, metric, at(data, entry + openStart));
    data[entry + openNumerator] = at(data, entry + openNumerator) + outcomes.numerator;
    data[entry + openDenominator] = at(data, entry + openDenominator) + outcomes.denominator;
  }
}
