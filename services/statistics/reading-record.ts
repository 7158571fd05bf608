import type { Reading } from '../../schemas/generated.ts';
import type { Decision } from '../kernel/decision.ts';
import type { ArmTotals, Evaluation, Interval, MissingEvaluation } from '../kernel/evaluation.ts';
import { harmAlphaOf } from '../kernel/experiment.ts';

/** What a look found, as the record that crosses the topic. `state` names the first rule that held. */
export const toReading = (
  evaluation: Evaluation,
  lookSeq: number,
  state: string,
  notObeyed: readonly Decision[],
): Reading => ({
  experiment_id: evaluation.experiment.spec.id,
  phase: evaluation.experiment.phase,
  revision: evaluation.experiment.revision,
  look_seq: lookSeq,
  version_vector: evaluation.versionVector.map(({ partitionId, position }) => ({ part: partitionId, ver: position })),
  watermark: evaluation.watermark ?? null,
  newest_clock: evaluation.newestClock ?? null,
  events_folded: evaluation.eventsFolded,
  crossovers: evaluation.crossovers,
  crossover_reasons: { ...evaluation.crossoverReasons },
  state,
  settled: evaluation.settled,
  srm_log_e: evaluation.srm.logE,
  units_by_arm: { ...evaluation.srm.counts },
  metrics: evaluation.metrics.map((metric) => ({
    metric: metric.metric,
    candidate: metric.candidate,
    role: metric.role,
    status: metric.status,
    reason: metric.reason ?? null,
    log_e: metric.harm?.logE ?? null,
    weighted_log_e: metric.harm?.weightedLogE ?? null,
    threshold: Math.log(1 / harmAlphaOf(evaluation.experiment.spec)),
    engine: metric.harm?.engine ?? null,
    restart: metric.harm?.testStart.label ?? null,
    win_log_e: metric.win?.logE ?? null,
    ...intervalFields(metric.interval),
    clipped: metric.clipped ?? null,
    contradiction: metric.contradiction ?? null,
    arms: metric.arms.map(armReading),
  })),
  slos: evaluation.slos.map(({ id, arm, metric, status, reason, test, killed }) => ({
    slo: id,
    arm,
    metric,
    status,
    reason: reason ?? null,
    weighted_log_e: test?.weightedLogE ?? null,
    threshold: test?.threshold ?? null,
    killed,
  })),
  silent: [...evaluation.silent],
  missing: evaluation.missing.map(missingReading),
  quiet_arms: [...evaluation.quiet.arms],
  clock_skew: Object.fromEntries((evaluation.clocks ?? []).map(({ service, skewMs }) => [service, skewMs])),
  not_obeyed: notObeyed.map(({ action, decisionId }) => `${action} ${decisionId}`),
});

const armReading = (totals: ArmTotals): Reading['metrics'][number]['arms'][number] => {
  const { arm, units, entries, numerator, denominator, estimate, knownCalls, unknownCalls } = totals;
  const { known, unknown, incomplete, below, above } = totals;
  return {
    arm,
    units,
    entries,
    numerator,
    denominator,
    estimate: estimate ?? null,
    known,
    unknown,
    incomplete,
    known_calls: knownCalls,
    unknown_calls: unknownCalls,
    below,
    above,
  };
};

const missingReading = (found: MissingEvaluation): NonNullable<Reading['missing']>[number] => {
  const { candidate, step, metric, action, status, arms, test } = found;
  const [control, lost] = arms;
  return {
    candidate,
    step,
    metric,
    action,
    status,
    control_entries: control?.entries ?? 0,
    control_missing: control?.missing ?? 0,
    candidate_entries: lost?.entries ?? 0,
    candidate_missing: lost?.missing ?? 0,
    restart: test?.testStart.label ?? null,
    weighted_log_e: test?.weightedLogE ?? null,
    threshold: test?.threshold ?? null,
  };
};

const intervalFields = (
  interval: Interval,
): Pick<
  Reading['metrics'][number],
  | 'difference'
  | 'difference_lower'
  | 'difference_upper'
  | 'relative'
  | 'relative_lower'
  | 'relative_upper'
  | 'interval_note'
> =>
  interval.ok
    ? {
        difference: interval.estimate,
        difference_lower: interval.lower,
        difference_upper: interval.upper,
        interval_note: interval.gate ?? null,
        relative: interval.relative?.estimate ?? null,
        relative_lower: interval.relative?.lower ?? null,
        relative_upper: interval.relative?.upper ?? null,
      }
    : {
        difference: null,
        difference_lower: null,
        difference_upper: null,
        relative: null,
        relative_lower: null,
        relative_upper: null,
        interval_note: interval.reason,
      };
