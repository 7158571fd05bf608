import { expect, test } from 'vitest';
import { killDecision } from '../../../services/control/index.ts';
import type { DecisionAction } from '../../../services/kernel/decision.ts';
import { withheld } from '../../../services/statistics/withheld.ts';
import { aRevision } from '../../support/build.ts';

test.each<[DecisionAction, boolean]>([
  ['rollback', true],
  ['stop', true],
  ['pause', true],
  ['promote', false],
  ['advance', false],
  ['conclude', false],
])('while an audit does not add up: %s is published: %s', (action, isPublished) => {
  const decision = { ...killDecision(aRevision(), [], 'engine', 'x', 0), action };
  const judged = { state: 'S', ruleId: 'r', decision };
  expect(withheld(judged, true)).toBe(judged);
  expect(withheld(judged, false).decision?.action).toBe(isPublished ? action : undefined);
});
