import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { addTestSums, emptyTestSums } from '../../../services/kernel/evidence.ts';
import {
  designRatios,
  designRatioWeights,
  configurationChangeWeight,
  logBayesFactor,
  logEOfCounts,
  logEOfFirstEvents,
  logEOfRatio,
  logEOfSums,
  logEOfUnits,
  logSumExp,
  type Outcome,
  type Side,
  slotWeight,
  suffixSums,
  wholePhaseWeight,
} from '../../../services/statistics/index.ts';

const revision = { allocation: 0.2, unitsA: 80, eventsA: 8, unitsB: 20, eventsB: 5 };
const design = { side: 'harm' as Side, center: 0.1, design: 0.02, variance: 0.09, tolerance: 0 };
const first = { allocation: 0.2, eventsA: 8, eventsB: 5 };
const grid = { side: 'harm' as const, ratios: designRatios(1.2), weights: designRatioWeights };
const sevens = [0, 0, 0, 0, 0, 0, 0];
const logE = (outcome: Outcome): number => (outcome.ok ? outcome.logE : Number.NaN);

describe('garbage gets a reason, never a number', () => {
  test.each<[string, () => Outcome]>([
    ['betting: more events than units', () => logEOfCounts({ ...design, epochs: [{ ...revision, eventsB: 21 }] })],
    ['betting: a negative count', () => logEOfCounts({ ...design, epochs: [{ ...revision, unitsA: -1 }] })],
    [
      'betting: a count that is no number',
      () => logEOfCounts({ ...design, epochs: [{ ...revision, unitsA: Number.NaN }] }),
    ],
    ['betting: everyone in the candidate', () => logEOfCounts({ ...design, epochs: [{ ...revision, allocation: 1 }] })],
    ['betting: no variance', () => logEOfCounts({ ...design, variance: 0, epochs: [revision] })],
    ['betting: a centre outside [0, 1]', () => logEOfCounts({ ...design, center: 1.1, epochs: [revision] })],
    [
      'betting: non-inferiority without a tolerance',
      () => logEOfCounts({ ...design, side: 'noninferiority', epochs: [revision] }),
    ],
    ['betting: six bets', () => logEOfSums(sevens.slice(1), sevens)],
    ['betting: a sum that is no number', () => logEOfSums(sevens, [...sevens.slice(1), Number.NaN])],
    ['betting: a bet that can lose more than it has', () => logEOfUnits([[1, false, 0.5]], [0.9], [1], 0.1, 1)],
    ['betting: a unit with allocation 0', () => logEOfUnits([[1, false, 0]], [0.1], [1], 0.1, 1)],
    ['first event: half an event', () => logEOfFirstEvents({ ...grid, epochs: [{ ...first, eventsA: 0.5 }] })],
    ['first event: allocation 0', () => logEOfFirstEvents({ ...grid, epochs: [{ ...first, allocation: 0 }] })],
    [
      'first event: a negative weight',
      () => logEOfFirstEvents({ ...grid, weights: grid.weights.map((weight) => -weight), epochs: [first] }),
    ],
    [
      'first event: a ratio without weight',
      () => logEOfFirstEvents({ ...grid, ratios: [1.2, 1.3], weights: [1], epochs: [first] }),
    ],
    ['sample ratio: shares that do not sum to 1', () => logEOfRatio([{ counts: [1, 2], shares: [0.5, 0.6] }])],
    ['sample ratio: a negative count', () => logEOfRatio([{ counts: [1, -2], shares: [0.5, 0.5] }])],
    ['sample ratio: one arm', () => logBayesFactor([1], [1], [1])],
  ])('%s', (_name, call) => {
    const outcome = call();
    expect(outcome).toEqual({ ok: false, reason: expect.stringMatching(/\w/) });
  });
});

test('nothing seen is no evidence: log e = 0', () => {
  expect(logE(logEOfSums(sevens, sevens))).toBeCloseTo(0, 12);
  expect(logE(logEOfFirstEvents({ ...grid, epochs: [] }))).toBeCloseTo(0, 12);
  expect(logE(logEOfRatio([{ counts: [0, 0], shares: [0.5, 0.5] }]))).toBeCloseTo(0, 12);
});

const counts = fc
  .record({
    allocation: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
    unitsA: fc.integer({ min: 0, max: 5_000 }),
    unitsB: fc.integer({ min: 0, max: 5_000 }),
    a: fc.double({ min: 0, max: 1, noNaN: true }),
    b: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ a, b, ...rest }) => ({
    ...rest,
    eventsA: Math.floor(a * rest.unitsA),
    eventsB: Math.floor(b * rest.unitsB),
  }));

describe('laws', () => {
  propertyTest.prop([
    counts,
    fc.constantFrom<Side>('harm', 'win', 'noninferiority'),
    fc.double({ min: 0.001, max: 0.5, noNaN: true }),
  ])('betting is a number for every possible count: no bet can lose all', (given, side, tolerance) => {
    const outcome = logEOfCounts({ ...design, side, tolerance, epochs: [given] });
    expect(Number.isFinite(logE(outcome))).toBe(true);
  });
  propertyTest.prop([counts, fc.constantFrom<Side>('harm', 'win')])(
    'betting: one more bad unit in the candidate raises harm and lowers win',
    (given, side) => {
      const before = logE(logEOfCounts({ ...design, side, epochs: [given] }));
      const after = logE(
        logEOfCounts({
          ...design,
          side,
          epochs: [{ ...given, unitsB: given.unitsB + 1, eventsB: given.eventsB + 1 }],
        }),
      );
      expect(Math.sign(after - before)).toBe(side === 'harm' ? 1 : -1);
    },
  );
  // The defining property of an e-value, exactly: its mean over the draw of the next unit is at most its present value.
  propertyTest.prop([counts, fc.double({ min: 0, max: 1, noNaN: true })])(
    'betting: under the null the next unit does not raise e on average',
    (given, rate) => {
      const e = (change: Partial<typeof given>): number =>
        logE(logEOfCounts({ ...design, epochs: [{ ...given, ...change }] }));
      const { allocation: q, unitsA, eventsA, unitsB, eventsB } = given;
      const now = e({});
      const next = [
        [q * rate, e({ unitsB: unitsB + 1, eventsB: eventsB + 1 })],
        [q * (1 - rate), e({ unitsB: unitsB + 1 })],
        [(1 - q) * rate, e({ unitsA: unitsA + 1, eventsA: eventsA + 1 })],
        [(1 - q) * (1 - rate), e({ unitsA: unitsA + 1 })],
      ] as const;
      expect(next.reduce((sum, [probability, log]) => sum + probability * Math.exp(log - now), 0)).toBeCloseTo(1, 9);
    },
  );
  propertyTest.prop([fc.double({ min: 0.01, max: 0.99, noNaN: true }), fc.nat(2_000), fc.nat(2_000)])(
    'first event: under the null the next first event keeps e on average',
    (allocation, eventsA, eventsB) => {
      const e = (a: number, b: number): number =>
        logE(logEOfFirstEvents({ ...grid, epochs: [{ allocation, eventsA: a, eventsB: b }] }));
      const now = e(eventsA, eventsB);
      expect(
        allocation * Math.exp(e(eventsA, eventsB + 1) - now) +
          (1 - allocation) * Math.exp(e(eventsA + 1, eventsB) - now),
      ).toBeCloseTo(1, 9);
    },
  );
  propertyTest.prop([fc.array(fc.nat(500), { minLength: 2, maxLength: 4 })])(
    'sample ratio: under the null the next unit keeps e on average',
    (given) => {
      const shares = given.map((_, arm) => (arm + 1) / ((given.length * (given.length + 1)) / 2));
      const e = (at: number): number =>
        logE(logEOfRatio([{ counts: given.map((count, arm) => count + (arm === at ? 1 : 0)), shares }]));
      expect(shares.reduce((sum, share, arm) => sum + share * Math.exp(e(arm) - e(-1)), 0)).toBeCloseTo(1, 8);
    },
  );
  propertyTest.prop([fc.array(fc.double({ min: -700, max: 700, noNaN: true }), { minLength: 1, maxLength: 9 })])(
    'logSumExp lies between its largest term and that plus log of their number',
    (terms) => {
      const top = Math.max(...terms);
      expect(logSumExp(terms)).toBeGreaterThanOrEqual(top);
      expect(logSumExp(terms)).toBeLessThanOrEqual(top + Math.log(terms.length) + 1e-9);
    },
  );
});

test.each([1, 4, 56, 1000])(
  'test-start weights never sum to more than 1, however long it runs (%i slots planned)',
  (planned) => {
    let sum = wholePhaseWeight;
    for (let k = 1; k <= 20_000; k += 1) sum += slotWeight(k, planned) + configurationChangeWeight(k);
    expect(sum).toBeLessThanOrEqual(1);
    expect(sum).toBeGreaterThan(0.9);
  },
);
test('suffix sums of a difference array count everyone once from each test start on', () => {
  const sums = (n: number) => {
    const sums = emptyTestSums();
    sums.n = n;
    return sums;
  };
  // Three units in segment 0; two come back in 2, one of them again in 3; a new one in 3.
  const differences = [sums(1), undefined, sums(1), sums(2)];
  expect(suffixSums(differences).map(({ n }) => n)).toEqual([4, 3, 3, 2]);
  expect(differences[0]?.n).toBe(1);
  const total = emptyTestSums();
  for (const difference of differences) if (difference) addTestSums(total, difference);
  expect(suffixSums(differences)[0]).toEqual(total);
});
