import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createIdFilter } from '../../../services/joiner/id-filter.ts';
import { inferenceId } from '../../../services/kernel/ids.ts';

const hashed = (index: number): string =>
  createHash('sha256').update(String(index)).digest().subarray(0, 16).toString('latin1');
/** UUIDv7: one millisecond after another, the same bucket, 62 random bits. */
const timed = (index: number): string =>
  Buffer.from(
    inferenceId(1_700_000_000_000 + index, 7, createHash('sha256').update(`t${index}`).digest()).replaceAll('-', ''),
    'hex',
  ).toString('latin1');
const counted = (index: number): string => Buffer.from(index.toString(16).padStart(32, '0'), 'hex').toString('latin1');

describe.each([
  ['hashed', hashed],
  ['UUIDv7', timed],
  ['counted', counted],
])('%s ids', (_name, make) => {
  const filter = createIdFilter();
  for (let index = 0; index < 60_000; index += 1) filter.add(make(index));
  test('are never called new once they were added', () => {
    for (let index = 0; index < 60_000; index += 1) expect(filter.mayHave(make(index))).toBe(true);
  });
  test('are called new when they are, but for at most one in 200', () => {
    let wrong = 0;
    for (let index = 60_000; index < 100_000; index += 1) if (filter.mayHave(make(index))) wrong += 1;
    expect(wrong / 40_000).toBeLessThan(1 / 200);
  });
  test('take 16 bits each, up to four times that while the last layer fills', () =>
    expect(filter.bytes).toBeLessThan(60_000 * 2 * 4));
});

test('past its size it asks more often and forgets nothing', () => {
  const filter = createIdFilter(10_000);
  for (let index = 0; index < 40_000; index += 1) filter.add(hashed(index));
  expect(filter.bytes).toBeLessThanOrEqual(10_000);
  for (let index = 0; index < 40_000; index += 97) expect(filter.mayHave(hashed(index))).toBe(true);
});
