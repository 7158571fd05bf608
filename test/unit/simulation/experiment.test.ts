/**
 * Whole phases of an experiment file: what must happen happens, whatever the chance; and the same chance gives the same
 * phase on any number of threads.
 */
import { describe, expect, test } from 'vitest';
import { parseExperimentFile } from '../../../services/control/index.ts';
import type { ExperimentSpec } from '../../../services/kernel/experiment.ts';
import { armModels, declaredHarm, parseEffect } from '../../../services/simulation/arms.ts';
import { type ExperimentPlan, prepareExperiment } from '../../../services/simulation/experiment.ts';
import { createJobRunner } from '../../../services/simulation/jobs.ts';
import { clopperPearson, quantileOf } from '../../../services/simulation/limits.ts';
import { createRandom, seedOf } from '../../../services/simulation/random.ts';
import {
  aRate,
  lognormal,
  momentsOf,
  normalQuantile,
  pointOf,
  samplerOf,
  zeroInflated,
} from '../../../services/simulation/values.ts';
import { anExperimentFile } from '../../support/build.ts';
import { metricLine, metricLines } from '../../support/metric-line.ts';

const hour = 3_600_000;
const specOf = (change: Parameters<typeof anExperimentFile>[0] = {}): ExperimentSpec => {
  const parsed = parseExperimentFile(anExperimentFile(change), 'test.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return parsed.spec;
};
const aPlan = (change: Partial<ExperimentPlan> = {}): ExperimentPlan => ({
  spec: specOf(),
  candidate: 'B',
  traffic: { unitsPerDay: 500, visitsPerUnit: 2, sameAgain: 0.3 },
  effects: [],
  effectFromMs: 0,
  ...change,
});
const run = (plan: ExperimentPlan, runs: number, seed = 1) =>
  createJobRunner()({ plan, seed, stream: 0, from: 0, to: runs });

describe('a simulated phase', () => {
  test('a large harm ends it early, by its own metric', () => {
    const cost = { metric: 'cost', relative: true, size: 1 };
    const results = run(aPlan({ effects: [cost] }), 20);
    expect(results.every(({ end, metric }) => end === 'rollback' && metric === 1)).toBe(true);
    expect(Math.max(...results.map(({ atMs }) => atMs))).toBeLessThan(48 * hour);
  });
  test('a harm that begins on the third day is not found on the second, and from a later test start', () => {
    const results = run(
      aPlan({
        traffic: { unitsPerDay: 2_000, visitsPerUnit: 3, sameAgain: 0.3 },
        effects: [{ metric: 'cost', relative: true, size: 1 }],
        effectFromMs: 72 * hour,
      }),
      10,
    );
    for (const { end, atMs } of results) expect([end, atMs > 72 * hour]).toEqual(['rollback', true]);
    expect(results.some(({ slot }) => slot > 0)).toBe(true);
  });
});

describe('how a simulated phase ends', () => {
  test('an improved goal is promoted when every guardrail is non-inferior, not before min_run', () => {
    const metrics = metricLines([
      {
        id: 'cost',
        numerator: 'cost_nano_usd',
        harm: '+20%',
        baseline: { mean: 1000, sd: 500 },
        cap: 5000,
        margin: '+20%',
      },
      {
        id: 'solved',
        role: 'goal',
        numerator: 'successes',
        better: 'higher',
        harm: '+0.1',
        baseline: { mean: 0.5, sd: 0.5 },
        cap: 1,
      },
    ]);
    const results = run(
      aPlan({
        spec: specOf({ metrics }),
        effects: [{ metric: 'solved', relative: false, size: 0.3 }],
        traffic: { unitsPerDay: 2_000, visitsPerUnit: 1, sameAgain: 0 },
      }),
      10,
    );
    for (const { end, atMs } of results) expect([end, atMs >= 24 * hour]).toEqual(['promote', true]);
  });
  test('a signal pauses and ends nothing', () => {
    const metrics = metricLine({
      id: 'cost',
      role: 'signal',
      numerator: 'cost_nano_usd',
      harm: '+20%',
      baseline: { mean: 1000, sd: 500 },
      cap: 5000,
    });
    const results = run(
      aPlan({ spec: specOf({ metrics }), effects: [{ metric: 'cost', relative: true, size: 1 }] }),
      5,
    );
    for (const { end, pausedMs } of results) expect([end, pausedMs > 0]).toEqual(['horizon', true]);
  });
  test('coverage holds units back', () => {
    const whole = run(aPlan(), 1)[0];
    const ramped = run(
      aPlan({ spec: specOf({ extra: '  ramp: { coverage: [10, 100], hold: 7d, min_units: 0 }\n' }) }),
      1,
    )[0];
    expect((ramped?.units ?? 0) / (whole?.units ?? 1)).toBeCloseTo(0.55, 1);
  });
  test('the same chance, however the runs are cut', () => {
    const plan = aPlan({ effects: [declaredHarm(specOf().metrics[0] as ExperimentSpec['metrics'][number])] });
    const runner = createJobRunner();
    expect([
      ...runner({ plan, seed: 3, stream: 1, from: 0, to: 4 }),
      ...runner({ plan, seed: 3, stream: 1, from: 4, to: 6 }),
    ]).toEqual(createJobRunner()({ plan, seed: 3, stream: 1, from: 0, to: 6 }));
    expect(run(plan, 6, 3)).not.toEqual(run(plan, 6, 4));
  });
  test('no such candidate is refused', () =>
    expect(() => prepareExperiment(aPlan({ candidate: 'C' }))).toThrow('no candidate C'));
});

describe('values', () => {
  test.each(specOf().metrics.map((metric) => [metric.id, metric] as const))(
    '%s has the mean and the deviation of its baseline',
    (_, metric) => {
      const { mean, variance } = momentsOf(armModels(metric).control);
      expect(mean / metric.baseline.mean).toBeCloseTo(1, 2);
      expect(Math.sqrt(variance) / metric.baseline.sd).toBeCloseTo(1, 1);
    },
  );
  test.each(specOf().metrics.map((metric) => [metric.id, metric] as const))(
    '%s: the declared harm moves the mean by itself',
    (_, metric) => {
      const { control, candidate } = armModels(metric, declaredHarm(metric));
      expect((momentsOf(candidate).mean - momentsOf(control).mean) / metric.harm).toBeCloseTo(1, 2);
    },
  );
  test('draws have the shares of their points', () => {
    const random = createRandom(seedOf(1, 2, 3));
    for (const model of [aRate(0.1), zeroInflated(0.3, lognormal(0, 1, 8)), lognormal(0, 1, 16)]) {
      const sampler = samplerOf(model);
      const seen = model.points.map(() => 0);
      for (let draw = 0; draw < 40_000; draw += 1) {
        const point = pointOf(sampler, random.next());
        seen[point] = (seen[point] ?? 0) + 1;
      }
      const rest = 1 - model.atoms.reduce((sum, atom) => sum + atom, 0);
      for (const [index, count] of seen.entries())
        expect(count / 40_000).toBeCloseTo(
          model.atoms[index] ?? rest / (model.points.length - model.atoms.length),
          1.9,
        );
    }
  });
  test.each([
    [0.975, 1.959963985],
    [0.001, -3.090232306],
    [0.5, 0],
  ])('normal quantile of %d', (p, z) => expect(normalQuantile(p)).toBeCloseTo(z, 7));
  test.each([
    ['cost=+20%', { metric: 'cost', relative: true, size: 0.2 }],
    ['a_b=-0.05', { metric: 'a_b', relative: false, size: -0.05 }],
    ['cost', undefined],
    ['cost=', undefined],
    ['cost=x%', undefined],
    ['=1', undefined],
  ])('effect %s', (text, effect) => expect(parseEffect(text)).toEqual(effect));
});

describe('limits', () => {
  const binomial = (k: number, n: number, p: number): number => {
    let [sum, term] = [0, (1 - p) ** n];
    for (let i = 0; i <= k; i += 1) {
      sum += term;
      term *= ((n - i) / (i + 1)) * (p / (1 - p));
    }
    return sum;
  };
  test.each([
    [0, 2_000],
    [1, 50],
    [5, 10],
    [96, 2_000],
    [9, 10],
  ])('of %d in %d: where so few, or so many, have a probability of 5%%', (k, n) => {
    const { lower, upper } = clopperPearson(k, n);
    expect(binomial(k, n, upper)).toBeCloseTo(0.05, 8);
    if (k === 0) expect(lower).toBe(0);
    else expect(1 - binomial(k - 1, n, lower)).toBeCloseTo(0.05, 8);
  });
  test('many of many are few of the others', () => {
    const [many, few] = [clopperPearson(2_338, 2_400), clopperPearson(62, 2_400)];
    expect(many.lower).toBeCloseTo(1 - few.upper, 9);
    expect(many.upper).toBeCloseTo(1 - few.lower, 9);
  });
  test('all of them: no upper limit below 1', () => expect(clopperPearson(10, 10).upper).toBe(1));
  test('quantiles are values that occur', () => {
    expect([0.1, 0.5, 0.9].map((share) => quantileOf([1, 2, 3, 4], share))).toEqual([1, 2, 4]);
    expect(quantileOf([], 0.5)).toBeUndefined();
  });
});
