/** What `explain` prints is in the decision; what `verify` recomputes is not believed. */
import { describe, expect, test } from 'vitest';
import { betsOf, type Evidence, recomputeLogE } from '../../../services/cli/evidence.ts';
import { explanation } from '../../../services/cli/explain.ts';
import { decide } from '../../../services/control/index.ts';
import type { Decision } from '../../../services/kernel/decision.ts';
import { evaluate, logSumExp } from '../../../services/statistics/index.ts';
import { aRevision } from '../../support/build.ts';
import { aLook, type Entry } from '../statistics/build-look.ts';

const entries = ['A', 'B'].flatMap((arm) =>
  Array.from(
    { length: 300 },
    (_, at): Entry => ({ unit: `${arm}${at}`, arm, segment: 0, value: at % (arm === 'B' ? 4 : 20) === 0 ? 1 : 0 }),
  ),
);
const decision = decide(evaluate(aLook(aRevision(), 'error_rate', entries)), []).decision as Decision;
const evidence = JSON.parse(decision.evidence) as Evidence;

describe('explain', () => {
  const text = explanation(decision, evidence).join('\n');
  test('states sums, bets, weights and bound as the evidence holds them', () => {
    expect(text).toContain('rollback of B in exp-test, phase 1');
    expect(text).toContain('control 300 (15 not 0), candidate 300 (75 not 0)');
    for (const { lambda, log } of betsOf(evidence, 'harm'))
      for (const shown of [lambda.toPrecision(6), log.toFixed(4)]) expect(text).toContain(shown);
    expect(text).toContain('test start 0.3750, metric 0.4000');
    expect(text).toContain(`against log(1/alpha) ${Math.log(20).toFixed(4)} at alpha 0.05`);
  });
  test('a reader can add it up: prior and logs of the products make the log e, weights the rest', () => {
    const logE = logSumExp(betsOf(evidence, 'harm').map(({ weight, log }) => Math.log(weight) + log));
    expect(logE).toBeCloseTo(decision.logE ?? 0, 9);
    expect(logE + Math.log(0.375) + Math.log(0.4)).toBeCloseTo(evidence.weightedLogE ?? 0, 9);
  });
  test("says that its interval is another engine's, and gives the statement for the sums", () => {
    expect(text).toContain('the decision is not made from it');
    expect(text).toMatch(/npx tripline sql "SELECT .* metric = 'error_rate' AND candidate = 'B'/);
  });
  test('a decision without a test has its lines and no others', () => {
    const { engine: _engine, control: _control, test: _test, design: _design, interval: _interval, ...rest } = evidence;
    const lines = explanation({ ...decision, reasonCode: 'HORIZON' }, rest);
    expect(lines.some((line) => line.includes('lambda') || line.includes('interval'))).toBe(false);
  });
});

describe("the evidence's own arithmetic", () => {
  test('gives the same log e, to the last bit', () => expect(recomputeLogE(evidence).ok).toBe(true));
  test.each<[string, Evidence]>([
    [
      'one sum changed',
      {
        ...evidence,
        control: {
          ...(evidence.control as NonNullable<Evidence['control']>),
          harm: (evidence.control?.harm ?? []).map((sum, j) => sum + (j === 3 ? 2 ** 24 : 0)),
        },
      },
    ],
    ['another log e', { ...evidence, logE: (evidence.logE ?? 0) + 1e-12 }],
  ])('%s is found out', (_name, changed) => expect(recomputeLogE(changed)).toMatchObject({ ok: false }));
});
