/**
 * Lines of a replay's files (shared format of real and generated scenarios) to the events that an app would have
 * emitted. An inference line stands for an exposure of its unit too. Odd lines come back as the field that cannot be
 * used and why; nothing of their content is quoted.
 */
import type { InferenceEvent, InferenceStatus, OutcomeEvent } from '../../schemas/generated.ts';
import type { EpochMs } from '../kernel/time.ts';
import { countProblem, maxCount } from '../kernel/values.ts';
import { createFieldReader, type FieldReader, type LineProblem, parseLine } from './read-fields.ts';

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

/** Avro's int. */
const maxRevision = 2 ** 31 - 1;
/** Nano-dollars from dollars. */
const nanoPerUsd = 1e9;

export type LineResult = { readonly ok: true; readonly arrival: Arrival } | ({ readonly ok: false } & LineProblem);

function costIn(read: FieldReader): number | null {
  const cost = read.amount('cost_usd_est');
  const nano = cost === null ? null : Math.round(cost * nanoPerUsd);
  if (nano !== null) read.note('cost_usd_est', countProblem(nano) && `above ${maxCount / nanoPerUsd}`);
  return nano;
}

/** Nobody is named by whom the experiment is split: the call would count for nobody, and say so nowhere. */
function unitProblem(
  { units, entity }: InferenceEvent,
  { unitType, fallbackType }: UnderReplay,
): LineProblem | undefined {
  const named: Readonly<Record<string, string | null>> = {
    user: units.user_id,
    org: units.org_id,
    session: units.session_id,
    request: '',
    'entity:ticket': entity?.id ?? null,
  };
  if (named[unitType] !== null || (fallbackType !== undefined && named[fallbackType])) return undefined;
  const field = unitType === 'entity:ticket' ? 'ticket_id' : `${unitType}_id`;
  return { field, cause: `missing, and the experiment is split by ${unitType}` };
}

/** `phase`, unit and fallback unit of the experiment under replay: lines name none of them. */
type UnderReplay = { readonly phase: number; readonly unitType: string; readonly fallbackType?: string };

/** Whose id decided the arm: with a fallback unit that one's, where the line has it (`services/assignment`). */
function decidingType({ unitType, fallbackType }: UnderReplay, units: InferenceEvent['units']) {
  if (fallbackType === undefined) return { unit_type: unitType };
  const id = units[`${fallbackType}_id` as keyof typeof units];
  return { unit_type: id ? fallbackType : unitType, primary_type: unitType };
}

const refuse = (problem: LineProblem): LineResult => ({ ok: false, ...problem });
export function readInferenceLine(line: string, experiment: UnderReplay): LineResult {
  const parsed = parseLine(line);
  if ('cause' in parsed) return refuse(parsed);
  const read = createFieldReader(parsed.fields);
  const event = inferenceOf(read, experiment);
  const arrivedAt = read.time('ingested_at') ?? event.occurred_at;
  const problem = read.problem() ?? unitProblem(event, experiment);
  if (problem !== undefined) return refuse(problem);
  const variant = event.exposures[0]?.variant ?? '';
  return { ok: true, arrival: { kind: 'inference', arrivedAt, event, variant } };
}

function inferenceOf(read: FieldReader, experiment: UnderReplay): InferenceEvent {
  // In this order a problem is told: when, who, under which arm, then what was measured.
  const occurredAt = read.requiredTime('occurred_at');
  const eventId = read.requiredId('event_id');
  const ticket = read.id('ticket_id');
  const units = { user_id: read.id('user_id'), org_id: read.id('org_id'), session_id: read.id('session_id') };
  const exposure = {
    experiment_id: read.requiredId('experiment_id'),
    phase: experiment.phase,
    variant: read.requiredId('variant'),
    ...decidingType(experiment, units),
    reason: 'SPLIT' as const,
  };
  const model = read.name('model') ?? '';
  const cost = costIn(read);
  const status = read.text('status') ?? '';
  return {
    event_id: eventId,
    occurred_at: occurredAt,
    trace_id: read.name('trace_id') ?? '',
    span_id: null,
    service: 'replay',
    environment: 'replay',
    units,
    entity: ticket === null ? null : { type: 'ticket', id: ticket },
    exposures: [exposure],
    operation: 'chat',
    provider: model.split('/')[0] ?? '',
    model_requested: model,
    model_served: model,
    prompt_name: null,
    prompt_version: read.name('prompt_version') ?? '',
    rag_index_version: read.name('rag_index_version'),
    tool_set_version: null,
    token_in: read.count('token_in'),
    token_out: read.count('token_out'),
    token_cache_read: null,
    token_cache_write: null,
    token_reasoning: null,
    token_source: 'provider',
    cost_nano_usd: cost,
    cost_status: cost === null ? 'unpriced' : 'priced',
    price_table_version: null,
    latency_ms: read.amount('latency_ms'),
    ttft_ms: null,
    status: statuses.has(status) ? (status as InferenceStatus) : 'unknown',
    error_type: read.name('error_code'),
    finish_reasons: [],
    attempts: 1,
    schema_valid: read.flag('schema_valid'),
    schema_repairs: 0,
    guardrails: [],
    tool_calls: [],
    retrieval: [],
    scores: {},
    slices: {},
    prompt: read.text('prompt'),
    response: read.text('response'),
    attributes: {},
  };
}

export function readOutcomeLine(line: string): LineResult {
  const parsed = parseLine(line);
  if ('cause' in parsed) return refuse(parsed);
  const read = createFieldReader(parsed.fields);
  const event: OutcomeEvent = {
    occurred_at: read.requiredTime('occurred_at'),
    outcome_id: read.requiredId('outcome_id'),
    revision: read.count('revision') ?? 1,
    trace_id: null,
    kind: read.requiredId('kind'),
    value: read.requiredSigned('value'),
    entity: { type: read.id('entity_type') ?? 'ticket', id: read.requiredId('entity_id') },
    inference_id: null,
    units: null,
    source: 'replay',
    attributes: {},
  };
  read.note('revision', countProblem(event.revision, 1, maxRevision));
  const problem = read.problem();
  if (problem !== undefined) return refuse(problem);
  return { ok: true, arrival: { kind: 'outcome', arrivedAt: event.occurred_at, event } };
}
