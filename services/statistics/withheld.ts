/** What may be decided on numbers in doubt. */
import type { Judgement } from '../control/index.ts';
import type { DecisionAction } from '../kernel/decision.ts';

/** What gives a candidate less traffic, or none. */
const protecting: ReadonlySet<DecisionAction> = new Set(['rollback', 'stop', 'pause']);

/** Numbers in doubt promote nobody; they go on guarding. The look is shown all the same, under that name. */
export const withheld = (judged: Judgement, mayPromote: boolean): Judgement =>
  mayPromote || (judged.decision !== undefined && protecting.has(judged.decision.action))
    ? judged
    : { state: 'AUDIT_MISMATCH', ruleId: 'audit-mismatch' };
