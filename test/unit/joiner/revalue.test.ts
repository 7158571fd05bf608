/**
 * A closed entry is worth what its unit's outcomes say, whichever of them came first, also where the unit's totals stay
 * as they were.
 */
import { expect, test } from 'vitest';
import { outcomesOfEntry } from '../../../services/joiner/outcome-totals.ts';
import { entriesAt } from '../../../services/joiner/unit-state.ts';
import { entryField, entryLength } from '../../../services/kernel/state/kinds.ts';
import { createRandom, seedOf } from '../../../services/simulation/random.ts';
import type { Arrival } from '../../../services/replay/scenario-lines.ts';
import { anInference, anOutcome, aRevision, hour, monday } from '../../support/build.ts';
import { createMemoryPath } from '../../support/memory-path.ts';

/**
 * The entry begins at hour 10, the ticket at hour 0: an outcome of hour 1 counts for the totals alone, one of hour 11
 * for both.
 */
const entryAfter = (outcomes: readonly Arrival[]): readonly number[] => {
  const path = createMemoryPath(1);
  path.apply(aRevision());
  path.send(anInference({ user: 'u', ticket: 'T', at: monday + 10 * hour }));
  path.send(anInference({ user: 'u', ticket: 'T', at: monday, arrivedAt: monday + 10 * hour }));
  path.send(anOutcome({ outcome_id: 'solved', ticket: 'T', at: monday + 12 * hour }));
  path.tick(monday + 200 * hour);
  for (const outcome of outcomes) path.send(outcome);
  path.look('exp-test');
  const experiment = path.partitions[0]?.experiments.get('exp-test');
  const reopen = experiment?.metrics.findIndex(({ spec }) => spec.id === 'reopen_rate') ?? -1;
  return [...(experiment?.testAggregates ?? [])]
    .filter(([key]) => key % (experiment?.metrics.length ?? 1) === reopen)
    .map(([, { s }]) => s);
};
const early = anOutcome({
  outcome_id: 'early',
  kind: 'ticket_reopened',
  ticket: 'T',
  at: monday + hour,
  arrivedAt: monday + 201 * hour,
});
const late = anOutcome({
  outcome_id: 'late',
  kind: 'ticket_reopened',
  ticket: 'T',
  at: monday + 11 * hour,
  arrivedAt: monday + 201 * hour,
});

test('the one inside the entry first', () => expect(entryAfter([late, early])).toEqual([1]));
test('the one outside the entry first', () => expect(entryAfter([early, late])).toEqual([1]));

test('a unit of many tickets: whatever changes after its entry closed, the entry is what all of them say', () => {
  const random = createRandom(seedOf(18));
  const path = createMemoryPath(1);
  path.apply(aRevision());
  const tickets = Array.from({ length: 60 }, (_, index) => `T${index}`);
  for (const ticket of tickets) path.send(anInference({ user: 'org', ticket, at: monday + (random.next() % hour) }));
  path.tick(monday + 200 * hour);
  const member = [...(path.partitions[0]?.units.values() ?? [])][0]?.experiments[0];
  if (member === undefined) throw new Error('no unit');
  const kinds = ['ticket_resolved', 'ticket_reopened'] as const;
  for (let change = 0; change < 400; change += 1) {
    const at = monday + (random.next() % (100 * hour));
    if (random.next() % 20 === 0)
      path.send(anInference({ user: 'org', ticket: `N${change}`, at, arrivedAt: monday + 201 * hour }));
    path.send(
      anOutcome({
        outcome_id: `o${random.next() % 150}`,
        revision: 1 + change,
        kind: kinds[random.next() % 2] ?? 'ticket_resolved',
        value: random.next() % 4 === 0 ? null : (random.next() % 1_000) / 10,
        ticket: tickets[random.next() % 60] ?? 'T0',
        at,
        arrivedAt: monday + 201 * hour,
      }),
    );
    if (change % 10 > 0) continue;
    for (const [index, metric] of member.experiment.metrics.entries()) {
      if (!metric.ofOutcomes) continue;
      const entry = entriesAt(member) + entryLength * index;
      const start = member.data[entry + entryField.lastStart] ?? 0;
      const [numerator, denominator] = [entryField.lastNumerator, entryField.lastNumerator + 1].map(
        (field) => member.data[entry + field],
      );
      expect({ numerator, denominator }).toEqual(outcomesOfEntry(member, metric, start));
    }
  }
  expect(member.partsOf?.some((start) => start >= 0)).toBe(true);
});
