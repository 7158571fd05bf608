/**
 * Outcomes: before or after what they belong to, twice, corrected, taken back, moved to another unit, or waiting for an
 * inference that never comes. Of two deliveries the higher revision wins, of equal revisions the later hop. An erase is
 * an outcome of a reserved kind.
 */
import type { OutcomeSeen, UnitRecord } from '../../schemas/generated.ts';
import { eraseKind } from '../kernel/erase.ts';
import type { EpochMs } from '../kernel/time.ts';
import { firstOf, freezeOutcomes, touchMember } from './entries.ts';
import { writeFact } from './fact-rows.ts';
import {
  anyExperiment,
  type EntityState,
  type OutcomeState,
  type PartitionState,
  type UnitState,
  type UnitInExperiment,
} from './partition-state.ts';
import { drop, entityOf, judge, touchEntity, unitOf } from './fold-unit.ts';

const idText = (id: Buffer): string => id.toString('latin1');

function supersedes(next: OutcomeState, known: OutcomeState | undefined): boolean {
  return (
    known === undefined || next.revision > known.revision || (next.revision === known.revision && next.hop > known.hop)
  );
}

function takeOutcome(
  partition: PartitionState,
  unit: UnitState,
  entityId: string,
  outcomeId: string,
  outcome: OutcomeState,
  inferenceAt: EpochMs | undefined,
): boolean {
  const entity = entityOf(unit, entityId);
  if (!supersedes(outcome, entity.outcomes.get(outcomeId))) return false;
  entity.outcomes.set(outcomeId, outcome);
  if (inferenceAt !== undefined) entity.firstAt.set(anyExperiment, inferenceAt);
  touchEntity(partition, unit, entity);
  for (const member of unit.experiments) {
    if (isLate(member, entity, outcome)) {
      member.experiment.lateOutcomes += 1;
      member.experiment.touched = true;
    }
    judge(partition, member, entity);
  }
  return true;
}

/** Past the window of every metric that counts its kind. */
function isLate(member: UnitInExperiment, entity: EntityState, outcome: OutcomeState): boolean {
  const first = firstOf(member, entity);
  if (first === undefined || !member.experiment.outcomeKinds.has(outcome.kind)) return false;
  return member.experiment.metrics.every(({ spec }) => {
    const counts = [spec.numerator, spec.denominator].some(
      (measure) => measure?.of === 'outcome' && measure.kind === outcome.kind,
    );
    return !counts || outcome.occurredAt - first > spec.windowMs;
  });
}

export function foldOutcome(
  partition: PartitionState,
  seen: OutcomeSeen,
  { received_at: receivedAt, bucket }: UnitRecord,
  position: number,
): void {
  if (seen.kind === eraseKind) return erase(partition, seen, bucket);
  const used = [...partition.experiments.values()].some((experiment) => experiment.outcomeKinds.has(seen.kind));
  if (!used) return drop(partition, 'kind-not-measured');
  const outcome: OutcomeState = {
    revision: seen.revision,
    hop: seen.hop,
    kind: seen.kind,
    value: seen.value,
    occurredAt: seen.occurred_at,
    withdrawn: seen.withdrawn,
  };
  const outcomeId = idText(seen.outcome_id);
  let unitId = seen.unit ? idText(seen.unit) : undefined;
  let entityId = seen.entity ? idText(seen.entity) : '';
  let inferenceAt: EpochMs | undefined;
  if (unitId === undefined && seen.inference) {
    const inference = idText(seen.inference);
    const event = partition.seen.get(inference);
    if (event === undefined) return wait(partition, inference, outcomeId, outcome);
    unitId = event.unit;
    entityId = `i${inference}`;
    inferenceAt = event.at;
  }
  if (unitId === undefined) return drop(partition, 'outcome-names-nothing');
  // One that names only its inference came by the bucket in that id, which need not be its unit's.
  const unit = unitOf(partition, unitId, inferenceAt === undefined ? bucket : -1);
  if (unit.erased) return drop(partition, 'erased');
  if (!takeOutcome(partition, unit, entityId, outcomeId, outcome, inferenceAt)) return drop(partition, 'duplicate');
  writeFact(partition.facts, partition.partitionId, {
    kind: 'outcome',
    id: outcomeId,
    position: position,
    unit: unitId,
    occurredAt: seen.occurred_at,
    receivedAt,
    experiment: '',
    phase: 0,
    arm: '',
    name: seen.kind,
    values: outcome.value === null ? [] : [outcome.value],
  });
}

/** No inference that comes later than the longest window could still make it count. */
function wait(partition: PartitionState, inference: string, outcomeId: string, outcome: OutcomeState): void {
  const waiting = partition.waiting.get(inference) ?? { expiresAt: 0, outcomes: [] };
  const known = waiting.outcomes.findIndex((other) => other.outcomeId === outcomeId);
  if (known >= 0 && !supersedes(outcome, waiting.outcomes[known]?.outcome)) return drop(partition, 'duplicate');
  waiting.outcomes.splice(known >= 0 ? known : waiting.outcomes.length, 1, { outcomeId, outcome });
  let longestMs = 0;
  for (const { windows } of partition.experiments.values())
    longestMs = Math.max(longestMs, windows.at(-1)?.windowMs ?? 0);
  waiting.expiresAt = Math.max(waiting.expiresAt, partition.clock + longestMs);
  partition.waiting.set(inference, waiting);
  partition.expiring.push(waiting.expiresAt, inference);
  partition.touchedWaiting.add(inference);
}

/** An inference has come: what waited for it counts. */
export function takeWaiting(partition: PartitionState, unit: UnitState, inference: string, inferenceAt: EpochMs): void {
  const waiting = partition.waiting.get(inference);
  if (waiting === undefined) return;
  partition.waiting.delete(inference);
  partition.touchedWaiting.add(inference);
  for (const { outcomeId, outcome } of waiting.outcomes)
    takeOutcome(partition, unit, `i${inference}`, outcomeId, outcome, inferenceAt);
}

/** What waited longer than any window is dropped and counted. */
export function expireWaiting(partition: PartitionState): void {
  while (partition.expiring.next() < partition.clock) {
    const inference = partition.expiring.pop();
    const waiting = partition.waiting.get(inference);
    if (waiting === undefined || waiting.expiresAt >= partition.clock) continue;
    partition.waiting.delete(inference);
    partition.touchedWaiting.add(inference);
    for (const _outcome of waiting.outcomes) drop(partition, 'inference-never-seen');
  }
}

/**
 * What the unit's outcomes were worth stays in its sums, open entries included; which they were, and of which ticket,
 * is forgotten.
 */
function erase(partition: PartitionState, seen: OutcomeSeen, bucket: number | undefined): void {
  if (seen.unit === null) return drop(partition, 'outcome-names-nothing');
  const unit = unitOf(partition, idText(seen.unit), bucket);
  if (unit.erased) return drop(partition, 'duplicate');
  for (const member of unit.experiments) {
    freezeOutcomes(member);
    touchMember(partition, member);
  }
  partition.erasing.push({ unit, entities: [...(unit.entities?.keys() ?? [])] });
  // Touched entities of it must not be written after this: a set of pairs, few of them at a time.
  for (const touched of partition.touchedEntities) if (touched.unit === unit) partition.touchedEntities.delete(touched);
  unit.entities = undefined;
  unit.erased = true;
  unit.dirtyIn = partition.taken + 1;
  partition.known?.add(unit.id);
}
