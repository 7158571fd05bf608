/**
 * fold(state, record at position) -> state. No clock but the `received_at` that records carry, no chance, no settings
 * from outside the log: two processes that fold the same prefix hold the same numbers. Attribution rules: contracts 3,
 * "What counts".
 */
import type { ExposureSeen, Observation, UnitRecord } from '../../schemas/generated.ts';
import type { ConfigurationChange } from '../kernel/evidence.ts';
import { frozenDesign } from '../kernel/experiment.ts';
import { parseRevision } from '../kernel/experiment-json.ts';
import type { EpochMs } from '../kernel/time.ts';
import { accumulate, closeDue, enter, touchMember } from './entries.ts';
import { writeFact } from './fact-rows.ts';
import { expireWaiting, foldOutcome, takeWaiting } from './fold-outcome.ts';
import {
  anyExperiment,
  createExperimentState,
  createMember,
  type ExperimentState,
  type PartitionState,
  type UnitState,
  type UnitInExperiment,
} from './partition-state.ts';
import { drop, entityOf, judge, touchEntity, unitOf } from './fold-unit.ts';

const idText = (id: Buffer): string => id.toString('latin1');

const dimensions = ['prompt_version', 'model_served', 'rag_index_version', 'tool_set_version'] as const;

/** An arm shows at most this many values per phase and partition; further ones are counted, they open no segment. */
const maxConfigurationChanges = 256;

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

function adopt(partition: PartitionState, document: string): void {
  const revision = parseRevision(document);
  const known = partition.experiments.get(revision.spec.id);
  if (known && known.revision.revision >= revision.revision) return drop(partition, 'revision-already-adopted');
  if (known && known.revision.phase === revision.phase) {
    // Evidence of one design says nothing under another: the partition keeps the old revision, so the experiment stays
    // unsettled.
    if (frozenDesign(known.revision.spec) !== frozenDesign(revision.spec))
      return drop(partition, 'design-changed-within-phase');
    known.revision = revision;
    known.touched = true;
    return;
  }
  // A new phase starts at nothing: what earlier phases hold stays in their rows, after a last flush of what has
  // changed.
  if (known) retire(partition, known);
  const started = createExperimentState(revision);
  partition.experiments.set(revision.spec.id, started);
  openScheduledSegment(partition, started);
}

function retire(partition: PartitionState, experiment: ExperimentState): void {
  partition.retired.push(experiment);
  for (const unit of partition.units.values()) {
    const index = unit.experiments.findIndex((member) => member.experiment === experiment);
    if (index >= 0) unit.experiments.splice(index, 1);
    for (const entity of unit.entities?.values() ?? []) entity.contribution.delete(experiment.key);
  }
}

const slotOf = (experiment: ExperimentState, clock: EpochMs): number =>
  Math.max(
    0,
    Math.floor((clock - experiment.revision.phaseStartedAt) / experiment.revision.spec.analysis.testStartEveryMs),
  );

function openScheduledSegment(partition: PartitionState, experiment: ExperimentState): void {
  const slot = slotOf(experiment, partition.clock);
  const current = experiment.segments.at(-1);
  if (current === undefined || slot <= current.slot) return;
  experiment.segments.push({
    partitionId: partition.partitionId,
    ordinal: experiment.segments.length,
    slot,
    startedAt: partition.clock,
    reason: 'schedule',
  });
  experiment.touched = true;
}

/**
 * A value of model, prompt, index or tool set that the arm has not shown in this phase opens a segment, this record
 * included.
 */
function watchConfiguration(
  partition: PartitionState,
  experiment: ExperimentState,
  arm: number,
  observation: Observation,
): void {
  const name = experiment.arms[arm] ?? '';
  const declared = experiment.revision.spec.arms[arm]?.config ?? {};
  let current = experiment.segments.length - 1;
  if (experiment.armSeen[arm] === -1) {
    experiment.armSeen[arm] = current;
    experiment.touched = true;
  }
  const inBaseline = experiment.armSeen[arm] === current;
  let opened = false;
  for (let index = 0; index < dimensions.length; index += 1) {
    const dimension = dimensions[index] as (typeof dimensions)[number];
    const value = observation[dimension];
    // Nearly every event shows what the one before it showed.
    if (value === null || experiment.shown[arm * dimensions.length + index] === value) continue;
    experiment.shown[arm * dimensions.length + index] = value;
    const key = `${arm}\u001f${dimension}\u001f${value}`;
    if (experiment.configurationChanges.has(key)) continue;
    if (experiment.configurationChanges.size >= maxConfigurationChanges) {
      drop(partition, 'fingerprint-limit');
      continue;
    }
    const baseline =
      inBaseline || declared[dimension] === value || (dimension === 'model_served' && declared['model'] === value);
    if (!baseline && !opened) {
      const slot = experiment.segments[current]?.slot ?? 0;
      experiment.segments.push({
        partitionId: partition.partitionId,
        ordinal: experiment.segments.length,
        slot,
        startedAt: partition.clock,
        reason: 'configuration change',
      });
      current += 1;
      opened = true;
    }
    const mark: ConfigurationChange = {
      partitionId: partition.partitionId,
      arm: name,
      dimension,
      value,
      firstSeenAt: partition.clock,
      segment: current,
      baseline,
    };
    experiment.configurationChanges.set(key, mark);
    experiment.touched = true;
  }
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
  if (member === undefined) {
    member = createMember(unit, experiment, arm, occurredAt);
    for (let metric = 0; metric < experiment.metrics.length; metric += 1)
      if (!experiment.metrics[metric]?.hasDenominator) member.data[member.at + 2 * metric + 1] = 1;
    unit.experiments.push(member);
    partition.known?.add(unit.id);
    experiment.assigned[arm] = (experiment.assigned[arm] ?? 0) + 1;
    experiment.touched = true;
    touchMember(partition, member);
    for (const entity of unit.entities?.values() ?? [])
      if (entity.id === '' || entity.firstAt.has(anyExperiment)) judge(partition, member, entity);
  } else {
    if (occurredAt < member.firstAt) {
      member.firstAt = occurredAt;
      touchMember(partition, member);
      const bare = unit.entities?.get('');
      if (bare) judge(partition, member, bare);
    }
    if (member.arm !== arm && !member.crossed && experiment.revision.spec.health.crossovers === 'exclude') {
      member.crossed = true;
      experiment.crossovers += 1;
      experiment.touched = true;
      touchMember(partition, member);
    }
  }
  if (!member.crossed) enter(partition, member, occurredAt);
  return member;
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
  expose(partition, unit, live.experiment, live.arm, exposure.occurred_at);
  const arm = exposure.variant;
  writeFact(partition.facts, partition.partitionId, {
    kind: 'exposure',
    id,
    position: position,
    unit: unit.id,
    occurredAt: exposure.occurred_at,
    receivedAt,
    experiment: exposure.experiment_id,
    phase: exposure.phase,
    arm,
    name: '',
    values: [],
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
  for (const exposure of observation.exposures) {
    const live = liveExperiment(partition, exposure);
    if (typeof live === 'string') {
      drop(partition, live);
      continue;
    }
    const { experiment, arm } = live;
    unit ??= unitOf(partition, unitId, bucket);
    if (unit.erased) return drop(partition, 'erased');
    experiment.events += 1;
    experiment.lastSeenAt[arm] = Math.max(experiment.lastSeenAt[arm] ?? 0, receivedAt);
    experiment.touched = true;
    watchConfiguration(partition, experiment, arm, observation);
    const member = expose(partition, unit, experiment, arm, observation.occurred_at);
    const values = experiment.scratch.fill(0);
    const { data, at } = member;
    for (let index = 0; index < experiment.metrics.length; index += 1) {
      const metric = experiment.metrics[index];
      if (metric?.numerator) values[2 * index] = metric.numerator(observation);
      if (metric?.denominator) values[2 * index + 1] = metric.denominator(observation);
    }
    for (let index = 0; index < values.length; index += 1)
      data[at + index] = (data[at + index] ?? 0) + (values[index] ?? 0);
    touchMember(partition, member);
    accumulate(member, observation.occurred_at, values);
    if (observation.entity) nameEntity(partition, unit, member, idText(observation.entity), observation.occurred_at);
    writeFact(partition.facts, partition.partitionId, {
      kind: 'inference',
      id,
      position: position,
      unit: unitId,
      occurredAt: observation.occurred_at,
      receivedAt,
      experiment: exposure.experiment_id,
      phase: exposure.phase,
      arm: exposure.variant,
      name: '',
      values,
    });
  }
  if (unit === undefined) return;
  // The unit's own text of its id: a second one would live as long as the event.
  partition.seen.add(id, unit.id, observation.occurred_at);
  takeWaiting(partition, unit, id, observation.occurred_at);
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
