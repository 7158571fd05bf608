/** Sums of a unit stay whole numbers that a double holds; what would take them further is dropped by name. */
import { describe, expect, test } from 'vitest';
import { anExperimentFile, anInference, anOutcome, aRevision, hour, monday } from '../../support/build.ts';
import { createMemoryPath } from '../../support/memory-path.ts';
import { metricLine } from '../../support/metric-line.ts';
import { errorRate } from '../statistics/play.ts';

describe('sums that a double does not hold', () => {
  const revenue = metricLine({
    id: 'revenue',
    role: 'goal',
    numerator: 'sum(order_total)',
    denominator: undefined,
    better: 'higher',
    window: '6h',
    harm: '+20%',
    baseline: { mean: 1e9, sd: 9e8 },
    cap: 12e9,
  });
  test('eleven orders of a billion for one unit: nine count, two are dropped by name, others go on', () => {
    const path = createMemoryPath(1);
    path.apply(aRevision({}, anExperimentFile({ metrics: revenue })));
    path.send(anInference({ user: 'big', ticket: 'T-big', at: monday }));
    for (let order = 1; order <= 11; order += 1)
      path.send(anOutcome({ ticket: 'T-big', kind: 'order_total', value: 999_999_999.99, at: monday + order * 1_000 }));
    path.send(anInference({ user: 'small', ticket: 'T-small', at: monday + hour }));
    path.send(anOutcome({ ticket: 'T-small', kind: 'order_total', value: 10, at: monday + hour + 1_000 }));
    path.tick(monday + 24 * hour);
    const [control] = path.look('exp-test').metrics[0]?.arms ?? [];
    expect(control).toMatchObject({ units: 2, numerator: String(9n * 999_999_999_990_000n + 10_000_000n) });
    expect(path.partitions[0]?.counts.dropped.get('sum-limit')).toBe(2);
  });
  test('scores of a billion: the calls past it are unknown for that metric, and count for the others', () => {
    const path = createMemoryPath(1);
    const score = metricLine({
      id: 'score',
      numerator: 'score(size)',
      denominator: undefined,
      harm: '+20%',
      baseline: { mean: 1e9, sd: 9e8 },
      cap: 12e9,
    });
    path.apply(aRevision({}, anExperimentFile({ metrics: score + errorRate })));
    for (let at = 0; at < 12; at += 1)
      path.send(anInference({ user: 'big', scores: { size: 1e9 }, at: monday + at * 1_000 }));
    path.tick(monday + 24 * hour);
    const [scores, errors] = path.look('exp-test').metrics;
    expect(scores?.arms[0]).toMatchObject({ knownCalls: 9, unknownCalls: 3 });
    expect(errors?.arms[0]).toMatchObject({ knownCalls: 12, unknownCalls: 0 });
  });
  test('such a call is still one of the requests', () => {
    const path = createMemoryPath(1);
    const score = metricLine({
      id: 'score',
      numerator: 'score(size)',
      denominator: 'requests',
      harm: '+20%',
      baseline: { mean: 1e9, sd: 9e8 },
      cap: 12e9,
    });
    path.apply(aRevision({}, anExperimentFile({ metrics: score })));
    for (let second = 0; second < 12; second += 1)
      path.send(anInference({ user: 'big', scores: { size: 1e9 }, at: monday + second * 1_000 }));
    path.tick(monday + 24 * hour);
    const [control] = path.look('exp-test').metrics[0]?.arms ?? [];
    expect(control).toMatchObject({ knownCalls: 9, unknownCalls: 3, denominator: '12' });
  });
});
