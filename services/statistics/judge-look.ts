/** One experiment's look, evaluated and held against the rules; what throws there concerns no other experiment. */
import type { Judgement } from '../control/index.ts';
import type { Decision } from '../kernel/decision.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import type { Look } from '../kernel/evidence.ts';
import { evaluate } from './evaluate.ts';

export type Judged =
  | { readonly ok: true; readonly evaluation: Evaluation; readonly state: string; readonly decision?: Decision }
  | { readonly ok: false; readonly experiment: string; readonly cause: string };

export function judgeLook(look: Look, judge: (evaluation: Evaluation) => Judgement): Judged {
  try {
    const evaluation = evaluate(look);
    const { state, decision } = judge(evaluation);
    return { ok: true, evaluation, state, ...(decision && { decision }) };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return { ok: false, experiment: look.experiment.spec.id, cause };
  }
}
