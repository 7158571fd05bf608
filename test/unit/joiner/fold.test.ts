/**
 * The fold through the pipeline in memory: its laws for any arrivals, and case by case what counts. Long because both
 * play arrivals and read totals in one way.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { betDesignOf, betLogs, fixedPoint } from '../../../services/kernel/bets.ts';
import { foldRecord } from '../../../services/joiner/fold.ts';
import { createPartitionState } from '../../../services/joiner/partition-state.ts';
import type { Arrival } from '../../../services/replay/scenario-lines.ts';
import { formatRevision } from '../../../services/kernel/experiment-json.ts';
import type { Evaluation } from '../../../services/kernel/evaluation.ts';
import { recountLines } from '../../../services/demo/recount.ts';
import { createMemoryPath } from '../../support/memory-path.ts';
import { anExperimentFile, anInference, anOutcome, aRevision, hour, monday } from '../../support/build.ts';

const revision = aRevision();
const play = (arrivals: readonly Arrival[], partitions = 1, from = revision) => {
  const path = createMemoryPath(partitions);
  path.apply(from);
  for (const arrival of arrivals) path.send(arrival);
  path.tick(monday + 400 * hour);
  return path;
};
const totals = (evaluation: Evaluation) =>
  evaluation.metrics.map(({ metric, arms }) => ({
    metric,
    arms: arms.map(({ arm, units, numerator, denominator }) => ({ arm, units, numerator, denominator })),
  }));
const of = (evaluation: Evaluation, metric: string, arm: string) =>
  evaluation.metrics.find((entry) => entry.metric === metric)?.arms.find((entry) => entry.arm === arm);

/** A small world: a few users and tickets, so that everything meets everything. */
const event = fc
  .record({
    id: fc.integer({ min: 0, max: 25 }),
    user: fc.integer({ min: 0, max: 4 }),
    ticket: fc.integer({ min: 0, max: 6 }),
    minute: fc.integer({ min: 0, max: 3_000 }),
    error: fc.boolean(),
  })
  .map(({ id, user, ticket, minute, error }) =>
    anInference({
      event_id: `e${id}-${user}-${ticket}-${minute}-${error}`,
      user: `u${user}`,
      ticket: `T${user}-${ticket}`,
      variant: user % 2 === 0 ? 'A' : 'B',
      at: monday + minute * 60_000,
      status: error ? 'error' : 'success',
      cost_nano_usd: 100 + minute,
    }),
  );
const outcome = fc
  .record({
    user: fc.integer({ min: 0, max: 4 }),
    ticket: fc.integer({ min: 0, max: 6 }),
    minute: fc.integer({ min: 0, max: 8_000 }),
    kind: fc.constantFrom('ticket_resolved', 'ticket_reopened'),
    value: fc.option(fc.integer({ min: 0, max: 9 })),
  })
  .map(({ user, ticket, minute, kind, value }) =>
    anOutcome({
      outcome_id: `o${user}-${ticket}-${kind}-${minute}-${value}`,
      ticket: `T${user}-${ticket}`,
      kind,
      value,
      at: monday + minute * 60_000,
    }),
  );
const world = fc.array(fc.oneof(event, outcome), { minLength: 1, maxLength: 60 });

describe('laws of the fold', () => {
  test('any order of arrival and any duplication give the same totals', () => {
    fc.assert(
      fc.property(
        world,
        fc.array(fc.nat(), { maxLength: 30 }),
        fc.infiniteStream(fc.nat()),
        (arrivals, again, shuffle) => {
          const expected = totals(play(arrivals).look('exp-test'));
          const mixed = [...arrivals, ...again.map((index) => arrivals[index % arrivals.length] as Arrival)]
            .map((arrival) => ({ arrival, at: shuffle.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ arrival }) => arrival);
          expect(totals(play(mixed).look('exp-test'))).toEqual(expected);
        },
      ),
      { numRuns: 120 },
    );
  });
  test('any number of partitions gives the same totals', () => {
    fc.assert(
      fc.property(world, fc.constantFrom(2, 4, 8, 16), (arrivals, partitions) => {
        expect(totals(play(arrivals, partitions).look('exp-test'))).toEqual(totals(play(arrivals).look('exp-test')));
      }),
      { numRuns: 60 },
    );
  });
  test('totals equal a plain recount of the input', () => {
    const baseline = 'baseline: { mean: 0.05, sd: 0.2 }, cap: 1';
    const errors = 'role: guardrail, numerator: errors, denominator: requests, better: lower, window: 1h, harm: +0.05';
    const reopened = 'role: goal, numerator: any(ticket_reopened), denominator: any(ticket_resolved)';
    const file = anExperimentFile({
      metrics: [
        `    - { id: error_rate, ${errors}, ${baseline} }\n`,
        `    - { id: reopen_rate, ${reopened}, better: lower, window: 72h, harm: +0.02, ${baseline} }\n`,
      ].join(''),
    });
    const own = aRevision({}, file);
    fc.assert(
      fc.property(world, (arrivals) => {
        const lines = arrivals.flatMap((arrival) =>
          arrival.kind === 'inference'
            ? [
                {
                  event_id: arrival.event.event_id,
                  trace_id: '',
                  occurred_at: new Date(arrival.event.occurred_at).toISOString(),
                  user_id: arrival.event.units.user_id ?? '',
                  ticket_id: arrival.event.entity?.id ?? '',
                  experiment_id: 'exp-test',
                  variant: arrival.variant,
                  model: 'm',
                  prompt_version: 'v1',
                  status: arrival.event.status,
                  ingested_at: '',
                },
              ]
            : [],
        );
        const outcomes = arrivals.flatMap((arrival) =>
          arrival.kind === 'outcome'
            ? [
                {
                  outcome_id: arrival.event.outcome_id,
                  entity_type: 'ticket',
                  entity_id: arrival.event.entity?.id ?? '',
                  kind: arrival.event.kind,
                  value: arrival.event.value,
                  occurred_at: new Date(arrival.event.occurred_at).toISOString(),
                },
              ]
            : [],
        );
        const evaluation = play(arrivals, 2, own).look('exp-test');
        for (const want of recountLines(own.spec, lines, outcomes)) {
          const got = of(evaluation, want.metric, want.arm);
          expect([got?.units, Number(got?.numerator), Number(got?.denominator)]).toEqual([
            want.units,
            want.numerator,
            want.denominator,
          ]);
        }
      }),
      { numRuns: 120 },
    );
  });
  test('n of a segment is never negative, and suffix sums count each unit once', () => {
    fc.assert(
      fc.property(world, (arrivals) => {
        const path = play(arrivals);
        path.look('exp-test');
        const experiment = path.partitions[0]?.experiments.get('exp-test');
        for (const aggregate of experiment?.testAggregates.values() ?? [])
          expect(aggregate.n).toBeGreaterThanOrEqual(0);
        const units = [...(path.partitions[0]?.units.values() ?? [])].filter(
          ({ experiments }) => experiments.length > 0,
        ).length;
        const counted = path
          .look('exp-test')
          .metrics.filter(({ metric }) => metric === 'error_rate')
          .flatMap(({ arms }) => arms)
          .reduce((sum, { entries }) => sum + entries, 0);
        expect(counted).toBe(units);
      }),
      { numRuns: 80 },
    );
  });
});

describe('what counts', () => {
  test.each([
    ['after the call', [anInference({ ticket: 'T1' }), anOutcome({ ticket: 'T1', at: monday + hour })]],
    ['before the call is recorded', [anOutcome({ ticket: 'T1', at: monday + hour }), anInference({ ticket: 'T1' })]],
    [
      'twice',
      [
        anInference({ ticket: 'T1' }),
        anOutcome({ ticket: 'T1', outcome_id: 'o', at: monday + hour }),
        anOutcome({ ticket: 'T1', outcome_id: 'o', at: monday + hour }),
      ],
    ],
    [
      'corrected from nothing',
      [
        anInference({ ticket: 'T1' }),
        anOutcome({ ticket: 'T1', outcome_id: 'o', value: null, at: monday + hour }),
        anOutcome({ ticket: 'T1', outcome_id: 'o', revision: 2, at: monday + hour }),
      ],
    ],
  ])("an outcome that names only its ticket reaches the ticket's unit: %s", (_name, arrivals) => {
    expect(of(play(arrivals).look('exp-test'), 'reopen_rate', 'A')).toMatchObject({
      numerator: '0',
      denominator: '1',
      units: 1,
    });
  });
  test('a null revision takes an outcome back, also after its entry has closed', () => {
    const path = play([
      anInference({ ticket: 'T1' }),
      anOutcome({ ticket: 'T1', outcome_id: 'o', kind: 'ticket_reopened', at: monday + hour }),
      anOutcome({ ticket: 'T1', at: monday + hour }),
    ]);
    expect(of(path.look('exp-test'), 'reopen_rate', 'A')?.numerator).toBe('1');
    path.send(
      anOutcome({
        ticket: 'T1',
        outcome_id: 'o',
        kind: 'ticket_reopened',
        revision: 2,
        value: null,
        at: monday + hour,
        arrivedAt: monday + 500 * hour,
      }),
    );
    const evaluation = path.look('exp-test');
    expect(of(evaluation, 'reopen_rate', 'A')?.numerator).toBe('0');
    const reopen = revision.spec.metrics.findIndex(({ id }) => id === 'reopen_rate');
    const testAggregates = [...(path.partitions[0]?.experiments.get('exp-test')?.testAggregates ?? [])]
      .filter(([key]) => key % revision.spec.metrics.length === reopen)
      .map(([, aggregate]) => aggregate);
    expect(testAggregates.map(({ n, s, sv }) => [n, s, sv])).toEqual([[1, 0, 0]]);
  });
  test('an earlier call that arrives late moves the attribution window', () => {
    const late = anInference({ ticket: 'T1', at: monday - 80 * hour, arrivedAt: monday + hour });
    const before = [anInference({ ticket: 'T1' }), anOutcome({ ticket: 'T1', at: monday + hour })];
    expect(of(play(before).look('exp-test'), 'reopen_rate', 'A')?.denominator).toBe('1');
    expect(of(play([...before, late]).look('exp-test'), 'reopen_rate', 'A')?.denominator).toBe('0');
  });
  test('a unit seen in two arms is kept out and reported', () => {
    const evaluation = play([
      anInference({ user: 'u', variant: 'A' }),
      anInference({ user: 'u', variant: 'B' }),
      anInference({ user: 'v', variant: 'B' }),
    ]).look('exp-test');
    expect(evaluation.crossovers).toBe(1);
    expect([of(evaluation, 'error_rate', 'A')?.units, of(evaluation, 'error_rate', 'B')?.units]).toEqual([0, 1]);
    expect(evaluation.eventsFolded).toBe(3);
  });
  test('a new prompt opens a segment, its own record included, and is named', () => {
    const warm = [anInference({ user: 'a', variant: 'A' }), anInference({ user: 'b', variant: 'B' })];
    const path = play([
      ...warm,
      anInference({ user: 'c', variant: 'B', at: monday + 30 * hour, prompt_version: 'v2' }),
    ]);
    const segments = path.partitions[0]?.experiments.get('exp-test')?.segments ?? [];
    expect(segments.map(({ reason }) => reason)).toContain('configuration change');
    const named = path.look('exp-test').metrics.map(({ harm }) => harm?.testStart.label);
    expect(named.every((label) => label !== undefined)).toBe(true);
  });
  test("the cell's bet logs are those of kernel/bets.ts, to the bit", () => {
    const path = play([
      anInference({ user: 'a', variant: 'A', status: 'error' }),
      anInference({ user: 'b', variant: 'B' }),
      anInference({ user: 'c', variant: 'B', status: 'error' }),
    ]);
    path.look('exp-test');
    const { spec } = revision;
    const metric = spec.metrics[0] as (typeof spec.metrics)[number];
    const design = betDesignOf(spec, metric, 'B');
    const sum = betLogs(design, true, 0, 'harm').map((log, j) => log + (betLogs(design, true, 1, 'harm')[j] ?? 0));
    const aggregate = [...(path.partitions[0]?.experiments.get('exp-test')?.testAggregates ?? [])].find(
      ([key]) => key === spec.metrics.length * 1 + 0,
    )?.[1];
    expect(aggregate?.harm).toEqual(sum);
    expect(aggregate?.sv).toBe(fixedPoint);
  });
  test('dropped with a reason: unknown experiment, other phase, unknown arm, duplicate, a kind nobody measures', () => {
    const path = play([
      anInference({
        exposures: [{ experiment_id: 'other', phase: 1, variant: 'A', unit_type: 'user', reason: 'SPLIT' }],
      }),
      anInference({
        exposures: [{ experiment_id: 'exp-test', phase: 2, variant: 'A', unit_type: 'user', reason: 'SPLIT' }],
      }),
      anInference({ variant: 'Z' }),
      anInference({ event_id: 'same' }),
      anInference({ event_id: 'same' }),
      anInference({ ticket: 'T9' }),
      anOutcome({ ticket: 'T9', kind: 'ticket_closed' }),
    ]);
    expect(Object.fromEntries(path.partitions[0]?.counts.dropped ?? [])).toEqual({
      'experiment-unknown': 1,
      'other-phase': 1,
      'arm-unknown': 1,
      duplicate: 1,
      'kind-not-measured': 1,
    });
  });
  test('a later phase starts at nothing; an older revision changes nothing', () => {
    const partition = createPartitionState(0);
    const adopt = (next: typeof revision, position: number): void =>
      foldRecord(
        partition,
        {
          received_at: monday,
          trace_id: null,
          span_id: null,
          body: {
            'tripline.v1.ExperimentAdopted': {
              experiment_id: 'exp-test',
              revision: next.revision,
              document: formatRevision(next),
            },
          },
        },
        position,
      );
    adopt({ ...revision, revision: 3, phase: 2 }, 0);
    adopt(revision, 4096);
    expect(partition.experiments.get('exp-test')?.revision.phase).toBe(2);
    expect(partition.counts.dropped.get('revision-already-adopted')).toBe(1);
  });
});
