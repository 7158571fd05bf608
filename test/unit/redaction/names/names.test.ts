import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../../services/redaction/finding.ts';
import { namesDetector } from '../../../../services/redaction/names/index.ts';
import { aTask } from '../a-task.ts';

const find = (text: string, key?: string): Finding[] => {
  const out: Finding[] = [];
  namesDetector.find(aTask(text, { key, out }));
  return out;
};
/** Findings as the engine keeps them: by rank, then length, without overlap. */
function kept(text: string, key?: string): Finding[] {
  const chosen: Finding[] = [];
  for (const one of find(text, key).sort((a, b) => b.rank - a.rank || b.end - b.start - (a.end - a.start)))
    if (chosen.every(({ start, end }) => one.end <= start || end <= one.start)) chosen.push(one);
  return chosen.sort((a, b) => a.start - b.start);
}
const shown = (text: string, key?: string): string[] =>
  kept(text, key).map(({ type, start, end }) => `${type} ${text.slice(start, end)}`);

describe('people', () => {
  test.each([
    ['My name is Marta Kowalczyk and I need help.', 'PERSON Marta Kowalczyk'],
    ['Please ask Dr. Okonkwo about it.', 'PERSON Okonkwo'],
    ['we met mr. henderson yesterday', 'PERSON henderson'],
    ['Guten Tag, ich heiße Jürgen Weißmann.', 'PERSON Jürgen Weißmann'],
    ['Je m’appelle Hélène Dubois.', 'PERSON Hélène Dubois'],
    ['Nazywam się Zbigniew Wójcik.', 'PERSON Zbigniew Wójcik'],
    ['Меня зовут Пётр Сергеевич Волков.', 'PERSON Пётр Сергеевич Волков'],
    ['我叫王小明，请帮我。', 'PERSON 王小明'],
    ['私の名前は山田太郎です。', 'PERSON 山田太郎'],
    ['제 이름은 김민수입니다.', 'PERSON 김민수'],
    ['اسمي محمد خالد ورقم حسابي عندكم', 'PERSON محمد خالد'],
    ['שמי דוד לוי ומספר הטלפון שלי', 'PERSON דוד לוי'],
    ['मेरा नाम राहुल शर्मा है', 'PERSON राहुल शर्मा'],
    ['Benim adım Ayşe Yılmaz.', 'PERSON Ayşe Yılmaz'],
    ['Tôi tên là Nguyễn Văn An.', 'PERSON Nguyễn Văn An'],
    ['The report was written by Thomas van der Berg.', 'PERSON Thomas van der Berg'],
    ['Customer: Priya Raman\nStatus: open', 'PERSON Priya Raman'],
    ['I spoke with J. Robert Mitchell on Tuesday.', 'PERSON J. Robert Mitchell'],
  ])('%s', (text, found) => expect(shown(text)).toContain(found));
  test('a field that holds a name is one, whatever it says', () => {
    expect(shown('xqzt', 'first_name')).toEqual(['PERSON xqzt']);
    expect(shown('xqzt', 'tool')).toEqual([]);
    expect(shown('[PERSON]', 'first_name')).toEqual([]);
  });
});

describe('places and addresses', () => {
  test.each([
    ['I live in Wellington with two cats.', 'LOCATION Wellington'],
    ['Troops left the United States on Monday.', 'LOCATION United States'],
    [
      'Ship it to 742 Evergreen Terrace, Springfield, IL 62704 please.',
      'ADDRESS 742 Evergreen Terrace, Springfield, IL 62704',
    ],
    ['Wir wohnen in der Goethestraße 17, 60313 Frankfurt.', 'ADDRESS Goethestraße 17, 60313 Frankfurt'],
    ['Mieszkam przy ul. Mickiewicza 12/4', 'ADDRESS ul. Mickiewicza 12'],
    ['my zip code is 94107', 'ZIP 94107'],
    ['London SW1A 1AA', 'ZIP SW1A 1AA'],
    ['PO Box 4471', 'ADDRESS PO Box 4471'],
    ['Адрес: ул. Ленина, 28', 'ADDRESS ул. Ленина, 28'],
    ['送货到北京市朝阳区建国路88号', 'ADDRESS 送货到北京市朝阳区建国路88号'],
  ])('%s', (text, found) => expect(shown(text)).toContain(found));
});

describe('stays', () => {
  test.each([
    'The quick brown fox jumps over the lazy dog.',
    'Please reset my password, the app keeps crashing.',
    'Open Settings, then Privacy, then Security.',
    'Why is my account blocked on Monday?',
    'error in module auth at line 42',
    'trace 0af7651916cd43dd8448eb211c80319c',
    'It took 3279 ms for 12 requests',
    'GB82 WEST 1234 5698 7654 32',
    'user_id=Martin_7731 and @maria on chat',
    'https://example.org/Maria/Schmidt',
    'HTTP 404 Not Found',
    'We use Kafka, Redis and Kubernetes.',
    '版本号是第三版',
    '',
  ])('%s', (text) => expect(shown(text)).toEqual([]));
});

describe('laws', () => {
  const bits = fc.constantFrom(
    'Maria',
    'Dr.',
    ' ',
    ' ',
    '\n',
    ',',
    'my name is',
    'Smith',
    'ul.',
    '12',
    'Main',
    'Street',
    '[PERSON]',
    '[PERSON:k1:0123456789abcdef]',
    '[ADDRESS]',
    '[SECRET_KEY:l32]',
    '王小明',
    '我叫',
    '先生',
    'اسمي',
    'محمد',
    'Ленина',
    'corner of',
    'and',
    'APO',
    'Box',
    '5',
    'zip',
    ':',
    "O'",
    '-',
    '\ud83d',
    '\u0301',
    '@',
    '#',
    'New',
    'York',
    'APT',
    '〒',
    '100-0001',
  );
  const texts = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.array(bits, { maxLength: 40 }).map((parts) => parts.join('')),
    fc.array(bits, { maxLength: 40 }).map((parts) => parts.join(' ')),
  );
  const placeholders = /\[[A-Z][A-Z_]{1,30}(?::l\d{1,4}|:[a-z0-9-]{1,16}:[0-9a-f]{16})?\]/g;
  test('never throws; findings lie inside the text and touch no placeholder', () => {
    fc.assert(
      fc.property(texts, fc.option(fc.constantFrom('first_name', 'city', 'note'), { nil: undefined }), (text, key) => {
        const guarded = [...text.matchAll(placeholders)].map(
          (match) => [match.index, match.index + match[0].length] as const,
        );
        for (const { start, end, rank } of find(text, key)) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
          expect(rank).toBeLessThanOrEqual(100);
          for (const [from, to] of guarded) expect(end <= from || to <= start).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
  });
  test.each([
    '[PERSON] corner of and Maria',
    '[EMAIL:k1:0123456789abcdef] corner of Main Street and 5 Elm Road',
    '[SECRET_KEY:l32] corner of and Maria',
    'corner of [PERSON] and Maria',
    '[PERSON] Box 5',
    'Smith [PERSON] APO [PERSON]',
    '12 Main [PERSON] Street',
  ])('no finding of %j reaches over its placeholder', (text) => {
    for (const { start, end } of find(text)) expect(text.slice(start, end)).not.toContain('[');
  });
  test('the same text is judged the same again, whatever came between', () => {
    fc.assert(
      fc.property(texts, texts, (text, other) => {
        const before = JSON.stringify(find(text));
        find(other);
        expect(JSON.stringify(find(text))).toBe(before);
      }),
      { numRuns: 500 },
    );
  });
  const sentences = fc.array(
    fc.constantFrom(
      'My name is Anna Berg.',
      'I live in Oslo.',
      'Dear Mr. Brandt,',
      'Send it to 12 Baker Street, London.',
      'Thanks, Olivia',
      'Call Peter or Susan.',
      'Nothing here.',
    ),
    { minLength: 1, maxLength: 6 },
  );
  test('what was taken out stays out: a second pass finds nothing in the placeholders', () => {
    fc.assert(
      fc.property(sentences, (parts) => {
        let text = parts.join(' ');
        for (const { start, end, type } of kept(text).reverse())
          text = `${text.slice(0, start)}[${type}]${text.slice(end)}`;
        let again = text;
        for (const { start, end, type } of kept(text).reverse())
          again = `${again.slice(0, start)}[${type}]${again.slice(end)}`;
        expect(again).toBe(text);
      }),
      { numRuns: 300 },
    );
  });
  test.each([
    'A',
    'Aa ',
    'Maria ',
    'New York ',
    '王',
    'ب',
    '[',
    '[PERSON',
    'Dr. ',
    'my name is ',
    '12 Main ',
    'ul. ',
    "O'",
    'corner of ',
    'APO ',
    '\u0301',
  ])('a megabyte of %j is answered', (unit) => {
    expect(Array.isArray(find(unit.repeat(Math.ceil(1_048_576 / unit.length))))).toBe(true);
  });
});
