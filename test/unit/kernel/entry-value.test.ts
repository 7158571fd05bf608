/** What a unit is worth when some of its calls have no value: never a number that was not measured. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExperimentFile } from '../../../services/control/index.ts';
import { entryValue, reached, type EntryCounts, valueRuleOf } from '../../../services/kernel/entry-value.ts';
import type { MetricSpec } from '../../../services/kernel/experiment.ts';
import { anExperimentFile } from '../../support/build.ts';
import { metricLine } from '../../support/metric-line.ts';

const both = reached.called;
const counts = (change: Partial<EntryCounts>): EntryCounts => ({
  numerator: 0,
  denominator: 0,
  known: 0,
  unknown: 0,
  reached: both,
  ...change,
});
function metric(line: Parameters<typeof metricLine>[0]): MetricSpec {
  const parsed = parseExperimentFile(anExperimentFile({ metrics: metricLine(line) }), 'f.yaml');
  if (!parsed.ok || parsed.spec.metrics[0] === undefined) throw new Error(JSON.stringify(parsed));
  return parsed.spec.metrics[0];
}
const ruleOf = (line: Parameters<typeof metricLine>[0]) => valueRuleOf(metric(line));
const refusals = ruleOf({ id: 'r', numerator: 'refusals', harm: 0.1, baseline: { mean: 0.1, sd: 0.3 }, cap: 1 });
const cost = { id: 'c', numerator: 'cost_nano_usd', harm: '+20%', baseline: { mean: 1000, sd: 500 }, cap: 5000 };
const perCall = ruleOf(cost);
const perUser = ruleOf({ ...cost, denominator: undefined });
const reopened = ruleOf({
  id: 'o',
  numerator: 'any(reopened)',
  denominator: 'any(resolved)',
  harm: 0.1,
  baseline: { mean: 0.1, sd: 0.3 },
  cap: 1,
});
const margin = ruleOf({
  id: 'm',
  numerator: 'sum(margin)',
  denominator: undefined,
  better: 'higher',
  harm: 4,
  baseline: { mean: 20, sd: 20 },
  cap: 60,
});

describe('a unit', () => {
  test.each([
    [
      'never called: anything',
      perCall,
      counts({ reached: 0 }),
      { state: 'unknown', reason: 'never called', low: 0, high: 5000 },
    ],
    [
      'without a price: anything',
      perCall,
      counts({ denominator: 2, unknown: 2 }),
      { state: 'unknown', low: 0, high: 5000 },
    ],
    [
      'half priced: what is known, up to the cap',
      perCall,
      counts({ numerator: 900, denominator: 2, known: 1, unknown: 1 }),
      { state: 'known', value: 900, low: 450, high: 5000, knownWeight: 1, weight: 2 },
    ],
    [
      'one status of two: 1 of 1, or of 2',
      refusals,
      counts({ numerator: 1, denominator: 2, known: 1, unknown: 1 }),
      { state: 'known', value: 1, low: 0.5, high: 1 },
    ],
    [
      'a sum over calls: known ones stand for the others',
      perUser,
      counts({ numerator: 900, known: 1, unknown: 1 }),
      { state: 'known', value: 1800, low: 900, high: 5000 },
    ],
    ['no resolved ticket: nothing to say', reopened, counts({ reached: 0 }), { state: 'none' }],
    ['a refund is a value', margin, counts({ numerator: -38e6 }), { state: 'known', value: -38, low: -38, high: -38 }],
    [
      'all known',
      perCall,
      counts({ numerator: 3000, denominator: 3, known: 3 }),
      { state: 'known', value: 1000, low: 1000, high: 1000, weight: 3 },
    ],
  ])('%s', (_, rule, of, expected) => expect(entryValue(rule, of)).toMatchObject(expected));
});

test('an amount of calls as denominator is not known where a call of it is not: nothing is made of it', () => {
  const roi = ruleOf({
    id: 'roi',
    numerator: 'sum(revenue)',
    denominator: 'cost_nano_usd',
    better: 'higher',
    harm: 0.1,
    baseline: { mean: 1, sd: 1 },
    cap: 5,
  });
  const half = counts({ numerator: 2_000e6, denominator: 1_000, known: 1, unknown: 1 });
  expect(entryValue(roi, half)).toMatchObject({ state: 'known', value: 1, high: 5 });
  expect(entryValue(roi, counts({ numerator: 1e6, unknown: 2 }))).toMatchObject({ state: 'unknown', high: 5 });
});

test('whatever the hidden values are, the whole lies within the bounds, and what is known is its own mean', () => {
  const call = fc.record({ value: fc.integer({ min: 0, max: 5_000 }), hidden: fc.boolean() });
  fc.assert(
    fc.property(fc.array(call, { minLength: 1, maxLength: 8 }), fc.boolean(), (calls, isFlag) => {
      const values = calls.map(({ value }) => (isFlag ? value % 2 : value));
      const known = values.filter((_, index) => !calls[index]?.hidden);
      const sum = (of: readonly number[]): number => of.reduce((total, value) => total + value, 0);
      const found = entryValue(
        isFlag ? refusals : perCall,
        counts({
          numerator: sum(known),
          denominator: calls.length,
          known: known.length,
          unknown: calls.length - known.length,
        }),
      );
      if (found.state === 'none') throw new Error('calls are not nothing');
      const whole = sum(values) / calls.length;
      expect(found.low).toBeLessThanOrEqual(whole + 1e-9);
      expect(found.high).toBeGreaterThanOrEqual(whole - 1e-9);
      if (found.state === 'known') expect(found.value).toBeCloseTo(sum(known) / known.length, 9);
      else expect(known).toEqual([]);
    }),
  );
});

describe('where values begin', () => {
  test('what cannot be negative begins at 0', () => expect(metric(cost).floor).toBeUndefined());
  test('a sum of outcomes begins at its 0.5th percentile as if normal', () =>
    expect(margin.floor).toBeCloseTo(20 - 2.5758 * 20, 9));
  test('or where the file says', () => {
    const text = anExperimentFile({
      metrics: metricLine({
        id: 'm',
        numerator: 'sum(margin)',
        denominator: undefined,
        harm: 4,
        baseline: { mean: 20, sd: 20 },
        cap: 60,
      }).replace('cap: 60', 'cap: 60, floor: -5'),
    });
    const parsed = parseExperimentFile(text, 'f.yaml');
    expect(parsed.ok && parsed.spec.metrics[0]?.floor).toBe(-5);
  });
  test('a floor above the mean is refused, and said which key', () => {
    const text = anExperimentFile({ metrics: metricLine(cost).replace('cap: 5000', 'cap: 5000, floor: 1000') });
    const parsed = parseExperimentFile(text, 'f.yaml');
    expect(!parsed.ok && parsed.problems[0]?.message).toMatch(/floor 1000 lies below the baseline's mean 1000/);
  });
});
