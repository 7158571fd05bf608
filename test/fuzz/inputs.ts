/**
 * Inputs for the redactor's fuzzer: values of every class made from a seed, pieces of JSON, escapes and Unicode, cut,
 * repeated, swapped and nested. The same seed makes the same inputs.
 */

/** xorshift32 (Marsaglia 2003): whole numbers from 0 to `below` - 1. */
export type Random = (below: number) => number;
export function randomFrom(seed: number): Random {
  let state = seed | 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const digits = '0123456789';
const hex = '0123456789abcdef';
const alnum = `${digits}abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ`;
const base64 = `${alnum}+/`;
const run = (random: Random, alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet[random(alphabet.length)]).join('');
const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T;

const words = [
  'the',
  'password',
  'is',
  'token',
  'key',
  'card',
  'born',
  'on',
  'call',
  'me',
  'at',
  'Maria',
  'Berlin',
  'order',
  'number',
  'mail',
  'dot',
  'secret',
  'SSN',
  'IBAN',
  'passport',
  'street',
  'Dr.',
  '密码',
  'пароль',
  'née le',
  'اسمي',
  'my name is',
  'bearer',
  'Authorization:',
  'cookie:',
  'mysql -p',
  'curl -u',
  'api_key=',
  'user',
  'ул.',
  '東京都',
  'version',
  'trace',
  '[EMAIL]',
  '[SECRET_KEY:l32]',
  '[?EMAIL:k1:0123456789abcdef]',
  '[EMAIL:k1:0123456789abcdef]',
] as const;
const bits = [
  ' ',
  '  ',
  '\n',
  '\t',
  '.',
  ',',
  ':',
  ';',
  '-',
  '_',
  '/',
  '\\',
  '"',
  "'",
  '`',
  '@',
  '#',
  '%',
  '&',
  '=',
  '+',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '<',
  '>',
  '|',
  '*',
  '~',
  '^',
  '$',
  '!',
  '?',
  '\\n',
  '\\"',
  '\\u0040',
  '%40',
  '&#64;',
  '=40',
  '\\x2e',
  '\u200b',
  '\u00ad',
  '\u202e',
  '\ufeff',
  '\u0301',
  'é',
  'ß',
  '٣',
  '４',
  'а',
  '😀',
  '\ud800',
  '\udc00',
  '\u0000',
  '://',
  '::',
  '--',
  '-----BEGIN ',
  'eyJ',
  '0x',
  '+1 ',
] as const;

const made: readonly ((random: Random) => string)[] = [
  (random) =>
    `${run(random, alnum, 1 + random(8))}@${run(random, alnum, 1 + random(6))}.${pick(random, ['org', 'com', 'co.uk', 'x', 'рф'])}`,
  (random) =>
    `${run(random, digits, 4)}${pick(random, [' ', '-', '', '.'])}${run(random, digits, 4)} ${run(random, digits, 4)} ${run(random, digits, 4)}`,
  (random) =>
    pick(random, [
      '4111 1111 1111 1111',
      '378282246310005',
      'DE89 3704 0044 0532 0130 00',
      'GB29NWBK60161331926819',
      '536-22-1234',
      '+49 30 1234567',
      '(415) 555-2671',
      '192.168.17.4',
      '2001:db8::1%eth0/64',
      '00:1B:44:11:3A:B7',
      '1980-03-12',
      '12 March 1980',
      '0x52908400098527886E0F7030069857D2E4169EE7',
    ]),
  (random) => `+${run(random, digits, 1 + random(14))}`,
  (random) => run(random, digits, 1 + random(24)),
  (random) =>
    [run(random, digits, 1 + random(4)), run(random, digits, 1 + random(4)), run(random, digits, 1 + random(4))].join(
      pick(random, ['-', '.', '/', ' ', ':']),
    ),
  (random) =>
    [run(random, hex, 8), run(random, hex, 4), run(random, hex, 4), run(random, hex, 4), run(random, hex, 12)].join(
      '-',
    ),
  (random) =>
    pick(random, [
      'sk-',
      'ghp_',
      'glpat-',
      'xoxb-',
      'AKIA',
      'hf_',
      'sk_live_',
      'AIza',
      'SG.',
      'npm_',
      'key-',
      'pat-',
      'acme_live_',
    ]) + run(random, alnum, random(60)),
  (random) =>
    `eyJ${run(random, alnum, random(40))}.eyJ${run(random, alnum, random(40))}.${run(random, alnum, random(50))}`,
  (random) =>
    `-----BEGIN ${pick(random, ['', 'RSA ', 'OPENSSH '])}PRIVATE KEY-----\n${run(random, base64, random(140))}\n${pick(random, ['-----END PRIVATE KEY-----', '', '-----END'])}`,
  (random) =>
    `${pick(random, ['postgres', 'redis', 'https', 'amqp'])}://${run(random, alnum, random(6))}:${run(random, alnum, random(12))}@${run(random, alnum, 3)}.org/${run(random, alnum, 3)}`,
  (random) => run(random, base64, random(90)),
  (random) => run(random, hex, random(90)),
];

function encoded(random: Random, text: string): string {
  switch (random(6)) {
    case 0:
      return Buffer.from(text).toString('base64');
    case 1:
      return Buffer.from(text).toString('hex');
    case 2:
      return encodeURIComponent(text.replaceAll(/[\ud800-\udfff]/g, ''));
    case 3:
      return [...text].map((char) => `&#${char.codePointAt(0)};`).join('');
    case 4:
      return JSON.stringify(text).slice(1, -1);
    default:
      return [...text].join(pick(random, [' ', '\u200b', '-', '.']));
  }
}

const names = [
  'password',
  'email',
  'name',
  'content',
  'delta',
  'text',
  'id',
  'pass',
  'api_key',
  'dob',
  'ssn',
  'arguments',
  'city',
  'token',
  'private_key',
  'x',
  '',
  'value',
  'key',
  'old',
] as const;
/** A JSON value with what `text` makes inside, and sometimes JSON as text in it. */
function json(random: Random, text: () => string, depth: number): unknown {
  const kind = random(depth > 2 ? 5 : 9);
  if (kind === 0) return random(2) === 0 ? random(1_000_000_000) : Number(`${4111111111111111}`);
  if (kind === 1) return pick(random, [null, true, false, -0.5, 1e21, 536221234]);
  if (kind < 5) return text();
  if (kind < 7)
    return Object.fromEntries(
      Array.from({ length: random(4) }, () => [
        random(8) === 0 ? text() : pick(random, names),
        json(random, text, depth + 1),
      ]),
    );
  if (kind === 7)
    return Array.from({ length: random(4) }, () =>
      random(6) === 0 ? pick(random, ['--password', 'authorization', 'api_key']) : json(random, text, depth + 1),
    );
  return JSON.stringify(json(random, text, depth + 1));
}

/** As logs and event streams hold it: a value a line, alone or behind `data:`, with other lines between. */
function stream(random: Random): string {
  const prefix = pick(random, ['', '', 'data: ', 'event: delta\ndata: ']);
  const line = (): string =>
    random(8) === 0
      ? phrase(random, 1).replaceAll('\n', ' ')
      : prefix + (JSON.stringify(json(random, () => phrase(random, 1), 0)) ?? '');
  return Array.from({ length: 2 + random(5) }, line).join(pick(random, ['\n', '\n\n', '\r\n']));
}

function phrase(random: Random, depth: number): string {
  let text = '';
  for (let left = 1 + random(9); left > 0; left -= 1) {
    const kind = random(12);
    if (kind < 3) text += pick(random, words);
    else if (kind < 6) text += pick(random, bits);
    else if (kind < 10) text += pick(random, made)(random);
    else if (kind === 10 && depth < 2) text += encoded(random, phrase(random, depth + 1));
    else text += String.fromCharCode(random(random(4) === 0 ? 65_536 : 256));
    if (random(3) > 0) text += ' ';
  }
  return text;
}

/** What editors, loggers and people do to a text. */
function mutated(random: Random, text: string, other: string): string {
  const at = random(text.length + 1);
  const to = Math.min(text.length, at + random(12));
  switch (random(7)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, at) + pick(random, bits) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at, to).repeat(1 + random(6)) + text.slice(to);
    case 3:
      return text.slice(0, at) + other.slice(random(other.length + 1));
    case 4:
      return text.slice(0, at) + text.slice(at, to).toUpperCase() + text.slice(to);
    case 5:
      return text.slice(0, at) + pick(random, bits).repeat(1 + random(20)) + text.slice(to);
    default:
      return [...text].reverse().join('');
  }
}

/** Inputs without end. Every 2,000th is long: some 20 to 100 thousand units of one piece over and over. */
export function* inputs(seed: number): Generator<string> {
  const random = randomFrom(seed);
  let last = '';
  for (let count = 1; ; count += 1) {
    const kind = random(10);
    let text =
      kind === 9 && random(2) === 0
        ? stream(random)
        : kind < 2
          ? (JSON.stringify(json(random, () => phrase(random, 1), 0)) ?? '')
          : kind < 3
            ? encoded(random, phrase(random, 0))
            : phrase(random, 0);
    for (let times = random(4); times > 0; times -= 1) text = mutated(random, text, last);
    if (count % 2_000 === 0) text = (text.slice(0, 1 + random(20)) || 'a').repeat(1_000 + random(4_000));
    last = text.slice(0, 400);
    yield text;
  }
}
