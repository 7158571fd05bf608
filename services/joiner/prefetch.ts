/**
 * Brings in what a batch needs before it is folded, so that the fold itself stays synchronous and pure: units that were
 * evicted, event ids that may be duplicates, units whose entries close on the way. Evicts between two batches what is
 * durable and unused.
 */
import type { UnitRecord } from '../../schemas/generated.ts';
import { idOfHex } from '../kernel/ids.ts';
import type { UnitRowText } from '../kernel/state/read.ts';
import type { PartitionState } from './partition-state.ts';
import { restoreUnits, unitOfKey } from './restore.ts';
import { createUnit } from './unit-state.ts';

/** Ids as latin1 text. */
export type Needs = { readonly units: readonly string[]; readonly events: readonly string[] };

/**
 * A fact as the look-up reads it, ids in hex; oldest first. `inherited`: 1 when it was accepted in a partition that
 * this one was divided from.
 */
export type LoadedEvent = {
  readonly id: string;
  readonly unit: string;
  readonly at: string;
  readonly inherited: number;
};

export type CacheLimits = {
  /** Units of this partition that stay in memory at most, between batches; those not yet durable stay in any case. */
  readonly units: number;
  /** Event ids kept exactly: one to two times this many. */
  readonly events: number;
};

/** What has to be asked of the store; undefined: nothing. Units that are certainly new are cached here. */
export function needsOf(partition: PartitionState, batch: Iterable<UnitRecord>): Needs | undefined {
  if (partition.membership === undefined) return undefined;
  const units = new Set<string>();
  const events = new Set<string>();
  let { clock } = partition;
  for (const { received_at: receivedAt, body } of batch) {
    if (receivedAt > clock) clock = receivedAt;
    if ('tripline.v1.Observation' in body) {
      const { event_id: event, unit } = body['tripline.v1.Observation'];
      needUnit(partition, units, unit);
      needEvent(partition, events, event);
    } else if ('tripline.v1.ExposureSeen' in body) {
      const { event_id: event, unit } = body['tripline.v1.ExposureSeen'];
      needUnit(partition, units, unit);
      needEvent(partition, events, event);
    } else if ('tripline.v1.OutcomeSeen' in body) {
      const { inference, unit } = body['tripline.v1.OutcomeSeen'];
      if (unit) needUnit(partition, units, unit);
      else if (inference) {
        needEvent(partition, events, inference);
        const event = partition.seen.get(inference.toString('latin1'));
        if (event) needUnitId(partition, units, event.unit);
      }
    }
  }
  if (partition.closing.next() < clock)
    for (const id of partition.closing.before(clock)) needUnitId(partition, units, id);
  return units.size + events.size === 0 ? undefined : { units: [...units], events: [...events] };
}

function needUnit(partition: PartitionState, units: Set<string>, unit: Buffer): void {
  needUnitId(partition, units, unit.toString('latin1'));
}

function needUnitId(partition: PartitionState, units: Set<string>, id: string): void {
  const cached = partition.units.get(id);
  if (cached) cached.recent = true;
  else if (partition.membership?.mayHave(id)) units.add(id);
  else partition.units.set(id, createUnit(id));
}

function needEvent(partition: PartitionState, events: Set<string>, event: Buffer): void {
  const id = event.toString('latin1');
  if (partition.seen.isEvicted(id)) events.add(id);
}

/**
 * Events of the look-up, whose units are cached by now. What was accepted before the partition was divided may belong
 * to the unit of another child: here it was never seen.
 */
export function installEvents(partition: PartitionState, events: readonly LoadedEvent[]): void {
  for (const { id, unit, at, inherited } of events) {
    const whose = idOfHex(unit);
    if (inherited === 1 && (partition.units.get(whose)?.bucket ?? -1) < 0) continue;
    partition.seen.add(idOfHex(id), whose, Number(at));
  }
}

/**
 * Units of the look-up. False when a row is true of a position past `position`: another owner of the partition ran
 * ahead, and what is in memory must be dropped and loaded again.
 */
export function installUnits(
  partition: PartitionState,
  asked: readonly string[],
  rows: readonly UnitRowText[],
  position: number,
): boolean {
  if (rows.some((row) => Number(row.position) > position)) return false;
  const missing = rows.filter(({ key }) => !partition.units.has(unitOfKey(key)));
  partition.counts.loaded += restoreUnits(partition, missing).length;
  for (const id of asked) if (!partition.units.has(id)) partition.units.set(id, createUnit(id));
  return true;
}

/** At the start: a unit that the store has, with the times at which its open entries close. */
export function addEvictedUnit(partition: PartitionState, id: string, closes: readonly number[]): void {
  partition.membership?.add(id);
  for (const at of closes) partition.closing.push(at, id);
}

/**
 * Second chance (CLOCK), in the order of arrival: a unit that was used since it was last looked at goes to the end of
 * the queue once more. To be called between batches only.
 */
export function evict(partition: PartitionState, cacheLimits: CacheLimits): void {
  partition.seen.rotate(cacheLimits.events, partition.taken, partition.durable);
  const { units } = partition;
  if (partition.membership === undefined || units.size <= cacheLimits.units) return;
  // A tenth more than needed, so that the next batches find room.
  let over = units.size - Math.floor(cacheLimits.units * 0.9);
  let visits = units.size;
  for (const [id, unit] of units) {
    if (over <= 0 || visits <= 0) return;
    visits -= 1;
    if (unit.dirtyIn > partition.durable) continue;
    units.delete(id);
    if (unit.recent) {
      unit.recent = false;
      units.set(id, unit);
      continue;
    }
    for (const member of unit.experiments) member.experiment.pool.give(member.poolSlot);
    partition.counts.evicted += 1;
    over -= 1;
  }
}
