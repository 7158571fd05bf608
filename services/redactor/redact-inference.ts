/**
 * An inference: out come the clean event for storage, an observation for the unit log under each unit type that it is
 * randomised under, and a link from its entity to each of those units. Nothing that leaves holds raw text or a raw id.
 */
import type { EntityRecord, InferenceEvent, RedactedInference, UnitRecord } from '../../schemas/generated.ts';
import { bucketOf, id16 } from '../kernel/ids.ts';
import type { EpochMs } from '../kernel/time.ts';
import { amountProblem, countProblem, signedProblem } from '../kernel/values.ts';
import { drop, forward, park, type Verdict } from '../kernel/verdict.ts';
import { redactorVersion } from '../redaction/index.ts';
import { cleanId, cleanInferenceTexts, cleanName } from '../redaction/records.ts';
import {
  badTime,
  cleanUnits,
  countsFor,
  entityKind,
  isErased,
  type RedactedEvent,
  type RedactorContext,
  type Routed,
  spanHex,
  timeProblem,
  tooLong,
  traceBytes,
  traceIdOf,
  unitIdOf,
  unitTypes,
} from './event-ids.ts';
import { nameLink, nameLinksOf, primaryTypes } from './name-links.ts';
import type { Pseudonymizer } from './pseudonym.ts';

/** What numbers of a call may be; null is unknown. */
const numbers = {
  token_in: countProblem,
  token_out: countProblem,
  token_cache_read: countProblem,
  token_cache_write: countProblem,
  token_reasoning: countProblem,
  cost_nano_usd: countProblem,
  latency_ms: amountProblem,
  ttft_ms: amountProblem,
} as const;

function numberProblem(event: InferenceEvent): string | undefined {
  for (const [name, problem] of Object.entries(numbers)) {
    const value = event[name as keyof typeof numbers];
    const cause = value === null ? undefined : problem(value);
    if (cause !== undefined) return `${name}: ${cause}`;
  }
  const cause = Object.values(event.scores)
    .map(signedProblem)
    .find((found) => found !== undefined);
  return cause && `scores: ${cause}`;
}

function inferenceProblem(event: InferenceEvent): string | undefined {
  if (
    tooLong([
      event.event_id,
      event.units.user_id,
      event.units.org_id,
      event.units.session_id,
      event.entity?.id,
      event.entity?.type,
    ])
  )
    return 'an id is empty or longer than 512 characters';
  if (badTime(event.occurred_at)) return timeProblem;
  const wrong = numberProblem(event);
  if (wrong !== undefined) return wrong;
  if (event.exposures.some(({ unit_type: unitType }) => !unitTypes.test(unitType)))
    return 'unit_type is none of user, org, session, request, entity:<type>';
  if (event.exposures.some(({ primary_type: type }) => typeof type === 'string' && !primaryTypes.test(type)))
    return 'primary_type is none of user, org';
  return undefined;
}

/** Only these reasons mean that chance put the unit where it is. */
export const randomised = new Set(['SPLIT', 'STALE']);

export function redactInference(
  event: InferenceEvent,
  receivedAt: EpochMs,
  context: RedactorContext,
  skewMs?: number,
): Verdict<RedactedEvent> {
  const { policy, pseudonym } = context;
  const problem = inferenceProblem(event);
  if (problem) return park('INVALID', problem);
  if (isErased(event, context, { kind: 'request', id: event.event_id })) return drop('erased');
  const counts = countsFor(event, event.event_id, context);
  const clean: RedactedInference = {
    ...cleanInferenceTexts(event, counts),
    event_id: cleanId(event.event_id, counts),
    span_id: event.span_id !== null && spanHex.test(event.span_id) ? event.span_id : null,
    units: cleanUnits(event.units, pseudonym),
    entity: event.entity && {
      type: cleanName(event.entity.type, counts),
      id: pseudonym(entityKind(event.entity.type), event.entity.id).toString('hex'),
    },
    trace_id: traceIdOf(event.trace_id) ?? '',
    received_at: receivedAt,
    redactor_version: redactorVersion,
    policy_version: policy.version,
    redactions: counts.types,
    redaction_tiers: counts.tiers,
  };
  return forward({
    inference: clean,
    tiers: counts.tiers,
    ...internalInference(event, clean, { receivedAt, skewMs }, pseudonym),
  });
}

/**
 * One observation per unit type that the event is randomised under, and a link from its entity to each of those units.
 */
function internalInference(
  event: InferenceEvent,
  clean: RedactedInference,
  { receivedAt, skewMs }: { readonly receivedAt: EpochMs; readonly skewMs: number | undefined },
  pseudonym: Pseudonymizer,
): Pick<RedactedEvent, 'unit' | 'entity'> {
  const unit: Routed<UnitRecord>[] = [];
  const entity: Routed<EntityRecord>[] = [];
  const counted = event.exposures.filter(({ reason }) => randomised.has(reason));
  const trace_id = traceBytes(event.trace_id);
  const entityId = event.entity && pseudonym(entityKind(event.entity.type), event.entity.id);
  const cleanCounted = clean.exposures.filter(({ reason }) => randomised.has(reason));
  for (const link of nameLinksOf(event, cleanCounted))
    entity.push(nameLink(link, { receivedAt, traceId: trace_id }, pseudonym));
  for (const unitType of new Set(counted.map(({ unit_type: type }) => type))) {
    const id = unitIdOf(unitType, event);
    if (id === undefined) continue;
    const bucket = bucketOf(unitType, id);
    const pseudonymous = pseudonym(unitType, id);
    unit.push({
      bucket,
      record: {
        received_at: receivedAt,
        trace_id,
        span_id: null,
        body: {
          'tripline.v1.Observation': {
            event_id: id16(event.event_id),
            occurred_at: event.occurred_at,
            unit_type: unitType,
            unit: pseudonymous,
            entity: entityId,
            exposures: cleanCounted
              .filter(({ unit_type: type }) => type === unitType)
              .map(({ experiment_id, phase, variant }) => ({ experiment_id, phase, variant })),
            model_served: clean.model_served,
            prompt_version: clean.prompt_version,
            rag_index_version: clean.rag_index_version,
            tool_set_version: clean.tool_set_version,
            status: event.status,
            schema_valid: event.schema_valid,
            cost_nano_usd: event.cost_nano_usd,
            token_in: event.token_in,
            token_out: event.token_out,
            latency_us: event.latency_ms === null ? null : Math.round(event.latency_ms * 1_000),
            ttft_us: event.ttft_ms === null ? null : Math.round(event.ttft_ms * 1_000),
            tool_denied: event.tool_calls.filter((call) => !call.allowed).length,
            guardrails: clean.guardrails.filter(({ action }) => action !== 'pass').map((guardrail) => guardrail.name),
            scores: Object.fromEntries(
              Object.entries(clean.scores).map(([key, score]) => [key, Math.round(score * 1e6)]),
            ),
            slices: clean.slices,
            ...(skewMs !== undefined && { clock: { service: clean.service, skew_ms: skewMs } }),
          },
        },
      },
    });
    if (event.entity && entityId) {
      entity.push({
        bucket: bucketOf(entityKind(event.entity.type), event.entity.id),
        record: {
          received_at: receivedAt,
          trace_id,
          body: {
            'tripline.v1.Link': {
              entity: entityId,
              unit_type: unitType,
              unit: pseudonymous,
              bucket,
              occurred_at: event.occurred_at,
            },
          },
        },
      });
    }
  }
  return { unit, entity };
}
