import { describe, expect, test } from 'vitest';
import type { Interval } from '../../../services/kernel/evaluation.ts';
import { evaluate } from '../../../services/statistics/index.ts';
import { anExperimentFile, aRevision } from '../../support/build.ts';
import { aLook, type Entry } from './build-look.ts';
import { metricLine } from '../../support/metric-line.ts';

const experiment = aRevision();
/** A tenth of control's units fail, `rate` of the candidate's. */
const entries = (units: number, rate: number): Entry[] =>
  ['A', 'B'].flatMap((arm) =>
    Array.from(
      { length: units },
      (_, at): Entry => ({
        unit: `${arm}${at}`,
        arm,
        segment: 0,
        value: at % 100 < (arm === 'A' ? 10 : rate * 100) ? 1 : 0,
      }),
    ),
  );
const intervalOf = (found: readonly Entry[], of = experiment, metric = 'error_rate'): Interval =>
  evaluate(aLook(of, metric, found)).metrics.find((known) => known.metric === metric)?.interval ?? {
    ok: false,
    reason: 'no metric',
  };

describe('an interval for people', () => {
  test("is of candidate minus control in the metric's unit, and covers the difference", () => {
    const found = intervalOf(entries(2_000, 0.15));
    // se = sqrt(.1*.9/1999 + .15*.85/1999) = .01043; rho for 1,500 pairs at .05: 1500/(5.991 + log(6.991)) = 189;
    // (2000+189)(log(1+2000/189)+5.991)/2000 = 9.24, its root 3.04
    expect(found).toMatchObject({
      ok: true,
      engine: 'asymptotic',
      estimate: expect.closeTo(0.05, 6),
      lower: expect.closeTo(0.05 - 3.04 * 0.01043, 3),
      upper: expect.closeTo(0.05 + 3.04 * 0.01043, 3),
      relative: { estimate: expect.closeTo(0.5, 4) },
    });
    expect(found.ok && found.gate).toBeUndefined();
  });
  test.each([
    ['199 units an arm', entries(199, 0.15), '200 closed units'],
    ['few failures', entries(205, 0.15), '30 units with the event'],
  ])('%s: it says which gate has not passed', (_name, found, gate) =>
    expect(intervalOf(found)).toMatchObject({ ok: true, gate: expect.stringContaining(gate) }),
  );
  test('a small canary is named as such', () => {
    const canary = aRevision({}, anExperimentFile().replace('{ id: B, weight: 50 }', '{ id: B, weight: 10 }'));
    expect(intervalOf(entries(2_000, 0.15), canary)).toMatchObject({ gate: expect.stringContaining('0.3') });
  });
  test.each([
    ['nobody', [], 'control'],
    ['one unit an arm', entries(1, 1), 'control'],
    ['units that do not differ', entries(50, 0).map((entry) => ({ ...entry, value: 0 })), 'no unit differs'],
  ])('%s: a reason, no number', (_name, found, reason) =>
    expect(intervalOf(found)).toMatchObject({ ok: false, reason: expect.stringContaining(reason) }),
  );
  test('where higher is better the difference keeps its own direction', () => {
    const success = aRevision(
      {},
      anExperimentFile({
        metrics: metricLine({
          id: 'ok',
          role: 'goal',
          numerator: 'successes',
          better: 'higher',
          harm: 0.05,
          baseline: { mean: 0.9, sd: 0.3 },
          cap: 1,
        }),
      }),
    );
    expect(intervalOf(entries(2_000, 0.15), success, 'ok')).toMatchObject({
      estimate: expect.closeTo(0.05, 6),
      lower: expect.closeTo(0.0183, 3),
      upper: expect.closeTo(0.0817, 3),
    });
  });
});

describe('conditional power', () => {
  const goal = (worthwhile: number) =>
    aRevision(
      {},
      anExperimentFile({
        metrics: metricLine({
          id: 'reopened',
          role: 'goal',
          harm: 0.05,
          baseline: { mean: 0.1, sd: 0.3 },
          cap: 1,
          worthwhile,
        }),
      }),
    );
  const powerOf = (worthwhile: number, rate: number, segment = 27): number | undefined =>
    evaluate(
      aLook(
        goal(worthwhile),
        'reopened',
        entries(2_000, rate).map((entry) => ({ ...entry, segment })),
      ),
    ).metrics[0]?.conditionalPower;
  test('is high for a large benefit that is showing, low for a small one that is not', () => {
    expect(powerOf(0.03, 0.07)).toBeGreaterThan(0.9);
    expect(powerOf(0.003, 0.12)).toBeLessThan(0.01);
  });
  test('is unknown for goals that declare nothing, and after the horizon', () => {
    expect(evaluate(aLook(experiment, 'error_rate', entries(2_000, 0.1))).metrics[0]?.conditionalPower).toBeUndefined();
    expect(powerOf(0.03, 0.07, 56)).toBeUndefined();
  });
});
