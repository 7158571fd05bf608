/** Outcomes and units, case by case, on the records of the unit log itself. */
import { describe, expect, test } from 'vitest';
import type { UnitRecord } from '../../../schemas/generated.ts';
import { takeFlushRows } from '../../../services/joiner/flush-rows.ts';
import type { PartitionState } from '../../../services/joiner/partition-state.ts';
import { erasedBody } from '../../../services/kernel/state/kinds.ts';

import { hour, monday } from '../../support/build.ts';
import { contentsOf, createOwner, finish, foldEagerly, positionOf } from '../../support/joiner-driver.ts';
import { createMemoryState, readStateRows } from '../../support/memory-state.ts';
import { adopted, erased, exposed, first, happened, observed, second, tick } from '../../support/unit-log.ts';

const fold = (log: readonly UnitRecord[]): PartitionState =>
  foldEagerly([adopted(first), adopted(second), ...log]).state;
const report = (partition: PartitionState, experiment: string, metric: string) => {
  const found = partition.experiments.get(experiment);
  const index = found?.revision.spec.metrics.findIndex(({ id }) => id === metric) ?? -1;
  return (found?.metricAggregates ?? []).map((arm) => [
    arm[index]?.units,
    Number(arm[index]?.numerator),
    Number(arm[index]?.denominator),
  ]);
};
const dropped = (partition: PartitionState) => Object.fromEntries(partition.counts.dropped);
const call = observed({ id: 'e', unit: 'u', at: monday });
const reopened = happened({ id: 'o', inference: 'e', kind: 'ticket_reopened', at: monday + hour });
const resolved = happened({ id: 'p', inference: 'e', at: monday + hour });

describe('an outcome that knows only its inference', () => {
  test.each([
    ['after it', [call, reopened, resolved]],
    ['before it', [reopened, resolved, call]],
    ['around it', [resolved, call, reopened]],
    ['twice', [reopened, reopened, call, resolved, reopened]],
  ])('%s counts once', (_name, log) => {
    expect(report(fold(log), 'exp-test', 'reopen_rate')).toEqual([
      [1, 1, 1],
      [0, 0, 0],
    ]);
  });
  test('is dropped and counted when no inference comes within the longest window', () => {
    const late = observed({ id: 'e', unit: 'u', at: monday, receivedAt: monday + 80 * hour });
    const partition = fold([reopened, tick(monday + 79 * hour), late]);
    expect([report(partition, 'exp-test', 'reopen_rate')[0]?.[1], dropped(partition), partition.waiting.size]).toEqual([
      0,
      { 'inference-never-seen': 1 },
      0,
    ]);
  });
  test('counts for an experiment that meets its unit later, whichever comes first', () => {
    const other = exposed({ id: 'x', unit: 'u', at: monday - hour });
    expect(report(fold([call, reopened, resolved, other]), 'exp-test', 'reopen_rate')).toEqual(
      report(fold([other, call, reopened, resolved]), 'exp-test', 'reopen_rate'),
    );
  });
});

describe('one event', () => {
  const asOrg = observed({ id: 'e', unit: 'o', at: monday, experiment: 'exp-org', arm: 'B', error: true });
  test('under two unit types in one partition counts once for each', () => {
    const partition = fold([call, asOrg, call, asOrg]);
    expect([
      report(partition, 'exp-test', 'error_rate'),
      report(partition, 'exp-org', 'error_rate'),
      dropped(partition),
    ]).toEqual([
      [
        [1, 0, 1],
        [0, 0, 0],
      ],
      [
        [0, 0, 0],
        [1, 1, 1],
      ],
      { duplicate: 2 },
    ]);
  });
  test('under two experiments of one unit type counts in both', () => {
    const both = observed({ id: 'e', unit: 'u', at: monday, error: true });
    if ('tripline.v1.Observation' in both.body)
      both.body['tripline.v1.Observation'].exposures.push({ experiment_id: 'exp-org', phase: 1, variant: 'B' });
    const partition = fold([both, both]);
    expect([report(partition, 'exp-test', 'error_rate'), report(partition, 'exp-org', 'error_rate')]).toEqual([
      [
        [1, 1, 1],
        [0, 0, 0],
      ],
      [
        [0, 0, 0],
        [1, 1, 1],
      ],
    ]);
  });
});

describe('a subject that asks to be forgotten', () => {
  const log = [
    observed({ id: 'e', unit: 'u', at: monday, ticket: 'T' }),
    happened({ id: 'o', unit: 'u', ticket: 'T', kind: 'ticket_reopened', at: monday + hour }),
    happened({ id: 'p', unit: 'u', ticket: 'T', at: monday + hour }),
  ];
  const later = [
    erased('u', monday + 2 * hour),
    erased('u', monday + 2 * hour),
    happened({
      id: 'o',
      unit: 'u',
      ticket: 'T',
      kind: 'ticket_reopened',
      revision: 2,
      value: null,
      at: monday + 3 * hour,
    }),
    observed({ id: 'f', unit: 'u', at: monday + 3 * hour }),
    tick(monday + 100 * hour),
  ];
  test('leaves its sums, open entries close with what they were worth, later records are dropped', () => {
    const kept = fold([...log, tick(monday + 100 * hour)]);
    const gone = fold([...log, ...later]);
    expect(report(gone, 'exp-test', 'reopen_rate')).toEqual(report(kept, 'exp-test', 'reopen_rate'));
    expect([...(gone.experiments.get('exp-test')?.testAggregates ?? [])]).toEqual([
      ...(kept.experiments.get('exp-test')?.testAggregates ?? []),
    ]);
    expect(dropped(gone)).toEqual({ duplicate: 1, erased: 2 });
  });
  test('leaves no outcome and no ticket in the rows, also when it was flushed before', async () => {
    const store = createMemoryState();
    const whole = [adopted(first), ...log, ...later];
    const owner = createOwner(store, whole, { units: 0, events: 1 });
    await owner.fold(4);
    owner.take();
    await owner.write('all');
    await finish(owner, whole);
    const entities = [...store.rows.values()].filter(({ kind }) => kind === 'entity');
    expect(entities.map(({ body }) => body).sort()).toEqual(['', erasedBody]);
    expect(JSON.stringify(entities)).not.toContain('ticket_reopened');
  });
});

describe('revisions', () => {
  test('a phase that ends between two flushes leaves the rows of one that ended after them', async () => {
    const next = { ...first, revision: 2, phase: 2, phaseStartedAt: monday + hour, appliedAt: monday + hour };
    const log = [
      adopted(first),
      call,
      adopted(next),
      observed({ id: 'f', unit: 'u', at: monday + 2 * hour, phase: 2 }),
    ];
    const store = createMemoryState();
    const owner = createOwner(store, log, { units: 0, events: 1 });
    await owner.fold(2);
    owner.take();
    await owner.write('all');
    await finish(owner, log);
    expect(contentsOf(store, log.length)).toEqual(contentsOf(foldEagerly(log).store, log.length));
    expect(
      [...store.rows.values()]
        .filter(({ kind, phase }) => kind === 'metric_aggregate' && phase === 1)
        .reduce((sum, { units }) => sum + Number(units), 0),
    ).toBe(first.spec.metrics.length);
  });
  test('state of another fold is refused with what to do', async () => {
    const { state } = foldEagerly([adopted(first), call]);
    const store = createMemoryState();
    const flush = takeFlushRows(state, positionOf(2));
    const checkpoint = readStateRows(flush.state).find(({ kind }) => kind === 'checkpoint');
    const owner = createOwner(
      { ...store, base: async () => [{ ...(checkpoint as NonNullable<typeof checkpoint>), stateRevision: 1 }] },
      [call],
      { units: 9, events: 9 },
    );
    await expect(owner.fold(1)).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
      hint: expect.stringContaining('npx tripline rebuild'),
    });
  });
});
