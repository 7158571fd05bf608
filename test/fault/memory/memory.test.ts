/**
 * Fault trials without a broker or an engine: hundreds of crashes in seconds. `npm run fault` runs them for as long as
 * one likes.
 */
import { expect, test } from 'vitest';
import { buildOf, mutations, shipped } from './build.ts';
import { runStagesTrial } from './stages.ts';
import { runTokenOnlyTrial } from './token-only.ts';
import { runTrial } from './trial.ts';

const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test('60 trials with crashes between writes, lost replies, late writes and second owners: no number is wrong', async () => {
  const sum = { crashes: 0, lostReplies: 0, lateWrites: 0, overtaken: 0, flushes: 0 };
  for (const seed of seeds(60)) {
    const { wrong, faults } = await runTrial(seed, shipped, 1 + (seed % 3));
    expect(wrong, `seed ${seed}`).toEqual([]);
    for (const [name, count] of Object.entries(faults)) sum[name as keyof typeof sum] += count;
  }
  console.log(
    `60 trials, 0 wrong: ${Object.entries(sum)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')}`,
  );
  // The trials mean something only when the faults happened.
  expect(Math.min(...Object.values(sum))).toBeGreaterThan(40);
}, 120_000);

test.each(mutations.map((mutation) => [mutation.name, mutation] as const))(
  'broken build is caught: %s',
  async (_name, mutation) => {
    const { build, dispose } = await buildOf(mutation);
    let caught = 0;
    try {
      for (const seed of seeds(16)) caught += (await runTrial(seed, build)).wrong.length > 0 ? 1 : 0;
    } finally {
      dispose();
    }
    console.log(`${mutation.name}: caught in ${caught} of 16 seeds`);
    expect(caught).toBeGreaterThan(0);
  },
  120_000,
);

test('broken build is caught: token only', () => {
  const caught = seeds(20).filter((seed) => runTokenOnlyTrial(seed).wrong.length > 0).length;
  console.log(`token only: caught in ${caught} of 20 seeds`);
  expect(caught).toBeGreaterThan(0);
});

test('the loops: partitions taken back, answers lost, instances killed, frozen and woken; no number is wrong', async () => {
  const sum: Record<string, number> = {};
  let fastForwards = 0;
  for (const seed of seeds(10)) {
    const { wrong, faults, fastForwards: overtaken } = await runStagesTrial(seed);
    expect(wrong, `seed ${seed}`).toEqual([]);
    fastForwards += overtaken;
    for (const [name, count] of Object.entries(faults)) sum[name] = (sum[name] ?? 0) + count;
  }
  console.log(
    `10 trials of running stages, 0 wrong: ${Object.entries(sum)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')}, ${fastForwards} fast-forwards`,
  );
  expect(Math.min(...Object.values(sum))).toBeGreaterThan(5);
}, 180_000);
