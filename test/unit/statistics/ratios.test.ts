/** Ratios: whom a unit without a denominator speaks for, and what a wrong baseline does when denominators differ. */
import { describe, expect, test } from 'vitest';
import { betDesignOf } from '../../../services/kernel/bets.ts';
import { addEntry, evenScales, type Scales, scalesOf, weightPoint } from '../../../services/kernel/entry-sums.ts';
import { entryValue, reached, valueRuleOf } from '../../../services/kernel/entry-value.ts';
import { emptyTestSums } from '../../../services/kernel/evidence.ts';
import { createRandom, seedOf } from '../../../services/simulation/random.ts';
import { agreementOf } from '../../../services/statistics/agreement.ts';
import { logEOfSums } from '../../../services/statistics/math/betting.ts';
import { reversalMetric } from '../../simulation/entry-models.ts';
import { specFor } from '../../simulation/engines.ts';

const metric = { ...reversalMetric, baseline: { mean: 0.3, sd: 0.46 } };
const rule = valueRuleOf(metric);
const design = betDesignOf(specFor(metric, 0.5), metric, 'B');
const both = reached.called;

function phase(
  seed: number,
  units: number,
  rates: { readonly reopened: number; readonly resolved: readonly number[] },
) {
  const sums = [emptyTestSums(), emptyTestSums()] as const;
  const random = createRandom(seedOf(seed));
  const chance = (): number => random.next() / 2 ** 32;
  for (let unit = 0; unit < units; unit += 1) {
    const isB = chance() < 0.5;
    const resolved = Number(chance() < (rates.resolved[isB ? 1 : 0] ?? 0));
    const reopened = resolved * Number(chance() < rates.reopened);
    const counts = { numerator: reopened, denominator: resolved, known: 0, unknown: 0, reached: both };
    const scales: Scales = isB ? scalesOf(...sums) : evenScales;
    addEntry(sums[isB ? 1 : 0], metric, design, isB, { counts, value: entryValue(rule, counts), scales }, 1);
  }
  return sums;
}
const logE = ([a, b]: ReturnType<typeof phase>, side: 'harm' | 'win'): number => {
  const found = logEOfSums(a[side], b[side]);
  return found.ok ? found.logE : Number.NaN;
};

describe('a unit without a denominator', () => {
  test('says nothing for or against', () => {
    const [a, b] = phase(1, 500, { reopened: 0.4, resolved: [0, 0] });
    expect([a.n + b.n, a.known + b.known, a.none + b.none]).toEqual([500, 0, 500]);
    expect([...a.harm, ...b.win]).toEqual(new Array(14).fill(0));
  });
});

describe('a baseline that is a quarter too low, and a candidate that resolves half as many', () => {
  const alarms = (side: 'harm' | 'win'): number => {
    let found = 0;
    for (let seed = 0; seed < 60; seed += 1)
      if (logE(phase(seed, 1_500, { reopened: 0.4, resolved: [0.9, 0.45] }), side) >= Math.log(20)) found += 1;
    return found;
  };
  test('is not promoted for it', () => expect(alarms('win')).toBeLessThanOrEqual(3));
  test('nor rolled back', () => expect(alarms('harm')).toBeLessThanOrEqual(3));
});

describe('scales', () => {
  const half = { n: 1_000, w: 500 * weightPoint, bound: 500 * weightPoint };
  const full = { n: 1_000, w: 1_000 * weightPoint, bound: 1_000 * weightPoint };
  test('even out what the arms contribute', () => {
    expect(scalesOf(full, half).harm / weightPoint).toBeCloseTo(2, 1);
    expect(scalesOf(half, full).win / weightPoint).toBeCloseTo(0.5, 1);
    expect(scalesOf(full, full)).toEqual(evenScales);
  });
  test('know nothing of a part of a divided partition', () =>
    expect(scalesOf({ n: -3, w: -5, bound: -5 }, { n: 0, w: 0, bound: 0 })).toEqual(evenScales));
});

test('evidence whose means say the opposite is a contradiction, whatever its e', () => {
  const [a, b] = phase(3, 800, { reopened: 0.4, resolved: [0.9, 0.9] });
  const worse = phase(4, 800, { reopened: 0.6, resolved: [0.9, 0.9] })[1];
  expect(agreementOf('harm', metric, a, worse)).toBe('agrees');
  expect(agreementOf('win', metric, a, worse)).toBe('contradicts');
  expect(agreementOf('harm', metric, a, { ...b, known: 0 })).toBe('unclear');
});
