import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EntityRecord } from '../../../schemas/generated.ts';
import { createLinkerState, defaultLimits, linkRecord, unlinkedByKind } from '../../../services/linker/link.ts';

const hour = 3_600_000;
const id = (text: string): Buffer => Buffer.from(text.padEnd(16, '.'), 'latin1');
const link = (unit: string, at = 0): EntityRecord => ({
  received_at: at,
  trace_id: null,
  body: {
    'tripline.v1.Link': {
      entity: id('T1'),
      unit_type: 'user',
      unit: id(unit),
      bucket: unit.charCodeAt(0),
      occurred_at: at,
    },
  },
});
const outcome = (name: string, revision = 1, value: number | null = 1): EntityRecord => ({
  received_at: 9,
  trace_id: null,
  body: {
    'tripline.v1.OutcomeWaiting': {
      entity: id('T1'),
      outcome_id: id(name),
      revision,
      occurred_at: 5,
      kind: 'resolved',
      value,
    },
  },
});
const run = (records: readonly EntityRecord[]) => {
  const fold = createLinkerState(0);
  for (const [index, record] of records.entries()) linkRecord(fold, record, index * 4096);
  return fold;
};
const seen = (records: readonly EntityRecord[]) =>
  run(records).outgoing.map(({ bucket, record }) => {
    const body = 'tripline.v1.OutcomeSeen' in record.body ? record.body['tripline.v1.OutcomeSeen'] : undefined;
    return [String.fromCharCode(bucket), body?.revision, body?.withdrawn, body?.hop];
  });

test.each([
  ['an outcome waits for its link', [outcome('o'), link('u')], [['u', 1, false, 4096]]],
  ['an outcome after its link goes at once', [link('u'), outcome('o')], [['u', 1, false, 4096]]],
  ['a repeat goes nowhere', [link('u'), outcome('o'), outcome('o')], [['u', 1, false, 4096]]],
  [
    'a correction goes again',
    [link('u'), outcome('o'), outcome('o', 2, null)],
    [
      ['u', 1, false, 4096],
      ['u', 2, false, 8192],
    ],
  ],
  ['an old revision goes nowhere', [link('u'), outcome('o', 2), outcome('o', 1)], [['u', 2, false, 4096]]],
  [
    'an earlier call by somebody else takes the ticket',
    [link('u', 7), outcome('o'), link('v', 3)],
    [
      ['u', 1, false, 4096],
      ['u', 1, true, 8192],
      ['v', 1, false, 8192],
    ],
  ],
  ['a later call by somebody else does not', [link('u', 3), outcome('o'), link('v', 7)], [['u', 1, false, 4096]]],
])('%s', (_name, records, expected) => expect(seen(records)).toEqual(expected));

test('what waits is counted by kind', () =>
  expect([...unlinkedByKind(run([outcome('a'), outcome('b')]))]).toEqual([['resolved', 2]]));

test('whatever the order, the last word per owner is the same', () => {
  const records = fc.shuffledSubarray(
    [link('u', 7), link('v', 3), link('w', 9), outcome('a'), outcome('a', 2), outcome('b')],
    { minLength: 6 },
  );
  fc.assert(
    fc.property(records, (shuffled) => {
      const last = new Map<string, [number, number, boolean]>();
      for (const { bucket, record } of run(shuffled).outgoing) {
        const body = 'tripline.v1.OutcomeSeen' in record.body ? record.body['tripline.v1.OutcomeSeen'] : undefined;
        if (body)
          last.set(`${bucket}/${body.outcome_id.toString('latin1')}`, [body.revision, body.hop, body.withdrawn]);
      }
      const counted = [...last]
        .filter(([, [, , withdrawn]]) => !withdrawn)
        .map(([at, [revision]]) => `${at} ${revision}`)
        .sort();
      expect(counted).toEqual([
        `${'v'.charCodeAt(0)}/${id('a').toString('latin1')} 2`,
        `${'v'.charCodeAt(0)}/${id('b').toString('latin1')} 1`,
      ]);
    }),
  );
});

describe('what never finds an owner', () => {
  const limits = { ...defaultLimits, waitMs: 5 * hour, keepMs: 10 * hour };
  const at = (record: EntityRecord, hours: number): EntityRecord => ({ ...record, received_at: hours * hour });
  const other: EntityRecord = {
    received_at: 0,
    trace_id: null,
    body: { 'tripline.v1.Link': { entity: id('T2'), unit_type: 'user', unit: id('z'), bucket: 1, occurred_at: 0 } },
  };
  const fold = (records: readonly EntityRecord[]) => {
    const state = createLinkerState(0, limits);
    for (const [index, record] of records.entries()) linkRecord(state, record, index * 4096);
    return state;
  };
  test('is given up after the longest window and stays counted by kind', () => {
    const state = fold([at(outcome('a'), 1), at(outcome('b'), 2), at(other, 8)]);
    expect([...state.unlinked]).toEqual([['resolved', 2]]);
    expect(state.entities.has(id('T1').toString('latin1'))).toBe(false);
    expect([...unlinkedByKind(state)]).toEqual([['resolved', 2]]);
  });
  test('waits on while outcomes of it keep coming, and is linked then', () => {
    const state = fold([at(outcome('a'), 1), at(outcome('b'), 5), at(other, 9), at(link('u'), 9.5)]);
    expect([...unlinkedByKind(state)]).toEqual([]);
    expect(state.counts.forwarded).toBe(2);
  });
  test('a link that comes too late finds nothing; a ticket that rested too long is forgotten', () => {
    expect(fold([at(outcome('a'), 1), at(link('u'), 7)]).counts.forwarded).toBe(0);
    const rested = fold([at(link('u'), 1), at(other, 12), at(outcome('a'), 12.5)]);
    expect([rested.counts.forwarded, [...unlinkedByKind(rested)]]).toEqual([0, [['resolved', 1]]]);
  });
});

test('tickets that no inference names: those that waited longest are given up, and counted by kind', () => {
  const fold = createLinkerState(0, { ...defaultLimits, maxWaiting: 1_000 });
  for (let index = 0; index < 20_000; index += 1) {
    const record = outcome(`o${index}`);
    const body = { ...Object.values(record.body)[0], entity: id(`T${index}`), kind: `kind ${index}` } as never;
    linkRecord(fold, { ...outcome('o'), body: { 'tripline.v1.OutcomeWaiting': body } }, index * 4096);
  }
  expect(fold.entities.size).toBeLessThanOrEqual(1_000);
  expect(fold.waiting).toBe(fold.entities.size);
  expect(fold.unlinked.size).toBe(1_001);
  const unlinked = [...unlinkedByKind(fold).values()].reduce((sum, number) => sum + number, 0);
  expect(unlinked).toBe(20_000);
});
