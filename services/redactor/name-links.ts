/**
 * Names of one unit, for the entity log: under an experiment with a fallback unit a session and the user who signed in
 * are one. The linker finds them under the later name, as it finds the unit of a ticket under the ticket
 * (`services/linker/link-names.ts`).
 */
import type { EntityRecord, InferenceEvent } from '../../schemas/generated.ts';
import { phaseKeyOf } from '../kernel/alias.ts';
import { bucketOf } from '../kernel/ids.ts';
import type { EpochMs } from '../kernel/time.ts';
import { type Routed, unitIdOf } from './event-ids.ts';
import type { Pseudonymizer } from './pseudonym.ts';
import type { UnitName } from './unit-keys.ts';

/** What `unit` of an experiment with a fallback unit may be. */
export const primaryTypes = /^(user|org)$/;

export type NameLink = {
  /** The unit as the event counts it, and its own name: the same when nothing else is known of it. */
  readonly unit: UnitName;
  readonly primary: UnitName;
  readonly experimentId: string;
  readonly phase: number;
  readonly occurredAt: EpochMs;
  /** False: they were only said to be one. */
  readonly isExposed: boolean;
};

export function nameLink(
  { unit, primary, experimentId, phase, occurredAt, isExposed }: NameLink,
  { receivedAt, traceId }: { readonly receivedAt: EpochMs; readonly traceId: Buffer | null },
  pseudonym: Pseudonymizer,
): Routed<EntityRecord> {
  return {
    bucket: bucketOf(primary.kind, primary.id),
    record: {
      received_at: receivedAt,
      trace_id: traceId,
      body: {
        'tripline.v1.Link': {
          entity: pseudonym(primary.kind, primary.id),
          unit_type: unit.kind,
          unit: pseudonym(unit.kind, unit.id),
          bucket: bucketOf(unit.kind, unit.id),
          occurred_at: occurredAt,
          phase_key: phaseKeyOf(experimentId, phase),
          exposed: isExposed,
        },
      },
    },
  };
}

/** Of an inference: one a randomised exposure whose unit's own name is known. Names of experiments come clean. */
export function nameLinksOf(event: InferenceEvent, counted: InferenceEvent['exposures']): NameLink[] {
  return counted.flatMap(({ experiment_id: experimentId, phase, unit_type: unitType, primary_type: primaryType }) => {
    const id = unitIdOf(unitType, event);
    const primaryId = primaryType ? unitIdOf(primaryType, event) : undefined;
    if (!primaryType || id === undefined || primaryId === undefined) return [];
    const [unit, primary] = [
      { kind: unitType, id },
      { kind: primaryType, id: primaryId },
    ];
    return [{ unit, primary, experimentId, phase, occurredAt: event.occurred_at, isExposed: true }];
  });
}
