/**
 * An outcome: out come the clean outcome for storage and what the logs need. One that names an entity waits in the
 * entity log for its unit; one that names units, or only an inference, goes to the unit log at once.
 */
import type { EntityRecord, OutcomeEvent, RedactedOutcome, UnitRecord } from '../../schemas/generated.ts';
import { eraseKind } from '../kernel/erase.ts';
import { bucketOf, id16, readInferenceId } from '../kernel/ids.ts';
import type { EpochMs } from '../kernel/time.ts';
import { drop, forward, park, type Verdict } from '../kernel/verdict.ts';
import { redactorVersion } from '../redaction/index.ts';
import { cleanId, cleanName, cleanOutcomeTexts, type RedactionCounts } from '../redaction/records.ts';
import {
  badTime,
  cleanUnits,
  countsFor,
  entityKind,
  isErased,
  namedIn,
  type RedactedEvent,
  type RedactorContext,
  type Routed,
  timeProblem,
  tooLong,
  traceBytes,
  traceIdOf,
  unitIdOf,
} from './event-ids.ts';
import { primaryTypes } from './name-links.ts';
import type { UnitName } from './unit-keys.ts';

function outcomeProblem(event: OutcomeEvent): string | undefined {
  const ids = [event.outcome_id, event.kind, event.entity?.id, event.entity?.type, event.inference_id];
  const units = [event.units?.user_id, event.units?.org_id, event.units?.session_id];
  if (tooLong([...ids, ...units])) return 'an id is empty or longer than 512 characters';
  if (badTime(event.occurred_at)) return timeProblem;
  if (event.value !== null && (!Number.isFinite(event.value) || Math.abs(event.value) > 1e9))
    return 'value is a finite number up to 1e9, or null to retract';
  return undefined;
}

function cleanOutcome(
  event: OutcomeEvent,
  receivedAt: EpochMs,
  { policy, pseudonym }: RedactorContext,
  counts: RedactionCounts,
): RedactedOutcome {
  // Where it goes besides is for the redactor alone.
  const { primary_types: _, ...texts } = cleanOutcomeTexts(event, counts);
  return {
    ...texts,
    outcome_id: cleanId(event.outcome_id, counts),
    inference_id: event.inference_id === null ? null : cleanId(event.inference_id, counts),
    entity: event.entity && {
      type: cleanName(event.entity.type, counts),
      id: pseudonym(entityKind(event.entity.type), event.entity.id).toString('hex'),
    },
    units: event.units && cleanUnits(event.units, pseudonym),
    trace_id: traceIdOf(event.trace_id) ?? null,
    received_at: receivedAt,
    redactor_version: redactorVersion,
    policy_version: policy.version,
    redactions: counts.types,
    redaction_tiers: counts.tiers,
  };
}

type Target = { readonly unit: Buffer | null; readonly entity: Buffer | null; readonly inference: Buffer | null };

export function redactOutcome(
  event: OutcomeEvent,
  receivedAt: EpochMs,
  context: RedactorContext,
): Verdict<RedactedEvent> {
  const { pseudonym } = context;
  const problem = outcomeProblem(event);
  if (problem) return park('INVALID', problem);
  if (isErased(event, context)) return drop('erased');
  const counts = countsFor(event, event.inference_id ?? event.outcome_id, context);
  const outcome = cleanOutcome(event, receivedAt, context, counts);
  const trace_id = traceBytes(event.trace_id);
  const internal = {
    outcome_id: id16(event.outcome_id),
    revision: event.revision,
    occurred_at: event.occurred_at,
    kind: outcome.kind,
    value: event.value === null ? null : Math.round(event.value * 1e6),
  };
  const entityId = event.entity && pseudonym(entityKind(event.entity.type), event.entity.id);
  const seen = (unitType: string, bucket: number, target: Target): Routed<UnitRecord> => ({
    bucket,
    record: {
      received_at: receivedAt,
      trace_id,
      span_id: null,
      body: { 'tripline.v1.OutcomeSeen': { ...internal, unit_type: unitType, ...target, hop: 0, withdrawn: false } },
    },
  });
  const unit = ['user', 'org', 'session'].flatMap((unitType) => {
    const id = unitIdOf(unitType, { units: event.units, entity: null });
    const target = { unit: id === undefined ? null : pseudonym(unitType, id), entity: entityId, inference: null };
    return id === undefined ? [] : [seen(unitType, bucketOf(unitType, id), target)];
  });
  const common = { outcome, tiers: counts.tiers };
  if (event.entity && entityId) {
    const body: EntityRecord['body'] = { 'tripline.v1.OutcomeWaiting': { entity: entityId, ...internal } };
    const bucket = bucketOf(entityKind(event.entity.type), event.entity.id);
    return forward({ ...common, unit, entity: [{ bucket, record: { received_at: receivedAt, trace_id, body } }] });
  }
  if (unit.length === 0 && event.inference_id !== null) {
    const routed = readInferenceId(event.inference_id);
    if (routed === undefined)
      return park('INVALID', 'inference_id is not one that an emitter made; name the entity or a unit instead');
    unit.push(seen('', routed.bucket, { unit: null, entity: null, inference: id16(event.inference_id) }));
  }
  if (unit.length === 0) return park('INVALID', 'an outcome names an entity, a unit or an inference');
  const entity = primariesIn(event).map(({ kind, id }): Routed<EntityRecord> => {
    const waiting = { entity: pseudonym(kind, id), ...internal, of_unit: true };
    const record = { received_at: receivedAt, trace_id, body: { 'tripline.v1.OutcomeWaiting': waiting } };
    return { bucket: bucketOf(kind, id), record };
  });
  const erased = event.kind === eraseKind && { erased: namedIn({ units: event.units, entity: null }) };
  return forward({ ...common, unit, entity, ...erased });
}

/** Units that may be known under an earlier name, which is the linker's to know. */
const primariesIn = ({ units, primary_types: types = [] }: OutcomeEvent): UnitName[] =>
  namedIn({ units, entity: null }).filter(({ kind }) => primaryTypes.test(kind) && types.includes(kind));
