import { describe, expect, test } from 'vitest';
import { decide } from '../../../services/control/index.ts';
import { createRandom } from '../../../services/demo/story.ts';
import type { Decision } from '../../../services/kernel/decision.ts';
import { evaluate } from '../../../services/statistics/index.ts';
import { anExperimentFile, aRevision } from '../../support/build.ts';
import { aLook, type Entry } from './build-look.ts';
import { metricLine } from '../../support/metric-line.ts';

const withSlo = (slo: string, file = anExperimentFile()) =>
  aRevision({}, file.replace('  metrics:', `  slos: [{ ${slo} }]\n  metrics:`));
const experiment = withSlo('id: errors, arm: B, metric: error_rate, worse_than: 0.1');
const entries = (count: number, value: (at: number) => number, arm = 'B', segment = 0): Entry[] =>
  Array.from({ length: count }, (_, at) => ({ unit: `${arm}${segment}-${at}`, arm, segment, value: value(at) }));
const sloOf = (found: Entry[], of = experiment, metric = 'error_rate') => evaluate(aLook(of, metric, found)).slos[0];

describe('one arm against its limit', () => {
  test('a fifth of the candidates failing passes 0.1, a twentieth never does', () => {
    expect(sloOf(entries(400, (at) => (at % 5 === 0 ? 1 : 0)))).toMatchObject({
      status: 'bad',
      test: { units: 400, bad: 80, testStart: { kind: 'whole' } },
    });
    expect(sloOf(entries(4_000, (at) => (at % 20 === 0 ? 1 : 0)))).toMatchObject({ status: 'fine' });
  });
  test('control is judged by its own limit, with any candidate', () => {
    const control = withSlo('id: errors, arm: A, metric: error_rate, worse_than: 0.1');
    expect(sloOf([...entries(400, () => 1, 'A'), ...entries(9, () => 0)], control)).toMatchObject({
      status: 'bad',
      action: 'pause',
    });
    expect(
      sloOf(
        entries(400, () => 1, 'B'),
        control,
      ),
    ).toMatchObject({ status: 'unknown', reason: 'no closed entries yet' });
  });
  test('a break in the middle is found from the test start', () => {
    const broken = [
      ...[0, 1, 2].flatMap((segment) => entries(700, () => 0, 'B', segment)),
      ...entries(200, (at) => (at % 3 === 0 ? 1 : 0), 'B', 3),
    ];
    expect(sloOf(broken)).toMatchObject({ status: 'bad', test: { testStart: { label: 'schedule 3' } } });
  });
  test('where higher is better the limit is a floor', () => {
    const floor = withSlo(
      'id: floor, arm: B, metric: success, worse_than: 0.9',
      anExperimentFile({
        metrics: metricLine({
          id: 'success',
          numerator: 'successes',
          better: 'higher',
          harm: 0.05,
          baseline: { mean: 0.95, sd: 0.2 },
          cap: 1,
        }),
      }),
    );
    expect(
      sloOf(
        entries(500, (at) => (at % 5 === 0 ? 0 : 1)),
        floor,
        'success',
      )?.status,
    ).toBe('bad');
    expect(
      sloOf(
        entries(500, () => 1),
        floor,
        'success',
      )?.status,
    ).toBe('fine');
  });
  test('it rolls its candidate back once, and names itself', () => {
    const evaluation = evaluate(
      aLook(experiment, 'error_rate', [
        ...entries(400, (at) => (at % 5 === 0 ? 1 : 0)),
        ...entries(400, (at) => (at % 5 === 0 ? 1 : 0), 'A'),
      ]),
    );
    const first = decide(evaluation, []).decision as Decision;
    expect(first).toMatchObject({
      action: 'rollback',
      reasonCode: 'SLO_BREACH',
      metric: 'slo:errors',
      candidate: 'B',
      estimate: 0.2,
      alpha: 0.01,
      threshold: Math.log(100),
    });
    expect(decide(evaluation, [first])).toEqual({ state: 'OVER', ruleId: 'over' });
  });
});

describe('a hard kill', () => {
  const kill = withSlo(
    'id: dead, arm: B, metric: error_rate, worse_than: 0.1, hard_kill: { fail: 8, of: 12 }',
    anExperimentFile().replace('unit: user', 'unit: request'),
  );
  test.each([
    [8, 12, true],
    [8, 9, true],
    [7, 12, false],
    // Later than the first twelve the mixture has to find it.
    [8, 13, false],
  ])('%i of %i: %s', (fail, of, killed) =>
    expect(
      sloOf(
        entries(of, (at) => (at < fail ? 1 : 0)),
        kill,
      )?.killed,
    ).toBe(killed),
  );
  test('what it spends is taken from the bound', () => {
    // P(at least 8 of 12 at 0.1), by the sum of the binomial terms.
    let tail = 0;
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k);
    for (let k = 8; k <= 12; k += 1) tail += choose(12, k) * 0.1 ** k * 0.9 ** (12 - k);
    expect(
      sloOf(
        entries(3, () => 0),
        kill,
      )?.test?.threshold,
    ).toBeCloseTo(Math.log(1 / (0.01 - tail)), 9);
  });
});

test('shares of any shape with a mean at the limit stay under alpha, looked at after every unit', () => {
  const random = createRandom(11);
  const shapes: Record<string, () => number> = {
    'all or nothing': () => (random() < 0.1 ? 1 : 0),
    halves: () => (random() < 0.2 ? 0.5 : 0),
    constant: () => 0.1,
    uniform: () => random() * 0.2,
  };
  const runs = 60;
  for (const [name, shape] of Object.entries(shapes)) {
    let alarms = 0;
    for (let run = 0; run < runs; run += 1) {
      const values = Array.from({ length: 60 }, shape);
      const looks = values.map((_, at) =>
        sloOf(values.slice(0, at + 1).map((value, unit) => ({ unit: `B${unit}`, arm: 'B', segment: 0, value }))),
      );
      if (looks.some((found) => found?.status === 'bad')) alarms += 1;
    }
    expect(alarms, name).toBeLessThanOrEqual(2);
  }
});
