/**
 * GrowthBook's forms against outputs of its own engine on real counts: stats/gbstats_fixtures_*.json in
 * TRIPLINE_TEST_DATA (engine and commit are named in the file), to 1e-5.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type Difference,
  type GrowthbookAnswer,
  type GrowthbookArms,
  growthbookFixed,
  growthbookSequential,
  type Result,
  type Tail,
} from '../../services/statistics/index.ts';
import { realData } from '../support/real-data.ts';

type Arm = { n: number; sum: number; sum_squares?: number };
type Expected = {
  expected: number;
  ci: [number | null, number | null];
  stderr: number;
  p: number | null;
  error: string | null;
};
type Case = {
  name: string;
  metric: 'proportion' | 'mean';
  A: Arm;
  B: Arm;
  alpha: number;
  sequential_tuning_parameter: number;
  results: Record<string, Expected>;
};

const folder = realData();
const files =
  folder === undefined ? [] : readdirSync(`${folder}/stats`).filter((name) => /^gbstats_fixtures.*\.json$/.test(name));
const cases = files.flatMap(
  (name) => (JSON.parse(readFileSync(`${folder}/stats/${name}`, 'utf8')) as { cases: Case[] }).cases,
);
const rows = cases.flatMap((given) =>
  Object.entries(given.results).map(([form, expected]) => [`${given.name}: ${form}`, given, form, expected] as const),
);

function armsOf({ metric, A, B }: Case): GrowthbookArms {
  if (metric === 'proportion')
    return { kind: 'proportion', control: { units: A.n, sum: A.sum }, candidate: { units: B.n, sum: B.sum } };
  const mean = ({ n, sum, sum_squares = Number.NaN }: Arm) => ({ units: n, sum, sumSquares: sum_squares });
  return { kind: 'mean', control: mean(A), candidate: mean(B) };
}
function answerOf(given: Case, form: string): Result<GrowthbookAnswer> {
  const [name = '', difference] = form.split('.') as [string, Difference];
  const tail: Tail = /greater/.test(name) ? 'greater' : /lesser/.test(name) ? 'lesser' : 'two';
  expect(name).toMatch(/^(fixed|sequential)_(two_sided|one_sided_B_(lesser|greater))$/);
  const settings = { difference, alpha: given.alpha, tail };
  return name.startsWith('fixed')
    ? growthbookFixed(armsOf(given), settings)
    : growthbookSequential(armsOf(given), { ...settings, tuning: given.sequential_tuning_parameter });
}

describe.skipIf(folder === undefined)('GrowthBook', () => {
  test('there are cases', () => expect(rows.length).toBeGreaterThan(100));
  test.each(rows)('%s', (_name, given, form, expected) => {
    const answer = answerOf(given, form);
    // Where its engine gives 0, p = 1 and an error, we give the reason alone.
    if (expected.error !== null) return expect(answer).toEqual({ ok: false, reason: expect.stringMatching(/\w/) });
    if (!answer.ok) throw new Error(answer.reason);
    const close = (got: number, want: number | null, unbounded: number): void => {
      if (want === null) expect(got).toBe(unbounded);
      else expect(Math.abs(got - want)).toBeLessThanOrEqual(1e-5);
    };
    close(answer.estimate, expected.expected, Number.NaN);
    close(answer.standardError, expected.stderr, Number.NaN);
    close(answer.lower, expected.ci[0], -Infinity);
    close(answer.upper, expected.ci[1], Infinity);
    if (expected.p !== null) close(answer.p, expected.p, Number.NaN);
  });
});
