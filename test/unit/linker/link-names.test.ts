/** Names of one unit: which counts, who is told, and where outcomes go that name the unit by its later name. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EntityRecord } from '../../../schemas/generated.ts';
import { createLinkerState, linkRecord, unlinkedByKind } from '../../../services/linker/link.ts';

const id = (text: string): Buffer => Buffer.from(text.padEnd(16, '.'), 'latin1');
const user = id('u');
type NameChange = { readonly exposed?: boolean; readonly phase?: string };
const name = (unit: string, at: number, { exposed = true, phase = 'x/1' }: NameChange = {}): EntityRecord => ({
  received_at: 100,
  trace_id: null,
  body: {
    'tripline.v1.Link': {
      entity: user,
      unit_type: unit === 'u' ? 'user' : 'session',
      unit: id(unit),
      bucket: unit.charCodeAt(0),
      occurred_at: at,
      phase_key: phase,
      exposed,
    },
  },
});
const outcome = (which: string): EntityRecord => ({
  received_at: 100,
  trace_id: null,
  body: {
    'tripline.v1.OutcomeWaiting': {
      entity: user,
      outcome_id: id(which),
      revision: 1,
      occurred_at: 5,
      kind: 'paid',
      value: 1,
      of_unit: true,
    },
  },
});
const run = (records: readonly EntityRecord[]) => {
  const state = createLinkerState(0);
  for (const [index, record] of records.entries()) linkRecord(state, record, index * 4096);
  return state;
};
/** What is sent to whom. */
const sent = (records: readonly EntityRecord[]): string[] =>
  run(records).outgoing.map(({ bucket, record }) => {
    const body = 'tripline.v1.OutcomeSeen' in record.body ? record.body['tripline.v1.OutcomeSeen'] : undefined;
    return `${String.fromCharCode(bucket)} ${body?.kind}`;
  });
const out = (unit: string, phase = 'x/1'): string => `${unit} tripline.alias/${phase}`;

test.each<[string, EntityRecord[], string[]]>([
  ['one name counts, however often it is seen', [name('s', 1), name('s', 2), name('s', 0)], []],
  ['a later name is told once', [name('s', 1), name('u', 2), name('u', 3)], [out('u')]],
  ['a name that turns out to be earlier counts', [name('u', 2), name('s', 1)], [out('u')]],
  ['but not one that has been told already', [name('s', 2), name('u', 3), name('u', 1)], [out('u')]],
  ['of equal times the smaller pseudonym', [name('u', 1), name('s', 1)], [out('u')]],
  [
    'a name that was exposed before one that was only said',
    [name('s', 1, { exposed: false }), name('u', 2)],
    [out('s')],
  ],
  [
    'of names that were only said the first',
    [name('a', 1, { exposed: false }), name('b', 2, { exposed: false })],
    [out('b')],
  ],
  ['one that was said and then exposed', [name('s', 1, { exposed: false }), name('s', 2), name('u', 3)], [out('u')]],
  ['each phase for itself', [name('s', 1), name('t', 2, { phase: 'x/2' }), name('t', 3)], [out('t')]],
  ['outcomes go to the name that counts', [name('s', 1), name('u', 2), outcome('o')], [out('u'), 's paid']],
  ['outcomes wait for it', [outcome('o'), name('s', 1)], ['s paid']],
  ['and follow it', [name('t', 2), outcome('o'), name('s', 1)], ['t paid', out('t'), 's paid']],
  ['once, whatever the number of phases', [name('s', 1), name('s', 1, { phase: 'x/2' }), outcome('o')], ['s paid']],
  ["the unit's own name has them already", [name('u', 1), outcome('o')], []],
])('%s', (_name, records, expected) => expect(sent(records)).toEqual(expected));

test('outcomes of units without another name are not missed', () =>
  expect([...unlinkedByKind(run([outcome('o')]))]).toEqual([]));

test('whatever the order, one name is left, and every other has been told once', () => {
  const links = fc.array(fc.tuple(fc.constantFrom('u', 'r', 's', 't'), fc.integer({ min: 0, max: 9 }), fc.boolean()), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(links, (drawn) => {
      const told = sent(drawn.map(([unit, at, exposed]) => name(unit, at, { exposed })));
      expect(told).toHaveLength(new Set(drawn.map(([unit]) => unit)).size - 1);
      expect(new Set(told).size).toBe(told.length);
    }),
  );
});
