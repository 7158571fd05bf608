/** Decisions and revisions as the records that cross topics, and back. */
import type { Decision as DecisionRecord, Experiment as ExperimentRecord } from '../../schemas/generated.ts';
import type { Decision } from '../kernel/decision.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import { formatRevision, parseRevision } from '../kernel/experiment-json.ts';

export const toDecisionRecord = (decision: Decision): DecisionRecord => ({
  decision_id: decision.decisionId,
  experiment_id: decision.experimentId,
  phase: decision.phase,
  seq: decision.seq,
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
});

const present = <K extends string, V>(key: K, value: V | null): { [Key in K]?: V } =>
  value === null ? {} : ({ [key]: value } as { [Key in K]?: V });

export const fromDecisionRecord = (record: DecisionRecord): Decision => ({
  decisionId: record.decision_id,
  experimentId: record.experiment_id,
  phase: record.phase,
  seq: record.seq,
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
  traceId: record.trace_id,
});

/**
 * `spec` of the record is the whole revision as canonical JSON, the same text that the unit log carries; the other
 * fields are for readers.
 */
export const toExperimentRecord = (revision: ExperimentRevision): ExperimentRecord => ({
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
});

export const fromExperimentRecord = (record: ExperimentRecord): ExperimentRevision => parseRevision(record.spec);
