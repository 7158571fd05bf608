/**
 * Laws of the fold: order, duplication and the number of partitions change no total, and totals are a plain recount of
 * the input. What counts, by example: fold.test.ts.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recountLines } from '../../../services/demo/recount.ts';
import type { Evaluation } from '../../../services/kernel/evaluation.ts';
import type { Arrival } from '../../../services/replay/scenario-lines.ts';
import { anExperimentFile, anInference, anOutcome, aRevision, hour, monday } from '../../support/build.ts';
import { createMemoryPath } from '../../support/memory-path.ts';

const play = (arrivals: readonly Arrival[], partitions = 1, revision = aRevision()) => {
  const path = createMemoryPath(partitions);
  path.apply(revision);
  for (const arrival of arrivals) path.send(arrival);
  path.tick(monday + 400 * hour);
  return path;
};
const totals = (evaluation: Evaluation) =>
  evaluation.metrics.map(({ metric, arms }) => ({
    metric,
    arms: arms.map(({ arm, units, numerator, denominator }) => ({ arm, units, numerator, denominator })),
  }));

/** A few users and tickets, so that everything meets everything. */
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
const someArrivals = fc.array(fc.oneof(event, outcome), { minLength: 1, maxLength: 60 });

const errorRate =
  '    - { id: error_rate, role: guardrail, numerator: errors, denominator: requests, better: lower, window: 1h, ' +
  'harm: +0.05, baseline: { mean: 0.05, sd: 0.2 }, cap: 1 }\n';
const reopenRate =
  '    - { id: reopen_rate, role: goal, numerator: any(ticket_reopened), denominator: any(ticket_resolved), ' +
  'better: lower, window: 72h, harm: +0.02, baseline: { mean: 0.05, sd: 0.2 }, cap: 1 }\n';

/** Arrivals as lines of the input files, which the recount reads. */
const callLine = ({ event, variant }: Extract<Arrival, { kind: 'inference' }>) => ({
  event_id: event.event_id,
  trace_id: '',
  occurred_at: new Date(event.occurred_at).toISOString(),
  user_id: event.units.user_id ?? '',
  ticket_id: event.entity?.id ?? '',
  experiment_id: 'exp-test',
  variant,
  model: 'm',
  prompt_version: 'v1',
  status: event.status,
  ingested_at: '',
});
const outcomeLine = ({ event }: Extract<Arrival, { kind: 'outcome' }>) => ({
  outcome_id: event.outcome_id,
  entity_type: 'ticket',
  entity_id: event.entity?.id ?? '',
  kind: event.kind,
  value: event.value,
  occurred_at: new Date(event.occurred_at).toISOString(),
});

describe('laws of the fold', () => {
  test('any order of arrival and any duplication give the same totals', () => {
    fc.assert(
      fc.property(
        someArrivals,
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
      fc.property(someArrivals, fc.constantFrom(2, 4, 8, 16), (arrivals, partitions) => {
        expect(totals(play(arrivals, partitions).look('exp-test'))).toEqual(totals(play(arrivals).look('exp-test')));
      }),
      { numRuns: 60 },
    );
  });
  test('totals equal a plain recount of the input', () => {
    const revision = aRevision({}, anExperimentFile({ metrics: `${errorRate}${reopenRate}` }));
    fc.assert(
      fc.property(someArrivals, (arrivals) => {
        const calls = arrivals.flatMap((arrival) => (arrival.kind === 'inference' ? [callLine(arrival)] : []));
        const outcomes = arrivals.flatMap((arrival) => (arrival.kind === 'outcome' ? [outcomeLine(arrival)] : []));
        const { metrics } = play(arrivals, 2, revision).look('exp-test');
        for (const { metric, arm, ...want } of recountLines(revision.spec, calls, outcomes)) {
          const got = metrics.find((entry) => entry.metric === metric)?.arms.find((entry) => entry.arm === arm);
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
      fc.property(someArrivals, (arrivals) => {
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
