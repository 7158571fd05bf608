/** What exposures, inferences and outcomes have in common: finding a unit and its entities, and saying what changed. */
import { PipelineError } from '../kernel/pipeline-error.ts';
import { revalue, touchMember } from './entries.ts';
import { contribute } from './outcome-totals.ts';
import type { PartitionState } from './partition-state.ts';
import { createEntity, createUnit, type EntityState, type UnitInExperiment, type UnitState } from './unit-state.ts';

export function drop(partition: PartitionState, reason: string): void {
  partition.counts.dropped.set(reason, (partition.counts.dropped.get(reason) ?? 0) + 1);
}

/** The unit. Where units may be evicted it has been prefetched; elsewhere it is new when it is not there. */
export function unitOf(partition: PartitionState, id: string, bucket = -1): UnitState {
  let unit = partition.units.get(id);
  if (unit === undefined) {
    if (partition.membership)
      throw new PipelineError(
        'STATE_CORRUPT',
        `partition ${partition.partitionId} folds a record of a unit that was not loaded`,
        { hint: 'report it: the units of a batch must be prefetched before it is folded' },
      );
    unit = createUnit(id);
    partition.units.set(id, unit);
  }
  unit.recent = true;
  if (bucket >= 0) unit.bucket = bucket;
  return unit;
}

export function entityOf(unit: UnitState, id: string): EntityState {
  unit.entities ??= new Map();
  let entity = unit.entities.get(id);
  if (entity === undefined) {
    entity = createEntity(id);
    unit.entities.set(id, entity);
  }
  return entity;
}

/** The next flush writes the entity's row. */
export function touchEntity(partition: PartitionState, unit: UnitState, entity: EntityState): void {
  if (entity.touched) return;
  entity.touched = true;
  unit.dirtyIn = partition.taken + 1;
  partition.membership?.add(unit.id);
  partition.touchedEntities.add({ unit, entity });
}

/** After an entity's first inference or outcomes changed: the unit's totals and its closed entries follow. */
export function judge(partition: PartitionState, member: UnitInExperiment, entity: EntityState): void {
  if (contribute(member, entity)) touchMember(partition, member);
  // Also where the totals stay as they were: `any` of an outcome outside the entry hides one inside it from them, not
  // from the entry.
  revalue(partition, member, entity);
}
