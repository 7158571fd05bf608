/**
 * Outcomes: before or after what they belong to, twice, corrected, taken back, moved to another unit, or waiting for an
 * inference that never comes. Of two deliveries the higher revision wins; of equal revisions the one whose cause came
 * later. An erase is an outcome of a reserved kind.
 */
import type { OutcomeSeen, UnitRecord } from '../../schemas/generated.ts';
import { eraseKind } from '../kernel/erase.ts';
import type { EpochMs } from '../kernel/time.ts';
import { freezeOutcomes, touchMember } from './entries.ts';
import { writeFact } from './fact-rows.ts';
import { foldAliasWord, isAliasWord, isByAlias } from './fold-alias.ts';
import { drop, entityOf, judge, touchEntity, unitOf } from './fold-unit.ts';
import { aliasEntity, firstOf } from './outcome-totals.ts';
import type { PartitionState } from './partition-state.ts';
import {
  anyExperiment,
  type EntityState,
  type OutcomeState,
  type UnitInExperiment,
  type UnitState,
} from './unit-state.ts';

const idText = (id: Buffer): string => id.toString('latin1');

function supersedes(next: OutcomeState, held: OutcomeState | undefined): boolean {
  if (held === undefined || next.revision > held.revision) return true;
  return next.revision === held.revision && next.causePosition > held.causePosition;
}

/** An entity of that name stands for the outcomes of one inference. */
const entityOfInference = (inference: string): string => `i${inference}`;

/** What an outcome can add to a sum, in millionths. */
export const magnitudeOf = (outcome: OutcomeState | undefined): number => Math.abs(outcome?.value ?? 0);

/** The reason why it is dropped; undefined: it counts. */
function takeOutcome(
  partition: PartitionState,
  unit: UnitState,
  entityId: string,
  outcomeId: string,
  outcome: OutcomeState,
  inferenceAt: EpochMs | undefined,
): 'duplicate' | 'sum-limit' | undefined {
  const entity = entityOf(unit, entityId);
  const held = entity.outcomes.get(outcomeId);
  if (!supersedes(outcome, held)) return 'duplicate';
  const magnitude = unit.magnitude + magnitudeOf(outcome) - magnitudeOf(held);
  if (!Number.isSafeInteger(magnitude)) return 'sum-limit';
  unit.magnitude = magnitude;
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
  return undefined;
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

const outcomeOf = (seen: OutcomeSeen): OutcomeState => ({
  revision: seen.revision,
  causePosition: seen.hop,
  kind: seen.kind,
  value: seen.value,
  occurredAt: seen.occurred_at,
  withdrawn: seen.withdrawn,
});

/** Whose outcome it is, and when the inference happened that it names. */
type Target = { readonly unitId: string; readonly entityId: string; readonly inferenceAt?: EpochMs };

function targetOf(partition: PartitionState, seen: OutcomeSeen): Target | { readonly waitsFor: string } | undefined {
  if (seen.unit && isByAlias(seen)) return { unitId: idText(seen.unit), entityId: aliasEntity };
  if (seen.unit) return { unitId: idText(seen.unit), entityId: seen.entity ? idText(seen.entity) : '' };
  if (!seen.inference) return undefined;
  const inference = idText(seen.inference);
  const event = partition.seen.get(inference);
  if (event === undefined) return { waitsFor: inference };
  return { unitId: event.unit, entityId: entityOfInference(inference), inferenceAt: event.at };
}

export function foldOutcome(partition: PartitionState, seen: OutcomeSeen, record: UnitRecord, position: number): void {
  const { received_at: receivedAt, bucket } = record;
  if (seen.kind === eraseKind) return erase(partition, seen, bucket);
  if (isAliasWord(seen)) return foldAliasWord(partition, { seen, outcome: outcomeOf(seen) }, record, position);
  const used = [...partition.experiments.values()].some((experiment) => experiment.outcomeKinds.has(seen.kind));
  if (!used) return drop(partition, 'kind-not-measured');
  const outcome = outcomeOf(seen);
  const outcomeId = idText(seen.outcome_id);
  const target = targetOf(partition, seen);
  if (target === undefined) return drop(partition, 'outcome-names-nothing');
  if ('waitsFor' in target) return wait(partition, target.waitsFor, outcomeId, outcome);
  const { unitId, entityId, inferenceAt } = target;
  // One that names only its inference came by the bucket in that id, which need not be its unit's.
  const unit = unitOf(partition, unitId, inferenceAt === undefined ? bucket : -1);
  if (unit.erased) return drop(partition, 'erased');
  const refused = takeOutcome(partition, unit, entityId, outcomeId, outcome, inferenceAt);
  if (refused) return drop(partition, refused);
  writeFact(partition.facts, partition.partitionId, {
    kind: 'outcome',
    id: outcomeId,
    position,
    unit: unitId,
    occurredAt: seen.occurred_at,
    receivedAt,
    outcomeKind: seen.kind,
    value: outcome.value,
  });
}

/** No inference that comes later than the longest window could still make it count. */
function wait(partition: PartitionState, inference: string, outcomeId: string, outcome: OutcomeState): void {
  const waiting = partition.waiting.get(inference) ?? { expiresAt: 0, outcomes: [] };
  const held = waiting.outcomes.findIndex((other) => other.outcomeId === outcomeId);
  if (held >= 0 && !supersedes(outcome, waiting.outcomes[held]?.outcome)) return drop(partition, 'duplicate');
  waiting.outcomes.splice(held >= 0 ? held : waiting.outcomes.length, 1, { outcomeId, outcome });
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
  for (const { outcomeId, outcome } of waiting.outcomes) {
    const refused = takeOutcome(partition, unit, entityOfInference(inference), outcomeId, outcome, inferenceAt);
    if (refused) drop(partition, refused);
  }
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
  unit.magnitude = 0;
  unit.erased = true;
  unit.dirtyIn = partition.taken + 1;
  partition.membership?.add(unit.id);
}
