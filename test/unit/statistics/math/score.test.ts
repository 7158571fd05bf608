import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { growthbookFixed, growthbookSequential } from '../../../../services/statistics/math/library/growthbook.ts';
import {
  type ArmMoments,
  effectiveN,
  momentsAdjusted,
  momentsOfMean,
  momentsOfRate,
  momentsOfRatio,
  skewnessOfSums,
} from '../../../../services/statistics/math/moments.ts';
import {
  delayedStartConstant,
  delayedStartRejects,
  effectInterval,
  logEOfScore,
  type Score,
  scoreGates,
  stratifiedScore,
} from '../../../../services/statistics/math/score.ts';
import type { Result } from '../../../../services/statistics/math/special.ts';

const refused = { ok: false, reason: expect.stringMatching(/\w/) };
function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.reason);
  return result as T;
}

const half = (units: number, mean: number, sd: number): ArmMoments => ({ units, mean, variance: sd ** 2 });
const revisions = [
  { control: half(900, 3, 2), candidate: half(100, 3.4, 2.2) },
  { control: half(500, 4, 2), candidate: half(500, 4.3, 2.1) },
];
const tuning = { pairs: 500 };
describe('the asymptotic score', () => {
  propertyTest.prop([fc.double({ min: 1e-3, max: 1e3, noNaN: true }), fc.double({ min: -100, max: 100, noNaN: true })])(
    'unit and origin of the metric do not matter to z',
    (scale, shift) => {
      const moved = (m: ArmMoments): ArmMoments => ({
        units: m.units,
        mean: m.mean * scale + shift,
        variance: m.variance * scale * scale,
      });
      const [plain, other] = [
        unwrap(stratifiedScore(revisions)),
        unwrap(
          stratifiedScore(
            revisions.map(({ control, candidate }) => ({ control: moved(control), candidate: moved(candidate) })),
          ),
        ),
      ];
      expect(other.z).toBeCloseTo(plain.z, 6);
      expect(other.pairs).toBe(plain.pairs);
    },
  );
  test('the order of revisions does not matter, and swapping arms turns the sign', () => {
    const [plain, turned] = [unwrap(stratifiedScore(revisions)), unwrap(stratifiedScore([...revisions].reverse()))];
    expect(turned.z).toBeCloseTo(plain.z, 13);
    const swapped = unwrap(
      stratifiedScore(revisions.map(({ control, candidate }) => ({ control: candidate, candidate: control }))),
    );
    expect(swapped.z).toBeCloseTo(-plain.z, 13);
    expect(logEOfScore(swapped, 'win', tuning)).toEqual(logEOfScore({ ...plain, z: -swapped.z }, 'harm', tuning));
  });
  propertyTest.prop([fc.double({ min: -8, max: 8, noNaN: true }), fc.double({ min: 10, max: 1e8, noNaN: true })])(
    'the interval excludes 0 exactly when the two-sided log e reaches log 20',
    (z, pairs) => {
      const score: Score = {
        score: z,
        variance: 1,
        z,
        weight: pairs / 2,
        pairs,
        effect: z / (pairs / 2),
        controlMean: 1,
        relative: undefined,
      };
      const [interval, log] = [
        unwrap(effectInterval(score, 'absolute', 0.05, tuning)),
        logEOfScore(score, 'either', tuning),
      ];
      const evidence = log.ok ? log.logE : Number.NaN;
      if (Math.abs(evidence - Math.log(20)) > 1e-9)
        expect(interval.lower > 0 || interval.upper < 0).toBe(evidence > Math.log(20));
      expect(effectInterval(score, 'relative', 0.05, tuning)).toEqual(refused);
    },
  );
});

describe('the effect of an asymptotic score', () => {
  test('one revision: relative effect and error are the delta method that GrowthBook uses', () => {
    const [a, b] = [
      { units: 3407, sum: 1396.87, sumSquares: 52377.9767 },
      { units: 3461, sum: 2422.7, sumSquares: 134698.29 },
    ];
    const score = unwrap(stratifiedScore([{ control: unwrap(momentsOfMean(a)), candidate: unwrap(momentsOfMean(b)) }]));
    const theirs = unwrap(
      growthbookFixed({ kind: 'mean', control: a, candidate: b }, { difference: 'relative', alpha: 0.05 }),
    );
    expect([score.relative?.effect, score.relative?.standardError].map((x) => x?.toFixed(12))).toEqual([
      theirs.estimate.toFixed(12),
      theirs.standardError.toFixed(12),
    ]);
  });
  propertyTest.prop([fc.double({ min: 1e-9, max: 0.9, noNaN: true })])(
    'delayed start: its constant leaves alpha',
    (alpha) => {
      const { constant: a } = unwrap(delayedStartConstant(alpha, 'two'));
      expect(unwrap(delayedStartConstant(alpha / 2, 'one')).constant).toBe(a);
      expect(unwrap(delayedStartRejects({ z: -a * 1.0001, pairs: 10, first: 10, alpha, side: 'either' })).rejects).toBe(
        true,
      );
      expect(unwrap(delayedStartRejects({ z: a * 1.0001, pairs: 1e9, first: 10, alpha, side: 'either' })).rejects).toBe(
        false,
      );
    },
  );
  const arms = { control: { units: 1000, events: 100 }, candidate: { units: 1000, events: 100 }, allocation: 0.5 };
  test.each<[string, Parameters<typeof scoreGates>[0], string | true]>([
    ['all met', { ...arms, kind: 'rate', side: 'win' }, true],
    ['too few units', { ...arms, kind: 'rate', side: 'harm', candidate: { units: 199, events: 50 } }, 'units'],
    ['too few events', { ...arms, kind: 'rate', side: 'harm', candidate: { units: 1000, events: 29 } }, 'events'],
    ['too few without', { ...arms, kind: 'rate', side: 'harm', control: { units: 1000, events: 971 } }, 'events'],
    ['events not known', { ...arms, kind: 'rate', side: 'harm', control: { units: 1000 } }, 'events'],
    ['skewness not known', { ...arms, kind: 'mean', side: 'harm' }, 'skew'],
    ['skewed: 25 x 7.4^2 = 1,369', { ...arms, kind: 'mean', side: 'harm', skewness: 7.4 }, 'skew'],
    ['skewed less', { ...arms, kind: 'ratio', side: 'harm', skewness: -3.8 }, true],
    ['a win in a canary', { ...arms, kind: 'rate', side: 'win', allocation: 0.29 }, 'small-candidate'],
    ['two sides in a canary', { ...arms, kind: 'rate', side: 'either', allocation: 0.1 }, 'small-candidate'],
    ['harm in a canary', { ...arms, kind: 'rate', side: 'harm', allocation: 0.1 }, true],
    ['no allocation', { ...arms, kind: 'rate', side: 'harm', allocation: 1 }, 'small-candidate'],
    [
      'units that are no number',
      { ...arms, kind: 'rate', side: 'harm', candidate: { units: Number.NaN, events: 50 } },
      'units',
    ],
  ])('gates: %s', (_name, input, want) => {
    const gates = scoreGates(input);
    expect(gates.ok ? true : gates.gate).toBe(want);
  });
});

describe('garbage gets a reason', () => {
  const mean = { units: 10, sum: 10, sumSquares: 20 };
  const pair = { kind: 'mean' as const, control: mean, candidate: mean };
  test.each<[string, () => unknown]>([
    ['one unit has no variance', () => momentsOfMean({ units: 1, sum: 1, sumSquares: 1 })],
    ['no units', () => momentsOfRate(0, 0)],
    ['more events than units', () => momentsOfRate(5, 6)],
    ['a sum that is no number', () => momentsOfMean({ units: 5, sum: Number.NaN, sumSquares: 1 })],
    ['squares below the mean', () => momentsOfMean({ units: 5, sum: 10, sumSquares: 19 })],
    ['negative squares', () => momentsOfMean({ units: 5, sum: 0, sumSquares: -1 })],
    ['a ratio over nothing', () => momentsOfRatio({ units: 5, sumY: 1, sumX: 0, sumYY: 1, sumXX: 0, sumXY: 0 })],
    [
      'CUPED with one unit',
      () =>
        momentsAdjusted(
          { units: 1, sumY: 1, sumP: 1, sumYY: 1, sumPP: 1, sumYP: 1 },
          { units: 9, sumY: 1, sumP: 1, sumYY: 1, sumPP: 1, sumYP: 1 },
        ),
    ],
    ['an empty arm', () => effectiveN(0, 5)],
    ['all alike', () => skewnessOfSums({ units: 5, sum: 0, sumSquares: 0, sumCubes: 0 })],
    ['no revision', () => stratifiedScore([])],
    ['an arm of one', () => stratifiedScore([{ control: half(1, 0, 1), candidate: half(5, 0, 1) }])],
    ['no variance', () => stratifiedScore([{ control: half(5, 0, 0), candidate: half(5, 1, 0) }])],
    [
      'a negative variance',
      () => stratifiedScore([{ control: { units: 5, mean: 0, variance: -1 }, candidate: half(5, 1, 1) }]),
    ],
    ['no pairs', () => logEOfScore({ z: 1, pairs: 0 }, 'harm', tuning)],
    ['a z that is no number', () => logEOfScore({ z: Number.NaN, pairs: 100 }, 'harm', tuning)],
    ['tuned for nothing', () => logEOfScore({ z: 1, pairs: 100 }, 'harm', { pairs: 0 })],
    ['one-sided delayed start at a half', () => delayedStartConstant(0.5, 'one')],
    [
      'a look before the delayed start',
      () => delayedStartRejects({ z: 9, pairs: 99, first: 100, alpha: 0.05, side: 'harm' }),
    ],
    ['alpha 0', () => growthbookFixed(pair, { difference: 'absolute', alpha: 0 })],
    [
      'one-sided sequential at alpha 0.5',
      () => growthbookSequential(pair, { difference: 'absolute', alpha: 0.5, tail: 'greater' }),
    ],
    ['sequential without tuning', () => growthbookSequential(pair, { difference: 'absolute', alpha: 0.05, tuning: 0 })],
    [
      'an arm whose units are all alike',
      () =>
        growthbookFixed(
          { ...pair, candidate: { units: 10, sum: 10, sumSquares: 10 } },
          { difference: 'absolute', alpha: 0.05 },
        ),
    ],
    [
      'relative to 0',
      () =>
        growthbookFixed(
          { ...pair, control: { units: 10, sum: 0, sumSquares: 20 } },
          { difference: 'relative', alpha: 0.05 },
        ),
    ],
    [
      'a proportion above 1',
      () =>
        growthbookFixed(
          { kind: 'proportion', control: { units: 10, sum: 11 }, candidate: { units: 10, sum: 5 } },
          { difference: 'absolute', alpha: 0.05 },
        ),
    ],
  ])('%s', (_name, call) => expect(call()).toEqual(refused));
});
