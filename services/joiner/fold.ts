/**
 * fold(state, record at position) -> state. No clock but the `received_at` that records carry, no chance, no settings from outside the
 * log: two processes that fold the same prefix hold the same numbers. Attribution rules: contracts 3, "What counts".
 */
import type { ExposureSeen, Observation, OutcomeSeen, UnitRecord } from '../../schemas/generated.ts';
import type { FingerprintMark } from '../kernel/evidence.ts';
import { frozenDesign } from '../kernel/experiment.ts';
import { parseRevision } from '../kernel/experiment-json.ts';
import { readInferenceId } from '../kernel/ids.ts';
import type { EpochMs } from '../kernel/time.ts';
import { accumulate, closeDue, contribute, enter, revalue } from './entries.ts';
import {
  createExperimentFold, createMember, type EntityFold, type ExperimentFold, type OutcomeFold, type PartitionFold, type UnitFold, type UnitInExperiment,
} from './fold-state.ts';

const idText = (id: Buffer): string => id.toString('latin1');

const dimensions = ['prompt_version', 'model_served', 'rag_index_version', 'tool_set_version'] as const;

/** An arm shows at most this many values per phase and partition; further ones are counted, they open no segment. */
const maxFingerprints = 256;

function drop(partition: PartitionFold, reason: string): void {
  partition.counts.dropped.set(reason, (partition.counts.dropped.get(reason) ?? 0) + 1);
}

/** Folds one record. `position` rises from record to record; `record` has passed its schema. */
export function foldRecord(partition: PartitionFold, record: UnitRecord, position: number): void {
  if (record.received_at > partition.clock) {
    partition.clock = record.received_at;
    closeDue(partition);
    for (const experiment of partition.experiments.values()) openScheduledSegment(partition, experiment);
  }
  const { body } = record;
  if ('tripline.v1.Observation' in body) foldObservation(partition, body['tripline.v1.Observation'], record.received_at, position);
  else if ('tripline.v1.OutcomeSeen' in body) foldOutcome(partition, body['tripline.v1.OutcomeSeen'], record.received_at, position);
  else if ('tripline.v1.ExposureSeen' in body) foldExposure(partition, body['tripline.v1.ExposureSeen'], record.received_at, position);
  else if ('tripline.v1.ExperimentAdopted' in body) adopt(partition, body['tripline.v1.ExperimentAdopted'].document);
  partition.counts.folded += 1;
  partition.position = position + 1;
}

function adopt(partition: PartitionFold, document: string): void {
  const revision = parseRevision(document);
  const known = partition.experiments.get(revision.spec.id);
  if (known && known.revision.revision >= revision.revision) return drop(partition, 'revision-already-adopted');
  if (known && known.revision.phase === revision.phase) {
    // Evidence of one design says nothing under another: the partition keeps the old revision, so the experiment stays unsettled.
    if (frozenDesign(known.revision.spec) !== frozenDesign(revision.spec)) return drop(partition, 'design-changed-within-phase');
    known.revision = revision;
    known.touched = true;
    return;
  }
  // A new phase starts at nothing: what earlier phases hold stays in their rows.
  for (const unit of partition.units.values()) {
    const index = unit.experiments.findIndex((member) => member.experiment === known);
    if (index >= 0) unit.experiments.splice(index, 1);
    for (const entity of unit.entities?.values() ?? []) {
      entity.firstAt.delete(revision.spec.id);
      entity.contribution.delete(revision.spec.id);
    }
  }
  const started = createExperimentFold(revision);
  partition.experiments.set(revision.spec.id, started);
  openScheduledSegment(partition, started);
}

const slotOf = (experiment: ExperimentFold, clock: EpochMs): number =>
  Math.max(0, Math.floor((clock - experiment.revision.phaseStartedAt) / experiment.revision.spec.analysis.restartEveryMs));

function openScheduledSegment(partition: PartitionFold, experiment: ExperimentFold): void {
  const slot = slotOf(experiment, partition.clock);
  const current = experiment.segments.at(-1);
  if (current === undefined || slot <= current.slot) return;
  experiment.segments.push({ part: partition.part, ordinal: experiment.segments.length, slot, startedAt: partition.clock, reason: 'schedule' });
  experiment.touched = true;
}

/** A value of model, prompt, index or tool set that the arm has not shown in this phase opens a segment, this record included. */
function watchFingerprint(partition: PartitionFold, experiment: ExperimentFold, arm: number, observation: Observation): void {
  const name = experiment.arms[arm] ?? '';
  const declared = experiment.revision.spec.arms[arm]?.config ?? {};
  let current = experiment.segments.length - 1;
  if (experiment.armSeen[arm] === -1) {
    experiment.armSeen[arm] = current;
    experiment.touched = true;
  }
  const inBaseline = experiment.armSeen[arm] === current;
  let opened = false;
  for (const dimension of dimensions) {
    const value = observation[dimension];
    if (value === null) continue;
    const key = `${arm}\u001f${dimension}\u001f${value}`;
    if (experiment.fingerprints.has(key)) continue;
    if (experiment.fingerprints.size >= maxFingerprints) {
      drop(partition, 'fingerprint-limit');
      continue;
    }
    const baseline = inBaseline || declared[dimension] === value || (dimension === 'model_served' && declared['model'] === value);
    if (!baseline && !opened) {
      const slot = experiment.segments[current]?.slot ?? 0;
      experiment.segments.push({ part: partition.part, ordinal: experiment.segments.length, slot, startedAt: partition.clock, reason: 'fingerprint' });
      current += 1;
      opened = true;
    }
    const mark: FingerprintMark = { part: partition.part, arm: name, dimension, value, firstSeenAt: partition.clock, segment: current, baseline };
    experiment.fingerprints.set(key, mark);
    experiment.touched = true;
  }
}

function unitOf(partition: PartitionFold, id: string): UnitFold {
  let unit = partition.units.get(id);
  if (unit === undefined) {
    unit = { id, experiments: [], entities: undefined };
    partition.units.set(id, unit);
  }
  return unit;
}

function entityOf(unit: UnitFold, id: string): EntityFold {
  unit.entities ??= new Map();
  let entity = unit.entities.get(id);
  if (entity === undefined) {
    entity = { id, firstAt: new Map(), outcomes: new Map(), contribution: new Map(), touched: false };
    unit.entities.set(id, entity);
  }
  return entity;
}

const touchMember = (partition: PartitionFold, member: UnitInExperiment): void => {
  member.touched = true;
  partition.touchedMembers.add(member);
};
const touchEntity = (partition: PartitionFold, unit: UnitFold, entity: EntityFold): void => {
  if (entity.touched) return;
  entity.touched = true;
  partition.touchedEntities.add({ unit, entity });
};

/** The experiment that an exposure names, if this phase of it knows the arm; else the reason. */
function liveExperiment(partition: PartitionFold, exposure: { experiment_id: string; phase: number; variant: string }): { experiment: ExperimentFold; arm: number } | string {
  const experiment = partition.experiments.get(exposure.experiment_id);
  if (experiment === undefined) return 'experiment-unknown';
  if (experiment.revision.phase !== exposure.phase) return 'other-phase';
  const arm = experiment.arms.indexOf(exposure.variant);
  return arm < 0 ? 'arm-unknown' : { experiment, arm };
}

/** First exposure wins the arm; a second arm makes the unit a crossover, which the experiment's policy keeps out of the estimate. */
function expose(partition: PartitionFold, unit: UnitFold, experiment: ExperimentFold, arm: number, occurredAt: EpochMs): UnitInExperiment {
  let member = unit.experiments.find((candidate) => candidate.experiment === experiment);
  if (member === undefined) {
    member = createMember(unit, experiment, arm, occurredAt);
    for (let metric = 0; metric < experiment.metrics.length; metric += 1) if (!experiment.metrics[metric]?.hasDenominator) member.totals[2 * metric + 1] = 1;
    unit.experiments.push(member);
    experiment.assigned[arm] = (experiment.assigned[arm] ?? 0) + 1;
    experiment.touched = true;
    touchMember(partition, member);
    const bare = unit.entities?.get('');
    if (bare) judge(partition, member, bare);
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

/** After an entity's first inference or outcomes changed: the unit's totals and its closed entries follow. */
function judge(partition: PartitionFold, member: UnitInExperiment, entity: EntityFold): void {
  if (!contribute(member, entity)) return;
  touchMember(partition, member);
  revalue(partition, member);
}

function foldExposure(partition: PartitionFold, exposure: ExposureSeen, receivedAt: EpochMs, position: number): void {
  const id = idText(exposure.event_id);
  if (partition.seen.has(id)) return drop(partition, 'duplicate');
  const live = liveExperiment(partition, exposure);
  if (typeof live === 'string') return drop(partition, live);
  const unit = unitOf(partition, idText(exposure.unit));
  partition.seen.set(id, unit.id);
  expose(partition, unit, live.experiment, live.arm, exposure.occurred_at);
  const arm = exposure.variant;
  partition.facts.push({ kind: 'exposure', id, ver: position, unit: unit.id, occurredAt: exposure.occurred_at, receivedAt, experiment: exposure.experiment_id, phase: exposure.phase, arm, name: '', values: [] });
}

function foldObservation(partition: PartitionFold, observation: Observation, receivedAt: EpochMs, position: number): void {
  const id = idText(observation.event_id);
  if (partition.seen.has(id)) return drop(partition, 'duplicate');
  const unitId = idText(observation.unit);
  let unit: UnitFold | undefined;
  for (const exposure of observation.exposures) {
    const live = liveExperiment(partition, exposure);
    if (typeof live === 'string') {
      drop(partition, live);
      continue;
    }
    const { experiment, arm } = live;
    unit ??= unitOf(partition, unitId);
    experiment.events += 1;
    experiment.touched = true;
    watchFingerprint(partition, experiment, arm, observation);
    const member = expose(partition, unit, experiment, arm, observation.occurred_at);
    const values = new Float64Array(experiment.metrics.length * 2);
    for (let index = 0; index < experiment.metrics.length; index += 1) {
      const metric = experiment.metrics[index];
      if (metric?.numerator) values[2 * index] = metric.numerator(observation);
      if (metric?.denominator) values[2 * index + 1] = metric.denominator(observation);
    }
    for (let index = 0; index < values.length; index += 1) member.totals[index] = (member.totals[index] ?? 0) + (values[index] ?? 0);
    touchMember(partition, member);
    accumulate(member, observation.occurred_at, values);
    if (observation.entity) nameEntity(partition, unit, member, idText(observation.entity), observation.occurred_at);
    partition.facts.push({
      kind: 'inference', id, ver: position, unit: unitId, occurredAt: observation.occurred_at, receivedAt,
      experiment: exposure.experiment_id, phase: exposure.phase, arm: exposure.variant, name: '', values: [...values],
    });
  }
  if (unit === undefined) return;
  partition.seen.set(id, unitId);
  const waiting = partition.waiting.get(id);
  if (waiting) {
    partition.waiting.delete(id);
    partition.touchedWaiting.add(id);
    for (const { outcomeId, outcome } of waiting) takeOutcome(partition, unit, `i${id}`, outcomeId, outcome, observation.occurred_at);
  }
}

function nameEntity(partition: PartitionFold, unit: UnitFold, member: UnitInExperiment, entityId: string, occurredAt: EpochMs): void {
  const entity = entityOf(unit, entityId);
  const experiment = member.experiment.revision.spec.id;
  const first = entity.firstAt.get(experiment);
  if (first !== undefined && first <= occurredAt) return;
  entity.firstAt.set(experiment, occurredAt);
  touchEntity(partition, unit, entity);
  judge(partition, member, entity);
}

/** Of two deliveries of an outcome the higher revision wins, of equal revisions the later hop; the rest are duplicates. */
function supersedes(next: OutcomeFold, known: OutcomeFold | undefined): boolean {
  return known === undefined || next.revision > known.revision || (next.revision === known.revision && next.hop > known.hop);
}

function takeOutcome(partition: PartitionFold, unit: UnitFold, entityId: string, outcomeId: string, outcome: OutcomeFold, firstAt: EpochMs | undefined): boolean {
  const entity = entityOf(unit, entityId);
  if (!supersedes(outcome, entity.outcomes.get(outcomeId))) return false;
  entity.outcomes.set(outcomeId, outcome);
  touchEntity(partition, unit, entity);
  for (const member of unit.experiments) {
    if (firstAt !== undefined) entity.firstAt.set(member.experiment.revision.spec.id, firstAt);
    if (isLate(member, entity, outcome)) {
      member.experiment.lateOutcomes += 1;
      member.experiment.touched = true;
    }
    judge(partition, member, entity);
  }
  return true;
}

/** Past the window of every metric that counts its kind. */
function isLate(member: UnitInExperiment, entity: EntityFold, outcome: OutcomeFold): boolean {
  const first = entity.id === '' ? member.firstAt : entity.firstAt.get(member.experiment.revision.spec.id);
  if (first === undefined || !member.experiment.outcomeKinds.has(outcome.kind)) return false;
  return member.experiment.metrics.every(({ spec }) => {
    const counts = [spec.numerator, spec.denominator].some((measure) => measure?.of === 'outcome' && measure.kind === outcome.kind);
    return !counts || outcome.occurredAt - first > spec.windowMs;
  });
}

function foldOutcome(partition: PartitionFold, seen: OutcomeSeen, receivedAt: EpochMs, position: number): void {
  const used = [...partition.experiments.values()].some((experiment) => experiment.outcomeKinds.has(seen.kind));
  if (!used) return drop(partition, 'kind-not-measured');
  const outcome: OutcomeFold = { revision: seen.revision, hop: seen.hop, kind: seen.kind, value: seen.value, occurredAt: seen.occurred_at, withdrawn: seen.withdrawn };
  const outcomeId = idText(seen.outcome_id);
  let unitId = seen.unit ? idText(seen.unit) : undefined;
  let entityId = seen.entity ? idText(seen.entity) : '';
  let firstAt: EpochMs | undefined;
  if (unitId === undefined && seen.inference) {
    const inference = idText(seen.inference);
    unitId = partition.seen.get(inference);
    entityId = `i${inference}`;
    if (unitId === undefined) {
      const waiting = partition.waiting.get(inference) ?? [];
      waiting.push({ outcomeId, outcome });
      partition.waiting.set(inference, waiting);
      partition.touchedWaiting.add(inference);
      return;
    }
    firstAt = readInferenceId(uuidText(seen.inference))?.at;
  }
  if (unitId === undefined) return drop(partition, 'outcome-names-nothing');
  const unit = unitOf(partition, unitId);
  if (!takeOutcome(partition, unit, entityId, outcomeId, outcome, firstAt)) return drop(partition, 'duplicate');
  partition.facts.push({
    kind: 'outcome', id: outcomeId, ver: position, unit: unitId, occurredAt: seen.occurred_at, receivedAt, experiment: '', phase: 0, arm: '', name: seen.kind,
    values: outcome.value === null ? [] : [outcome.value],
  });
}

const uuidText = (id: Buffer): string => {
  const hex = id.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};
