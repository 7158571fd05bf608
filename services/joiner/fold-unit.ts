/**
 * What the folds of exposures, inferences and outcomes share: finding a unit and its entities, and saying what changed.
 */
import { PipelineError } from '../kernel/pipeline-error.ts';
import { contribute, revalue, touchMember } from './entries.ts';
import {
  createUnit,
  type EntityState,
  type PartitionState,
  type UnitState,
  type UnitInExperiment,
} from './partition-state.ts';

export function drop(partition: PartitionState, reason: string): void {
  partition.counts.dropped.set(reason, (partition.counts.dropped.get(reason) ?? 0) + 1);
}

/** The unit, which is resident when units may be cold, else new when it is not there. */
export function unitOf(partition: PartitionState, id: string, bucket = -1): UnitState {
  let unit = partition.units.get(id);
  if (unit === undefined) {
    if (partition.known)
      throw new PipelineError(
        'STATE_CORRUPT',
        `partition ${partition.partitionId} folds a record of a unit that was not loaded`,
        { hint: 'report it: a batch must be made present before it is folded' },
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
    entity = { id, firstAt: new Map(), outcomes: new Map(), contribution: new Map(), touched: false };
    unit.entities.set(id, entity);
  }
  return entity;
}

/** The next flush writes the entity's row. */
export function touchEntity(partition: PartitionState, unit: UnitState, entity: EntityState): void {
  if (entity.touched) return;
  entity.touched = true;
  unit.dirtyIn = partition.taken + 1;
  partition.known?.add(unit.id);
  partition.touchedEntities.add({ unit, entity });
}

/** After an entity's first inference or outcomes changed: the unit's totals and its closed entries follow. */
export function judge(partition: PartitionState, member: UnitInExperiment, entity: EntityState): void {
  if (contribute(member, entity)) touchMember(partition, member);
  // Also where the totals stay as they were: `any` of an outcome outside the entry hides one inside it from them, not
  // from the entry.
  revalue(partition, member);
}
