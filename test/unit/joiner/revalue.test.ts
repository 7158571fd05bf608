/**
 * A closed entry is worth what its unit's outcomes say, whichever of them came first, also where the unit's totals stay
 * as they were.
 */
import { expect, test } from 'vitest';
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
