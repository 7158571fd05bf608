import { expect, test } from 'vitest';
import { decide } from '../../../services/control/index.ts';
import type { DecisionAction } from '../../../services/kernel/decision.ts';
import { withheld } from '../../../services/statistics/withheld.ts';
import { aMetric, anEvaluation } from '../../support/build.ts';

test.each<[DecisionAction, boolean]>([
  ['rollback', true],
  ['stop', true],
  ['pause', true],
  ['promote', false],
  ['advance', false],
  ['conclude', false],
])('while an audit does not add up: %s is published: %s', (action, isPublished) => {
  const { decision: rollback } = decide(anEvaluation({ metrics: [aMetric({ log: 99, status: 'bad' })] }), []);
  if (rollback === undefined) throw new Error('harm decides nothing');
  const decision = { ...rollback, action };
  const judged = { state: 'S', ruleId: 'r', decision };
  expect(withheld(judged, true)).toBe(judged);
  expect(withheld(judged, false).decision?.action).toBe(isPublished ? action : undefined);
});
