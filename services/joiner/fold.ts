/**
 * fold(state, record at position) -> state. No clock but the `received_at` that records carry, no chance, no settings
 * from outside the log: two processes that fold the same prefix hold the same numbers. What counts, for whom and when:
 * README.md.
 */
import type { ExposureSeen, Observation, UnitRecord } from '../../schemas/generated.ts';
import { noteSkew } from '../kernel/clock-skew.ts';
import { totalField, totalLength } from '../kernel/state/kinds.ts';
import type { EpochMs } from '../kernel/time.ts';
import { adopt } from './adopt.ts';
import { accumulate, closeDue, enter, noteExposure, touchMember } from './entries.ts';
import type { ExperimentState } from './experiment-state.ts';
import { writeFact } from './fact-rows.ts';
import { leaveIfAlias } from './fold-alias.ts';
import { expireWaiting, foldOutcome, takeWaiting } from './fold-outcome.ts';
import { drop, entityOf, judge, touchEntity, unitOf } from './fold-unit.ts';
import { measure } from './measure-call.ts';
import { reachedBy } from './measure-observation.ts';
import { isOfUnit } from './outcome-totals.ts';
import type { PartitionState } from './partition-state.ts';
import { openScheduledSegment, watchConfiguration } from './segments.ts';
import { anyExperiment, createMember, type UnitInExperiment, type UnitState } from './unit-state.ts';

const idText = (id: Buffer): string => id.toString('latin1');

/** Folds one record. `position` rises from record to record; `record` has passed its schema. */
export function foldRecord(partition: PartitionState, record: UnitRecord, position: number): void {
  if (record.received_at > partition.clock) {
    partition.clock = record.received_at;
    closeDue(partition);
    expireWaiting(partition);
    for (const experiment of partition.experiments.values()) openScheduledSegment(partition, experiment);
  }
  const { body } = record;
  if ('tripline.v1.Observation' in body) foldObservation(partition, body['tripline.v1.Observation'], record, position);
  else if ('tripline.v1.OutcomeSeen' in body) foldOutcome(partition, body['tripline.v1.OutcomeSeen'], record, position);
  else if ('tripline.v1.ExposureSeen' in body)
    foldExposure(partition, body['tripline.v1.ExposureSeen'], record, position);
  else if ('tripline.v1.ExperimentAdopted' in body) adopt(partition, body['tripline.v1.ExperimentAdopted'].document);
  partition.counts.folded += 1;
  partition.position = position + 1;
}

/** The experiment that an exposure names, if this phase of it knows the arm; else the reason. */
function liveExperiment(
  partition: PartitionState,
  exposure: { experiment_id: string; phase: number; variant: string },
): { experiment: ExperimentState; arm: number } | string {
  const experiment = partition.experiments.get(exposure.experiment_id);
  if (experiment === undefined) return 'experiment-unknown';
  if (experiment.revision.phase !== exposure.phase) return 'other-phase';
  const arm = experiment.arms.indexOf(exposure.variant);
  return arm < 0 ? 'arm-unknown' : { experiment, arm };
}

/**
 * First exposure wins the arm; a second arm makes the unit a crossover, which the experiment's policy keeps out of the
 * estimate.
 */
function expose(
  partition: PartitionState,
  unit: UnitState,
  experiment: ExperimentState,
  arm: number,
  occurredAt: EpochMs,
): UnitInExperiment {
  let member: UnitInExperiment | undefined;
  for (const candidate of unit.experiments) if (candidate.experiment === experiment) member = candidate;
  if (member === undefined) member = exposeFirst(partition, unit, experiment, arm, occurredAt);
  else exposeAgain(partition, member, arm, occurredAt);
  if (!member.crossed) enter(partition, member, occurredAt);
  return member;
}

function exposeFirst(
  partition: PartitionState,
  unit: UnitState,
  experiment: ExperimentState,
  arm: number,
  occurredAt: EpochMs,
): UnitInExperiment {
  const member = createMember(unit, experiment, arm, occurredAt);
  // The mean per unit: a metric without a denominator counts each unit once.
  for (let metric = 0; metric < experiment.metrics.length; metric += 1)
    if (!experiment.metrics[metric]?.rule.hasDenominator)
      member.data[member.at + totalLength * metric + totalField.denominator] = 1;
  unit.experiments.push(member);
  partition.membership?.add(unit.id);
  experiment.assigned[arm] = (experiment.assigned[arm] ?? 0) + 1;
  experiment.touched = true;
  touchMember(partition, member);
  for (const entity of unit.entities?.values() ?? [])
    if (isOfUnit(entity) || entity.firstAt.has(anyExperiment)) judge(partition, member, entity);
  leaveIfAlias(partition, unit, member);
  return member;
}

function exposeAgain(partition: PartitionState, member: UnitInExperiment, arm: number, occurredAt: EpochMs): void {
  const { experiment, unit } = member;
  if (occurredAt < member.firstAt) {
    member.firstAt = occurredAt;
    touchMember(partition, member);
    for (const entity of unit.entities?.values() ?? []) if (isOfUnit(entity)) judge(partition, member, entity);
  }
  if (member.arm !== arm && !member.crossed && experiment.revision.spec.health.crossovers === 'exclude') {
    member.crossed = true;
    experiment.crossovers += 1;
    experiment.touched = true;
    touchMember(partition, member);
  }
}

function foldExposure(
  partition: PartitionState,
  exposure: ExposureSeen,
  { received_at: receivedAt, bucket }: UnitRecord,
  position: number,
): void {
  const id = idText(exposure.event_id);
  const unitId = idText(exposure.unit);
  if (partition.seen.has(id, unitId)) return drop(partition, 'duplicate');
  const live = liveExperiment(partition, exposure);
  if (typeof live === 'string') return drop(partition, live);
  const unit = unitOf(partition, unitId, bucket);
  if (unit.erased) return drop(partition, 'erased');
  partition.seen.add(id, unit.id, exposure.occurred_at);
  const member = expose(partition, unit, live.experiment, live.arm, exposure.occurred_at);
  noteExposure(partition, member, exposure.occurred_at);
  writeFact(partition.facts, partition.partitionId, {
    kind: 'exposure',
    id,
    position,
    unit: unit.id,
    occurredAt: exposure.occurred_at,
    receivedAt,
    experiment: exposure.experiment_id,
    phase: exposure.phase,
    arm: exposure.variant,
  });
}

function foldObservation(
  partition: PartitionState,
  observation: Observation,
  { received_at: receivedAt, bucket }: UnitRecord,
  position: number,
): void {
  const id = idText(observation.event_id);
  const unitId = idText(observation.unit);
  if (partition.seen.has(id, unitId)) return drop(partition, 'duplicate');
  let unit: UnitState | undefined;
  const counted = new Set<ExperimentState>();
  for (const exposure of observation.exposures) {
    const live = liveExperiment(partition, exposure);
    if (typeof live === 'string') {
      drop(partition, live);
      continue;
    }
    const { experiment, arm } = live;
    // A call counts once in an experiment, however often it names it; a second arm makes its unit a crossover.
    if (counted.has(experiment)) {
      if (unit) exposeTwice(partition, unit, experiment, arm, observation.occurred_at);
      continue;
    }
    counted.add(experiment);
    unit ??= unitOf(partition, unitId, bucket);
    if (unit.erased) return drop(partition, 'erased');
    countEvent(partition, experiment, arm, observation, receivedAt);
    const member = expose(partition, unit, experiment, arm, observation.occurred_at);
    const amounts = measure(partition, member, arm, observation);
    touchMember(partition, member);
    accumulate(member, observation.occurred_at, amounts, reachedBy(observation));
    if (observation.entity) nameEntity(partition, unit, member, idText(observation.entity), observation.occurred_at);
    writeFact(partition.facts, partition.partitionId, {
      kind: 'inference',
      id,
      position,
      unit: unitId,
      occurredAt: observation.occurred_at,
      receivedAt,
      experiment: exposure.experiment_id,
      phase: exposure.phase,
      arm: exposure.variant,
      amounts,
    });
  }
  if (unit === undefined) return;
  // The unit's own text of its id: a second one would live as long as the event.
  partition.seen.add(id, unit.id, observation.occurred_at);
  takeWaiting(partition, unit, id, observation.occurred_at);
}

/** The same call names the experiment again: no second call, whatever arm it says. */
function exposeTwice(
  partition: PartitionState,
  unit: UnitState,
  experiment: ExperimentState,
  arm: number,
  occurredAt: EpochMs,
): void {
  drop(partition, 'exposure-repeated');
  const member = unit.experiments.find((one) => one.experiment === experiment);
  if (member) exposeAgain(partition, member, arm, occurredAt);
}

function countEvent(
  partition: PartitionState,
  experiment: ExperimentState,
  arm: number,
  observation: Observation,
  receivedAt: EpochMs,
): void {
  experiment.events += 1;
  experiment.lastSeenAt[arm] = Math.max(experiment.lastSeenAt[arm] ?? 0, receivedAt);
  if (observation.clock) noteSkew(experiment.clocks, observation.clock.service, observation.clock.skew_ms, receivedAt);
  experiment.touched = true;
  watchConfiguration(partition, experiment, arm, observation);
}

function nameEntity(
  partition: PartitionState,
  unit: UnitState,
  member: UnitInExperiment,
  entityId: string,
  occurredAt: EpochMs,
): void {
  const entity = entityOf(unit, entityId);
  const { key } = member.experiment;
  const first = entity.firstAt.get(key);
  if (first !== undefined && first <= occurredAt) return;
  entity.firstAt.set(key, occurredAt);
  touchEntity(partition, unit, entity);
  judge(partition, member, entity);
}
