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
  if (tooLong([exposure.event_id, exposure.unit_id, exposure.entity?.id]))
    return park('INVALID', 'an id is empty or longer than 512 characters');
  if (!unitTypes.test(exposure.unit_type))
    return park('INVALID', 'unit_type is none of user, org, session, request, entity:<type>');
  if (badTime(exposure.occurred_at)) return park('INVALID', timeProblem);
  if (!randomised.has(exposure.reason)) return drop(`exposure-${exposure.reason.toLowerCase()}`);
  const { unit_type: unitType, unit_id: unitId, phase } = exposure;
  if (isErased(exposure, context, { kind: unitType, id: unitId })) return drop('erased');
  const counts = createRedactionCounts(policy);
  const record: UnitRecord = {
    received_at: receivedAt,
    trace_id: traceBytes(exposure.trace_id),
    span_id: null,
    body: {
      'tripline.v1.ExposureSeen': {
        event_id: id16(exposure.event_id),
        occurred_at: exposure.occurred_at,
        unit: pseudonym(unitType, unitId),
        experiment_id: cleanName(exposure.experiment_id, counts),
        phase,
        variant: cleanName(exposure.variant, counts),
        entity: exposure.entity && pseudonym(entityKind(exposure.entity.type), exposure.entity.id),
      },
    },
  };
  return forward({ unit: [{ bucket: bucketOf(unitType, unitId), record }], entity: [], tiers: counts.tiers });
}
