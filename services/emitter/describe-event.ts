/**
 * What the app says about a call, completed to the records that cross the topic: an unknown is null with a status,
 * never 0.
 */
import type { EntityRef, Exposure, InferenceEvent, OutcomeEvent, Units } from '../../schemas/generated.ts';
import type { Assignment } from '../assignment/index.ts';
import { bucketOf, inferenceId, readInferenceId } from '../kernel/ids.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { NamePair } from './alias-memory.ts';
import type { InferenceInput, OutcomeInput } from './event-input.ts';
import { idOf, type Note, numbersOf, outcomeValueOf, scoresOf, timeOf } from './read-values.ts';

export type Origin = {
  readonly service: string;
  readonly environment: string;
  readonly now: EpochMs;
  /** The same moment by a clock that nobody sets, ms. */
  readonly elapsed: number;
  readonly random: Uint8Array;
};

/** W3C Trace Context level 1; undefined for anything that is not well-formed. */
export function readTraceparent(
  traceparent: string | undefined,
): { readonly traceId: string; readonly spanId: string } | undefined {
  const [, traceId, spanId] =
    /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/.exec(traceparent ?? '') ?? [];
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}
const traceIdOf = (traceparent: string | undefined): string => readTraceparent(traceparent)?.traceId ?? '';

type Named = {
  readonly arms?: readonly Assignment[];
  readonly userId?: string;
  readonly orgId?: string;
  readonly sessionId?: string;
  readonly entity?: { readonly type: string; readonly id: string };
};

/**
 * Who it is about. The redactor finds the unit of an exposure here: an app that only hands over its arm has named the
 * unit by it.
 */
function subjectOf(input: Named): { readonly units: Units; readonly entity: EntityRef | null } {
  const unit = (type: string): string | null =>
    input.arms?.find(({ unitType, unitId }) => unitType === type && unitId !== '')?.unitId ??
    input.arms?.find(({ primary }) => primary?.type === type && primary.id !== undefined)?.primary?.id ??
    null;
  const arm = input.arms?.find(({ unitType, unitId }) => unitType.startsWith('entity:') && unitId !== '');
  const fromArm = arm && { type: arm.unitType.slice('entity:'.length), id: arm.unitId };
  const named = input.entity && { type: input.entity.type, id: idOf('entity.id', input.entity.id) ?? '' };
  const entity = named ?? fromArm;
  return {
    units: {
      user_id: idOf('userId', input.userId) ?? unit('user'),
      org_id: idOf('orgId', input.orgId) ?? unit('org'),
      session_id: idOf('sessionId', input.sessionId) ?? unit('session'),
    },
    entity: entity ?? null,
  };
}

const firstUnit = ({ user_id, org_id, session_id }: Units): readonly [type: string, id: string] | undefined => {
  for (const [type, id] of [
    ['user', user_id],
    ['org', org_id],
    ['session', session_id],
  ] as const)
    if (id !== null) return [type, id];
  return undefined;
};

/**
 * Bucket of the unit that decides where the event goes: the first assignment's, else user, org, session, else the event
 * itself.
 */
function bucketFor(
  arms: readonly Assignment[] | undefined,
  units: Units,
  random: Uint8Array,
): { bucket: number; key: string } {
  const arm = arms?.find(({ unitId }) => unitId !== '');
  if (arm) return { bucket: arm.bucket, key: arm.unitId };
  const unit = firstUnit(units);
  if (unit) return { bucket: bucketOf(...unit), key: unit[1] };
  return { bucket: (((random[0] ?? 0) << 8) | (random[1] ?? 0)) & 0xfff, key: '' };
}

/** An arm named twice is one exposure. */
const distinctArms = (arms: readonly Assignment[]): Assignment[] => [
  ...new Map(
    arms.map((arm) => [`${arm.experimentId}\u001f${arm.phase}\u001f${arm.variant}\u001f${arm.unitType}`, arm]),
  ).values(),
];

export function describeInference(
  input: InferenceInput,
  origin: Origin,
  note: Note,
): { readonly event: InferenceEvent; readonly bucket: number; readonly key: string } {
  const { units, entity } = subjectOf(input);
  const { bucket, key } = bucketFor(input.arms, units, origin.random);
  const tokenSource = input.tokenSource ?? 'provider';
  const numbers = numbersOf(input, note);
  const cost = numbers.cost('costNanoUsd');
  const [tokenIn, tokenOut] = [numbers.count('tokenIn'), numbers.count('tokenOut')];
  const occurredAt = timeOf(input.occurredAt, origin.now);
  const event: InferenceEvent = {
    event_id: idOf('eventId', input.eventId) ?? inferenceId(occurredAt, bucket, origin.random),
    occurred_at: occurredAt,
    trace_id: traceIdOf(input.traceparent),
    span_id: readTraceparent(input.traceparent)?.spanId ?? null,
    service: origin.service,
    environment: origin.environment,
    units,
    entity,
    exposures: distinctArms(input.arms ?? [])
      .filter(({ phase }) => phase > 0)
      .map(({ experimentId, phase, variant, unitType, reason, primary }) => ({
        experiment_id: experimentId,
        phase,
        variant,
        unit_type: unitType,
        reason,
        ...(primary && { primary_type: primary.type }),
      })),
    operation: input.operation ?? 'chat',
    provider: input.provider ?? '',
    model_requested: input.modelRequested ?? input.modelServed ?? '',
    model_served: input.modelServed ?? input.modelRequested ?? '',
    prompt_name: input.promptName ?? null,
    prompt_version: input.promptVersion ?? '',
    rag_index_version: input.ragIndexVersion ?? null,
    tool_set_version: input.toolSetVersion ?? null,
    token_in: tokenIn,
    token_out: tokenOut,
    token_cache_read: numbers.count('tokenCacheRead'),
    token_cache_write: numbers.count('tokenCacheWrite'),
    token_reasoning: numbers.count('tokenReasoning'),
    token_source: tokenIn === null && tokenOut === null ? 'unknown' : tokenSource,
    cost_nano_usd: cost,
    cost_status: cost === null ? 'unpriced' : 'priced',
    price_table_version: input.priceTableVersion ?? null,
    latency_ms: numbers.amount('latencyMs'),
    ttft_ms: numbers.amount('ttftMs'),
    status: input.status ?? 'unknown',
    error_type: input.errorType ?? null,
    finish_reasons: [...(input.finishReasons ?? [])],
    attempts: numbers.small('attempts') ?? 1,
    schema_valid: input.schemaValid ?? null,
    schema_repairs: numbers.small('schemaRepairs') ?? 0,
    guardrails: input.guardrails ?? [],
    tool_calls: input.toolCalls ?? [],
    retrieval: input.retrieval ?? [],
    scores: scoresOf(input.scores, note),
    slices: { ...input.slices },
    prompt: input.prompt ?? null,
    response: input.response ?? null,
    attributes: { ...input.attributes },
  };
  return { event, bucket, key: key === '' ? event.event_id : key };
}

export function describeExposure(
  assignment: Assignment,
  input: { entity?: { type: string; id: string }; traceparent?: string },
  origin: Origin,
): Exposure {
  return {
    event_id: inferenceId(origin.now, assignment.bucket, origin.random),
    occurred_at: origin.now,
    trace_id: traceIdOf(input.traceparent),
    service: origin.service,
    environment: origin.environment,
    experiment_id: assignment.experimentId,
    phase: assignment.phase,
    variant: assignment.variant,
    unit_type: assignment.unitType,
    unit_id: assignment.unitId,
    entity: input.entity ?? null,
    reason: assignment.reason,
    config_sha: assignment.configSha,
    sdk: { name: 'tripline-node', version: '0.1.0' },
    ...(assignment.primary && {
      primary_type: assignment.primary.type,
      primary_id: assignment.primary.id ?? null,
    }),
  };
}

/** Of an outcome that names a unit by its later name alone: whoever knows the earlier one has to say where it goes. */
const primariesOf = (units: Units, pairs: readonly NamePair[]): string[] => [
  ...new Set(
    pairs
      .filter(({ primary, fallback }) => idIn(units, primary) !== null && idIn(units, fallback) === null)
      .map(({ primary }) => primary),
  ),
];
const idIn = ({ user_id, org_id, session_id }: Units, type: string): string | null =>
  ({ user: user_id, org: org_id, session: session_id })[type] ?? null;

/** `pairs`: names that experiments take for one unit. */
export function describeOutcome(
  kind: string,
  input: OutcomeInput,
  origin: Origin,
  pairs: readonly NamePair[] = [],
): { readonly event: OutcomeEvent; readonly bucket: number; readonly key: string } {
  const inference = idOf('inferenceId', input.inferenceId) ?? undefined;
  // An outcome of an entity belongs to whoever holds the entity: naming the arm's unit as well would say it twice.
  const { arms, ...named } = input.unit === undefined ? input : { ...input, userId: input.userId ?? input.unit };
  const { units, entity } = subjectOf(named.entity === undefined && arms !== undefined ? { ...named, arms } : named);
  const unit = firstUnit(units);
  if (entity === null && unit === undefined && inference === undefined)
    throw new RangeError(`${kind} names no entity, unit or inferenceId`);
  const bucket = entity
    ? bucketOf(`entity:${entity.type}`, entity.id)
    : unit
      ? bucketOf(...unit)
      : (readInferenceId(inference ?? '')?.bucket ?? 0);
  const primaries = entity === null ? primariesOf(units, pairs) : [];
  const event: OutcomeEvent = {
    outcome_id: idOf('outcomeId', input.outcomeId) ?? inferenceId(origin.now, bucket, origin.random),
    revision: input.revision ?? 1,
    occurred_at: timeOf(input.occurredAt, origin.now),
    trace_id: traceIdOf(input.traceparent) || null,
    kind,
    value: outcomeValueOf(input.value),
    entity,
    inference_id: inference ?? null,
    units: unit ? units : null,
    source: input.source ?? origin.service,
    attributes: { ...input.attributes },
    ...(primaries.length > 0 && { primary_types: primaries }),
  };
  return {
    event,
    bucket,
    key: entity ? `${entity.type}\u001f${entity.id}` : (unit?.[1] ?? inference ?? event.outcome_id),
  };
}
