/**
 * `npm run bench:look`: what a look costs, with 64 restarts and 4 partitions: one (candidate, metric), and 1,000 live
 * experiments from rows to decisions.
 */
import { decide } from '../../services/control/index.ts';
import { betDesignOf, betLogs, fixedPoint } from '../../services/kernel/bets.ts';
import { weightPoint } from '../../services/kernel/entry-sums.ts';
import {
  emptyTestSums,
  type Look,
  type MetricAggregate,
  type SegmentStart,
  type TestAggregate,
} from '../../services/kernel/evidence.ts';
import type { ExperimentRevision } from '../../services/kernel/experiment.ts';
import { testSumsOf } from '../../services/kernel/state/write.ts';
import { formatRevision } from '../../services/kernel/experiment-json.ts';
import { evaluate } from '../../services/statistics/index.ts';
import { createLookReader, type LookRow } from '../../services/statistics/look-reader.ts';
import { anExperimentFile, aRevision, hour, monday } from '../support/build.ts';

const partitionIds = 4;
const restarts = 64;
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Every segment of every partition holds 20 entries an arm; a twentieth of them failed. */
function fullLook(experiment: ExperimentRevision): Look {
  const entries: TestAggregate[] = [];
  const metricAggregates: MetricAggregate[] = [];
  for (const metric of experiment.spec.metrics) {
    const design = betDesignOf(experiment.spec, metric, 'B');
    for (let partitionId = 0; partitionId < partitionIds; partitionId += 1) {
      for (const arm of ['A', 'B']) {
        metricAggregates.push({
          partitionId,
          arm,
          metric: metric.id,
          units: 1_280,
          firstEvents: 64,
          numerator: 64n,
          denominator: 1_280n,
          numerator2: 64n,
          denominator2: 1_280n,
          product: 64n,
          knownCalls: 1_280n,
          unknownCalls: 0n,
          incompleteUnits: 0,
        });
        const [zero, one] = [0, 1].map((x) => ({
          harm: betLogs(design, arm === 'B', x, 'harm'),
          win: betLogs(design, arm === 'B', x, 'win'),
        }));
        const sum = (side: 'harm' | 'win'): number[] =>
          (zero?.[side] ?? []).map((log, j) => 19 * log + (one?.[side][j] ?? 0));
        for (let segment = 0; segment < restarts; segment += 1)
          entries.push({
            partitionId,
            candidate: 'B',
            arm,
            metric: metric.id,
            segment,
            sums: {
              ...emptyTestSums(),
              n: 20,
              known: 20,
              s: 1,
              sv: fixedPoint,
              svv: fixedPoint,
              w: 20 * weightPoint,
              ww: 20 * weightPoint,
              harm: sum('harm'),
              win: sum('win'),
            },
          });
      }
    }
  }
  const segments = Array.from({ length: partitionIds }, (_, partitionId) =>
    Array.from(
      { length: restarts },
      (__, slot): SegmentStart => ({
        partitionId,
        ordinal: slot,
        slot,
        startedAt: monday + slot * 6 * hour,
        reason: slot === 0 ? 'phase' : 'schedule',
      }),
    ),
  ).flat();
  const partitions = Array.from({ length: partitionIds }, (_, partitionId) => ({
    partitionId,
    position: 4096,
    clock: monday + 16 * 24 * hour,
    revision: 1,
    events: 2_560,
    crossovers: 0,
    assigned: { A: 1_280, B: 1_280 },
  }));
  return { experiment, partitions, segments, configurationChanges: [], metricAggregates, entries };
}

const emptyRow = {
  arm: '',
  metric: '',
  candidate: '',
  metricOrdinal: 0,
  segment: 0,
  eventClock: '0',
  units: '0',
  firstEvents: '0',
  sums: [],
  testSums: [],
  body: '',
};

/** The same as rows of ClickHouse, as the look loop gets them. */
const rowsOf = ({ experiment, partitions, segments, metricAggregates, entries }: Look): LookRow[] => {
  const base = {
    ...emptyRow,
    experiment: experiment.spec.id,
    phase: 1,
    position: '4096',
  };
  return [
    ...partitions.map(({ partitionId, assigned }) => ({
      ...base,
      partitionId,
      kind: 'experiment' as const,
      key: '',
      body: JSON.stringify({
        revision: formatRevision(experiment),
        segments: segments.filter((segment) => segment.partitionId === partitionId),
        configurationChanges: [],
        armSeen: [0, 0],
        lastSeenAt: [0, 0],
        assigned: Object.values(assigned),
        events: 2_560,
        crossovers: 0,
        lateOutcomes: 0,
      }),
    })),
    ...metricAggregates.map((aggregate) => ({
      ...base,
      partitionId: aggregate.partitionId,
      kind: 'metric_aggregate' as const,
      key: '',
      arm: aggregate.arm,
      metric: aggregate.metric,
      units: String(aggregate.units),
      firstEvents: String(aggregate.firstEvents),
      sums: [
        aggregate.numerator,
        aggregate.denominator,
        aggregate.numerator2,
        aggregate.denominator2,
        aggregate.product,
      ].map(String),
    })),
    ...entries.map((aggregate) => ({
      ...base,
      partitionId: aggregate.partitionId,
      kind: 'test_aggregate' as const,
      key: '',
      arm: aggregate.arm,
      metric: aggregate.metric,
      candidate: 'B',
      segment: aggregate.segment,
      units: String(aggregate.sums.n),
      testSums: testSumsOf(aggregate.sums).map(String),
    })),
  ];
};

const revision = aRevision();
const look = fullLook(revision);
const metrics = revision.spec.metrics.length;
const times: number[] = [];
for (let round = 0; round < 300; round += 1) {
  const start = now();
  evaluate(look);
  times.push((now() - start) / metrics);
}
times.sort((a, b) => a - b);
console.log(
  `one (candidate, metric), ${restarts} restarts, ${partitionIds} partitions: ` +
    `median ${times[150]?.toFixed(3)} ms, p99 ${times[297]?.toFixed(3)} ms (bar < 1 ms)`,
);

const live = 1_000;
const checkpoints: LookRow[] = Array.from({ length: partitionIds }, (_, partitionId) => ({
  ...emptyRow,
  partitionId,
  kind: 'checkpoint',
  experiment: '',
  phase: 0,
  key: '',
  position: '4096',
  eventClock: String(monday + 16 * 24 * hour),
}));
const one = anExperimentFile();
const reader = createLookReader(partitionIds);
reader.apply(checkpoints);
let taken = 0;
for (let index = 0; index < live; index += 1) {
  const rows = rowsOf(fullLook(aRevision({}, one.replace('exp-test', `exp-${index}`))));
  taken += rows.length;
  reader.apply(rows);
}
const start = now();
let states = 0;
for (const found of reader.looks().values()) if (decide(evaluate(found), []).state !== '') states += 1;
const seconds = ((now() - start) / 1000).toFixed(2);
console.log(
  `${states} live experiments of ${metrics} metrics (${taken} rows known): ` +
    `one look at all of them ${seconds} s (bar < 5 s), RSS ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
);
