/** The candidate drives its heavy users away; those who come back differ by arm. */
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../../services/statistics/index.ts';
import { aRevision } from '../../support/build.ts';
import { aLook, type Entry } from './build-look.ts';

const experiment = aRevision();
const attritionOf = (entries: readonly Entry[]) => evaluate(aLook(experiment, 'error_rate', entries)).attrition;
const round = (segment: number, arm: string, units: number, value: (unit: number) => number): Entry[] =>
  Array.from({ length: units }, (_, unit) => ({ unit: `${arm}${unit}`, arm, segment, value: value(unit) }));

describe('the attrition check', () => {
  test('fewer of one arm come back', () => {
    const entries = [
      ...round(0, 'A', 300, () => 0),
      ...round(0, 'B', 300, () => 0),
      ...round(1, 'A', 300, () => 0),
      ...round(1, 'B', 180, () => 0),
    ];
    expect(attritionOf(entries)).toMatchObject([{ candidate: 'B', returns: { testStart: 'schedule 1' } }]);
  });
  test('control is worse among those who come back', () => {
    const entries = [
      ...round(0, 'A', 300, () => 0),
      ...round(0, 'B', 300, () => 0),
      ...round(1, 'A', 300, (unit) => (unit % 4 === 0 ? 1 : 0)),
      ...round(1, 'B', 300, () => 0),
    ];
    expect(attritionOf(entries)).toMatchObject([
      { candidate: 'B', reverse: { metric: 'error_rate', testStart: 'schedule 1' } },
    ]);
  });
  test('both arms come back alike: nothing is said', () => {
    const entries = [0, 1, 2].flatMap((segment) =>
      ['A', 'B'].flatMap((arm) => round(segment, arm, 300, (unit) => (unit % 10 === 0 ? 1 : 0))),
    );
    expect(attritionOf(entries)).toEqual([]);
  });
  test("an unequal start is the sample ratio's business, not theirs", () => {
    expect(attritionOf([...round(0, 'A', 300, () => 0), ...round(0, 'B', 100, () => 0)])).toEqual([]);
  });
});
