/**
 * Entries: when a unit enters a test, what its entry is worth, and what closing adds to the difference array
 * (architecture 3, E6). On closing with value v in segment s, the previous entry being in L: cell(s) += f(v), cell(L)
 * -= f(v). The sums of the test restarted at k are then the suffix sums over j >= k, in which each unit counts once,
 * with its first entry since k.
 */
import { type BetDesign, fixedPoint, scaledValue } from '../kernel/bets.ts';
import { emptyTestSums } from '../kernel/evidence.ts';
import type { EpochMs } from '../kernel/time.ts';
import {
  anyExperiment,
  aggregateKey,
  type EntityState,
  type ExperimentState,
  entriesAt,
  entryFields,
  type MetricState,
  type PartitionState,
  type UnitState,
  type UnitInExperiment,
} from './partition-state.ts';
import type { OutcomeMeasure } from '../kernel/measures.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';

const at = (array: Float64Array, index: number): number => array[index] ?? 0;

/**
 * What an outcome measure counts of one entity: outcomes with `from <= occurred_at <= until`, e being the entity's
 * first inference.
 */
export function outcomeTotal(
  entity: EntityState,
  measure: OutcomeMeasure,
  first: EpochMs,
  windowMs: number,
  from: EpochMs,
  until: EpochMs,
): number {
  let total = 0;
  for (const outcome of entity.outcomes.values()) {
    if (outcome.kind !== measure.kind || outcome.withdrawn || outcome.value === null) continue;
    const age = outcome.occurredAt - first;
    if (age < 0 || age > windowMs || outcome.occurredAt < from || outcome.occurredAt > until) continue;
    if (measure.fold === 'any') return 1;
    total += measure.fold === 'count' ? 1 : outcome.value;
  }
  return total;
}

/**
 * From when an entity's outcomes count in the unit's experiment; undefined: no inference of the experiment has named
 * it.
 */
export const firstOf = (member: UnitInExperiment, entity: EntityState): EpochMs | undefined =>
  entity.id === '' ? member.firstAt : (entity.firstAt.get(member.experiment.key) ?? entity.firstAt.get(anyExperiment));

/**
 * What an entity adds to the unit's totals, taken back and counted again: an earlier first inference, a new outcome or
 * revision may change it. True when the totals changed.
 */
export function contribute(member: UnitInExperiment, entity: EntityState): boolean {
  const { experiment, data, at: base } = member;
  const first = firstOf(member, entity);
  if (first === undefined) return false;
  let contribution = entity.contribution.get(experiment.key);
  if (contribution === undefined) {
    if (entity.outcomes.size === 0) return false;
    contribution = new Float64Array(experiment.metrics.length * 2);
    entity.contribution.set(experiment.key, contribution);
  }
  let changed = false;
  for (const [index, { spec, ofOutcomes }] of experiment.metrics.entries()) {
    if (!ofOutcomes) continue;
    for (const [side, measure] of [spec.numerator, spec.denominator].entries()) {
      if (measure?.of !== 'outcome') continue;
      const now = outcomeTotal(entity, measure, first, spec.windowMs, -Infinity, Infinity);
      const before = at(contribution, 2 * index + side);
      if (now === before) continue;
      contribution[2 * index + side] = now;
      data[base + 2 * index + side] = at(data, base + 2 * index + side) + now - before;
      changed = true;
    }
  }
  return changed;
}

/** Sums of the outcome side of one metric over all of a unit's entities, for an entry that began at `start`. */
function outcomesOfEntry(
  member: UnitInExperiment,
  metric: MetricState,
  start: EpochMs,
): { numerator: number; denominator: number } {
  const { numerator, denominator, windowMs } = metric.spec;
  const sums = { numerator: 0, denominator: 0 };
  for (const entity of member.unit.entities?.values() ?? []) {
    const first = firstOf(member, entity);
    if (first === undefined) continue;
    if (numerator.of === 'outcome')
      sums.numerator += outcomeTotal(entity, numerator, first, windowMs, start, start + windowMs);
    if (denominator?.of === 'outcome')
      sums.denominator += outcomeTotal(entity, denominator, first, windowMs, start, start + windowMs);
  }
  return sums;
}

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
    let aggregate = experiment.testAggregates.get(key);
    if (aggregate === undefined) {
      aggregate = emptyTestSums();
      experiment.testAggregates.set(key, aggregate);
    }
    experiment.touchedAggregates.add(key);
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

const addDifference = (
  member: UnitInExperiment,
  metric: number,
  segment: number,
  previous: number,
  value: number,
  sign: 1 | -1,
): void => {
  addToAggregate(member.experiment, segment, member.arm, metric, value, sign);
  if (previous >= 0) addToAggregate(member.experiment, previous, member.arm, metric, value, -sign as 1 | -1);
};

/** The next flush writes the unit's row. */
export const touchMember = (partition: PartitionState, member: UnitInExperiment): void => {
  if (member.touched) return;
  member.touched = true;
  member.unit.dirtyIn = partition.taken + 1;
  partition.touchedMembers.add(member);
};

/** Opens entries for every metric in which the unit has not entered this segment and none is open. */
export function enter(partition: PartitionState, member: UnitInExperiment, occurredAt: EpochMs): void {
  const { experiment, data: entries } = member;
  const segment = experiment.segments.length - 1;
  const from = entriesAt(member);
  for (let window = 0; window < experiment.windows.length; window += 1) {
    const group = experiment.windows[window];
    if (group === undefined) continue;
    let opened = false;
    for (const metric of group.metrics) {
      const base = from + metric * entryFields;
      if (at(entries, base + 5) >= 0 || at(entries, base) === segment) continue;
      entries[base + 5] = segment;
      entries[base + 6] = occurredAt;
      entries[base + 7] = 0;
      entries[base + 8] = 0;
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
  const { experiment, data: entries } = member;
  const from = entriesAt(member);
  for (let metric = 0; metric < experiment.metrics.length; metric += 1) {
    const base = from + metric * entryFields;
    if (at(entries, base + 5) < 0) continue;
    const start = at(entries, base + 6);
    const windowMs = experiment.metrics[metric]?.spec.windowMs ?? 0;
    if (occurredAt < start || occurredAt > start + windowMs) continue;
    entries[base + 7] = at(entries, base + 7) + at(values, 2 * metric);
    entries[base + 8] = at(entries, base + 8) + at(values, 2 * metric + 1);
  }
}

function closeEntry(partition: PartitionState, member: UnitInExperiment, metricIndex: number): void {
  const { data: entries, experiment } = member;
  const metric = experiment.metrics[metricIndex] as MetricState;
  const base = entriesAt(member) + metricIndex * entryFields;
  const segment = at(entries, base + 5);
  const start = at(entries, base + 6);
  let numerator = at(entries, base + 7);
  let denominator = at(entries, base + 8);
  if (metric.ofOutcomes) {
    const outcomes = outcomesOfEntry(member, metric, start);
    numerator += outcomes.numerator;
    denominator += outcomes.denominator;
  }
  const previous = at(entries, base);
  addDifference(member, metricIndex, segment, previous, entryValue(metric, numerator, denominator), 1);
  entries[base] = segment;
  entries[base + 1] = start;
  entries[base + 2] = numerator;
  entries[base + 3] = denominator;
  entries[base + 4] = previous;
  entries[base + 5] = -1;
  touchMember(partition, member);
}

/**
 * Closes what the partition's clock has passed. Sums are order-free, so the order of units that close at one tick of
 * the clock is too.
 */
export function closeDue(partition: PartitionState): void {
  const { closing, clock, units } = partition;
  while (closing.next() < clock) {
    const id = closing.pop();
    const unit = units.get(id);
    if (unit !== undefined) closeUnit(partition, unit);
    else if (partition.known)
      throw new PipelineError(
        'STATE_CORRUPT',
        `partition ${partition.partitionId} folds past the close of a unit that was not loaded`,
        { hint: 'report it: a batch must be made present before it is folded' },
      );
  }
}

function closeUnit(partition: PartitionState, unit: UnitState): void {
  for (const member of unit.experiments) {
    if (member.crossed) continue;
    const from = entriesAt(member);
    for (const { windowMs, metrics } of member.experiment.windows) {
      for (const metric of metrics) {
        const base = from + metric * entryFields;
        if (at(member.data, base + 5) >= 0 && at(member.data, base + 6) + windowMs < partition.clock)
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
  const { data: entries, experiment } = member;
  if (member.crossed) return;
  const from = entriesAt(member);
  for (let index = 0; index < experiment.metrics.length; index += 1) {
    const metric = experiment.metrics[index] as MetricState;
    const base = from + index * entryFields;
    const segment = at(entries, base);
    if (!metric.ofOutcomes || segment < 0) continue;
    const outcomes = outcomesOfEntry(member, metric, at(entries, base + 1));
    const numerator = metric.spec.numerator.of === 'outcome' ? outcomes.numerator : at(entries, base + 2);
    const denominator = metric.spec.denominator?.of === 'outcome' ? outcomes.denominator : at(entries, base + 3);
    if (numerator === at(entries, base + 2) && denominator === at(entries, base + 3)) continue;
    const previous = at(entries, base + 4);
    addDifference(
      member,
      index,
      segment,
      previous,
      entryValue(metric, at(entries, base + 2), at(entries, base + 3)),
      -1,
    );
    addDifference(member, index, segment, previous, entryValue(metric, numerator, denominator), 1);
    entries[base + 2] = numerator;
    entries[base + 3] = denominator;
    touchMember(partition, member);
  }
}

/** Before a unit's outcomes are forgotten: what they are worth to its open entries stays. */
export function freezeOutcomes(member: UnitInExperiment): void {
  const { data: entries, experiment } = member;
  const from = entriesAt(member);
  for (const [index, metric] of experiment.metrics.entries()) {
    const base = from + index * entryFields;
    if (!metric.ofOutcomes || at(entries, base + 5) < 0) continue;
    const outcomes = outcomesOfEntry(member, metric, at(entries, base + 6));
    entries[base + 7] = at(entries, base + 7) + outcomes.numerator;
    entries[base + 8] = at(entries, base + 8) + outcomes.denominator;
  }
}
