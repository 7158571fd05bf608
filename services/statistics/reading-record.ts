import type { Reading } from '../../schemas/generated.ts';
import type { Evaluation } from '../kernel/evaluation.ts';

/** What a look found, as the record that crosses the topic. `state` names the first rule that held. */
export const toReading = (evaluation: Evaluation, lookSeq: number, state: string): Reading => ({
  experiment_id: evaluation.experiment.spec.id, phase: evaluation.experiment.phase, revision: evaluation.experiment.revision, look_seq: lookSeq,
  version_vector: evaluation.versionVector.map(({ part, ver }) => ({ part, ver })), watermark: evaluation.watermark ?? null, newest_clock: evaluation.newestClock ?? null, events_folded: evaluation.eventsFolded, crossovers: evaluation.crossovers,
  state, settled: evaluation.settled, srm_log_e: evaluation.srm.logE, units_by_arm: { ...evaluation.srm.counts },
  metrics: evaluation.metrics.map((metric) => ({
    metric: metric.metric, candidate: metric.candidate, role: metric.role, status: metric.status, reason: metric.reason ?? null,
    log_e: metric.harm?.logE ?? null, weighted_log_e: metric.harm?.weightedLogE ?? null, threshold: Math.log(1 / evaluation.experiment.spec.analysis.alphaHarm), engine: metric.harm?.engine ?? null, restart: metric.harm?.restart.label ?? null,
    win_log_e: metric.win?.logE ?? null, arms: metric.arms.map(({ arm, units, entries, numerator, denominator, estimate }) => ({ arm, units, entries, numerator, denominator, estimate: estimate ?? null })),
  })),
});
