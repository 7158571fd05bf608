/**
 * When an experiment is stopped, rolled back, paused or promoted: the rules in order, the first that holds wins and is
 * named in the decision. Statistics design 6.3. Changing a rule raises `ruleVersion`.
 */
import type { Decision, DecisionAction } from '../kernel/decision.ts';
import type { Evaluation, MetricEvaluation, SloEvaluation } from '../kernel/evaluation.ts';
import { candidatesOf, harmAlphaOf, winAlphaOf } from '../kernel/experiment.ts';
import { breachingMetrics } from './breaching-metrics.ts';
import { finishLearning, isResolveProblem } from './resolve-metrics.ts';

export const ruleVersion = 2;

export type RuleContext = { readonly evaluation: Evaluation; readonly past: readonly Decision[] };
/** What a rule found; without an action it only says where the experiment stands. */
export type Finding = {
  readonly action?: DecisionAction;
  readonly reasonCode: string;
  readonly breaching?: MetricEvaluation;
  readonly slo?: SloEvaluation;
  readonly alpha?: number;
  readonly candidate?: string;
};
export type Rule = { readonly id: string; readonly state: string; when(context: RuleContext): Finding | undefined };

const terminal = new Set<DecisionAction>(['rollback', 'stop', 'promote']);
const inPhase = ({ evaluation, past }: RuleContext): readonly Decision[] =>
  past.filter(
    (decision) =>
      decision.experimentId === evaluation.experiment.spec.id && decision.phase === evaluation.experiment.phase,
  );
const isOver = (context: RuleContext, candidate: string): boolean =>
  inPhase(context).some(
    (decision) =>
      terminal.has(decision.action) && (decision.candidate === undefined || decision.candidate === candidate),
  );
const openCandidates = (context: RuleContext): readonly string[] =>
  candidatesOf(context.evaluation.experiment.spec)
    .map(({ id }) => id)
    .filter((id) => !isOver(context, id));
const logBound = (alpha: number): number => Math.log(1 / alpha);
const ageMs = ({ experiment, watermark }: Evaluation): number =>
  watermark === undefined ? 0 : watermark - experiment.phaseStartedAt;

/** Of the open candidates' metrics past the bound the strongest: e-Holm's first step, which names the breaching metric. */
function strongest(context: RuleContext, role: (metric: MetricEvaluation) => boolean): MetricEvaluation | undefined {
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
const isStale = ({ watermark, newestClock, experiment, silent }: Evaluation): boolean =>
  silent.length > 0 ||
  (watermark !== undefined &&
    newestClock !== undefined &&
    newestClock - watermark > experiment.spec.analysis.freshnessMs);

/** Paused by the table, or by a decision that the table does not show yet. A person resumes. */
const isPaused = (context: RuleContext): boolean =>
  context.evaluation.experiment.status === 'paused' ||
  inPhase(context).some(
    ({ action, revision }) => action === 'pause' && revision === context.evaluation.experiment.revision,
  );

/**
 * Below this an imbalance is what chance does; above it nothing is promoted until it falls back. Honest real runs never
 * passed 1.8 (design 6.3, 4b).
 */
const srmSuspicion = 3;
/** Conditional power below this is futile. Design 6.3, 7. */
const hopeless = 0.1;

/** Units that entered since the coverage was last raised, by the advance that this revision obeys. */
function unitsOfStep(context: RuleContext): number {
  const { srm, experiment } = context.evaluation;
  const total = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((sum, units) => sum + units, 0);
  const last = inPhase(context)
    .filter(({ action, revision }) => action === 'advance' && revision < experiment.revision)
    .at(-1);
  const before =
    last === undefined
      ? {}
      : ((JSON.parse(last.evidence) as { readonly srm?: { readonly counts?: Readonly<Record<string, number>> } }).srm
          ?.counts ?? {});
  return total(srm.counts) - total(before);
}

/**
 * Every guardrail is shown to be within its margin, or its interval lies below `tolerance` times its declared harm;
 * what is not known is not below.
 */
function isWithinTolerance({ metrics, experiment }: Evaluation, tolerance: number): boolean {
  return metrics
    .filter(({ role }) => role === 'guardrail')
    .every(({ interval, metric, win }) => {
      const spec = experiment.spec.metrics.find(({ id }) => id === metric);
      if (spec === undefined) return false;
      if (
        spec.margin > 0 &&
        spec.margin <= tolerance * spec.harm &&
        (win?.logE ?? -Infinity) >= logBound(experiment.spec.analysis.alphaWin)
      )
        return true;
      if (!interval.ok || interval.gate !== undefined) return false;
      return (spec.better === 'lower' ? interval.upper : -interval.lower) < tolerance * spec.harm;
    });
}

/** The benefit at best is less than what is worth having, or promoting by the horizon has become unlikely. */
function isFutile(
  { interval, conditionalPower, metric }: MetricEvaluation,
  { spec }: Evaluation['experiment'],
): boolean {
  const goal = spec.metrics.find(({ id }) => id === metric);
  if (goal?.worthwhile === undefined) return false;
  if (conditionalPower !== undefined && conditionalPower < hopeless) return true;
  if (!interval.ok || interval.gate !== undefined) return false;
  return (goal.better === 'lower' ? -interval.lower : interval.upper) < goal.worthwhile;
}

export const rules: readonly Rule[] = [
  {
    id: 'learn',
    state: 'LEARNING',
    when: (context) => {
      const { experiment, learned } = context.evaluation;
      if (experiment.spec.learning === undefined) return undefined;
      const asked = inPhase(context).some(
        ({ action, revision }) => action === 'advance' && revision === experiment.revision,
      );
      const ready = learned?.ok === true && !isResolveProblem(finishLearning(experiment.spec, learned.baselines));
      return ready && !asked && experiment.status === 'running'
        ? { action: 'advance', reasonCode: 'BASELINE_LEARNED' }
        : { reasonCode: 'LEARNING' };
    },
  },
  {
    id: 'harm',
    state: 'HARM',
    when: (context) => {
      const breaching = strongest(context, ({ role }) => role !== 'signal');
      return (
        breaching && {
          action: 'rollback',
          reasonCode: 'HARM',
          breaching,
          alpha: harmAlphaOf(context.evaluation.experiment.spec),
          candidate: breaching.candidate,
        }
      );
    },
  },
  {
    id: 'slo',
    state: 'SLO_BREACH',
    when: (context) => {
      const { slos, experiment } = context.evaluation;
      const said = new Set(
        inPhase(context)
          .filter(({ reasonCode }) => reasonCode === 'SLO_BREACH')
          .map(({ metric }) => metric),
      );
      const open = openCandidates(context);
      const breached = slos.filter(
        ({ status, arm }) =>
          status === 'bad' &&
          open.length > 0 &&
          (open.includes(arm) || candidatesOf(experiment.spec).every(({ id }) => id !== arm)),
      );
      const fresh = breached
        .filter(({ id }) => !said.has(`slo:${id}`))
        .sort((a, b) => (b.test?.weightedLogE ?? 0) - (a.test?.weightedLogE ?? 0))[0];
      if (fresh === undefined) return breached.length > 0 ? { reasonCode: 'SLO_BREACH' } : undefined;
      return {
        action: fresh.action,
        reasonCode: 'SLO_BREACH',
        slo: fresh,
        alpha: experiment.spec.analysis.alphaSlo,
        ...(open.includes(fresh.arm) && { candidate: fresh.arm }),
      };
    },
  },
  {
    id: 'over',
    state: 'OVER',
    when: (context) => {
      const { status } = context.evaluation.experiment;
      return status === 'rolled_back' ||
        status === 'stopped' ||
        status === 'promoted' ||
        openCandidates(context).length === 0
        ? { reasonCode: 'OVER' }
        : undefined;
    },
  },
  {
    id: 'signal',
    state: 'SIGNAL',
    when: (context) => {
      const said = new Set(
        inPhase(context)
          .filter(({ reasonCode }) => reasonCode === 'SIGNAL')
          .map(({ metric, candidate }) => `${metric}/${candidate}`),
      );
      const breaching = strongest(
        context,
        ({ role, metric, candidate }) => role === 'signal' && !said.has(`${metric}/${candidate}`),
      );
      return (
        breaching && {
          action: 'pause',
          reasonCode: 'SIGNAL',
          breaching,
          alpha: harmAlphaOf(context.evaluation.experiment.spec),
          candidate: breaching.candidate,
        }
      );
    },
  },
  {
    id: 'stale',
    state: 'STALE',
    when: ({ evaluation }) => (isStale(evaluation) ? { reasonCode: 'STALE' } : undefined),
  },
  {
    id: 'srm',
    state: 'SRM',
    when: (context) => {
      // E4 lasts: once past 1 / alpha_srm, only a new phase clears it.
      const { srm, experiment } = context.evaluation;
      const known = inPhase(context).some(({ reasonCode }) => reasonCode === 'SRM');
      if (!known && srm.logE < logBound(experiment.spec.analysis.alphaSrm)) return undefined;
      return known || experiment.spec.health.srm === 'warn'
        ? { reasonCode: 'SRM' }
        : { action: 'pause', reasonCode: 'SRM', alpha: experiment.spec.analysis.alphaSrm };
    },
  },
  {
    id: 'srm-suspected',
    state: 'SRM_SUSPECTED',
    when: ({ evaluation }) =>
      evaluation.srm.logE >= Math.log(srmSuspicion) ? { reasonCode: 'SRM_SUSPECTED' } : undefined,
  },
  {
    id: 'insufficient',
    state: 'INSUFFICIENT',
    when: ({ evaluation }) =>
      evaluation.metrics.every(({ harm }) => harm === undefined) ? { reasonCode: 'INSUFFICIENT' } : undefined,
  },
  {
    id: 'win',
    state: 'WIN',
    when: (context) => {
      const { evaluation } = context;
      const { spec } = evaluation.experiment;
      const { analysis } = spec;
      if (ageMs(evaluation) < analysis.minRunMs || isPaused(context)) return undefined;
      for (const candidate of openCandidates(context)) {
        const mine = evaluation.metrics.filter((metric) => metric.candidate === candidate);
        const best = mine
          .filter(({ role, win }) => role === 'goal' && (win?.logE ?? -Infinity) >= logBound(winAlphaOf(spec)))
          .sort((a, b) => (b.win?.logE ?? 0) - (a.win?.logE ?? 0))[0];
        const safe = mine
          .filter(({ role }) => role === 'guardrail')
          .every(({ win }) => (win?.logE ?? -Infinity) >= logBound(analysis.alphaWin));
        if (best && safe)
          return { action: 'promote', reasonCode: 'WIN', breaching: best, alpha: analysis.alphaWin, candidate };
      }
      return undefined;
    },
  },
  {
    id: 'futility',
    state: 'FUTILITY',
    when: (context) => {
      const { experiment, metrics } = context.evaluation;
      if (isPaused(context)) return undefined;
      for (const candidate of openCandidates(context)) {
        const goals = metrics.filter((metric) => metric.candidate === candidate && metric.role === 'goal');
        const [first] = goals;
        if (first && goals.every((goal) => isFutile(goal, experiment)))
          return { action: 'stop', reasonCode: 'FUTILITY', breaching: first, candidate };
      }
      return undefined;
    },
  },
  {
    id: 'horizon',
    state: 'HORIZON',
    when: (context) => {
      const { evaluation } = context;
      if (ageMs(evaluation) <= evaluation.experiment.spec.analysis.horizonMs) return undefined;
      return inPhase(context).some(({ action }) => action === 'conclude')
        ? { reasonCode: 'HORIZON' }
        : { action: 'conclude', reasonCode: 'HORIZON' };
    },
  },
  { id: 'paused', state: 'PAUSED', when: (context) => (isPaused(context) ? { reasonCode: 'PAUSED' } : undefined) },
  {
    id: 'ramp-next',
    state: 'RAMP_NEXT',
    when: (context) => {
      const { evaluation } = context;
      const { experiment, watermark } = evaluation;
      const { ramp } = experiment.spec;
      if (ramp === undefined || watermark === undefined || !ramp.coverage.some((step) => step > experiment.coverage))
        return undefined;
      const held = watermark - experiment.appliedAt;
      if (held < ramp.holdMs || unitsOfStep(context) < ramp.minUnits) return undefined;
      const patient = ramp.patienceMs === undefined || held < ramp.patienceMs;
      if (ramp.tolerance !== undefined && patient && !isWithinTolerance(evaluation, ramp.tolerance)) return undefined;
      // One step per revision: until the last one is obeyed, later looks find the same step due.
      const asked = inPhase(context).some(
        ({ action, revision }) => action === 'advance' && revision === experiment.revision,
      );
      return asked ? { reasonCode: 'RAMP_NEXT' } : { action: 'advance', reasonCode: 'RAMP_NEXT' };
    },
  },
  { id: 'continue', state: 'CONTINUE', when: () => ({ reasonCode: 'CONTINUE' }) },
];
