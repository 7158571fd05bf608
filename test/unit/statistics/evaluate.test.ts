import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { ConfigurationChange, SegmentStart } from '../../../services/kernel/evidence.ts';
import {
  evaluate,
  metricWeight,
  configurationChangeWeight,
  placeTestStarts,
  slotWeight,
} from '../../../services/statistics/index.ts';
import { allKnown, anExperimentFile, aRevision, hour, monday } from '../../support/build.ts';
import { aLook, type Entry } from './build-look.ts';
import { metricLine } from '../../support/metric-line.ts';

const experiment = aRevision();
const segment = (partitionId: number, ordinal: number, slot: number, reason: SegmentStart['reason']): SegmentStart => ({
  partitionId,
  ordinal,
  slot,
  startedAt: monday + slot * 6 * hour,
  reason,
});
const mark = (change: Partial<ConfigurationChange>): ConfigurationChange => ({
  partitionId: 0,
  arm: 'B',
  dimension: 'prompt_version',
  value: 'v2',
  firstSeenAt: monday + 7 * hour,
  segment: 2,
  baseline: false,
  ...change,
});
const testStartsOf = (
  segments: readonly SegmentStart[],
  configurationChanges: readonly ConfigurationChange[] = [],
  partitionIds = 1,
) =>
  placeTestStarts(aLook(experiment, 'error_rate', [], { segments, configurationChanges, partitionIds })).map(
    ({ testStart: { label, index }, from }) => ({ label, index, from: Object.fromEntries(from) }),
  );

describe('test starts', () => {
  test('a slot begins in each partition at its first segment as late; a partition that is behind has none', () => {
    const segments = [
      segment(0, 0, 0, 'phase'),
      segment(0, 1, 1, 'schedule'),
      segment(0, 2, 3, 'schedule'),
      segment(1, 0, 0, 'phase'),
      segment(1, 1, 2, 'schedule'),
    ];
    expect(testStartsOf(segments, [], 2)).toEqual([
      { label: 'whole phase', index: 0, from: { 0: 0, 1: 0 } },
      { label: 'schedule 1', index: 1, from: { 0: 1, 1: 1 } },
      { label: 'schedule 2', index: 2, from: { 0: 2, 1: 1 } },
      { label: 'schedule 3', index: 3, from: { 0: 2 } },
    ]);
  });
  test('values first shown on one record are one change, dimensions in order, from its earliest segment', () => {
    const segments = [
      segment(0, 0, 0, 'phase'),
      segment(0, 1, 0, 'configuration change'),
      segment(0, 2, 0, 'configuration change'),
      segment(1, 0, 0, 'phase'),
      segment(1, 1, 0, 'configuration change'),
      segment(2, 0, 0, 'phase'),
    ];
    const configurationChanges = [
      mark({ dimension: 'model_served', value: 'm2' }),
      mark({ value: 'reply-v2' }),
      mark({ partitionId: 1, value: 'reply-v2', firstSeenAt: monday + 8 * hour, segment: 1 }),
      mark({ arm: 'A', value: 'v9', firstSeenAt: monday + 6 * hour, segment: 1 }),
    ];
    expect(testStartsOf(segments, configurationChanges, 3).slice(1)).toEqual([
      { label: 'configuration change prompt_version=v9', index: 1, from: { 0: 1 } },
      { label: 'configuration change prompt_version=reply-v2, model_served=m2', index: 2, from: { 0: 2, 1: 1 } },
    ]);
  });
  test('what one partition has seen from the start is no change anywhere', () => {
    expect(
      testStartsOf([segment(0, 0, 0, 'phase')], [mark({}), mark({ partitionId: 1, baseline: true, segment: 0 })]),
    ).toHaveLength(1);
  });
  propertyTest.prop([fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 })])(
    'the order in which partitions report does not matter',
    (order) => {
      const configurationChanges = [
        mark({}),
        mark({ dimension: 'model_served', value: 'm2' }),
        mark({ value: 'v3', firstSeenAt: monday + 9 * hour }),
        mark({ partitionId: 1, value: 'v3', firstSeenAt: monday + 5 * hour, segment: 1 }),
      ];
      expect(
        testStartsOf(
          [segment(0, 0, 0, 'phase')],
          order.map((at) => configurationChanges[at] as ConfigurationChange),
        ),
      ).toEqual(testStartsOf([segment(0, 0, 0, 'phase')], configurationChanges));
    },
  );
});

test('family weights: guardrails 2, goals 1, signals a family of their own; each family sums to 1', () => {
  const weights = Object.fromEntries(
    experiment.spec.metrics.map((metric) => [metric.id, metricWeight(experiment.spec, metric)]),
  );
  expect(weights).toEqual({ error_rate: 0.4, cost: 0.4, reopen_rate: 0.2, cost_per_user: 0.5, hours: 0.5 });
});

/** The candidate is as good as control until segment 5, then every value is bad. */
const broken: Entry[] = Array.from({ length: 10 }, (_, at) => at).flatMap((at) =>
  Array.from({ length: 60 }, (_, unit): Entry => {
    const arm = unit % 2 === 0 ? 'A' : 'B';
    return { unit: `u${unit}`, arm, segment: at, value: arm === 'B' && at >= 5 ? 1 : unit % 20 < 2 ? 1 : 0 };
  }),
);
const ofMetric = (look: Parameters<typeof evaluate>[0], metric: string) =>
  evaluate(look).metrics.find((found) => found.metric === metric);

describe('one look', () => {
  test('what breaks on Tuesday is found from the test start where it broke, and not by the whole phase', () => {
    const found = ofMetric(aLook(experiment, 'error_rate', broken), 'error_rate');
    expect(found).toMatchObject({
      status: 'bad',
      harm: {
        engine: 'betting',
        ...{ testStart: { label: 'schedule 5' }, estimate: 1 }, // the estimate is of the entries since then
        candidate: { n: 30, s: 30 },
        control: { n: 30, s: 3 },
      },
    });
    const whole = ofMetric(
      aLook(experiment, 'error_rate', broken, { segments: [segment(0, 0, 0, 'phase')] }),
      'error_rate',
    );
    expect(whole).toMatchObject({
      status: 'fine',
      harm: { testStart: { label: 'whole phase' }, candidate: { n: 30, s: 3 } },
    });
  });
  test('the weighted log e is log e with the weights of its metric and its test start', () => {
    const harm = ofMetric(aLook(experiment, 'error_rate', broken), 'error_rate')?.harm;
    expect((harm?.weightedLogE ?? 0) - (harm?.logE ?? 0)).toBeCloseTo(Math.log(0.4) + Math.log(slotWeight(5, 56)), 12);
  });
  test('a new prompt is named when it is the strongest', () => {
    const configurationChanges = [mark({ value: 'reply-v2', segment: 5 })];
    const harm = ofMetric(aLook(experiment, 'error_rate', broken, { configurationChanges }), 'error_rate')?.harm;
    expect(harm?.testStart).toEqual({
      kind: 'configuration change',
      label: 'configuration change prompt_version=reply-v2',
      index: 1,
      weight: configurationChangeWeight(1),
    });
  });
  propertyTest.prop([fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 1_000 })], { numRuns: 20 })(
    'any split over partitions, in any order, gives the same bits',
    (partitionIds, salt) => {
      const one = evaluate(aLook(experiment, 'error_rate', broken)).metrics;
      const partOf = (unit: string): number => (Number(unit.slice(1)) * salt) % partitionIds;
      const split = aLook(experiment, 'error_rate', broken, { partitionIds, partOf });
      expect(
        evaluate({ ...split, entries: [...split.entries].reverse(), segments: [...split.segments].reverse() }).metrics,
      ).toEqual(one);
    },
  );
  test('aggregates of one segment that come in pieces are added', () => {
    const look = aLook(experiment, 'error_rate', broken);
    const evens = aLook(
      experiment,
      'error_rate',
      broken.filter(({ unit }) => Number(unit.slice(1)) % 4 < 2),
    );
    const odds = aLook(
      experiment,
      'error_rate',
      broken.filter(({ unit }) => Number(unit.slice(1)) % 4 >= 2),
    );
    expect(evaluate({ ...look, entries: [...evens.entries, ...odds.entries] }).metrics).toEqual(evaluate(look).metrics);
  });
  test('it leaves its input as it was', () => {
    const look = aLook(experiment, 'error_rate', broken);
    const before = structuredClone(look);
    evaluate(look);
    expect(look).toEqual(before);
  });
});

describe('what one look does not know', () => {
  test('nothing closed is unknown, with a reason; never 0', () => {
    const found = ofMetric(
      aLook(experiment, 'error_rate', [{ unit: 'u1', arm: 'A', segment: 0, value: 1 }]),
      'error_rate',
    );
    expect(found).toMatchObject({ status: 'unknown', reason: 'no closed entries in both arms yet' });
    expect(found).not.toHaveProperty('harm');
  });
  test('settled: every partition carries this revision', () => {
    const look = aLook(experiment, 'error_rate', broken, { partitionIds: 2 });
    const [first, second] = look.partitions;
    expect([
      evaluate(look).settled,
      evaluate({ ...look, partitions: first && second ? [first, { ...second, revision: 0 }] : [] }).settled,
      evaluate({ ...look, partitions: [] }).settled,
    ]).toEqual([true, false, false]);
  });
  test('the watermark is that of the slowest partition that holds units, now is the fastest of all', () => {
    const look = aLook(experiment, 'error_rate', broken, {
      partitionIds: 3,
      partOf: (unit) => (unit === 'u1' ? 1 : 0),
    });
    const partitions = look.partitions.map((partition, at) => ({ ...partition, clock: monday + ([5, 3, 9][at] ?? 0) }));
    expect(evaluate({ ...look, partitions })).toMatchObject({ watermark: monday + 3, newestClock: monday + 9 });
  });
});

describe('rare events', () => {
  const rare = aRevision(
    {},
    anExperimentFile({
      metrics: metricLine({ id: 'error_rate', harm: '+50%', baseline: { mean: 0.01, sd: 0.1 }, cap: 1 }),
    }),
  );
  const report = (arm: string, units: number, firstEvents: number) => ({
    partitionId: 0,
    arm,
    metric: 'error_rate',
    units,
    firstEvents,
    numerator: BigInt(firstEvents),
    denominator: BigInt(units),
    numerator2: 0n,
    denominator2: 0n,
    product: 0n,
    ...allKnown(units),
  });
  test('are counted as first events in the whole phase, before any entry has closed', () => {
    const found = evaluate(
      aLook(rare, 'error_rate', [], { slots: 1, metricAggregates: [report('A', 500, 3), report('B', 500, 40)] }),
    ).metrics[0];
    expect(found).toMatchObject({
      status: 'bad',
      harm: { engine: 'first-event', testStart: { label: 'whole phase' } },
      arms: [{ firstEvents: 3 }, { firstEvents: 40, estimate: 0.08 }],
    });
  });
  test('without units in both arms nothing is known', () => {
    expect(
      evaluate(aLook(rare, 'error_rate', [], { slots: 1, metricAggregates: [report('A', 500, 3)] })).metrics[0],
    ).toMatchObject({ status: 'unknown', reason: 'no units in both arms yet' });
  });
});
