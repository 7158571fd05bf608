import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EntityRecord } from '../../../schemas/generated.ts';
import { createLinkerFold, linkRecord, linksBody, readLinksBody, unlinkedByKind } from '../../../services/linker/link.ts';

const id = (text: string): Buffer => Buffer.from(text.padEnd(16, '.'), 'latin1');
const link = (unit: string, at = 0): EntityRecord => ({ received_at: at, trace_id: null, body: { 'tripline.v1.Link': { entity: id('T1'), unit_type: 'user', unit: id(unit), bucket: unit.charCodeAt(0), occurred_at: at } } });
const outcome = (name: string, revision = 1, value: number | null = 1): EntityRecord => ({ received_at: 9, trace_id: null, body: { 'tripline.v1.OutcomeWaiting': { entity: id('T1'), outcome_id: id(name), revision, occurred_at: 5, kind: 'resolved', value } } });
const run = (records: readonly EntityRecord[]) => {
  const fold = createLinkerFold(0);
  for (const [index, record] of records.entries()) linkRecord(fold, record, index * 4096);
  return fold;
};
const seen = (records: readonly EntityRecord[]) => run(records).outgoing.map(({ bucket, record }) => {
  const body = 'tripline.v1.OutcomeSeen' in record.body ? record.body['tripline.v1.OutcomeSeen'] : undefined;
  return [String.fromCharCode(bucket), body?.revision, body?.withdrawn, body?.hop];
});

test.each([
  ['an outcome waits for its link', [outcome('o'), link('u')], [['u', 1, false, 4096]]],
  ['an outcome after its link goes at once', [link('u'), outcome('o')], [['u', 1, false, 4096]]],
  ['a repeat goes nowhere', [link('u'), outcome('o'), outcome('o')], [['u', 1, false, 4096]]],
  ['a correction goes again', [link('u'), outcome('o'), outcome('o', 2, null)], [['u', 1, false, 4096], ['u', 2, false, 8192]]],
  ['an old revision goes nowhere', [link('u'), outcome('o', 2), outcome('o', 1)], [['u', 2, false, 4096]]],
  ['an earlier call by somebody else takes the ticket', [link('u', 7), outcome('o'), link('v', 3)], [['u', 1, false, 4096], ['u', 1, true, 8192], ['v', 1, false, 8192]]],
  ['a later call by somebody else does not', [link('u', 3), outcome('o'), link('v', 7)], [['u', 1, false, 4096]]],
])('%s', (_name, records, expected) => expect(seen(records)).toEqual(expected));

test('what waits is counted by kind', () => expect([...unlinkedByKind(run([outcome('a'), outcome('b')]))]).toEqual([['resolved', 2]]));

test('whatever the order, the last word per owner is the same', () => {
  const records = fc.shuffledSubarray([link('u', 7), link('v', 3), link('w', 9), outcome('a'), outcome('a', 2), outcome('b')], { minLength: 6 });
  fc.assert(fc.property(records, (shuffled) => {
    const last = new Map<string, [number, number, boolean]>();
    for (const { bucket, record } of run(shuffled).outgoing) {
      const body = 'tripline.v1.OutcomeSeen' in record.body ? record.body['tripline.v1.OutcomeSeen'] : undefined;
      if (body) last.set(`${bucket}/${body.outcome_id.toString('latin1')}`, [body.revision, body.hop, body.withdrawn]);
    }
    const counted = [...last].filter(([, [, , withdrawn]]) => !withdrawn).map(([at, [revision]]) => `${at} ${revision}`).sort();
    expect(counted).toEqual([`${'v'.charCodeAt(0)}/${id('a').toString('latin1')} 2`, `${'v'.charCodeAt(0)}/${id('b').toString('latin1')} 1`]);
  }));
});

test('a row\'s body is read back as it was', () => {
  const [links] = [...run([link('u', 7), outcome('a'), outcome('b', 3, null)]).entities.values()];
  expect(links && readLinksBody(linksBody(links))).toEqual(links);
});
