/**
 * The redactor's steps: a raw event in; out come the clean event for storage and the internal records for the logs that
 * are folded. Inferences and outcomes have a file each.
 */
import type { Exposure, UnitRecord } from '../../schemas/generated.ts';
import { bucketOf, id16 } from '../kernel/ids.ts';
import type { EpochMs } from '../kernel/time.ts';
import { drop, forward, park, type Verdict } from '../kernel/verdict.ts';
import { cleanName, createRedactionCounts } from '../redaction/records.ts';
import {
  badTime,
  entityKind,
  isErased,
  type RedactedEvent,
  type RedactorContext,
  timeProblem,
  tooLong,
  traceBytes,
  unitTypes,
} from './event-ids.ts';
import { nameLink, primaryTypes } from './name-links.ts';
import { randomised } from './redact-inference.ts';

export type { RedactedEvent, RedactorContext, Routed } from './event-ids.ts';
export { redactInference } from './redact-inference.ts';
export { redactOutcome } from './redact-outcome.ts';

export function redactExposure(
  exposure: Exposure,
  receivedAt: EpochMs,
  context: RedactorContext,
): Verdict<RedactedEvent> {
  const { policy, pseudonym } = context;
  if (tooLong([exposure.event_id, exposure.unit_id, exposure.entity?.id, exposure.primary_id]))
    return park('INVALID', 'an id is empty or longer than 512 characters');
  if (!unitTypes.test(exposure.unit_type))
    return park('INVALID', 'unit_type is none of user, org, session, request, entity:<type>');
  if (badTime(exposure.occurred_at)) return park('INVALID', timeProblem);
  const { primary_type: primaryType, primary_id: primaryId } = exposure;
  if (typeof primaryType === 'string' && !primaryTypes.test(primaryType))
    return park('INVALID', 'primary_type is none of user, org');
  const primary = primaryType && primaryId ? { kind: primaryType, id: primaryId } : undefined;
  const isExposed = randomised.has(exposure.reason);
  const isAlias = exposure.reason === 'UNKNOWN' && primary !== undefined;
  if (!isExposed && !isAlias) return drop(`exposure-${exposure.reason.toLowerCase()}`);
  const { unit_type: unitType, unit_id: unitId, phase } = exposure;
  const unit = { kind: unitType, id: unitId };
  if (isErased(exposure, context, unit, ...(primary ? [primary] : []))) return drop('erased');
  const counts = createRedactionCounts(policy);
  const experimentId = cleanName(exposure.experiment_id, counts);
  const traceId = traceBytes(exposure.trace_id);
  const about = { unit, experimentId, phase, occurredAt: exposure.occurred_at, isExposed };
  const entity = primary ? [nameLink({ ...about, primary }, { receivedAt, traceId }, pseudonym)] : [];
  if (!isExposed) return forward({ unit: [], entity, tiers: counts.tiers });
  const record: UnitRecord = {
    received_at: receivedAt,
    trace_id: traceId,
    span_id: null,
    body: {
      'tripline.v1.ExposureSeen': {
        event_id: id16(exposure.event_id),
        occurred_at: exposure.occurred_at,
        unit: pseudonym(unitType, unitId),
        experiment_id: experimentId,
        phase,
        variant: cleanName(exposure.variant, counts),
        entity: exposure.entity && pseudonym(entityKind(exposure.entity.type), exposure.entity.id),
      },
    },
  };
  return forward({ unit: [{ bucket: bucketOf(unitType, unitId), record }], entity, tiers: counts.tiers });
}
