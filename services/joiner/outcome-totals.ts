/** What outcomes add: to a unit's totals, and to one of its entries. */
import type { OutcomeMeasure } from '../kernel/measures.ts';
import { totalLength } from '../kernel/state/kinds.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { MetricState } from './experiment-state.ts';
import { anyExperiment, type EntityState, type OutcomeState, type UnitInExperiment } from './unit-state.ts';

/**
 * An entity of that name stands for outcomes that named the unit by its later name (`fold-alias.ts`): other experiments
 * of the unit do not know it under that.
 */
export const aliasEntity = 'a';

/** Event times between which an outcome counts for an entry, both included. */
type Span = { readonly from: EpochMs; readonly until: EpochMs };
const always: Span = { from: -Infinity, until: Infinity };

const isCounted = (outcome: OutcomeState, first: EpochMs, windowMs: number, { from, until }: Span): boolean => {
  const { occurredAt } = outcome;
  const age = occurredAt - first;
  return age >= 0 && age <= windowMs && occurredAt >= from && occurredAt <= until;
};

/** What an outcome measure counts of one entity, whose first inference was at `first`. */
export function outcomeTotal(
  entity: EntityState,
  measure: OutcomeMeasure,
  first: EpochMs,
  windowMs: number,
  span: Span = always,
): number {
  let total = 0;
  for (const outcome of entity.outcomes.values()) {
    if (outcome.kind !== measure.kind || outcome.withdrawn || outcome.value === null) continue;
    if (!isCounted(outcome, first, windowMs, span)) continue;
    if (measure.fold === 'any') return 1;
    total += measure.fold === 'count' ? 1 : outcome.value;
  }
  return total;
}

/**
 * From when an entity's outcomes count in the unit's experiment; undefined: no inference of the experiment has named
 * it.
 */
export const firstOf = (member: UnitInExperiment, entity: EntityState): EpochMs | undefined => {
  if (entity.id === '') return member.firstAt;
  if (entity.id === aliasEntity)
    return member.experiment.revision.spec.fallbackUnit === undefined ? undefined : member.firstAt;
  return entity.firstAt.get(member.experiment.key) ?? entity.firstAt.get(anyExperiment);
};
/** Outcomes of an entity of this id count from the unit's first exposure. */
export const isOfUnit = ({ id }: EntityState): boolean => id === '' || id === aliasEntity;

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
      const now = outcomeTotal(entity, measure, first, spec.windowMs);
      const before = contribution[2 * index + side] ?? 0;
      if (now === before) continue;
      contribution[2 * index + side] = now;
      const total = base + totalLength * index + side;
      data[total] = (data[total] ?? 0) + now - before;
      changed = true;
    }
  }
  return changed;
}

export type OutcomeSums = { numerator: number; denominator: number };

/** What one entity adds to an entry of the metric that began at `start`. */
function ofEntity(member: UnitInExperiment, entity: EntityState, { spec }: MetricState, start: EpochMs): OutcomeSums {
  const { numerator, denominator, windowMs } = spec;
  const first = firstOf(member, entity);
  if (first === undefined) return { numerator: 0, denominator: 0 };
  const span: Span = { from: start, until: start + windowMs };
  return {
    numerator: numerator.of === 'outcome' ? outcomeTotal(entity, numerator, first, windowMs, span) : 0,
    denominator: denominator?.of === 'outcome' ? outcomeTotal(entity, denominator, first, windowMs, span) : 0,
  };
}

/** Sums of the outcome side of one metric over all of a unit's entities, for an entry that began at `start`. */
export function outcomesOfEntry(member: UnitInExperiment, metric: MetricState, start: EpochMs): OutcomeSums {
  const sums = { numerator: 0, denominator: 0 };
  for (const entity of member.unit.entities?.values() ?? []) {
    const { numerator, denominator } = ofEntity(member, entity, metric, start);
    sums.numerator += numerator;
    sums.denominator += denominator;
  }
  return sums;
}

/** Units of fewer entities are counted afresh: that costs less than remembering. */
const manyEntities = 16;

/** Keeps what an entity adds to the entry, and says what that was before. */
function remember(
  { experiment: { key, metrics } }: UnitInExperiment,
  entity: EntityState,
  index: number,
  { numerator, denominator }: OutcomeSums,
): OutcomeSums {
  const held = entity.inEntry.get(key) ?? new Float64Array(2 * metrics.length);
  const before = { numerator: held[2 * index] ?? 0, denominator: held[2 * index + 1] ?? 0 };
  held[2 * index] = numerator;
  held[2 * index + 1] = denominator;
  entity.inEntry.set(key, held);
  return before;
}

/**
 * The sums of the unit's last closed entry after outcomes of `entity` changed; `before`: as they were. Where a unit has
 * many entities only this one is counted again, once every one's part in this entry is known: an entity that has none
 * then is new, and had no part.
 */
export function outcomesAfter(
  member: UnitInExperiment,
  index: number,
  start: EpochMs,
  entity: EntityState,
  before: OutcomeSums,
): OutcomeSums {
  const { experiment, unit } = member;
  const metric = experiment.metrics[index] as MetricState;
  const entities = unit.entities;
  if (entities === undefined || entities.size < manyEntities) {
    member.partsOf?.fill(-1);
    return outcomesOfEntry(member, metric, start);
  }
  member.partsOf ??= new Float64Array(experiment.metrics.length).fill(-1);
  if (member.partsOf[index] === start) {
    const now = ofEntity(member, entity, metric, start);
    const was = remember(member, entity, index, now);
    return {
      numerator: before.numerator + now.numerator - was.numerator,
      denominator: before.denominator + now.denominator - was.denominator,
    };
  }
  const sums = { numerator: 0, denominator: 0 };
  for (const one of entities.values()) {
    const part = ofEntity(member, one, metric, start);
    remember(member, one, index, part);
    sums.numerator += part.numerator;
    sums.denominator += part.denominator;
  }
  member.partsOf[index] = start;
  return sums;
}
