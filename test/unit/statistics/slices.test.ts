/** Slices: what is said of each, that its error is kept over all of them and all looks, and reversals by name. */
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../services/demo/story.ts';
import {
  effectInterval,
  findReversals,
  findSlices,
  momentsOfRatio,
  type SliceSums,
  stratifiedScore,
} from '../../../services/statistics/index.ts';
import { aSlice, oneCallEach, sumsOfUnits, type UnitInSlice } from '../../support/slice-sums.ts';

const errors = { id: 'error_rate', better: 'lower' } as const;
const solved = { id: 'solved', better: 'higher' } as const;
const statuses = (sums: readonly SliceSums[], metric: typeof errors | typeof solved = errors) =>
  findSlices(sums, [metric], 'A', 'B').findings.map(({ value, status }) => [value, status]);

describe('a slice', () => {
  const rates = (value: string, b: number, units = 2_000) =>
    [0.1, b].map((rate, at) =>
      sumsOfUnits(
        { metric: 'error_rate', arm: at === 0 ? 'A' : 'B', slice: 'tier', kind: 'value', value },
        oneCallEach(units, Math.round(units * rate)),
      ),
    );
  test('is worse, unclear, better, or too small to tell; worst first', () => {
    const sums = [...rates('same', 0.1), ...rates('good', 0.02), ...rates('bad', 0.25), ...rates('few', 0.9, 150)];
    expect(statuses(sums)).toEqual([
      ['bad', 'worse'],
      ['same', 'unclear'],
      ['good', 'better'],
      ['few', 'too few units'],
    ]);
  });
  test('of a metric where higher is better is worse below 0', () => {
    const sums = [...rates('less', 0.02), ...rates('more', 0.25)].map((row) => ({ ...row, metric: 'solved' }));
    expect(statuses(sums, solved)).toEqual([
      ['less', 'worse'],
      ['more', 'better'],
    ]);
  });
  test('has the interval of the whole phase at alpha shared by all that are shown', () => {
    const sums = [...rates('one', 0.12), ...rates('two', 0.1), ...rates('few', 0.1, 20)];
    const { findings, looked, alphaEach } = findSlices(sums, [errors], 'A', 'B');
    expect([looked, alphaEach]).toEqual([3, 0.05 / 3]);
    const [a, b] = rates('one', 0.12).map(momentsOfRatio);
    const score = a?.ok && b?.ok ? stratifiedScore([{ control: a, candidate: b }]) : undefined;
    const interval = score?.ok ? effectInterval(score, 'absolute', 0.05 / 3, { pairs: 1_500 }) : undefined;
    expect(findings[0]?.difference).toMatchObject({
      lower: interval?.ok ? interval.lower : undefined,
      upper: interval?.ok ? interval.upper : undefined,
    });
  });
  test('in which nothing is known of an arm is not measured, however many calls it had', () => {
    const [known] = rates('eu', 0.1);
    const unknown = sumsOfUnits(
      { metric: 'error_rate', arm: 'B', slice: 'tier', kind: 'value', value: 'eu', unknown: 5_000 },
      [],
    );
    const { findings } = findSlices([known as SliceSums, unknown], [errors], 'A', 'B');
    expect(findings).toMatchObject([
      { status: 'not measured', reason: 'no known value in the candidate', candidate: { known: 0, unknown: 5_000 } },
    ]);
    expect(findings[0]).not.toHaveProperty('difference');
  });
  test('whose candidate alone has events is worse: an arm without one is no reason to be silent', () => {
    expect(statuses([...rates('x', 0.2).slice(1), ...zero('A')])).toEqual([['x', 'worse']]);
  });
  test('with rare events waits for as many units as their skewness asks', () => {
    const rare = ['A', 'B'].map((arm) =>
      sumsOfUnits(
        { metric: 'error_rate', arm, slice: 'tier', kind: 'value', value: 'x' },
        oneCallEach(1_000, arm === 'A' ? 1 : 4),
      ),
    );
    expect(findSlices(rare, [errors], 'A', 'B').findings[0]?.reason).toMatch(/^values this skewed need \d{4,5} units/);
  });
  test('counts a unit once: the same calls in fewer hands make a wider interval', () => {
    const calls = (units: number, each: number) =>
      ['A', 'B'].map((arm) =>
        sumsOfUnits(
          { metric: 'error_rate', arm, slice: 'tier', kind: 'value', value: 'x' },
          Array.from({ length: units }, (_, at) => ({ y: at % 5 === 0 ? each : 0, x: each })),
        ),
      );
    const width = (sums: readonly SliceSums[]): number => {
      const difference = findSlices(sums, [errors], 'A', 'B').findings[0]?.difference;
      return (difference?.upper ?? 0) - (difference?.lower ?? 0);
    };
    expect(width(calls(400, 10)) / width(calls(4_000, 1))).toBeGreaterThan(2);
  });
  const zero = (arm: string) => [
    sumsOfUnits({ metric: 'error_rate', arm, slice: 'tier', kind: 'value', value: 'x' }, oneCallEach(2_000, 0)),
  ];
});

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
    expect(statuses(reversed, solved)).toEqual([
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

/**
 * 200 phases without any difference, 8 slices, 20 looks, units that come back and heavy ones: in how many is any slice
 * ever called worse or better? The broken twin looks as often at plain 95% intervals, so the simulation can tell.
 */
test('the corrected interval keeps its error over all slices and all looks; a plain one does not', () => {
  const runs = 200;
  const alarms = { corrected: 0, plain: 0 };
  for (let run = 1; run <= runs; run += 1) {
    const { corrected, plain } = falseAlarms(createRandom(run));
    alarms.corrected += Number(corrected);
    alarms.plain += Number(plain);
  }
  expect(alarms.corrected / runs).toBeLessThanOrEqual(0.05);
  expect(alarms.plain / runs).toBeGreaterThan(0.5);
}, 120_000);

/** The hard case of asymptotic intervals: a small candidate and a rare event, where mean and variance move together. */
test('it keeps its error in a canary of 10% with an event in 3%, too', () => {
  const runs = 200;
  let alarms = 0;
  for (let run = 1; run <= runs; run += 1) {
    const random = createRandom(run);
    const cells = Array.from({ length: 16 }, (_, at) => ({
      at,
      arm: at % 2 === 0 ? 'A' : 'B',
      fresh: at % 2 === 0 ? 900 : 100,
      units: 0,
      events: 0,
    }));
    const isAlarm = Array.from({ length: looks }, () => {
      const sums = cells.map((cell) => {
        cell.units += cell.fresh;
        for (let unit = 0; unit < cell.fresh; unit += 1) if (random() < 0.03) cell.events += 1;
        const { arm, at, units: x, events: y } = cell;
        const of = { metric: 'error_rate', arm, slice: 's', kind: 'value', value: String(at >> 1) } as const;
        const powers = { sumYY: y, sumXX: x, sumXY: y, sumYYY: y, sumYYX: y, sumYXX: y, sumXXX: x };
        return { ...of, ...powers, known: x, unknown: 0, units: x, sumY: y, sumX: x };
      });
      return statuses(sums).some(([, status]) => status === 'worse' || status === 'better');
    }).some(Boolean);
    if (isAlarm) alarms += 1;
  }
  expect(alarms / runs).toBeLessThanOrEqual(0.05);
}, 120_000);

type Visitor = { y: number; x: number; readonly rate: number };
const looks = 20;
const newUnitsALook = 300;

function falseAlarms(random: () => number): { corrected: boolean; plain: boolean } {
  const values = Array.from({ length: 8 }, (_, at) => ({ rate: 0.05 + 0.05 * at, share: (at + 1) / 36 }));
  const cells = values.flatMap(({ rate, share }, at) =>
    ['A', 'B'].map((arm) => ({ arm, rate, share, value: String(at), units: [] as Visitor[] })),
  );
  const alarms = { corrected: false, plain: false };
  for (let look = 0; look < looks; look += 1) {
    for (const { units, rate, share } of cells) {
      for (const unit of units) if (random() < 0.2) visit(unit, random);
      for (let fresh = Math.round(newUnitsALook * share); fresh > 0; fresh -= 1) {
        const unit = { y: 0, x: 0, rate: rate * (random() < 0.5 ? 0.5 : 1.5) };
        units.push(unit);
        do visit(unit, random);
        while (random() < 0.4);
      }
    }
    const sums = cells.map(({ arm, value, units }) =>
      sumsOfUnits({ metric: 'error_rate', arm, slice: 's', kind: 'value', value }, units),
    );
    alarms.corrected ||= statuses(sums).some(([, status]) => status === 'worse' || status === 'better');
    alarms.plain ||= values.some((_, at) => Math.abs(plainZ(sums[2 * at], sums[2 * at + 1])) > 1.96);
  }
  return alarms;
}

function visit(unit: Visitor, random: () => number): void {
  unit.x += 1;
  if (random() < unit.rate) unit.y += 1;
}

function plainZ(control: SliceSums | undefined, candidate: SliceSums | undefined): number {
  const [a, b] = [control, candidate].map((sums) => sums && momentsOfRatio(sums));
  const score = a?.ok && b?.ok ? stratifiedScore([{ control: a, candidate: b }]) : undefined;
  return score?.ok ? score.z : 0;
}
