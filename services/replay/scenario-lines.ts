/**
 * Lines of a replay's files (shared format of real and generated scenarios) to the events that an app would have
 * emitted. An inference line stands for an exposure of its unit too. Odd lines come back as a reason, with their
 * number; nothing of their content is quoted.
 */
import type { InferenceEvent, InferenceStatus, OutcomeEvent } from '../../schemas/generated.ts';
import type { EpochMs } from '../kernel/time.ts';

export type InferenceLine = {
  readonly event_id: string;
  readonly trace_id: string;
  readonly occurred_at: string;
  readonly user_id: string;
  readonly org_id?: string;
  readonly session_id?: string;
  readonly ticket_id?: string;
  readonly experiment_id: string;
  readonly variant: string;
  readonly model: string;
  readonly prompt_version: string;
  readonly rag_index_version?: string;
  readonly token_in?: number | null;
  readonly token_out?: number | null;
  readonly cost_usd_est?: number | null;
  readonly latency_ms?: number | null;
  readonly status: string;
  readonly schema_valid?: boolean | null;
  readonly error_code?: number | string | null;
  readonly prompt?: string;
  readonly response?: string;
  readonly ingested_at: string;
};
export type OutcomeLine = {
  readonly outcome_id: string;
  readonly revision?: number;
  readonly entity_type: string;
  readonly entity_id: string;
  readonly kind: string;
  readonly value: number | null;
  readonly occurred_at: string;
};

export type Arrival = { readonly arrivedAt: EpochMs } & (
  | { readonly kind: 'inference'; readonly event: InferenceEvent; readonly variant: string }
  | { readonly kind: 'outcome'; readonly event: OutcomeEvent }
);

const statuses: ReadonlySet<string> = new Set<InferenceStatus>([
  'success',
  'fallback',
  'refusal',
  'error',
  'timeout',
  'blocked',
]);
const number = (value: number | null | undefined): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

export type LineResult =
  | { readonly ok: true; readonly arrival: Arrival }
  | { readonly ok: false; readonly reason: string };

/** `phase`, unit and fallback unit of the experiment under replay: lines name none of them. */
type UnderReplay = { readonly phase: number; readonly unitType: string; readonly fallbackType?: string };

/** Whose id decided the arm: with a fallback unit that one's, where the line has it (`services/assignment`). */
function decidingType({ unitType, fallbackType }: UnderReplay, fields: Partial<InferenceLine>) {
  if (fallbackType === undefined) return { unit_type: unitType };
  const field = `${fallbackType}_id` as 'user_id' | 'org_id' | 'session_id';
  return { unit_type: text(fields[field]) ? fallbackType : unitType, primary_type: unitType };
}

export function readInferenceLine(line: string, experiment: UnderReplay): LineResult {
  const fields = parse(line) as Partial<InferenceLine> | undefined;
  if (fields === undefined) return { ok: false, reason: 'no JSON object' };
  const occurredAt = Date.parse(fields.occurred_at ?? '');
  const arrivedAt = Date.parse(fields.ingested_at ?? fields.occurred_at ?? '');
  if (Number.isNaN(occurredAt) || Number.isNaN(arrivedAt))
    return { ok: false, reason: 'occurred_at or ingested_at is no time' };
  if (
    typeof fields.event_id !== 'string' ||
    typeof fields.experiment_id !== 'string' ||
    typeof fields.variant !== 'string'
  )
    return { ok: false, reason: 'event_id, experiment_id or variant is missing' };
  const cost = number(fields.cost_usd_est);
  const event: InferenceEvent = {
    event_id: fields.event_id,
    occurred_at: occurredAt,
    trace_id: text(fields.trace_id) ?? '',
    span_id: null,
    service: 'replay',
    environment: 'replay',
    units: { user_id: text(fields.user_id), org_id: text(fields.org_id), session_id: text(fields.session_id) },
    entity: typeof fields.ticket_id === 'string' ? { type: 'ticket', id: fields.ticket_id } : null,
    exposures: [
      {
        experiment_id: fields.experiment_id,
        phase: experiment.phase,
        variant: fields.variant,
        ...decidingType(experiment, fields),
        reason: 'SPLIT',
      },
    ],
    operation: 'chat',
    provider: (fields.model ?? '').split('/')[0] ?? '',
    model_requested: fields.model ?? '',
    model_served: fields.model ?? '',
    prompt_name: null,
    prompt_version: fields.prompt_version ?? '',
    rag_index_version: text(fields.rag_index_version),
    tool_set_version: null,
    token_in: number(fields.token_in),
    token_out: number(fields.token_out),
    token_cache_read: null,
    token_cache_write: null,
    token_reasoning: null,
    token_source: 'provider',
    cost_nano_usd: cost === null ? null : Math.round(cost * 1e9),
    cost_status: cost === null ? 'unpriced' : 'priced',
    price_table_version: null,
    latency_ms: number(fields.latency_ms),
    ttft_ms: null,
    status: statuses.has(fields.status ?? '') ? (fields.status as InferenceStatus) : 'unknown',
    error_type: fields.error_code === null || fields.error_code === undefined ? null : String(fields.error_code),
    finish_reasons: [],
    attempts: 1,
    schema_valid: typeof fields.schema_valid === 'boolean' ? fields.schema_valid : null,
    schema_repairs: 0,
    guardrails: [],
    tool_calls: [],
    retrieval: [],
    scores: {},
    slices: {},
    prompt: text(fields.prompt),
    response: text(fields.response),
    attributes: {},
  };
  return { ok: true, arrival: { kind: 'inference', arrivedAt, event, variant: fields.variant } };
}

export function readOutcomeLine(line: string): LineResult {
  const fields = parse(line) as Partial<OutcomeLine> | undefined;
  if (fields === undefined) return { ok: false, reason: 'no JSON object' };
  const occurredAt = Date.parse(fields.occurred_at ?? '');
  if (Number.isNaN(occurredAt)) return { ok: false, reason: 'occurred_at is no time' };
  if (typeof fields.outcome_id !== 'string' || typeof fields.kind !== 'string' || typeof fields.entity_id !== 'string')
    return { ok: false, reason: 'outcome_id, kind or entity_id is missing' };
  const event: OutcomeEvent = {
    outcome_id: fields.outcome_id,
    revision: fields.revision ?? 1,
    occurred_at: occurredAt,
    trace_id: null,
    kind: fields.kind,
    value: typeof fields.value === 'number' ? fields.value : null,
    entity: { type: fields.entity_type ?? 'ticket', id: fields.entity_id },
    inference_id: null,
    units: null,
    source: 'replay',
    attributes: {},
  };
  return { ok: true, arrival: { kind: 'outcome', arrivedAt: occurredAt, event } };
}
