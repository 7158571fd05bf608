/** Threads change when a run is computed, never what it finds; a job that fails fails the whole. */
import { expect, test } from 'vitest';
import { parseExperimentFile } from '../../../services/control/index.ts';
import { chunksOf, type ExperimentPlan, simulateExperiments } from '../../../services/simulation/index.ts';
import { anExperimentFile } from '../../support/build.ts';

const parsed = parseExperimentFile(anExperimentFile(), 'test.yaml');
if (!parsed.ok) throw new Error('the test file is wrong');
const plan: ExperimentPlan = {
  spec: parsed.spec,
  candidate: 'B',
  traffic: { unitsPerDay: 200, visitsPerUnit: 2, sameAgain: 0.3 },
  effects: [{ metric: 'cost', relative: true, size: 0.5 }],
  effectFromMs: 0,
};

test('one thread, two threads: the same runs in the same order, and every run is told', async () => {
  const told: number[] = [];
  const plans = [
    { plan, runs: 30 },
    { plan: { ...plan, effects: [] }, runs: 10 },
  ];
  const one = await simulateExperiments({ plans, seed: 5, threads: 1, onProgress: (done) => told.push(done) });
  expect(told.at(-1)).toBe(40);
  expect(one.map((results) => results.length)).toEqual([30, 10]);
  expect(await simulateExperiments({ plans, seed: 5, threads: 2 })).toEqual(one);
});

test('a job that cannot be done is an error, not a missing result', async () => {
  await expect(
    simulateExperiments({ plans: [{ plan: { ...plan, candidate: 'nobody' }, runs: 1 }], seed: 1, threads: 1 }),
  ).rejects.toThrow('no candidate nobody');
});

test.each([
  [0, 10, []],
  [10, 10, [[0, 10]]],
  [
    25,
    10,
    [
      [0, 10],
      [10, 20],
      [20, 25],
    ],
  ],
])('%d runs in chunks of %d', (runs, size, chunks) =>
  expect(chunksOf(runs, size).map(({ from, to }) => [from, to])).toEqual(chunks),
);
