/**
 * What is simulated is what runs: the watched mixture and `statistics` compute the same evidence from the same entries,
 * and choose the same engine.
 */
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { betDesignOf, betWeights } from '../../../services/kernel/bets.ts';
import type { MetricSpec } from '../../../services/kernel/experiment.ts';
import { bettingTable, firstEventTable, rowOf } from '../../../services/simulation/bets.ts';
import { addToAll, addToLater, createMixture, openTestStart, recompute } from '../../../services/simulation/mixture.ts';
import {
  designRatios,
  designRatioWeights,
  evaluate,
  metricWeight,
  logEOfFirstEvents,
  logEOfRatio,
  slotWeight,
  usesFirstEvents,
  wholePhaseWeight,
} from '../../../services/statistics/index.ts';
import { watchSampleRatio } from '../../simulation/engines.ts';
import { anExperimentFile, aRevision } from '../../support/build.ts';
import { aLook, type Entry } from '../statistics/build-look.ts';
import { metricLines } from '../../support/metric-line.ts';

const experiment = aRevision();
const metricNamed = (id: string): MetricSpec =>
  experiment.spec.metrics.find((metric) => metric.id === id) as MetricSpec;
const slots = 6;

/** Visits in order: who, in which segment, worth which of four values. */
const visits = fc.array(fc.record({ unit: fc.nat(12), gap: fc.integer({ min: 0, max: 3 }), point: fc.nat(3) }), {
  minLength: 1,
  maxLength: 60,
});

describe('the watched mixture', () => {
  property.prop([visits, fc.constantFrom('error_rate', 'cost', 'cost_per_user')])(
    'has the log e of statistics for every test start',
    (steps, id) => {
      const metric = metricNamed(id);
      const points = [0, 0.3, 0.9, 1.4].map((share) => share * metric.cap);
      const table = bettingTable(
        [{ design: betDesignOf(experiment.spec, metric, 'B'), pointsA: points, pointsB: points }],
        metric,
        'harm',
      );
      const mixture = createMixture(betWeights, Infinity, slots);
      const { testStartEveryMs, horizonMs } = experiment.spec.analysis;
      const logWeight = Math.log(metricWeight(experiment.spec, metric));
      const open = (slot: number): number =>
        openTestStart(
          mixture,
          logWeight + Math.log(slot === 0 ? wholePhaseWeight : slotWeight(slot, horizonMs / testStartEveryMs)),
        );
      open(0);
      const last = new Map<number, number>();
      const entries: Entry[] = [];
      let segment = 0;
      for (const { unit, gap, point } of steps) {
        for (let ahead = 0; ahead < gap && segment + 1 < slots; ahead += 1) {
          segment += 1;
          open(segment);
        }
        const before = last.get(unit);
        if (before === segment) continue;
        const arm = unit % 3 === 0 ? 'B' : 'A';
        const row = rowOf(points.length, 0, arm === 'B', point);
        if (before === undefined) addToAll(mixture, table, row);
        else addToLater(mixture, table, row, before + 1);
        last.set(unit, segment);
        entries.push({ unit: String(unit), arm, segment, value: points[point] ?? 0 });
      }
      const exact = new Float64Array(slots);
      recompute(mixture, exact);
      const found = evaluate(aLook(experiment, id, entries, { slots: segment + 1 })).metrics.find(
        (evaluated) => evaluated.metric === id,
      )?.harm;
      // Statistics says nothing of a test start in which an arm has no entries; the strongest of those it speaks of is
      // the same number.
      if (found) expect(exact[found.testStart.index]).toBeCloseTo(found.weightedLogE, 9);
    },
  );
});

describe('the watched first events and sample ratio', () => {
  property.prop([fc.array(fc.boolean(), { maxLength: 200 })])(
    'counts first events as the first-event test does',
    (arms) => {
      const ratios = designRatios(1.5);
      const mixture = createMixture(designRatioWeights, Infinity, 1);
      openTestStart(mixture, 0);
      const table = firstEventTable([0.2], ratios, 'harm');
      for (const isCandidate of arms) addToAll(mixture, table, isCandidate ? 1 : 0);
      const exact = new Float64Array(1);
      recompute(mixture, exact);
      const eventsB = arms.filter(Boolean).length;
      const outcome = logEOfFirstEvents({
        side: 'harm',
        epochs: [{ allocation: 0.2, eventsA: arms.length - eventsB, eventsB }],
        ratios,
        weights: designRatioWeights,
      });
      expect(outcome.ok && Math.abs(outcome.logE - (exact[0] ?? Number.NaN))).toBeLessThan(1e-9);
    },
  );

  property.prop([fc.array(fc.boolean(), { minLength: 1, maxLength: 300 })])(
    'stops when the sample ratio reaches its bound, not a unit sooner or later',
    (arms) => {
      const [share, level] = [0.2, 0.2];
      const watcher = watchSampleRatio([share], level);
      const counts = [0, 0];
      for (const isCandidate of arms) {
        counts[isCandidate ? 1 : 0] = (counts[isCandidate ? 1 : 0] ?? 0) + 1;
        const outcome = logEOfRatio([{ counts, shares: [1 - share, share] }]);
        const stopped = watcher.see({
          at: 0,
          revision: 0,
          segment: 0,
          isCandidate,
          last: -1,
          point: 0,
          value: 0,
          isEvent: false,
          isFirstEvent: false,
        });
        const margin = (outcome.ok ? outcome.logE : Number.NaN) - Math.log(1 / level);
        if (Math.abs(margin) > 1e-9) expect(stopped).toBe(margin > 0);
        if (stopped) return;
      }
    },
  );
});

describe('the running limit of a mixture', () => {
  property.prop([fc.array(fc.record({ row: fc.nat(3), later: fc.boolean() }), { maxLength: 300 })])(
    'never misses a crossing by following a limit only',
    (moves) => {
      const rows = [
        [0.3, 0.5, 0.9, 0.1, 0.2, 0.4, 1.1],
        [-0.2, -0.4, -0.7, -0.1, -0.1, -0.3, -0.9],
        [0.05, 0.1, 0.2, 0.02, 0.03, 0.08, 0.3],
        [-0.02, -0.04, -0.1, 0, -0.01, -0.03, -0.2],
      ];
      const table = { logs: Float64Array.from(rows.flat()), rise: Float64Array.from(rows, (row) => Math.max(...row)) };
      const watched = createMixture(betWeights, 3, 4);
      const followed = createMixture(betWeights, Infinity, 4);
      for (const mixture of [watched, followed])
        for (let index = 0; index < 3; index += 1) openTestStart(mixture, -1 - index);
      const exact = new Float64Array(3);
      for (const { row, later } of moves) {
        for (const mixture of [watched, followed]) {
          if (later) addToLater(mixture, table, row, 1);
          else addToAll(mixture, table, row);
        }
        recompute(followed, exact);
        const top = Math.max(...exact);
        if (Math.abs(top - 3) > 1e-9) expect(watched.fired).toBe(top > 3);
        if (watched.fired) return;
      }
    },
  );
});

describe('the engine that watches the whole phase', () => {
  const metrics = metricLines([
    { id: 'errors', harm: '+0.02', baseline: { mean: 0.01, sd: 0.1 }, cap: 1 },
    { id: 'common', harm: '+0.02', baseline: { mean: 0.03, sd: 0.17 }, cap: 1 },
    { id: 'with_margin', harm: '+0.02', baseline: { mean: 0.01, sd: 0.1 }, cap: 1, margin: 0.005 },
    {
      id: 'higher',
      role: 'goal',
      numerator: 'successes',
      better: 'higher',
      harm: '+0.005',
      baseline: { mean: 0.01, sd: 0.1 },
      cap: 1,
    },
    {
      id: 'outcome',
      role: 'goal',
      numerator: 'any(reopened)',
      denominator: 'any(resolved)',
      harm: '+0.02',
      baseline: { mean: 0.01, sd: 0.1 },
      cap: 1,
    },
  ]);
  const rare = aRevision({}, anExperimentFile({ metrics }));
  test.each(rare.spec.metrics.map((metric) => [metric.id, metric] as const))("%s is the product's", (id, metric) => {
    const entries = ['A', 'B'].map((arm): Entry => ({ unit: arm, arm, segment: 0, value: 1 }));
    const metricAggregates = ['A', 'B'].map((arm) => ({
      partitionId: 0,
      arm,
      metric: id,
      units: 1,
      firstEvents: 1,
      numerator: 1n,
      denominator: 1n,
      numerator2: 1n,
      denominator2: 1n,
      product: 1n,
      knownCalls: 1n,
      unknownCalls: 0n,
      incompleteUnits: 0,
    }));
    const harm = evaluate({ ...aLook(rare, id, entries), metricAggregates }).metrics.find(
      (evaluated) => evaluated.metric === id,
    )?.harm;
    expect(harm?.engine).toBe(usesFirstEvents(metric) ? 'first-event' : 'betting');
  });
});
