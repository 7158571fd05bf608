/** A billion units an arm, whatever their values: sums past 2^53 are exact, and the same in every order. */
import { describe, expect, test } from 'vitest';
import { addTestSums, emptyTestSums, type TestSums } from '../../../services/kernel/evidence.ts';
import { createRowBinaryWriter } from '../../../services/kernel/row-binary.ts';
import { readTestAggregate } from '../../../services/kernel/state/read.ts';
import { readStateRows } from '../../../services/kernel/state/read-binary.ts';
import { testSumsOf, writeStateRow } from '../../../services/kernel/state/write.ts';
import { carryWhenLarge, roundedSums } from '../../../services/kernel/wide-sums.ts';
import { createRandom, seedOf } from '../../../services/simulation/random.ts';

/** So many entries that each adds the most there is, added in steps as the joiner does. */
function grown(entries: number, step: Partial<TestSums>, times: number): TestSums {
  const sums = emptyTestSums();
  const added = { ...emptyTestSums(), ...step };
  for (let round = 0; round < times; round += 1) {
    for (let entry = 0; entry < entries; entry += 1) {
      addTestSums(sums, added);
      carryWhenLarge(sums);
    }
  }
  return sums;
}

const shuffled = <T>(values: readonly T[], seed: number): T[] => {
  const random = createRandom(seedOf(seed));
  return values
    .map((value) => ({ value, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
};

describe('sums past 2^53', () => {
  test('300,000 entries of large values in one segment fit, to the last digit', () => {
    const one = 2 ** 36 - 1;
    const logs = [2 ** 35 + 1, -(2 ** 33) - 3, 1, 0, -1, 7, 2 ** 36 - 1];
    const sums = grown(1_000, { n: 1, sv: one, svv: one, ww: 2 ** 40 + 1, harm: logs, win: logs }, 300);
    const [, sv, svv, ...rest] = testSumsOf(sums);
    expect(sv).toBe(300_000n * BigInt(one));
    expect(svv).toBe(300_000n * BigInt(one));
    expect(rest.slice(0, 7)).toEqual(logs.map((log) => 300_000n * BigInt(log)));
    expect(rest).toContain(300_000n * (2n ** 40n + 1n));
  });

  test('what is written is what is read', () => {
    const sums = grown(100, { n: 3, sv: -(2 ** 50) - 1, harm: [2 ** 48, -(2 ** 49), 5, 0, 0, 0, 1] }, 1);
    const writer = createRowBinaryWriter(64);
    const aggregate = { candidate: 'B', arm: 'A', metric: 'm', segment: 0, sums };
    const row = { kind: 'test_aggregate', experiment: 'e', phase: 1, key: '0', aggregate } as const;
    writeStateRow(writer, { log: 'unit', partitionId: 0, position: 0 }, row);
    const [read] = readStateRows(writer.take());
    if (read === undefined) throw new Error('no row');
    expect(testSumsOf(readTestAggregate(read).sums)).toEqual(testSumsOf(sums));
    expect(read.units).toBe('300');
  });

  test('evidence has the same bytes in whatever order partitions and segments are read', () => {
    const random = createRandom(seedOf(20));
    const wide = (): number => (random.next() - 2 ** 31) * 2 ** 20 + random.next();
    const parts = Array.from({ length: 64 }, () => {
      const bets = (): number[] => Array.from({ length: 7 }, wide);
      return { ...emptyTestSums(), n: random.next(), sv: wide(), wwxx: wide(), harm: bets(), win: bets() };
    });
    const bytesIn = (order: readonly TestSums[]): string => {
      const total = emptyTestSums();
      for (const part of order) {
        addTestSums(total, part);
        carryWhenLarge(total);
      }
      return JSON.stringify(roundedSums(total));
    };
    const first = bytesIn(parts);
    for (let order = 1; order <= 200; order += 1) expect(bytesIn(shuffled(parts, order))).toBe(first);
  });
});
