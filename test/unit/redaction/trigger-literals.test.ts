import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeholderEnd } from '../../../services/redaction/placeholder-end.ts';
import { createLiteralScan } from '../../../services/redaction/trigger-literals.ts';
import { isPlain } from '../../../services/redaction/fold-tables.ts';
import { foldText } from '../../../services/redaction/fold-text.ts';
import { jsonLeaves } from '../../../services/redaction/json-text.ts';
import { decodeWord, unescapeText } from '../../../services/redaction/unescape.ts';

const literals = ['he', 'she', 'hers', 'sk-', '://', 'a.b'];
test('hits are those that a search for each literal finds, without case', () => {
  const scan = createLiteralScan([{ literals: literals.slice(0, 3) }, { literals: literals.slice(3) }]);
  const bits = fc
    .array(fc.constantFrom('he', 'SHE', 'rs', 's', 'sk', '-', ':', '//', 'A.', 'b', 'é', ' '), { maxLength: 30 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(bits, (text) => {
      const { hits = [] } = scan(text) ?? {};
      const found = hits.flatMap((own, detector) =>
        (own ?? []).flatMap((literal, index) =>
          index % 2 === 0 ? [`${literals[detector === 0 ? literal : literal + 3]}@${own?.[index + 1]}`] : [],
        ),
      );
      const expected = literals.flatMap((literal) =>
        Array.from({ length: text.length }, (_, at) => at).flatMap((at) =>
          text.slice(at, at + literal.length).toLowerCase() === literal ? [`${literal}@${at}`] : [],
        ),
      );
      expect(found.sort()).toEqual(expected.sort());
    }),
    { numRuns: 1_000 },
  );
});
test('a placeholder ends where its pattern does, and nothing else is one', () => {
  const pattern = /^\[[A-Z][A-Z_]{1,30}(?::l\d{1,4}|:[a-z0-9-]{1,16}:[0-9a-f]{16})?\]/;
  const type = fc.oneof(
    fc.stringMatching(/^[A-Z_]{0,4}$/),
    fc.nat(34).map((length) => `A${'_B'.repeat(17).slice(0, length)}`),
  );
  const tail = fc.constantFrom(
    ']',
    '',
    'a]',
    ':l16]',
    ':l]',
    ':l12345]',
    ':k1:0123456789abcdef]',
    ':k1:0123456789abcde]',
    ':',
    '] x',
    '\u0000]',
  );
  fc.assert(
    fc.property(type, tail, fc.constantFrom('', 'x'), (name, rest, before) => {
      const text = `${before}[${name}${rest}`;
      const match = pattern.exec(text.slice(before.length));
      expect(placeholderEnd(text, before.length)).toBe(match === null ? -1 : before.length + match[0].length);
    }),
    { numRuns: 2_000 },
  );
});
test('plain prose has nothing to look at', () =>
  expect(createLiteralScan([{ literals: literals }])('nothing in quite ordinary words')).toBeUndefined());

test.each([
  ['ｓａｍ＠ｅｘ．ｏｒｇ', 'sam@ex.org'],
  ['a\u200bb', 'ab'],
  ['٣۴५', '345'],
  ['s\u0430m', 'sam'],
  ['сам', undefined],
  ['naïve café', undefined],
  ['1\u20e32\ufe0f\u20e3', '12'],
  ['①②', '12'],
  ['𝟜𝟚', '42'],
])('%s folds to %s', (text, folded) => expect(foldText(text)?.text).toBe(folded));
test.each([
  ['sam%40ex.org', 'sam@ex.org'],
  ['%e4%bd%a0', '你'],
  ['a\\u0040b', 'a@b'],
  ['a\\x40b', 'a@b'],
  ['&#64;&#x40;&commat;', '@@@'],
  ['50% off', undefined],
  ['%zz &x; \\q', undefined],
])('%s unescapes to %s', (text, plain) => expect(unescapeText(text)?.text).toBe(plain));
test('maps lead back to ranges of the input, in order', () => {
  fc.assert(
    fc.property(
      fc
        .array(fc.constantFrom('%41', '&#64;', '\\u0042', 'ａ', '\u200b', 'x', '①', '٣', '😀', '𝟜'), { maxLength: 30 })
        .map((parts) => parts.join('')),
      (text) => {
        for (const mapped of [foldText(text), unescapeText(text)]) {
          if (!mapped) continue;
          let before = 0;
          for (let at = 0; at < mapped.text.length; at += 1) {
            expect(mapped.map[at]).toBeGreaterThanOrEqual(before);
            before = mapped.map[at] ?? 0;
            expect(mapped.mapEnd[at]).toBeGreaterThan(before);
          }
          expect(mapped.map[mapped.text.length]).toBe(text.length);
        }
      },
    ),
    { numRuns: 500 },
  );
});
test.each([
  ['Y29udGFjdCBzYW1AZXhhbXBsZS5vcmc', 'contact sam@example.org'],
  ['6d61696c2073616d406578616d706c652e6f7267', 'mail sam@example.org'],
  ['83a87d16c7d757c5c9c9d9b4152d813e4309cdb34e02ee3a9ce58be2af7d438f', undefined],
])('%s decodes to %s', (word, text) => expect(decodeWord(word)).toBe(text));

test('a text is read as JSON exactly when it is an object or an array', () => {
  const broken = fc
    .tuple(fc.jsonValue(), fc.nat(), fc.constantFrom('', '}', ',', '"', '\\', 'x', '1'))
    .map(([value, at, bit]) =>
      ((text) => text.slice(0, at % (text.length + 1)) + bit + text.slice(at % (text.length + 1)))(
        JSON.stringify(value),
      ),
    );
  fc.assert(
    fc.property(broken, (text) => {
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        parsed = undefined;
      }
      const leaves = jsonLeaves(text);
      if (typeof parsed === 'object' && parsed !== null) expect(Array.isArray(leaves)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
  expect(jsonLeaves('['.repeat(80) + ']'.repeat(80))).toBe('too-deep');
});

test('what tables skip as plain is folded to itself and has no case; two thirds of the plane are', () => {
  let skipped = 0;
  for (let code = 0; code < 65_536; code += 1) {
    if (!isPlain(code)) continue;
    skipped += 1;
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const char = String.fromCharCode(code);
    if (
      char.normalize('NFKC') !== char ||
      char.toLowerCase() !== char ||
      char.toUpperCase() !== char ||
      /[\p{Nd}\p{Pd}\p{Zs}\p{M}\p{Default_Ignorable_Code_Point}]/u.test(char) ||
      /\p{L}/u.test(char) !== code < 0xd800
    )
      throw new Error(`U+${code.toString(16)} is not plain`);
  }
  expect(skipped).toBeGreaterThan(42_000);
});
test('a text of any length is put together unit by unit, lone surrogates too', () => {
  for (const size of [1, 511, 512, 513, 5_000]) {
    const text = `${'a\ud800b\u0416'.repeat(size).slice(0, size)}\uff11`;
    expect(foldText(text)?.text).toBe(`${text.slice(0, -1)}1`);
  }
});
