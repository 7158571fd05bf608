/** Simpson's reversal: named where it is one, with the shift that makes it, and not where chance would do. */
import { describe, expect, test } from 'vitest';
import { findReversals, findSlices, type SliceSums } from '../../../services/statistics/index.ts';
import { aSlice, oneCallEach, type UnitInSlice } from '../../support/slice-sums.ts';

const errors = { id: 'error_rate', better: 'lower' } as const;
const solved = { id: 'solved', better: 'higher' } as const;

describe("Simpson's reversal", () => {
  // Easy questions are solved by 90% and 86%, hard ones by 60% and 55%; the candidate has four times the easy ones.
  const reversed = aSlice('solved', 'difficulty', {
    A: { easy: oneCallEach(2_000, 1_800), hard: oneCallEach(8_000, 4_800) },
    B: { easy: oneCallEach(8_000, 6_880), hard: oneCallEach(2_000, 1_100) },
  });
  test('is named where every value points against the whole, with the shift that makes it', () => {
    const [reversal, ...more] = findReversals(reversed, [solved], 'A', 'B');
    expect(more).toEqual([]);
    expect(reversal).toMatchObject({
      metric: 'solved',
      slice: 'difficulty',
      overallPoints: 'better',
      every: true,
      againstShare: 1,
    });
    expect(reversal?.overall.estimate).toBeCloseTo(0.798 - 0.66, 12);
    expect(reversal?.within.estimate).toBeCloseTo(-0.045, 12);
    expect(reversal?.within.upper).toBeLessThan(0);
    expect((reversal?.within.estimate ?? 0) + (reversal?.mix ?? 0)).toBeCloseTo(reversal?.overall.estimate ?? 0, 12);
    expect(reversal?.shifts.map(({ value, control, candidate }) => [value, control.share, candidate.share])).toEqual([
      ['hard', 0.8, 0.2],
      ['easy', 0.2, 0.8],
    ]);
    const { findings } = findSlices(reversed, [solved], 'A', 'B');
    expect(findings.map(({ value, status }) => [value, status])).toEqual([
      ['easy', 'worse'],
      ['hard', 'worse'],
    ]);
  });
  test('of a weighted majority: one small value that goes with the whole does not hide it', () => {
    const [reversal] = findReversals(
      aSlice('solved', 'difficulty', {
        A: { easy: oneCallEach(2_000, 1_800), hard: oneCallEach(8_000, 4_800), odd: oneCallEach(500, 250) },
        B: { easy: oneCallEach(8_000, 6_880), hard: oneCallEach(2_000, 1_100), odd: oneCallEach(500, 300) },
      }),
      [solved],
      'A',
      'B',
    );
    expect(reversal).toMatchObject({ overallPoints: 'better', every: false });
    expect(reversal?.againstShare).toBeGreaterThan(0.9);
  });
  test.each<[string, SliceSums[]]>([
    [
      'the same mix in both arms',
      aSlice('solved', 'difficulty', {
        A: { easy: oneCallEach(5_000, 4_500), hard: oneCallEach(5_000, 3_000) },
        B: { easy: oneCallEach(5_000, 4_300), hard: oneCallEach(5_000, 2_750) },
      }),
    ],
    [
      'two signs that may both be chance',
      aSlice('solved', 'difficulty', {
        A: { easy: oneCallEach(5_000, 4_500), hard: oneCallEach(5_000, 3_000) },
        B: { easy: oneCallEach(5_050, 4_543), hard: oneCallEach(4_950, 2_969) },
      }),
    ],
    [
      'values that only one arm has',
      aSlice('solved', 'model', { A: { old: oneCallEach(5_000, 3_000) }, B: { new: oneCallEach(5_000, 4_000) } }),
    ],
  ])('is not named for %s', (_name, sums) => expect(findReversals(sums, [solved], 'A', 'B')).toEqual([]));
  test('is as exact where units have several calls: within and mix add up to the whole', () => {
    const many = (units: number, calls: number, rate: number): UnitInSlice[] =>
      Array.from({ length: units }, (_, at) => ({ y: (at % 10) / 10 < rate ? calls : 0, x: calls }));
    const [reversal] = findReversals(
      aSlice('error_rate', 'kind', {
        A: { chat: many(3_000, 1, 0.1), code: many(3_000, 5, 0.4) },
        B: { chat: many(3_000, 5, 0.2), code: many(3_000, 1, 0.5) },
      }),
      [errors],
      'A',
      'B',
    );
    expect(reversal).toMatchObject({ overallPoints: 'better', every: true });
    expect((reversal?.within.estimate ?? 0) + (reversal?.mix ?? 0)).toBeCloseTo(reversal?.overall.estimate ?? 0, 12);
  });
});
