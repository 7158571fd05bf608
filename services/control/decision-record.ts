/** What crosses the control and experiment topics, as records and back. */
import type {
  Apply as ApplyRecord,
  Decision as DecisionRecord,
  Experiment as ExperimentRecord,
} from '../../schemas/generated.ts';
import { canonicalJson, type Json } from '../kernel/canonical-json.ts';
import type { Decision } from '../kernel/decision.ts';
import type { ExperimentRevision, ExperimentSpec } from '../kernel/experiment.ts';
import { formatRevision, parseRevision } from '../kernel/experiment-json.ts';
import type { Application, ControlRecord } from './control-record.ts';
import type { ExperimentControl } from './fold-control.ts';

export const toDecisionRecord = (decision: Decision): DecisionRecord => ({
  decision_id: decision.decisionId,
  experiment_id: decision.experimentId,
  phase: decision.phase,
  seq: 0,
  action: decision.action,
  reason_code: decision.reasonCode,
  rule_id: decision.ruleId,
  rule_version: decision.ruleVersion,
  candidate: decision.candidate ?? null,
  metric: decision.metric ?? null,
  restart: decision.testStart ?? null,
  estimate: decision.estimate ?? null,
  log_e: decision.logE ?? null,
  threshold: decision.threshold ?? null,
  alpha: decision.alpha ?? null,
  watermark: decision.watermark ?? null,
  events_folded: decision.eventsFolded,
  version_vector: decision.versionVector.map(({ partitionId, position }) => ({ part: partitionId, ver: position })),
  config_sha: decision.configSha,
  revision: decision.revision,
  evidence: decision.evidence,
  actor: decision.actor,
  note: decision.note ?? null,
  trace_id: decision.traceId,
  control_offset: decision.controlOffset ?? null,
});

const present = <K extends string, V>(key: K, value: V | null): { [Key in K]?: V } =>
  value === null ? {} : ({ [key]: value } as { [Key in K]?: V });

export const fromDecisionRecord = (record: DecisionRecord): Decision => ({
  decisionId: record.decision_id,
  experimentId: record.experiment_id,
  phase: record.phase,
  action: record.action as Decision['action'],
  reasonCode: record.reason_code,
  ruleId: record.rule_id,
  ruleVersion: record.rule_version,
  ...present('candidate', record.candidate),
  ...present('metric', record.metric),
  ...present('testStart', record.restart),
  ...present('estimate', record.estimate),
  ...present('logE', record.log_e),
  ...present('threshold', record.threshold),
  ...present('alpha', record.alpha),
  ...present('watermark', record.watermark),
  eventsFolded: record.events_folded,
  versionVector: record.version_vector.map(({ part, ver }) => ({ partitionId: part, position: ver })),
  configSha: record.config_sha,
  revision: record.revision,
  evidence: record.evidence,
  actor: record.actor,
  ...present('note', record.note),
  ...present('controlOffset', record.control_offset ?? null),
  traceId: record.trace_id,
});

export const toApplyRecord = ({ spec, ...application }: Application): ApplyRecord => ({
  apply_id: application.applyId,
  experiment_id: application.experimentId,
  config_sha: application.configSha,
  spec: canonicalJson((spec ?? null) as never as Json),
  author: application.author,
  reason: application.reason,
  trace_id: application.traceId,
});

/** Whoever wrote the record has validated the file; what is no specification all the same is answered, not thrown. */
function readSpec(text: string): ExperimentSpec | undefined {
  try {
    const spec = JSON.parse(text) as ExperimentSpec | null;
    const isOne = typeof spec?.id === 'string' && Array.isArray(spec.arms) && Array.isArray(spec.metrics);
    return isOne && spec.arms.some(({ role }) => role === 'control') ? spec : undefined;
  } catch {
    return undefined;
  }
}

export const fromApplyRecord = (record: ApplyRecord): Application => ({
  applyId: record.apply_id,
  experimentId: record.experiment_id,
  spec: readSpec(record.spec),
  configSha: record.config_sha,
  author: record.author,
  reason: record.reason,
  traceId: record.trace_id,
});

/** The records of the control topic. */
export const controlRecords = ['decision', 'apply'] as const;

export const fromControlRecord = (
  decoded:
    | { readonly record: 'decision'; readonly value: DecisionRecord }
    | { readonly record: 'apply'; readonly value: ApplyRecord },
): ControlRecord =>
  decoded.record === 'decision'
    ? { kind: 'decision', decision: fromDecisionRecord(decoded.value) }
    : { kind: 'apply', application: fromApplyRecord(decoded.value) };

/**
 * `spec` of the record is the whole revision as canonical JSON, the same text that the unit log carries; the other
 * fields are for readers.
 */
export const toExperimentRecord = (
  revision: ExperimentRevision,
  checkpoint?: Pick<ExperimentControl, 'upTo' | 'taken'>,
): ExperimentRecord => ({
  experiment_id: revision.spec.id,
  revision: revision.revision,
  phase: revision.phase,
  status: revision.status,
  coverage: revision.coverage,
  config_sha: revision.configSha,
  phase_started_at: revision.phaseStartedAt,
  applied_at: revision.appliedAt,
  author: revision.author,
  reason: revision.reason,
  spec: formatRevision(revision),
  control_offset: checkpoint?.upTo ?? null,
  taken: [...(checkpoint?.taken ?? [])],
});

export const fromExperimentRecord = (record: ExperimentRecord): ExperimentRevision => parseRevision(record.spec);

/** `upTo` 0: written before control records were folded. */
export const fromCheckpoint = (record: ExperimentRecord): ExperimentControl => ({
  revision: fromExperimentRecord(record),
  upTo: record.control_offset ?? 0,
  taken: record.taken ?? [],
});
