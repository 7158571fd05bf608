/** What the app says about a call, completed to the records that cross the topic: an unknown is null with a status, never 0. */
import type { Exposure, InferenceEvent, InferenceStatus, OutcomeEvent } from '../../schemas/generated.ts';
import type { Assignment } from '../assignment/index.ts';
import { bucketOf, inferenceId, readInferenceId } from '../kernel/ids.ts';
import type { EpochMs } from '../kernel/time.ts';

export type InferenceInput = {
  /** Assignments under which the call was made: what `assign` returned. */
  readonly arms?: readonly Assignment[];
  /** An id that `record` returned: says that this is the same call again (a retry of the app's own); it is counted once. */
  readonly eventId?: string;
  readonly userId?: string; readonly orgId?: string; readonly sessionId?: string;
  readonly entity?: { readonly type: string; readonly id: string };
  readonly traceparent?: string;
  readonly occurredAt?: EpochMs;
  readonly operation?: string; readonly provider?: string; readonly modelRequested?: string; readonly modelServed?: string;
  readonly promptName?: string; readonly promptVersion?: string; readonly ragIndexVersion?: string; readonly toolSetVersion?: string;
  readonly tokenIn?: number; readonly tokenOut?: number; readonly costNanoUsd?: number; readonly latencyMs?: number; readonly ttftMs?: number;
  readonly status?: InferenceStatus; readonly errorType?: string; readonly finishReasons?: readonly string[]; readonly attempts?: number; readonly schemaValid?: boolean;
  readonly guardrails?: InferenceEvent['guardrails']; readonly toolCalls?: InferenceEvent['tool_calls']; readonly scores?: Readonly<Record<string, number>>; readonly slices?: Readonly<Record<string, string>>;
  readonly prompt?: string; readonly response?: string; readonly attributes?: Readonly<Record<string, string>>;
};
export type OutcomeInput = {
  readonly entity?: { readonly type: string; readonly id: string }; readonly userId?: string; readonly orgId?: string; readonly sessionId?: string; readonly inferenceId?: string;
  /** null retracts. */
  readonly value: number | null;
  readonly outcomeId?: string; readonly revision?: number; readonly occurredAt?: EpochMs; readonly traceparent?: string; readonly source?: string; readonly attributes?: Readonly<Record<string, string>>;
};
export type Origin = { readonly service: string; readonly environment: string; readonly now: EpochMs; readonly random: Uint8Array };

const traceIdOf = (traceparent: string | undefined): string => /^00-([0-9a-f]{32})-/.exec(traceparent ?? '')?.[1] ?? '';
const whole = (value: number | undefined): number | null => (value !== undefined && Number.isFinite(value) ? Math.round(value) : null);
const real = (value: number | undefined): number | null => (value !== undefined && Number.isFinite(value) ? value : null);

/** Bucket of the unit that decides where the event goes: the first assignment's, else user, org, session, else the event itself. */
function bucketFor(input: Pick<InferenceInput, 'arms' | 'userId' | 'orgId' | 'sessionId'>, random: Uint8Array): { bucket: number; key: string } {
  const arm = input.arms?.find(({ unitId }) => unitId !== '');
  if (arm) return { bucket: arm.bucket, key: arm.unitId };
  for (const [type, id] of [['user', input.userId], ['org', input.orgId], ['session', input.sessionId]] as const) if (id !== undefined) return { bucket: bucketOf(type, id), key: id };
  return { bucket: (((random[0] ?? 0) << 8) | (random[1] ?? 0)) & 0xfff, key: '' };
}

export function describeInference(input: InferenceInput, origin: Origin): { readonly event: InferenceEvent; readonly bucket: number; readonly key: string } {
  const { bucket, key } = bucketFor(input, origin.random);
  const cost = whole(input.costNanoUsd);
  const event: InferenceEvent = {
    event_id: input.eventId ?? inferenceId(input.occurredAt ?? origin.now, bucket, origin.random), occurred_at: input.occurredAt ?? origin.now, trace_id: traceIdOf(input.traceparent), span_id: /^00-[0-9a-f]{32}-([0-9a-f]{16})-/.exec(input.traceparent ?? '')?.[1] ?? null,
    service: origin.service, environment: origin.environment, units: { user_id: input.userId ?? null, org_id: input.orgId ?? null, session_id: input.sessionId ?? null }, entity: input.entity ? { type: input.entity.type, id: input.entity.id } : null,
    exposures: (input.arms ?? []).filter(({ phase }) => phase > 0).map(({ experimentId, phase, variant, unitType, reason }) => ({ experiment_id: experimentId, phase, variant, unit_type: unitType, reason })),
    operation: input.operation ?? 'chat', provider: input.provider ?? '', model_requested: input.modelRequested ?? input.modelServed ?? '', model_served: input.modelServed ?? input.modelRequested ?? '',
    prompt_name: input.promptName ?? null, prompt_version: input.promptVersion ?? '', rag_index_version: input.ragIndexVersion ?? null, tool_set_version: input.toolSetVersion ?? null,
    token_in: whole(input.tokenIn), token_out: whole(input.tokenOut), token_cache_read: null, token_cache_write: null, token_reasoning: null, token_source: input.tokenIn === undefined ? 'unknown' : 'provider',
    cost_nano_usd: cost, cost_status: cost === null ? 'unpriced' : 'priced', price_table_version: null, latency_ms: real(input.latencyMs), ttft_ms: real(input.ttftMs),
    status: input.status ?? 'unknown', error_type: input.errorType ?? null, finish_reasons: [...(input.finishReasons ?? [])], attempts: input.attempts ?? 1, schema_valid: input.schemaValid ?? null, schema_repairs: 0,
    guardrails: input.guardrails ?? [], tool_calls: input.toolCalls ?? [], retrieval: [], scores: { ...input.scores }, slices: { ...input.slices }, prompt: input.prompt ?? null, response: input.response ?? null, attributes: { ...input.attributes },
  };
  return { event, bucket, key: key === '' ? event.event_id : key };
}

export function describeExposure(assignment: Assignment, input: { entity?: { type: string; id: string }; traceparent?: string }, origin: Origin): Exposure {
  return {
    event_id: inferenceId(origin.now, assignment.bucket, origin.random), occurred_at: origin.now, trace_id: traceIdOf(input.traceparent), service: origin.service, environment: origin.environment, experiment_id: assignment.experimentId,
    phase: assignment.phase, variant: assignment.variant, unit_type: assignment.unitType, unit_id: assignment.unitId, entity: input.entity ?? null, reason: assignment.reason, config_sha: assignment.configSha, sdk: { name: 'tripline-node', version: '0.1.0' },
  };
}

export function describeOutcome(kind: string, input: OutcomeInput, origin: Origin): { readonly event: OutcomeEvent; readonly bucket: number; readonly key: string } {
  const { entity, inferenceId: inference } = input;
  const unit = ([['user', input.userId], ['org', input.orgId], ['session', input.sessionId]] as const).find(([, id]) => id !== undefined);
  const bucket = entity ? bucketOf(`entity:${entity.type}`, entity.id) : unit ? bucketOf(unit[0], unit[1] ?? '') : (readInferenceId(inference ?? '')?.bucket ?? 0);
  const event: OutcomeEvent = {
    outcome_id: input.outcomeId ?? inferenceId(origin.now, bucket, origin.random), revision: input.revision ?? 1, occurred_at: input.occurredAt ?? origin.now, trace_id: traceIdOf(input.traceparent) || null, kind, value: input.value,
    entity: entity ? { type: entity.type, id: entity.id } : null, inference_id: inference ?? null, units: unit ? { user_id: input.userId ?? null, org_id: input.orgId ?? null, session_id: input.sessionId ?? null } : null,
    source: input.source ?? origin.service, attributes: { ...input.attributes },
  };
  return { event, bucket, key: entity ? `${entity.type}\u001f${entity.id}` : (unit?.[1] ?? inference ?? event.outcome_id) };
}
