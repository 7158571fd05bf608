/**
 * When an experiment is stopped, rolled back, paused or promoted: the rules in order, the first that holds wins and is
 * named in the decision. Changing a rule raises `ruleVersion`.
 */
import { candidatesOf, harmAlphaOf, winAlphaOf } from '../kernel/experiment.ts';
import {
  ageMs,
  inPhase,
  isEnded,
  isFutile,
  isMeasured,
  isPaused,
  isQuiet,
  isShown,
  isSkewed,
  isStale,
  logBound,
  openCandidates,
  srmSuspicion,
  strongest,
} from './conditions.ts';
import { lost, nextStep, type Rule } from './finding.ts';
import { finishLearning, isResolveProblem } from './resolve-metrics.ts';

export const ruleVersion = 4;

export const rules: readonly Rule[] = [
  {
    id: 'learn',
    state: 'LEARNING',
    when: (context) => {
      const { experiment, learned } = context.evaluation;
      if (experiment.spec.learning === undefined) return undefined;
      const alreadyDecided = inPhase(context).some(
        ({ action, revision }) => action === 'advance' && revision === experiment.revision,
      );
      const ready = learned?.ok === true && !isResolveProblem(finishLearning(experiment.spec, learned.baselines));
      return ready && !alreadyDecided && experiment.status === 'running'
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
    id: 'calls-lost',
    state: 'CALLS_LOST',
    when: (context) => lost(context, 'rollback', 'CALLS_LOST'),
  },
  {
    id: 'slo',
    state: 'SLO_BREACH',
    when: (context) => {
      const { slos, experiment } = context.evaluation;
      const alreadyDecided = new Set(
        inPhase(context)
          .filter(({ reasonCode }) => reasonCode === 'SLO_BREACH')
          .map(({ metric }) => metric),
      );
      const open = openCandidates(context);
      const isControl = (arm: string): boolean => candidatesOf(experiment.spec).every(({ id }) => id !== arm);
      const matters = (arm: string): boolean => open.length > 0 && (open.includes(arm) || isControl(arm));
      const breached = slos.filter(({ status, arm }) => status === 'bad' && matters(arm));
      const fresh = breached
        .filter(({ id }) => !alreadyDecided.has(`slo:${id}`))
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
    when: (context) => (isEnded(context) || openCandidates(context).length === 0 ? { reasonCode: 'OVER' } : undefined),
  },
  {
    id: 'signal',
    state: 'SIGNAL',
    when: (context) => {
      const alreadyDecided = new Set(
        inPhase(context)
          .filter(({ reasonCode }) => reasonCode === 'SIGNAL')
          .map(({ metric, candidate }) => `${metric}/${candidate}`),
      );
      const breaching = strongest(
        context,
        ({ role, metric, candidate }) => role === 'signal' && !alreadyDecided.has(`${metric}/${candidate}`),
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
    id: 'not-reported',
    state: 'NOT_REPORTED',
    when: (context) => (isPaused(context) ? undefined : lost(context, 'pause', 'NOT_REPORTED')),
  },
  {
    id: 'contradiction',
    state: 'CONTRADICTION',
    when: (context) => {
      const open = openCandidates(context);
      const found = context.evaluation.metrics.some(
        ({ contradiction, candidate, role }) => contradiction && role !== 'signal' && open.includes(candidate),
      );
      return found ? { reasonCode: 'CONTRADICTION' } : undefined;
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
      // The sample ratio lasts: once past 1 / alpha_srm, only a new phase clears it.
      const { srm, experiment } = context.evaluation;
      const alreadyDecided = inPhase(context).some(({ reasonCode }) => reasonCode === 'SRM');
      if (!alreadyDecided && srm.logE < logBound(experiment.spec.analysis.alphaSrm)) return undefined;
      return alreadyDecided || experiment.spec.health.srm === 'warn'
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
    id: 'clock-skew',
    state: 'CLOCK_SKEW',
    when: ({ evaluation }) => (isSkewed(evaluation) ? { reasonCode: 'CLOCK_SKEW' } : undefined),
  },
  {
    id: 'win',
    state: 'WIN',
    when: (context) => {
      const { evaluation } = context;
      const { spec } = evaluation.experiment;
      const { analysis } = spec;
      if (ageMs(evaluation) < analysis.minRunMs || isPaused(context) || isQuiet(evaluation)) return undefined;
      for (const candidate of openCandidates(context).filter((id) => isMeasured(evaluation, id))) {
        const mine = evaluation.metrics.filter((metric) => metric.candidate === candidate);
        const best = mine
          .filter(({ role, win }) => role === 'goal' && isShown(win, winAlphaOf(spec)))
          .sort((a, b) => (b.win?.logE ?? 0) - (a.win?.logE ?? 0))[0];
        const safe = mine
          .filter(({ role }) => role === 'guardrail')
          .every(({ win }) => isShown(win, analysis.alphaWin));
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
  { id: 'ramp-next', state: 'RAMP_NEXT', when: nextStep },
  {
    id: 'cannot-measure',
    state: 'CANNOT_MEASURE',
    when: (context) =>
      openCandidates(context).every((id) => isMeasured(context.evaluation, id))
        ? undefined
        : { reasonCode: 'CANNOT_MEASURE' },
  },
  { id: 'continue', state: 'CONTINUE', when: () => ({ reasonCode: 'CONTINUE' }) },
];
