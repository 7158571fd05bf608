/** Test data from a sentence: defaults for everything, only what is under test shows. */
import type { InferenceEvent, OutcomeEvent } from '../../schemas/generated.ts';
import { type ControlRecord, parseExperimentFile, planRevision } from '../../services/control/index.ts';
import type { ArmTotals, Evaluation, MetricEvaluation } from '../../services/kernel/evaluation.ts';
import { emptyTestSums } from '../../services/kernel/evidence.ts';
import type { ExperimentRevision } from '../../services/kernel/experiment.ts';
import type { Arrival } from '../../services/replay/scenario-lines.ts';
import { metricLines } from './metric-line.ts';

export const hour = 3_600_000;
export const monday = Date.parse('2026-03-02T00:00:00Z');

export const anExperimentFile = (change: { extra?: string; metrics?: string } = {}): string => `version: 1
experiment:
  id: exp-test
  unit: user
  arms:
    - { id: A, role: control, weight: 50 }
    - { id: B, weight: 50 }
${change.extra ?? ''}  metrics:
${
  change.metrics ??
  metricLines([
    { id: 'error_rate', harm: '+0.05', baseline: { mean: 0.05, sd: 0.2 }, cap: 1 },
    { id: 'cost', numerator: 'cost_nano_usd', harm: '+20%', baseline: { mean: 1000, sd: 500 }, cap: 5000 },
    {
      id: 'cost_per_user',
      denominator: undefined,
      role: 'signal',
      numerator: 'cost_nano_usd',
      harm: '+20%',
      baseline: { mean: 3000, sd: 2000 },
      cap: 20000,
    },
    {
      id: 'reopen_rate',
      role: 'goal',
      numerator: 'any(ticket_reopened)',
      denominator: 'any(ticket_resolved)',
      window: '72h',
      harm: '+0.02',
      baseline: { mean: 0.05, sd: 0.2 },
      cap: 1,
    },
    {
      id: 'hours',
      role: 'signal',
      numerator: 'sum(ticket_resolved)',
      denominator: 'count(ticket_resolved)',
      window: '72h',
      harm: '+20%',
      baseline: { mean: 5, sd: 4 },
      cap: 40,
    },
  ])
}`;

export function aRevision(change: Partial<ExperimentRevision> = {}, file = anExperimentFile()): ExperimentRevision {
  const parsed = parseExperimentFile(file, 'test.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  const revision = planRevision(parsed.spec, parsed.sha, undefined, monday, 'test', 'test');
  if (revision === undefined) throw new Error('no revision');
  return { ...revision, ...change };
}

/** The file of that revision, as somebody applies it. */
export function anApplication(file = anExperimentFile(), applyId = 'a'.repeat(32)) {
  const { spec, configSha } = aRevision({}, file);
  const application = {
    applyId,
    experimentId: spec.id,
    spec,
    configSha,
    author: 'test',
    reason: 'test',
    traceId: 'b'.repeat(32),
  };
  return { kind: 'apply', application } as const satisfies ControlRecord;
}

/** Of a metric aggregate: so many calls, each with a value. */
export const allKnown = (calls: number) => ({ knownCalls: BigInt(calls), unknownCalls: 0n, incompleteUnits: 0 });

/** Nine units of one call each, one of them an event. */
export const anArm = (change: Partial<ArmTotals> = {}): ArmTotals => ({
  arm: 'A',
  units: 9,
  firstEvents: 0,
  knownCalls: 9,
  unknownCalls: 0,
  incompleteUnits: 0,
  numerator: '1',
  denominator: '9',
  entries: 9,
  known: 9,
  unknown: 0,
  none: 0,
  incomplete: 0,
  uncalled: 0,
  skipped: 0,
  unanswered: 0,
  below: 0,
  above: 0,
  ...change,
});

/** One metric as a look finds it: `log` and `winLog` are weighted log e of the whole phase; nothing else shows. */
export function aMetric(
  change: Partial<MetricEvaluation> & { readonly log?: number; readonly winLog?: number } = {},
): MetricEvaluation {
  const { log = 0, winLog = -5, ...fields } = change;
  const tested = (weightedLogE: number) => ({
    engine: 'betting' as const,
    testStart: { kind: 'whole' as const, label: 'whole phase', index: 0, weight: 0.375 },
    logE: weightedLogE,
    weightedLogE,
    agreement: 'agrees' as const,
    control: emptyTestSums(),
    candidate: emptyTestSums(),
  });
  return {
    metric: 'error_rate',
    candidate: 'B',
    role: 'guardrail',
    status: 'fine',
    harm: tested(log),
    win: tested(winLog),
    interval: { ok: false, reason: 'not built' },
    arms: [anArm({ arm: 'A' }), anArm({ arm: 'B', estimate: 0.1 })],
    ...fields,
  };
}

/** A look at which nothing is the matter, an hour into the phase. */
export const anEvaluation = (change: Partial<Evaluation> = {}): Evaluation => ({
  experiment: change.experiment ?? aRevision(),
  versionVector: [{ partitionId: 0, position: 4096 }],
  watermark: monday + hour,
  newestClock: monday + hour,
  eventsFolded: 10,
  crossovers: 0,
  crossoverReasons: { arms: 0, alias: 0 },
  settled: true,
  srm: { logE: 0, counts: { A: 9, B: 9 } },
  metrics: [aMetric()],
  slos: [],
  missing: [],
  quiet: { arms: [], partitions: 0 },
  attrition: [],
  silent: [],
  ...change,
});

let made = 0;
export const anInference = (
  change: Partial<InferenceEvent> & {
    user?: string;
    ticket?: string;
    variant?: string;
    at?: number;
    arrivedAt?: number;
  } = {},
): Arrival => {
  made += 1;
  const { user = 'user-1', ticket, variant = 'A', at = monday, arrivedAt = at, ...fields } = change;
  const event: InferenceEvent = {
    event_id: `event-${made}`,
    occurred_at: at,
    trace_id: '',
    span_id: null,
    service: 'test',
    environment: 'test',
    units: { user_id: user, org_id: null, session_id: null },
    entity: ticket === undefined ? null : { type: 'ticket', id: ticket },
    exposures: [{ experiment_id: 'exp-test', phase: 1, variant, unit_type: 'user', reason: 'SPLIT' }],
    operation: 'chat',
    provider: 'p',
    model_requested: 'm',
    model_served: 'm',
    prompt_name: null,
    prompt_version: 'v1',
    rag_index_version: null,
    tool_set_version: null,
    token_in: 10,
    token_out: 5,
    token_cache_read: null,
    token_cache_write: null,
    token_reasoning: null,
    token_source: 'provider',
    cost_nano_usd: 1000,
    cost_status: 'priced',
    price_table_version: null,
    latency_ms: 100,
    ttft_ms: null,
    status: 'success',
    error_type: null,
    finish_reasons: [],
    attempts: 1,
    schema_valid: null,
    schema_repairs: 0,
    guardrails: [],
    tool_calls: [],
    retrieval: [],
    scores: {},
    slices: {},
    prompt: null,
    response: null,
    attributes: {},
    ...fields,
  };
  return { kind: 'inference', arrivedAt, event, variant };
};
export const anOutcome = (
  change: Partial<OutcomeEvent> & { ticket?: string; at?: number; arrivedAt?: number } = {},
): Arrival => {
  made += 1;
  const { ticket = 'T1', at = monday, arrivedAt = at, ...fields } = change;
  const event: OutcomeEvent = {
    outcome_id: `outcome-${made}`,
    revision: 1,
    occurred_at: at,
    trace_id: null,
    kind: 'ticket_resolved',
    value: 1,
    entity: { type: 'ticket', id: ticket },
    inference_id: null,
    units: null,
    source: 'test',
    attributes: {},
    ...fields,
  };
  return { kind: 'outcome', arrivedAt, event };
};
