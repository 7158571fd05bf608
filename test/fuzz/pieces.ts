/** What the redactor's fuzzer builds its inputs from, drawn from a seed. */

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
export const run = (random: Random, alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet[random(alphabet.length)]).join('');
export const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T;

export const words = [
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
export const bits = [
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

/** Values of every class, right and nearly right. */
export const made: readonly ((random: Random) => string)[] = [
  (random) => {
    const [user, host] = [run(random, alnum, 1 + random(8)), run(random, alnum, 1 + random(6))];
    return `${user}@${host}.${pick(random, ['org', 'com', 'co.uk', 'x', 'рф'])}`;
  },
  (random) => {
    const first = `${run(random, digits, 4)}${pick(random, [' ', '-', '', '.'])}`;
    return `${first}${run(random, digits, 4)} ${run(random, digits, 4)} ${run(random, digits, 4)}`;
  },
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
  (random) => {
    const begin = `-----BEGIN ${pick(random, ['', 'RSA ', 'OPENSSH '])}PRIVATE KEY-----`;
    const body = run(random, base64, random(140));
    return [begin, body, pick(random, ['-----END PRIVATE KEY-----', '', '-----END'])].join('\n');
  },
  (random) => {
    const scheme = pick(random, ['postgres', 'redis', 'https', 'amqp']);
    const user = `${run(random, alnum, random(6))}:${run(random, alnum, random(12))}`;
    return `${scheme}://${user}@${run(random, alnum, 3)}.org/${run(random, alnum, 3)}`;
  },
  (random) => run(random, base64, random(90)),
  (random) => run(random, hex, random(90)),
];

/** Keys of JSON objects. */
export const keys = [
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
