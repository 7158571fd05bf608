/**
 * A unit that is also known under another name (`services/linker/link-names.ts` says which name counts). Two things
 * come here for that: the word that in a phase of an experiment the unit counts elsewhere, and outcomes that named it
 * by its later name. Both stay with the unit in an entity of their own, so that they hold for whatever comes later.
 *
 * A unit that counts elsewhere is a crossover with the reason `alias`: it leaves the metric aggregates and enters no
 * more tests, whatever `health.crossovers` says, since two names of one unit would count it twice.
 */
import type { OutcomeSeen, UnitRecord } from '../../schemas/generated.ts';
import { aliasKindOf, aliasUnitType, isAliasKind } from '../kernel/alias.ts';
import { touchMember } from './entries.ts';
import { writeFact } from './fact-rows.ts';
import { drop, entityOf, touchEntity, unitOf } from './fold-unit.ts';
import { aliasEntity } from './outcome-totals.ts';
import type { PartitionState } from './partition-state.ts';
import type { OutcomeState, UnitInExperiment, UnitState } from './unit-state.ts';

/** What the linker sends a unit because of its other names: no app's outcome is that. */
export const isByAlias = ({ unit_type: unitType }: OutcomeSeen): boolean => unitType === aliasUnitType;
export const isAliasWord = (seen: OutcomeSeen): boolean => isByAlias(seen) && isAliasKind(seen.kind);

export function foldAliasWord(
  partition: PartitionState,
  { seen, outcome }: { readonly seen: OutcomeSeen; readonly outcome: OutcomeState },
  { received_at: receivedAt, bucket }: UnitRecord,
  position: number,
): void {
  if (seen.unit === null) return drop(partition, 'outcome-names-nothing');
  const unit = unitOf(partition, seen.unit.toString('latin1'), bucket);
  if (unit.erased) return drop(partition, 'erased');
  const id = seen.outcome_id.toString('latin1');
  const entity = entityOf(unit, aliasEntity);
  // The linker says it once; what comes again came twice.
  if (entity.outcomes.has(id)) return drop(partition, 'duplicate');
  entity.outcomes.set(id, outcome);
  touchEntity(partition, unit, entity);
  for (const member of unit.experiments)
    if (aliasKindOf(member.experiment.key) === seen.kind) countElsewhere(partition, member);
  writeFact(partition.facts, partition.partitionId, {
    kind: 'outcome',
    id,
    position,
    unit: unit.id,
    occurredAt: seen.occurred_at,
    receivedAt,
    outcomeKind: seen.kind,
    value: null,
  });
}

/** A new member of a phase in which its unit counts elsewhere, as was said before it came. */
export function leaveIfAlias(partition: PartitionState, unit: UnitState, member: UnitInExperiment): void {
  const words = unit.entities?.get(aliasEntity)?.outcomes.values() ?? [];
  for (const { kind } of words)
    if (kind === aliasKindOf(member.experiment.key)) return countElsewhere(partition, member);
}

function countElsewhere(partition: PartitionState, member: UnitInExperiment): void {
  const { experiment } = member;
  if (member.crossed) return;
  member.crossed = true;
  experiment.crossovers += 1;
  experiment.aliasCrossovers += 1;
  experiment.touched = true;
  touchMember(partition, member);
}
