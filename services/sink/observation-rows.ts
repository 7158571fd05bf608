/**
 * Analytics records as rows: one per clean event, decision, reading, ack and parked record. Rows are JSONEachRow
 * objects of `sql/migrations`.
 */
import type { Ack, Apply, Decision, Reading, RedactedInference, RedactedOutcome } from '../../schemas/generated.ts';

export type SinkRow = {
  readonly table: 'inferences' | 'outcomes' | 'readings' | 'missing' | 'decisions' | 'acks' | 'parked';
  readonly row: Readonly<Record<string, unknown>>;
};
/** Where a record stands on its topic. */
type At = { readonly partition: number; readonly offset: number };
const placeOf = ({ partition, offset }: At) => ({ kafka_partition: partition, kafka_offset: offset });

/** Ids of units and of the entity as columns of their own; an unknown one is empty. */
const namedIn = ({ units, entity }: Pick<RedactedOutcome, 'units' | 'entity'>): SinkRow['row'] => ({
  user_id: units?.user_id ?? '',
  org_id: units?.org_id ?? '',
  session_id: units?.session_id ?? '',
  entity_type: entity?.type ?? '',
  entity_id: entity?.id ?? '',
});

/**
 * Fields go to the column of their name. Named here are those that are unfolded into columns of their own, and
 * `retrieval`, which stays on the topic.
 */
export function inferenceRow(event: RedactedInference, at: At): SinkRow {
  const { units, entity, exposures, guardrails, tool_calls, retrieval: _retrieval, span_id, ...same } = event;
  return {
    table: 'inferences',
    row: {
      ...placeOf(at),
      ...same,
      span_id: span_id ?? '',
      ...namedIn({ units, entity }),
      experiments: exposures.map((exposure) => exposure.experiment_id),
      phases: exposures.map((exposure) => exposure.phase),
      variants: exposures.map((exposure) => exposure.variant),
      reasons: exposures.map((exposure) => exposure.reason),
      guardrails: guardrails.map(({ name, action }) => `${name}=${action}`),
      tool_calls: tool_calls.map(({ name }) => name),
      tools_denied: tool_calls.filter(({ allowed }) => !allowed).length,
    },
  };
}

export function outcomeRow(event: RedactedOutcome, at: At): SinkRow {
  const { units, entity, inference_id, trace_id, ...same } = event;
  return {
    table: 'outcomes',
    row: {
      ...placeOf(at),
      ...same,
      trace_id: trace_id ?? '',
      inference_id: inference_id ?? '',
      ...namedIn({ units, entity }),
    },
  };
}

export const readingRows = (reading: Reading, at: At): SinkRow[] => [
  ...metricRows(reading, at),
  ...missingRows(reading, at),
];

/** What of a look every row of it repeats. */
const lookOf = (reading: Reading) => ({
  experiment: reading.experiment_id,
  phase: reading.phase,
  revision: reading.revision,
  look_seq: reading.look_seq,
  watermark: reading.watermark,
});

const missingRows = (reading: Reading, at: At): SinkRow[] =>
  (reading.missing ?? []).map(({ restart, ...found }) => ({
    table: 'missing' as const,
    row: { ...placeOf(at), ...lookOf(reading), ...found, test_start: restart ?? '' },
  }));

const metricRows = (reading: Reading, at: At): SinkRow[] =>
  reading.metrics.flatMap((metric) =>
    metric.arms.map((arm) => ({
      table: 'readings' as const,
      row: {
        ...placeOf(at),
        ...lookOf(reading),
        events_folded: reading.events_folded,
        state: reading.state,
        settled: reading.settled,
        crossovers: reading.crossovers,
        crossover_reasons: reading.crossover_reasons ?? {},
        not_obeyed: reading.not_obeyed ?? [],
        srm_log_e: reading.srm_log_e,
        metric: metric.metric,
        candidate: metric.candidate,
        role: metric.role,
        status: metric.status,
        reason: metric.reason ?? '',
        log_e: metric.log_e,
        weighted_log_e: metric.weighted_log_e,
        threshold: metric.threshold,
        engine: metric.engine ?? '',
        test_start: metric.restart ?? '',
        win_log_e: metric.win_log_e,
        difference: metric.difference,
        difference_lower: metric.difference_lower,
        difference_upper: metric.difference_upper,
        relative: metric.relative,
        relative_lower: metric.relative_lower,
        relative_upper: metric.relative_upper,
        interval_note: metric.interval_note ?? '',
        clipped: metric.clipped ?? '',
        contradiction: metric.contradiction ?? '',
        arm: arm.arm,
        units: arm.units,
        entries: arm.entries,
        numerator: arm.numerator,
        denominator: arm.denominator,
        estimate: arm.estimate,
        known: arm.known ?? 0,
        unknown: arm.unknown ?? 0,
        incomplete: arm.incomplete ?? 0,
        known_calls: arm.known_calls ?? 0,
        unknown_calls: arm.unknown_calls ?? 0,
        below: arm.below ?? 0,
        above: arm.above ?? 0,
      },
    })),
  );

export const decisionRow = (decision: Decision, at: At): SinkRow => ({
  table: 'decisions',
  row: {
    ...placeOf(at),
    decision_id: decision.decision_id,
    experiment: decision.experiment_id,
    phase: decision.phase,
    // Its number: older rows have one of their own, counted by whoever wrote them.
    seq: at.offset,
    action: decision.action,
    reason_code: decision.reason_code,
    rule_id: decision.rule_id,
    rule_version: decision.rule_version,
    candidate: decision.candidate ?? '',
    metric: decision.metric ?? '',
    test_start: decision.restart ?? '',
    estimate: decision.estimate,
    log_e: decision.log_e,
    threshold: decision.threshold,
    alpha: decision.alpha,
    watermark: decision.watermark,
    events_folded: decision.events_folded,
    version_partition_ids: decision.version_vector.map(({ part }) => part),
    version_positions: decision.version_vector.map((entry) => entry.ver),
    config_sha: decision.config_sha,
    revision: decision.revision,
    evidence: decision.evidence,
    actor: decision.actor,
    note: decision.note ?? '',
    trace_id: decision.trace_id,
  },
});

export const ackRow = (ack: Ack, at: At): SinkRow => ({
  table: 'acks',
  row: {
    ...placeOf(at),
    decision_id: ack.decision_id,
    experiment: ack.experiment_id,
    phase: ack.phase,
    seq: ack.control_offset ?? ack.seq,
    actuator: ack.actuator,
    previous_coverage: ack.previous_coverage,
    new_coverage: ack.new_coverage,
    revision: ack.revision,
    applied_at: ack.applied_at,
    result: ack.result,
    trace_id: ack.trace_id,
    code: ack.code ?? '',
    reason: ack.reason ?? '',
  },
});

/** Next to the decisions: what changed an experiment stands in one table, in its order. */
export const applyRow = (apply: Apply, at: At): SinkRow => ({
  table: 'decisions',
  row: {
    ...placeOf(at),
    decision_id: apply.apply_id,
    experiment: apply.experiment_id,
    seq: at.offset,
    action: 'apply',
    reason_code: 'APPLY',
    rule_id: 'apply',
    config_sha: apply.config_sha,
    evidence: apply.spec,
    actor: apply.author,
    note: apply.reason,
    trace_id: apply.trace_id,
  },
});

/** Headers only: the bytes stay on the topic, where they expire. */
export const parkedRow = (headers: Readonly<Record<string, string>>, bytes: number, at: At): SinkRow => ({
  table: 'parked',
  row: {
    ...placeOf(at),
    stage: headers['x-stage'] ?? '',
    code: headers['x-error-code'] ?? '',
    message: headers['x-error-message'] ?? '',
    source_topic: headers['x-topic'] ?? '',
    source_partition: Number(headers['x-partition'] ?? 0),
    source_offset: Number(headers['x-offset'] ?? 0),
    schema_id: headers['x-schema-id'] ?? '',
    first_seen: headers['x-first-seen'] ?? '1970-01-01T00:00:00.000Z',
    bytes,
  },
});
