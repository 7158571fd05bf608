import { expect, test } from 'vitest';
import type { FlushRows } from '../../../services/joiner/flush-rows.ts';
import { groupsOf } from '../../../services/joiner/joiner-store.clickhouse.ts';

const flush = (stateCount: number): FlushRows => ({
  taken: 1,
  facts: Buffer.alloc(0),
  factCount: 0,
  state: Buffer.alloc(0),
  stateCount,
});

test.each<[number[], number[][]]>([
  [[], []],
  [[10, 20], [[10, 20]]],
  [
    [600_000, 600_000, 1],
    [[600_000], [600_000, 1]],
  ],
  [
    [2_000_000, 5],
    [[2_000_000], [5]],
  ],
])('flushes of %j rows are inserts of %j', (rows, groups) =>
  expect(
    groupsOf(rows.map(flush), ({ stateCount }) => stateCount).map((group) => group.map((one) => one.stateCount)),
  ).toEqual(groups),
);
