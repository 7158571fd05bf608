/**
 * The redactor's steps: a raw event in; out come the clean event for storage and the slim records for the logs that are
 * folded. Nothing that leaves here holds raw text or a raw id. Ids become keyed hashes; the bucket of a unit is
 * computed from the raw id, as emitters do.
 */
import type {
  EntityRecord,
  Exposure,
  InferenceEvent,
  OutcomeEvent,
  RedactedInference,
  RedactedOutcome,
  UnitRecord,
  Units,
} from '../../schemas/generated.ts';
import { eraseKind } from '../kernel/erase.ts';
import { bucketOf, id16, readInferenceId } from '../kernel/ids.ts';
import type { EpochMs } from '../kernel/time.ts';
import { drop, forward, park, type Verdict } from '../kernel/verdict.ts';
import { type RedactionPolicy, redactorVersion, tokensUnder } from '../redaction/index.ts';
import {
  cleanId,
  cleanInferenceTexts,
  cleanName,
  cleanOutcomeTexts,
  createRedactionCounts,
  type RedactionCounts,
} from '../redaction/records.ts';
import type { Pseudonymizer } from './pseudonym.ts';
import type { UnitName } from './unit-keys.ts';

export type RedactorContext = { readonly policy: RedactionPolicy; readonly pseudonym: Pseudonymizer };

export type Routed<R> = { readonly bucket: number; readonly record: R };
export type RedactedEvent = {
  readonly inference?: RedactedInference;
  readonly outcome?: RedactedOutcome;
  readonly unit: readonly Routed<UnitRecord>[];
  readonly entity: readonly Routed<EntityRecord>[];
  /** What was taken out, `TYPE tier` -> how many. */
  readonly tiers?: Readonly<Record<string, number>>;
  /** Whose keys go when everything else of this is written. */
  readonly erased?: readonly UnitName[];
};

/** Ids longer than this are somebody's text, not an id. */
const maxIdLength = 512;
const hexId = /^[0-9a-f]{32}$/;
const spanHex = /^[0-9a-f]{16}$/;
const unitTypes = /^(user|org|session|request|entity:[A-Za-z0-9_-]{1,32})$/;

/** 1e12 nano-dollars is a thousand dollars for one call; beyond it the number is broken, and sums must stay exact. */
const maxNanoUsd = 1e12;

const pseudonymText = (pseudonym: Pseudonymizer, kind: string, id: string | null): string | null =>
  id === null ? null : pseudonym(kind, id).toString('hex');

const cleanUnits = (units: Units, pseudonym: Pseudonymizer): Units => ({
  user_id: pseudonymText(pseudonym, 'user', units.user_id),
  org_id: pseudonymText(pseudonym, 'org', units.org_id),
  session_id: pseudonymText(pseudonym, 'session', units.session_id),
});

/** The raw id of the unit of that type; undefined when the event does not name one. */
function unitIdOf(
  unitType: string,
  event: { units: Units | null; entity: { type: string; id: string } | null; event_id?: string },
): string | undefined {
  switch (unitType) {
    case 'user':
      return event.units?.user_id ?? undefined;
    case 'org':
      return event.units?.org_id ?? undefined;
    case 'session':
      return event.units?.session_id ?? undefined;
    case 'request':
      return event.event_id;
    default:
      return event.entity !== null && unitType === `entity:${event.entity.type}` ? event.entity.id : undefined;
  }
}

const traceBytes = (traceId: string | null): Buffer | null =>
  traceId !== null && hexId.test(traceId) ? Buffer.from(traceId, 'hex') : null;

const entityKind = (type: string): string => `entity:${type}`;

type About = { readonly units?: Units | null; readonly entity: { readonly type: string; readonly id: string } | null };
const namedIn = ({ units, entity }: About): UnitName[] => [
  ...(['user', 'org', 'session'] as const).flatMap((kind) => {
    const id = units?.[`${kind}_id`] ?? null;
    return id === null ? [] : [{ kind, id }];
  }),
  ...(entity ? [{ kind: entityKind(entity.type), id: entity.id }] : []),
];
/** It names somebody whose key is gone: nothing of it goes any further, whoever else it names. */
const isErased = (about: About, { pseudonym }: RedactorContext, ...more: readonly UnitName[]): boolean =>
  [...namedIn(about), ...more].some(({ kind, id }) => !pseudonym.knows(kind, id));

/**
 * Under a policy that binds tokens to units: the texts' are the user's, else the organisation's, the session's, the
 * entity's, else the request's.
 */
function countsFor(about: About, request: string, { policy, pseudonym }: RedactorContext): RedactionCounts {
  const { tokens, tokenScope } = policy;
  if (tokens === undefined || tokenScope !== 'unit') return createRedactionCounts(policy);
  const [{ kind, id } = { kind: 'request', id: request }] = namedIn(about);
  const secret = pseudonym.secret(kind, id);
  return secret === undefined
    ? createRedactionCounts(policy)
    : createRedactionCounts(policy, { ...policy, tokens: tokensUnder(tokens, secret) });
}

const tooLong = (ids: readonly (string | null | undefined)[]): boolean =>
  ids.some((id) => typeof id === 'string' && (id.length > maxIdLength || id.length === 0));

const badTime = (time: number): boolean => !Number.isSafeInteger(time) || time < 0 || time > 253_402_300_799_999;
const badCount = (value: number | null): boolean =>
  value !== null && (!Number.isSafeInteger(value) || value < 0 || value > 1e12);

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
  if (badTime(event.occurred_at)) return 'occurred_at is no time between 1970 and 9999';
  if ([event.token_in, event.token_out, event.cost_nano_usd].some(badCount) || (event.cost_nano_usd ?? 0) > maxNanoUsd)
    return 'tokens and cost are whole numbers from 0 to 1e12';
  if (
    [event.latency_ms, event.ttft_ms].some(
      (value) => value !== null && (!Number.isFinite(value) || value < 0 || value > 1e9),
    )
  )
    return 'latency_ms and ttft_ms are numbers from 0 to 1e9';
  if (Object.values(event.scores).some((score) => !Number.isFinite(score) || Math.abs(score) > 1e9))
    return 'scores are finite numbers up to 1e9';
  if (event.exposures.some(({ unit_type: unitType }) => !unitTypes.test(unitType)))
    return 'unit_type is none of user, org, session, request, entity:<type>';
  return undefined;
}

/** Only these reasons mean that chance put the unit where it is. */
const randomised = new Set(['SPLIT', 'STALE']);

export function redactInference(
  event: InferenceEvent,
  receivedAt: EpochMs,
  context: RedactorContext,
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
    trace_id: hexId.test(event.trace_id) ? event.trace_id : '',
    received_at: receivedAt,
    redactor_version: redactorVersion,
    policy_version: policy.version,
    redactions: counts.types,
    redaction_tiers: counts.tiers,
  };
  return forward({ inference: clean, tiers: counts.tiers, ...internalInference(event, clean, receivedAt, pseudonym) });
}

/**
 * One observation per unit type that the event is randomised under, and a link from its entity to each of those units.
 */
function internalInference(
  event: InferenceEvent,
  clean: RedactedInference,
  receivedAt: EpochMs,
  pseudonym: Pseudonymizer,
): Pick<RedactedEvent, 'unit' | 'entity'> {
  const unit: Routed<UnitRecord>[] = [];
  const entity: Routed<EntityRecord>[] = [];
  const counted = event.exposures.filter(({ reason }) => randomised.has(reason));
  const trace_id = traceBytes(event.trace_id);
  const entityId = event.entity && pseudonym(entityKind(event.entity.type), event.entity.id);
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
            exposures: clean.exposures
              .filter(({ unit_type: type, reason }) => type === unitType && randomised.has(reason))
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
  if (badTime(exposure.occurred_at)) return park('INVALID', 'occurred_at is no time between 1970 and 9999');
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

export function redactOutcome(
  event: OutcomeEvent,
  receivedAt: EpochMs,
  context: RedactorContext,
): Verdict<RedactedEvent> {
  const { policy, pseudonym } = context;
  if (
    tooLong([
      event.outcome_id,
      event.kind,
      event.entity?.id,
      event.entity?.type,
      event.inference_id,
      event.units?.user_id,
      event.units?.org_id,
      event.units?.session_id,
    ])
  ) {
    return park('INVALID', 'an id is empty or longer than 512 characters');
  }
  if (badTime(event.occurred_at)) return park('INVALID', 'occurred_at is no time between 1970 and 9999');
  if (event.value !== null && (!Number.isFinite(event.value) || Math.abs(event.value) > 1e9))
    return park('INVALID', 'value is a finite number up to 1e9, or null to retract');
  if (isErased(event, context)) return drop('erased');
  const counts = countsFor(event, event.inference_id ?? event.outcome_id, context);
  const texts = cleanOutcomeTexts(event, counts);
  const { kind } = texts;
  const clean: RedactedOutcome = {
    ...texts,
    outcome_id: cleanId(event.outcome_id, counts),
    inference_id: event.inference_id === null ? null : cleanId(event.inference_id, counts),
    entity: event.entity && {
      type: cleanName(event.entity.type, counts),
      id: pseudonym(entityKind(event.entity.type), event.entity.id).toString('hex'),
    },
    units: event.units && cleanUnits(event.units, pseudonym),
    trace_id: event.trace_id !== null && hexId.test(event.trace_id) ? event.trace_id : null,
    received_at: receivedAt,
    redactor_version: redactorVersion,
    policy_version: policy.version,
    redactions: counts.types,
    redaction_tiers: counts.tiers,
  };
  const trace_id = traceBytes(event.trace_id);
  const slim = {
    outcome_id: id16(event.outcome_id),
    revision: event.revision,
    occurred_at: event.occurred_at,
    kind,
    value: event.value === null ? null : Math.round(event.value * 1e6),
  };
  const entityId = event.entity && pseudonym(entityKind(event.entity.type), event.entity.id);
  const unit: Routed<UnitRecord>[] = [];
  const seen = (
    unitType: string,
    bucket: number,
    target: { unit: Buffer | null; entity: Buffer | null; inference: Buffer | null },
  ): void => {
    unit.push({
      bucket,
      record: {
        received_at: receivedAt,
        trace_id,
        span_id: null,
        body: { 'tripline.v1.OutcomeSeen': { ...slim, unit_type: unitType, ...target, hop: 0, withdrawn: false } },
      },
    });
  };
  for (const unitType of ['user', 'org', 'session']) {
    const id = unitIdOf(unitType, { units: event.units, entity: null });
    if (id !== undefined)
      seen(unitType, bucketOf(unitType, id), { unit: pseudonym(unitType, id), entity: entityId, inference: null });
  }
  if (event.entity && entityId) {
    const record: EntityRecord = {
      received_at: receivedAt,
      trace_id,
      body: { 'tripline.v1.OutcomeWaiting': { entity: entityId, ...slim } },
    };
    return forward({
      outcome: clean,
      tiers: counts.tiers,
      unit,
      entity: [{ bucket: bucketOf(entityKind(event.entity.type), event.entity.id), record }],
    });
  }
  if (unit.length === 0 && event.inference_id !== null) {
    const routed = readInferenceId(event.inference_id);
    if (routed === undefined)
      return park('INVALID', 'inference_id is not one that an emitter made; name the entity or a unit instead');
    seen('', routed.bucket, { unit: null, entity: null, inference: id16(event.inference_id) });
  }
  if (unit.length === 0) return park('INVALID', 'an outcome names an entity, a unit or an inference');
  return forward({
    outcome: clean,
    tiers: counts.tiers,
    unit,
    entity: [],
    ...(event.kind === eraseKind && { erased: namedIn({ units: event.units, entity: null }) }),
  });
}
