/** Decisions as the fold of the control topic passes them: what was decided, and what of it happened. */
import type { ControlAnswer, ControlRecord } from '../control/index.ts';
import type { Decision } from '../kernel/decision.ts';
import type { EpochMs } from '../kernel/time.ts';
import { createSaid, type Said } from './said.ts';

export type DecisionLog = {
  /** Each once, in the order of the control topic; whether they were obeyed or not. */
  readonly decisions: readonly Decision[];
  /** Those that the fold applied: what happened. */
  readonly applied: readonly Decision[];
  readonly said: Said;
  take(record: ControlRecord, answer: ControlAnswer, now: EpochMs): void;
};

export function createDecisionLog(): DecisionLog {
  const decisions: Decision[] = [];
  const applied: Decision[] = [];
  const ids = new Set<string>();
  const said = createSaid();
  return {
    decisions,
    applied,
    said,
    take: (record, answer, now) => {
      if (record.kind !== 'decision') return;
      const { decision } = record;
      said.heard(decision, now);
      if (answer.result === 'applied') applied.push(decision);
      if (ids.has(decision.decisionId)) return;
      ids.add(decision.decisionId);
      decisions.push(decision);
    },
  };
}
