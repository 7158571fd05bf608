/** What the rules ask about a look and the decisions before it; the rules themselves are `rules.ts`. */
import { defaultSkewLimitMs } from '../kernel/clock-skew.ts';
import type { Decision, DecisionAction } from '../kernel/decision.ts';
import type { Evaluation, FunnelStep, MetricEvaluation, MissingEvaluation, TestResult } from '../kernel/evaluation.ts';
import { candidatesOf, endedStatuses, type ExperimentRevision, harmAlphaOf } from '../kernel/experiment.ts';
import { breachingMetrics } from './breaching-metrics.ts';

export type RuleContext = {
  readonly evaluation: Evaluation;
  /** Decisions that were applied. */
  readonly past: readonly Decision[];
  /** The experiment as the control topic has it; absent where there is none. */
  readonly table?: ExperimentRevision;
};

const terminal = new Set<DecisionAction>(['rollback', 'stop', 'promote']);
export const inPhase = ({ evaluation, past }: RuleContext): readonly Decision[] =>
  past.filter(
    (decision) =>
      decision.experimentId === evaluation.experiment.spec.id && decision.phase === evaluation.experiment.phase,
  );
const endedInTable = ({ table }: RuleContext): boolean => table !== undefined && endedStatuses.has(table.status);
export const isEnded = (context: RuleContext): boolean =>
  endedStatuses.has(context.evaluation.experiment.status) || endedInTable(context);
const isOver = (context: RuleContext, candidate: string): boolean =>
  endedInTable(context) ||
  inPhase(context).some(
    (decision) =>
      terminal.has(decision.action) && (decision.candidate === undefined || decision.candidate === candidate),
  );
export const openCandidates = (context: RuleContext): readonly string[] =>
  candidatesOf(context.evaluation.experiment.spec)
    .map(({ id }) => id)
    .filter((id) => !isOver(context, id));
export const logBound = (alpha: number): number => Math.log(1 / alpha);
export const ageMs = ({ experiment, watermark }: Evaluation): number =>
  watermark === undefined ? 0 : watermark - experiment.phaseStartedAt;

/** Of the open candidates' metrics past the bound the strongest: e-Holm's first step names the breaching metric. */
export function strongest(
  context: RuleContext,
  role: (metric: MetricEvaluation) => boolean,
): MetricEvaluation | undefined {
  const {
    metrics,
    experiment: { spec },
  } = context.evaluation;
  const found = openCandidates(context).flatMap((candidate) =>
    breachingMetrics(
      spec,
      metrics.filter((metric) => metric.candidate === candidate && role(metric)),
      harmAlphaOf(spec),
    ).slice(0, 1),
  );
  return found.sort((a, b) => (b.harm?.weightedLogE ?? 0) - (a.harm?.weightedLogE ?? 0))[0];
}

/** Some partition is far behind the newest, or one arm has fallen silent. */
export const isStale = ({ watermark, newestClock, experiment, silent }: Evaluation): boolean =>
  silent.length > 0 ||
  (watermark !== undefined &&
    newestClock !== undefined &&
    newestClock - watermark > experiment.spec.analysis.freshnessMs);

/** An arm, or a partition that holds units, has had no call for longer than the phase's rhythm allows. */
export const isQuiet = ({ quiet }: Evaluation): boolean => quiet.arms.length > 0 || quiet.partitions > 0;

/** Some service's clock is further from the broker's than the experiment allows. */
export const isSkewed = ({ clocks = [], experiment }: Evaluation): boolean => {
  const limitMs = experiment.spec.health.clockSkewMs ?? defaultSkewLimitMs;
  return clocks.some(({ skewMs }) => Math.abs(skewMs) > limitMs);
};

/** Every goal and guardrail of the candidate can be measured, and no step before them is under suspicion. */
export const isMeasured = ({ metrics, missing }: Evaluation, candidate: string): boolean =>
  metrics.every(
    (metric) => metric.candidate !== candidate || metric.role === 'signal' || metric.status !== 'cannot_measure',
  ) &&
  missing.every(
    (step) => step.candidate !== candidate || step.action !== 'rollback' || !['bad', 'suspected'].includes(step.status),
  );

/** Evidence past its bound that the means it rests on agree with. */
export const isShown = (test: TestResult | undefined, alpha: number): boolean =>
  test !== undefined && test.agreement === 'agrees' && test.logE >= logBound(alpha);

/** The step is one metric's own. */
const isOfMetric = (step: FunnelStep): boolean => step === 'measured' || step === 'resolved';

/** What a decision about missing data calls it. */
export const missingId = ({ step, metric }: Pick<MissingEvaluation, 'step' | 'metric'>): string =>
  isOfMetric(step) ? `missing:${step}:${metric}` : `missing:${step}`;

/** Paused by the table, or by a decision that the table does not show yet. A person resumes. */
export const isPaused = (context: RuleContext): boolean =>
  context.evaluation.experiment.status === 'paused' ||
  inPhase(context).some(
    ({ action, revision }) => action === 'pause' && revision === context.evaluation.experiment.revision,
  );

/**
 * Below this an imbalance is what chance does; above it nothing is promoted until it falls back. Honest real runs never
 * passed 1.8.
 */
export const srmSuspicion = 3;
/** Conditional power below this is futile. */
const hopeless = 0.1;

/** What of an advance's evidence is read again. */
type AdvanceEvidence = { readonly srm?: { readonly counts?: Readonly<Record<string, number>> } };

/** Units that entered since the coverage was last raised, by the advance that this revision obeys. */
export function unitsOfStep(context: RuleContext): number {
  const { srm, experiment } = context.evaluation;
  const total = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((sum, units) => sum + units, 0);
  const last = inPhase(context)
    .filter(({ action, revision }) => action === 'advance' && revision < experiment.revision)
    .at(-1);
  if (last === undefined) return total(srm.counts);
  const evidence = JSON.parse(last.evidence) as AdvanceEvidence;
  return total(srm.counts) - total(evidence.srm?.counts ?? {});
}

/**
 * Every guardrail is shown to be within its margin, or its interval lies below `tolerance` times its declared harm;
 * what is not known is not below.
 */
export function isWithinTolerance({ metrics, experiment }: Evaluation, tolerance: number): boolean {
  return metrics
    .filter(({ role }) => role === 'guardrail')
    .every(({ interval, metric, win }) => {
      const spec = experiment.spec.metrics.find(({ id }) => id === metric);
      if (spec === undefined) return false;
      const isMarginTight = spec.margin > 0 && spec.margin <= tolerance * spec.harm;
      const isNonInferior = isShown(win, experiment.spec.analysis.alphaWin);
      if (isMarginTight && isNonInferior) return true;
      if (!interval.ok || interval.gate !== undefined) return false;
      return (spec.better === 'lower' ? interval.upper : -interval.lower) < tolerance * spec.harm;
    });
}

/** The benefit at best is less than what is worth having, or promoting by the horizon has become unlikely. */
export function isFutile(
  { interval, conditionalPower, metric }: MetricEvaluation,
  { spec }: Evaluation['experiment'],
): boolean {
  const goal = spec.metrics.find(({ id }) => id === metric);
  if (goal?.worthwhile === undefined) return false;
  if (conditionalPower !== undefined && conditionalPower < hopeless) return true;
  if (!interval.ok || interval.gate !== undefined) return false;
  return (goal.better === 'lower' ? -interval.lower : interval.upper) < goal.worthwhile;
}
