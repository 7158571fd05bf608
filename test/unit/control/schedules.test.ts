/**
 * The control path as a model: thousands of orders in which people, bots, statistics and assigners may take their
 * steps. `npm run schedules -- 1000000` runs as many as one likes.
 */
import { describe, expect, test } from 'vitest';
import { brokenBuilds, working } from './schedules/build.ts';
import { runSchedule } from './schedules/schedule.ts';

test('10,000 schedules: one table everywhere, no kill lost, nothing comes back, every record answered', () => {
  const wrong: string[] = [];
  let records = 0;
  for (let seed = 1; seed <= 10_000 && wrong.length < 5; seed += 1) {
    const verdict = runSchedule(seed, working());
    records += verdict.records;
    for (const what of verdict.wrong.slice(0, 1)) wrong.push(`seed ${seed}: ${what}`);
  }
  expect(wrong).toEqual([]);
  expect(records).toBeGreaterThan(50_000);
}, 120_000);

describe('a broken build is caught within 1,000 schedules', () => {
  test.each(Object.entries(brokenBuilds))('%s', (_name, build) => {
    let caught: number | undefined;
    for (let seed = 1; seed <= 1_000 && caught === undefined; seed += 1)
      if (runSchedule(seed, build()).wrong.length > 0) caught = seed;
    expect(caught).toBeDefined();
  });
});
