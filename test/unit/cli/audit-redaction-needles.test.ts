import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createNeedles, type Form, readValues } from '../../../services/cli/audit-redaction-needles.ts';

const found = (values: readonly string[], text: string): [number, Form][] => {
  const hits: [number, Form][] = [];
  createNeedles(values).search(text, (value, form) => hits.push([value, form]));
  return hits;
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a value is found', () => {
  test.each<[string, string, string, Form]>([
    ['as it is', 'ada@example.org', 'write to ada@example.org.', 'plain'],
    ['glued to other script', 'ada@example.org', '邮箱ada@example.org。', 'plain'],
    ['in another case', 'Ada.Lovelace', 'said ada.lovelace', 'folded'],
    ['in full width', 'hunter2!Xy', 'ｈｕｎｔｅｒ２！Ｘｙ', 'folded'],
    ['with invisible characters', 'ada@example.org', 'ada\u200b@exam\u00adple.org', 'folded'],
    ['with other separators', '4111 1111 1111 1111', 'card 4111-1111-1111-1111', 'folded'],
    ['without separators', '+49 30 1234 5678', 'call +493012345678', 'folded'],
    ['in base64', 'Planted Person', base64('xy Planted Person!'), 'base64'],
    ['in base64, one byte on', 'Planted Person', base64('x Planted Person!'), 'base64'],
    ['in base64, two bytes on', 'Planted Person', base64('Planted Person'), 'base64'],
    ['in base64url', 'ÿþ?>~~ÿþ?>~~', Buffer.from('..ÿþ?>~~ÿþ?>~~').toString('base64url'), 'base64'],
    ['percent-encoded', 'ada@example.org', '?m=ada%40example.org', 'percent'],
    ['percent-encoded throughout', 'secret', '%73%65%63%72%65%74', 'percent'],
    ['as a form field', 'Planted Person', 'n=planted+person&x', 'percent'],
    ['in hex', 'hunter2!Xy', Buffer.from('hunter2!Xy').toString('hex').toUpperCase(), 'hex'],
  ])('%s', (_how, value, text, form) => expect(found(['nothing of it', value], text)).toContainEqual([1, form]));
});
test.each([
  ['Rosa', 'the Rosario'],
  ['1234', '0x12345'],
  ['4111 1111 1111 1111', '94111111111111111'],
  ['Ada Lovelace', 'Ada Love lace'],
])('%j is not in %j', (value, text) => expect(found([value], text)).toEqual([]));
test('values of fewer than four letters and digits are not looked for, and said to be so', () => {
  expect(createNeedles(['Bo', '--x--', 'long enough']).tooShort).toEqual([0, 1]);
  expect(found(['Bo'], 'Bo')).toEqual([]);
});
property.prop([
  fc
    .string({ minLength: 8, maxLength: 40, unit: fc.constantFrom(...'abcdefgh23456789äß@-._ ') })
    .filter((text) => (text.trim().match(/[\p{L}\p{N}]/gu)?.length ?? 0) >= 8),
  fc.string({ maxLength: 30 }),
  fc.string({ maxLength: 30 }),
])('whatever stands around it: plain, base64 and hex', (value, before, after) => {
  const forms = (text: string): Form[] => found([value], text).map(([, form]) => form);
  expect(forms(`${before}${value.trim()}${after}`)).toContain('plain');
  expect(forms(base64(`${before}${value.trim()}${after}`))).toContain('base64');
  expect(forms(Buffer.from(`${before}${value.trim()}${after}`).toString('hex'))).toContain('hex');
});
test('a list: one value a line, JSON strings for line breaks, empty lines and repetitions are none', () => {
  expect(readValues('ada\n\n"two\\nlines"\nada\r\n"open\n')).toEqual({
    values: ['ada', 'two\nlines', '"open'],
    lines: [1, 3, 5],
  });
});
