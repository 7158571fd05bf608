/**
 * Entries: when a unit enters a test, what its entry is worth, and what closing adds to the difference array. On
 * closing with value v in segment s, the unit's previous entry being in segment L, the sums of s gain v and those of L
 * lose it. The sums of the test that starts at segment k are then the suffix sums over j >= k, in which each unit
 * counts once, with its first entry since k.
 */
import { calledNow, type EntryCounts, exposedAgain } from '../kernel/entry-value.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { entryField, entryLength, totalLength } from '../kernel/state/kinds.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { MetricState } from './experiment-state.ts';
import { outcomesAfter, outcomesOfEntry } from './outcome-totals.ts';
import type { PartitionState } from './partition-state.ts';
import { addDifference, nextScales } from './test-aggregates.ts';
import { entriesAt, type EntityState, type UnitInExperiment, type UnitState } from './unit-state.ts';

const at = (array: Float64Array, index: number): number => array[index] ?? 0;

const { lastSegment, lastStart, previousSegment, openSegment, openStart } = entryField;
/** Where the numbers of the last and of the open entry stand, one after the other. */
const [last, open] = [entryField.lastNumerator, entryField.openNumerator];
const countsLength = entryField.lastHarmScale - last;

const countsAt = (data: Float64Array, from: number): EntryCounts => ({
  numerator: at(data, from),
  denominator: at(data, from + 1),
  known: at(data, from + 2),
  unknown: at(data, from + 3),
  reached: at(data, from + 4),
});

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
      data.fill(0, entry + open, entry + open + countsLength);
      opened = true;
    }
    if (opened) {
      touchMember(partition, member);
      partition.closing.push(occurredAt + group.windowMs, member.unit.id);
    }
  }
}

/**
 * A call that came after its exposure in the log is not before it because another host's clock says so: clocks that are
 * kept by NTP differ by less.
 */
const jitterMs = 5_000;

/**
 * Adds an inference's contribution to the open entries whose window it falls into. `values`: `totalLength` numbers per
 * metric.
 */
export function accumulate(member: UnitInExperiment, occurredAt: EpochMs, values: Float64Array, reached: number): void {
  const { experiment, data } = member;
  const from = entriesAt(member);
  for (let metric = 0; metric < experiment.metrics.length; metric += 1) {
    const entry = from + metric * entryLength;
    if (at(data, entry + openSegment) < 0) continue;
    const start = at(data, entry + openStart);
    const windowMs = experiment.metrics[metric]?.spec.windowMs ?? 0;
    if (occurredAt < start - jitterMs || occurredAt > start + windowMs) continue;
    for (let index = 0; index < totalLength; index += 1)
      data[entry + open + index] = at(data, entry + open + index) + at(values, totalLength * metric + index);
    data[entry + entryField.openReached] = calledNow(at(data, entry + entryField.openReached), reached);
  }
}

/** An app told of an exposure: open entries whose window it falls into wait for a call. */
export function noteExposure(partition: PartitionState, member: UnitInExperiment, occurredAt: EpochMs): void {
  const { experiment, data } = member;
  const from = entriesAt(member);
  for (let metric = 0; metric < experiment.metrics.length; metric += 1) {
    const entry = from + metric * entryLength;
    if (at(data, entry + openSegment) < 0) continue;
    if (occurredAt > at(data, entry + openStart) + (experiment.metrics[metric]?.spec.windowMs ?? 0)) continue;
    const before = at(data, entry + entryField.openReached);
    const after = exposedAgain(before);
    if (after === before) continue;
    data[entry + entryField.openReached] = after;
    touchMember(partition, member);
  }
}

/** What the unit's outcomes are worth to the entry that began at `start`, with what its calls are. */
function withOutcomes(member: UnitInExperiment, metric: MetricState, start: EpochMs, calls: EntryCounts): EntryCounts {
  if (!metric.ofOutcomes) return calls;
  const { numerator, denominator } = outcomesOfEntry(member, metric, start);
  return { ...calls, numerator: calls.numerator + numerator, denominator: calls.denominator + denominator };
}

function writeCounts(
  data: Float64Array,
  from: number,
  { numerator, denominator, known, unknown, reached }: EntryCounts,
): void {
  data.set([numerator, denominator, known, unknown, reached], from);
}

function closeEntry(partition: PartitionState, member: UnitInExperiment, metricIndex: number): void {
  const { data, experiment } = member;
  const metric = experiment.metrics[metricIndex] as MetricState;
  const entry = entriesAt(member) + metricIndex * entryLength;
  const segment = at(data, entry + openSegment);
  const start = at(data, entry + openStart);
  const counts = withOutcomes(member, metric, start, countsAt(data, entry + open));
  const previous = at(data, entry + lastSegment);
  const scales = nextScales(experiment, partition.position, member.arm, metricIndex);
  addDifference(member, metricIndex, segment, previous, { counts, scales }, 1);
  data[entry + lastSegment] = segment;
  data[entry + lastStart] = start;
  writeCounts(data, entry + last, counts);
  data[entry + entryField.lastHarmScale] = scales.harm;
  data[entry + entryField.lastWinScale] = scales.win;
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
export function revalue(partition: PartitionState, member: UnitInExperiment, entity: EntityState): void {
  if (member.crossed) return;
  for (let index = 0; index < member.experiment.metrics.length; index += 1)
    revalueEntry(partition, member, index, entity);
}

function revalueEntry(partition: PartitionState, member: UnitInExperiment, index: number, entity: EntityState): void {
  const { data, experiment } = member;
  const metric = experiment.metrics[index] as MetricState;
  const entry = entriesAt(member) + index * entryLength;
  const segment = at(data, entry + lastSegment);
  if (!metric.ofOutcomes || segment < 0) return;
  const before = countsAt(data, entry + last);
  const outcomes = outcomesAfter(member, index, at(data, entry + lastStart), entity, before);
  const numerator = metric.spec.numerator.of === 'outcome' ? outcomes.numerator : before.numerator;
  const denominator = metric.spec.denominator?.of === 'outcome' ? outcomes.denominator : before.denominator;
  if (numerator === before.numerator && denominator === before.denominator) return;
  const previous = at(data, entry + previousSegment);
  const now = { ...before, numerator, denominator };
  const scales = {
    harm: at(data, entry + entryField.lastHarmScale),
    win: at(data, entry + entryField.lastWinScale),
  };
  addDifference(member, index, segment, previous, { counts: before, scales }, -1);
  addDifference(member, index, segment, previous, { counts: now, scales }, 1);
  writeCounts(data, entry + last, now);
  touchMember(partition, member);
}

/** Before a unit's outcomes are forgotten: what they are worth to its open entries stays. */
export function freezeOutcomes(member: UnitInExperiment): void {
  const { data, experiment } = member;
  const from = entriesAt(member);
  for (const [index, metric] of experiment.metrics.entries()) {
    const entry = from + index * entryLength;
    if (!metric.ofOutcomes || at(data, entry + openSegment) < 0) continue;
    const counts = withOutcomes(member, metric, at(data, entry + openStart), countsAt(data, entry + open));
    writeCounts(data, entry + open, counts);
  }
}
