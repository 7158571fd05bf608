/** Nothing that is accepted can stop a stage: `npm run fuzz:records` has the long run. */
import { expect, test } from 'vitest';
import { runOddRecords } from '../fuzz/odd-records.ts';

test('records with odd values in every field: each is forwarded, dropped or parked, and every look is taken', () => {
  const { stopped, stops, looks, ...counts } = runOddRecords(26, 3_000);
  expect([...stopped]).toEqual([]);
  expect(stops).toBe(0);
  expect(counts.in).toBe(counts.forward + counts.drop + counts.park);
  expect(Math.min(counts.forward, counts.park, counts.drop)).toBeGreaterThan(10);
  expect(looks).toBe(6);
}, 60_000);
