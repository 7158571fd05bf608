/** Wide rows for analysts: one per clean event, decision, reading, ack and parked record. Rows are JSONEachRow objects of sql/migrations. */
import type { Ack, Decision, Reading, RedactedInference, RedactedOutcome } from '../../schemas/generated.ts';

export type SinkRow = { readonly table: 'inferences' | 'outcomes' | 'readings' | 'decisions' | 'acks' | 'parked'; readonly row: Readonly<Record<string, unknown>> };
type At = { readonly partition: number; readonly offset: number };

export const inferenceRow = (event: RedactedInference, at: At): SinkRow => ({
  table: 'inferences',
  row: {
    part: at.partition, ver: at.offset, event_id: event.event_id, trace_id: event.trace_id, span_id: event.span_id ?? '', occurred_at: event.occurred_at, received_at: event.received_at, service: event.service, environment: event.environment,
    user_id: event.units.user_id ?? '', org_id: event.units.org_id ?? '', session_id: event.units.session_id ?? '', entity_type: event.entity?.type ?? '', entity_id: event.entity?.id ?? '',
    experiments: event.exposures.map((exposure) => exposure.experiment_id), phases: event.exposures.map((exposure) => exposure.phase), variants: event.exposures.map((exposure) => exposure.variant),
    reasons: event.exposures.map((exposure) => exposure.reason), operation: event.operation, provider: event.provider, model_requested: event.model_requested, model_served: event.model_served,
    prompt_name: event.prompt_name, prompt_version: event.prompt_version, rag_index_version: event.rag_index_version, tool_set_version: event.tool_set_version,
    token_in: event.token_in, token_out: event.token_out, token_cache_read: event.token_cache_read, token_cache_write: event.token_cache_write, token_reasoning: event.token_reasoning, token_source: event.token_source,
    cost_nano_usd: event.cost_nano_usd, cost_status: event.cost_status, price_table_version: event.price_table_version, latency_ms: event.latency_ms, ttft_ms: event.ttft_ms, status: event.status,
    error_type: event.error_type, finish_reasons: event.finish_reasons, attempts: event.attempts, schema_valid: event.schema_valid, schema_repairs: event.schema_repairs,
    guardrails: event.guardrails.map(({ name, action }) => `${name}=${action}`), tool_calls: event.tool_calls.map(({ name }) => name), tools_denied: event.tool_calls.filter(({ allowed }) => !allowed).length,
    scores: event.scores, slices: event.slices, prompt: event.prompt, response: event.response, attributes: event.attributes,
    redactions: event.redactions, redaction_tiers: event.redaction_tiers, redactor_version: event.redactor_version, policy_version: event.policy_version,
  },
});

export const outcomeRow = (event: RedactedOutcome, at: At): SinkRow => ({
  table: 'outcomes',
  row: {
    part: at.partition, ver: at.offset, outcome_id: event.outcome_id, revision: event.revision, occurred_at: event.occurred_at, received_at: event.received_at, trace_id: event.trace_id ?? '', kind: event.kind, value: event.value,
    entity_type: event.entity?.type ?? '', entity_id: event.entity?.id ?? '', inference_id: event.inference_id ?? '', user_id: event.units?.user_id ?? '', org_id: event.units?.org_id ?? '', session_id: event.units?.session_id ?? '',
    source: event.source, attributes: event.attributes, redactions: event.redactions, redaction_tiers: event.redaction_tiers, redactor_version: event.redactor_version, policy_version: event.policy_version,
  },
});

export const readingRows = (reading: Reading, at: At): SinkRow[] =>
  reading.metrics.flatMap((metric) =>
    metric.arms.map((arm) => ({
      table: 'readings' as const,
      row: {
        part: at.partition, ver: at.offset, experiment: reading.experiment_id, phase: reading.phase, revision: reading.revision, look_seq: reading.look_seq, watermark: reading.watermark, events_folded: reading.events_folded,
        state: reading.state, settled: reading.settled, crossovers: reading.crossovers, srm_log_e: reading.srm_log_e, metric: metric.metric, candidate: metric.candidate, role: metric.role, status: metric.status, reason: metric.reason ?? '',
        log_e: metric.log_e, weighted_log_e: metric.weighted_log_e, threshold: metric.threshold, engine: metric.engine ?? '', restart: metric.restart ?? '', win_log_e: metric.win_log_e,
        difference: metric.difference, difference_lower: metric.difference_lower, difference_upper: metric.difference_upper, relative: metric.relative, relative_lower: metric.relative_lower, relative_upper: metric.relative_upper, interval_note: metric.interval_note ?? '',
        arm: arm.arm, units: arm.units, entries: arm.entries, numerator: arm.numerator, denominator: arm.denominator, estimate: arm.estimate,
      },
    })),
  );

export const decisionRow = (decision: Decision, at: At): SinkRow => ({
  table: 'decisions',
  row: {
    part: at.partition, ver: at.offset, decision_id: decision.decision_id, experiment: decision.experiment_id, phase: decision.phase, seq: decision.seq, action: decision.action, reason_code: decision.reason_code, rule_id: decision.rule_id,
    rule_version: decision.rule_version, candidate: decision.candidate ?? '', metric: decision.metric ?? '', restart: decision.restart ?? '', estimate: decision.estimate, log_e: decision.log_e, threshold: decision.threshold,
    alpha: decision.alpha, watermark: decision.watermark, events_folded: decision.events_folded, version_parts: decision.version_vector.map(({ part }) => part), version_vers: decision.version_vector.map((entry) => entry.ver),
    config_sha: decision.config_sha, revision: decision.revision, evidence: decision.evidence, actor: decision.actor, note: decision.note ?? '', trace_id: decision.trace_id,
  },
});

export const ackRow = (ack: Ack, at: At): SinkRow => ({
  table: 'acks',
  row: { part: at.partition, ver: at.offset, decision_id: ack.decision_id, experiment: ack.experiment_id, phase: ack.phase, seq: ack.seq, actuator: ack.actuator, previous_coverage: ack.previous_coverage, new_coverage: ack.new_coverage, revision: ack.revision, applied_at: ack.applied_at, result: ack.result, trace_id: ack.trace_id },
});

/** Headers only: the bytes stay on the topic, where they expire. */
export const parkedRow = (headers: Readonly<Record<string, string>>, bytes: number, at: At): SinkRow => ({
  table: 'parked',
  row: {
    part: at.partition, ver: at.offset, stage: headers['x-stage'] ?? '', code: headers['x-error-code'] ?? '', message: headers['x-error-message'] ?? '', source_topic: headers['x-topic'] ?? '', source_partition: Number(headers['x-partition'] ?? 0),
    source_offset: Number(headers['x-offset'] ?? 0), schema_id: headers['x-schema-id'] ?? '', first_seen: headers['x-first-seen'] ?? '1970-01-01T00:00:00.000Z', bytes,
  },
});
