/**
 * What stands right before and behind a value decides nothing: tables, lists, quotes, brackets, markup and scripts
 * without spaces.
 */
import { expect, test } from 'vitest';
import { defaultPolicy, redact } from '../../../services/redaction/index.ts';

const before = [
  ' ',
  ': ',
  ':',
  '=',
  ' = ',
  ': "',
  "='",
  ' (',
  '[',
  '<',
  ' *',
  '\t',
  '，',
  '：',
  ' — ',
  '=>',
  '>',
  ' ~',
  ' ^',
  '|',
  ',',
  ';',
  ' is ',
  '- ',
  '\u00a0',
  '\u3000',
  '\\t',
] as const;
const behind = [
  '',
  ' ',
  '.',
  ',',
  ';',
  ':',
  '!',
  '?',
  '"',
  "'",
  ')',
  ']',
  '}',
  '>',
  '/',
  '*',
  '中',
  'です',
  '\t',
  '\n',
  '。',
  '，',
  '…',
  '—',
  ' - ',
  '|',
  ',x',
  ';x',
  '|x',
  ';7',
  '|7',
  '\\n',
  '\\nx',
  '%20',
  '&x=1',
  '`',
  '~',
  '»',
  '”',
  '"}',
  '<br>',
  '</b>',
  '\u00a0',
  '. Ok',
  '.Ok',
  '..',
  "'s",
  '\u200b',
] as const;
const values = [
  ['e-mail', 'sam.lee@example.org'],
  ['card', '4111111111111111'],
  ['card', '4111 1111 1111 1111'],
  ['IBAN', 'DE89370400440532013000'],
  ['IBAN', 'DE89 3704 0044 0532 0130 00'],
  ['SSN', '536-22-8726'],
  ['ip', '203.0.113.77'],
  ['ip', '2001:db8::8a2e:370:7334'],
  ['mac', '00:1B:44:11:3A:B7'],
  ['phone', '+14155552671'],
  ['phone', '(415) 555-2671'],
  ['tel', '030 901820-12'],
  ['DNI', '12345678Z'],
  ['BSN', '111222333'],
  ['NHS number', '943 476 5919'],
  ['passport', 'C01X00T47'],
  ['driving licence', 'MORGA657054SM9IJ'],
  ['wallet', '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'],
  ['wallet', '0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe'],
  ['born', '1980-03-12'],
  ['VAT', 'DE136695976'],
  ['key', `ghp_${'NArgWkefqQ52hr93lNfnvkuX9pCOQH839CwF'}`],
  ['key', `AKIA${'Q5T3M7ZK2YB4XW6N'}`],
] as const;

const isCovered = (text: string, start: number, length: number): boolean => {
  const { spans } = redact(text);
  for (let at = start; at < start + length; at += 1)
    if (/[A-Za-z0-9]/.test(text[at] as string) && !spans.some((span) => at >= span.start && at < span.end))
      return false;
  return true;
};

test.each(values)('%s %s behind and before anything', (label, value) => {
  const texts = [
    ...before.map((edge) => [`my ${label}${edge}`, ' ok']),
    ...behind.map((edge) => [`my ${label}: `, edge]),
    ...[',', ';', '|', '\t'].flatMap((cell) => [
      [`Bo${cell}`, `${cell}x ${label}`],
      [`my ${label}${cell}`, `${cell}Rome`],
    ]),
  ];
  expect(
    texts
      .filter(([left, right]) => !isCovered(`${left}${value}${right}`, (left as string).length, value.length))
      .map(([left, right]) => `${left}${value}${right}`),
  ).toEqual([]);
});

test('an address in pieces: combining marks, a space before the at sign, words of other languages', () => {
  for (const value of [
    'sa\u0301m.lo\u0301pez@example.org',
    'sam.lee @example.org',
    'sam ät example punkt de',
    'sam chiocciola esempio punto it',
  ])
    expect([value, redact(`write to ${value} today`).text]).toEqual([value, 'write to [EMAIL] today']);
});

test.each([
  'thanks @example.com for this',
  'std::dead::beef is a type',
  'v1.2 @types of it',
  'see 12.5,415 units',
  'file 123456789.pdf',
  'password (optional) - required',
  'token -> next token',
  'password - at least 8 characters',
])('%s is none', (text) => {
  expect(redact(text).text).toBe(text);
});

test.each([
  ['How long before a transfer shows up? 4111111111111111 is what I paid with.', ['CREDIT_CARD 4111111111111111']],
  ['It failed for the amount I requested. 536-22-8726, can you help?', ['US_SSN 536-22-8726']],
  ['I cannot pay with my card, (415) 555-2671 is where I am.', ['PHONE (415) 555-2671']],
  ['What about my order\n\n536-22-8726 Ann', ['US_SSN 536-22-8726']],
  ['Too expensive a transaction, too. 06 12 34 56 78', ['PHONE 06 12 34 56 78']],
  ['the invoice by Mozilla. 415.555.2671', ['PHONE 415.555.2671']],
  ['blocked from 172.16.254.1/24. Why?', ['IP 172.16.254.1/24']],
  ["my password's hT7#kq92Lm by the way", ['SECRET_GENERIC hT7#kq92Lm']],
  ['order 4111111111111111 has shipped', []],
  ['Invoice no. 536-22-8726 is open', []],
  ['see ticket (415) 555-2671', []],
  ['The transaction id is 4111111111111111.', []],
])('%s: what a number is not, its own sentence says', (text, found) => {
  expect(
    redact(text, { ...defaultPolicy, names: false }).spans.map(
      ({ type, start, end }) => `${type} ${text.slice(start, end)}`,
    ),
  ).toEqual(found);
});
