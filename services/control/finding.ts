/** What a rule found, and the two rules whose conditions are longer than a line of the table. */
import type { DecisionAction } from '../kernel/decision.ts';
import type { MetricEvaluation, MissingEvaluation, SloEvaluation } from '../kernel/evaluation.ts';
import { missingAlphaOf } from '../kernel/experiment.ts';
import {
  inPhase,
  isMeasured,
  isQuiet,
  isWithinTolerance,
  missingId,
  openCandidates,
  type RuleContext,
  unitsOfStep,
} from './conditions.ts';

/** What a rule found; without an action it only says where the experiment stands. */
export type Finding = {
  readonly action?: DecisionAction;
  readonly reasonCode: string;
  readonly breaching?: MetricEvaluation;
  readonly slo?: SloEvaluation;
  readonly missing?: MissingEvaluation;
  readonly alpha?: number;
  readonly candidate?: string;
};
export type Rule = { readonly id: string; readonly state: string; when(context: RuleContext): Finding | undefined };

/**
 * The strongest loss of an open candidate that asks for this action and has not been decided in this phase. Each is
 * decided once: what a pause was for is not said again at every look.
 */
export function lost(context: RuleContext, action: 'rollback' | 'pause', reasonCode: string): Finding | undefined {
  const { missing, experiment } = context.evaluation;
  const open = openCandidates(context);
  const decided = new Set(inPhase(context).map(({ metric, candidate }) => `${metric}/${candidate}`));
  const [found] = missing
    .filter((one) => one.action === action && one.status === 'bad' && open.includes(one.candidate))
    .filter((one) => !decided.has(`${missingId(one)}/${one.candidate}`))
    .sort((a, b) => (b.test?.weightedLogE ?? 0) - (a.test?.weightedLogE ?? 0));
  return (
    found && {
      action,
      reasonCode,
      missing: found,
      alpha: missingAlphaOf(experiment.spec),
      candidate: found.candidate,
    }
  );
}

/** The ramp's next step is due: held, enough units, within tolerance, recent calls and everything measured. */
export function nextStep(context: RuleContext): Finding | undefined {
  const { evaluation } = context;
  const { experiment, watermark } = evaluation;
  const { ramp } = experiment.spec;
  if (ramp === undefined || watermark === undefined || !ramp.coverage.some((step) => step > experiment.coverage))
    return undefined;
  const held = watermark - experiment.appliedAt;
  if (held < ramp.holdMs || unitsOfStep(context) < ramp.minUnits) return undefined;
  const patient = ramp.patienceMs === undefined || held < ramp.patienceMs;
  if (ramp.tolerance !== undefined && patient && !isWithinTolerance(evaluation, ramp.tolerance)) return undefined;
  if (isQuiet(evaluation)) return { reasonCode: 'NO_RECENT_CALLS' };
  if (!openCandidates(context).every((id) => isMeasured(evaluation, id))) return { reasonCode: 'CANNOT_MEASURE' };
  // One step per revision: until the last one is obeyed, later looks find the same step due.
  const alreadyDecided = inPhase(context).some(
    ({ action, revision }) => action === 'advance' && revision === experiment.revision,
  );
  return alreadyDecided ? { reasonCode: 'RAMP_NEXT' } : { action: 'advance', reasonCode: 'RAMP_NEXT' };
}
