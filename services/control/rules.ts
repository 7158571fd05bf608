/**
 * When an experiment is stopped, rolled back, paused or promoted: the rules in order, the first that holds wins and is named in the decision.
 * Statistics design 6.3, as far as E1, E2, E4 and E6 carry it. Changing a rule raises `ruleVersion`.
 */
import type { Decision, DecisionAction } from '../kernel/decision.ts';
import type { Evaluation, MetricEvaluation } from '../kernel/evaluation.ts';

export const ruleVersion = 1;

export type RuleContext = { readonly evaluation: Evaluation; readonly past: readonly Decision[] };
/** What a rule found; without an action it only says where the experiment stands. */
export type Finding = { readonly action?: DecisionAction; readonly reasonCode: string; readonly culprit?: MetricEvaluation; readonly alpha?: number; readonly candidate?: string };
export type Rule = { readonly id: string; readonly state: string; when(context: RuleContext): Finding | undefined };

const terminal = new Set<DecisionAction>(['rollback', 'stop', 'promote']);
const inPhase = ({ evaluation, past }: RuleContext): readonly Decision[] => past.filter((decision) => decision.experimentId === evaluation.experiment.spec.id && decision.phase === evaluation.experiment.phase);
const isOver = (context: RuleContext, candidate: string): boolean => inPhase(context).some((decision) => terminal.has(decision.action) && (decision.candidate === undefined || decision.candidate === candidate));
const logBound = (alpha: number): number => Math.log(1 / alpha);

/** Of the metrics past their bound the one with the largest weighted log e: e-Holm's first step, which names the culprit. */
function strongest(metrics: readonly MetricEvaluation[], alpha: number): MetricEvaluation | undefined {
  return metrics.filter(({ harm }) => (harm?.weightedLogE ?? -Infinity) >= logBound(alpha)).sort((a, b) => (b.harm?.weightedLogE ?? 0) - (a.harm?.weightedLogE ?? 0))[0];
}

const ageMs = ({ experiment, watermark }: Evaluation): number => (watermark === undefined ? 0 : watermark - experiment.phaseStartedAt);
const isStale = ({ watermark, newestClock, experiment }: Evaluation): boolean => watermark !== undefined && newestClock !== undefined && newestClock - watermark > experiment.spec.analysis.freshnessMs;
/** E4 lasts: once past 1 / alpha_srm in the phase, a new phase clears it. */
/** Below this an imbalance is what chance does; above it nothing is promoted until it falls back. */
const srmSuspicion = 3;

export const rules: readonly Rule[] = [
  {
    id: 'harm', state: 'HARM',
    when: (context) => {
      const { evaluation } = context;
      const alpha = evaluation.experiment.spec.analysis.alphaHarm;
      const open = evaluation.metrics.filter(({ role, candidate }) => role !== 'signal' && !isOver(context, candidate));
      const culprit = strongest(open, alpha);
      return culprit && { action: 'rollback', reasonCode: 'HARM', culprit, alpha, candidate: culprit.candidate };
    },
  },
  {
    id: 'over', state: 'OVER',
    when: (context) => {
      const { status } = context.evaluation.experiment;
      const candidates = [...new Set(context.evaluation.metrics.map(({ candidate }) => candidate))];
      return status === 'rolled_back' || status === 'stopped' || status === 'promoted' || candidates.every((candidate) => isOver(context, candidate)) ? { reasonCode: 'OVER' } : undefined;
    },
  },
  {
    id: 'signal', state: 'SIGNAL',
    when: (context) => {
      const alpha = context.evaluation.experiment.spec.analysis.alphaHarm;
      const paused = new Set(inPhase(context).filter(({ action }) => action === 'pause').map(({ metric, candidate }) => `${metric}/${candidate}`));
      const open = context.evaluation.metrics.filter(({ role, metric, candidate }) => role === 'signal' && !isOver(context, candidate) && !paused.has(`${metric}/${candidate}`));
      const culprit = strongest(open, alpha);
      return culprit && { action: 'pause', reasonCode: 'SIGNAL', culprit, alpha, candidate: culprit.candidate };
    },
  },
  { id: 'stale', state: 'STALE', when: ({ evaluation }) => (isStale(evaluation) ? { reasonCode: 'STALE' } : undefined) },
  {
    id: 'srm', state: 'SRM',
    when: (context) => {
      const { srm, experiment } = context.evaluation;
      const known = inPhase(context).some(({ reasonCode }) => reasonCode === 'SRM');
      if (!known && srm.logE < logBound(experiment.spec.analysis.alphaSrm)) return undefined;
      return known || experiment.spec.health.srm === 'warn' ? { reasonCode: 'SRM' } : { action: 'pause', reasonCode: 'SRM', alpha: experiment.spec.analysis.alphaSrm };
    },
  },
  { id: 'srm-suspected', state: 'SRM_SUSPECTED', when: ({ evaluation }) => (evaluation.srm.logE >= Math.log(srmSuspicion) ? { reasonCode: 'SRM_SUSPECTED' } : undefined) },
  { id: 'insufficient', state: 'INSUFFICIENT', when: ({ evaluation }) => (evaluation.metrics.every(({ harm }) => harm === undefined) ? { reasonCode: 'INSUFFICIENT' } : undefined) },
  {
    id: 'win', state: 'WIN',
    when: (context) => {
      const { evaluation } = context;
      const { analysis, metrics: specs } = evaluation.experiment.spec;
      if (ageMs(evaluation) < analysis.minRunMs) return undefined;
      const goals = specs.filter(({ role }) => role === 'goal').length;
      const candidates = [...new Set(evaluation.metrics.map(({ candidate }) => candidate))];
      for (const candidate of candidates.filter((open) => !isOver(context, open))) {
        const mine = evaluation.metrics.filter((metric) => metric.candidate === candidate);
        // alpha_win is split over all candidates of the phase, also those that are over by now, and their goals; guardrails must each be non-inferior, which costs nothing more.
        const bound = logBound(analysis.alphaWin / (goals * candidates.length));
        const best = mine.filter(({ role, win }) => role === 'goal' && (win?.logE ?? -Infinity) >= bound).sort((a, b) => (b.win?.logE ?? 0) - (a.win?.logE ?? 0))[0];
        const safe = mine.filter(({ role }) => role === 'guardrail').every(({ win }) => (win?.logE ?? -Infinity) >= logBound(analysis.alphaWin));
        if (best && safe) return { action: 'promote', reasonCode: 'WIN', culprit: best, alpha: analysis.alphaWin, candidate };
      }
      return undefined;
    },
  },
  {
    id: 'horizon', state: 'HORIZON',
    when: (context) => {
      const { evaluation } = context;
      if (ageMs(evaluation) <= evaluation.experiment.spec.analysis.horizonMs) return undefined;
      return inPhase(context).some(({ action }) => action === 'conclude') ? { reasonCode: 'HORIZON' } : { action: 'conclude', reasonCode: 'HORIZON' };
    },
  },
  {
    id: 'ramp-next', state: 'RAMP_NEXT',
    when: (context) => {
      const { experiment, watermark, srm } = context.evaluation;
      const { ramp } = experiment.spec;
      if (ramp === undefined || experiment.status !== 'running' || watermark === undefined || !ramp.coverage.some((step) => step > experiment.coverage)) return undefined;
      const units = Object.values(srm.counts).reduce((sum, number) => sum + number, 0);
      if (watermark - experiment.appliedAt < ramp.holdMs || units < ramp.minUnits) return undefined;
      // One step per revision: until the last one is obeyed, later looks find the same step due.
      const asked = inPhase(context).some(({ action, revision }) => action === 'advance' && revision === experiment.revision);
      return asked ? { reasonCode: 'RAMP_NEXT' } : { action: 'advance', reasonCode: 'RAMP_NEXT' };
    },
  },
  { id: 'continue', state: 'CONTINUE', when: () => ({ reasonCode: 'CONTINUE' }) },
];
