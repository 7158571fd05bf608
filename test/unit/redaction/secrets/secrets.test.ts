/**
 * Credentials, found and not found. Long because it is tables of cases over one set of made credentials, and the laws
 * that hold for all of them.
 */
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { findInField, secretDetector } from '../../../../services/redaction/secrets/index.ts';
import { hitsOf, scan } from './scan.ts';

/** Fake credentials are put together here at run time, so that no scanner of sources takes this file for a leak. */
const letters = 'Q7rT2vX9bN4mK8pL3sD6fG1hJ5kZ0wYcVaEuRoIt';
const made = (length: number, from = letters): string => from.repeat(Math.ceil(length / from.length)).slice(0, length);
const hex = (length: number): string => made(length, '3fa9c07be1d84526');
const upper = (length: number): string => made(length, 'QW7ERTY3UIOP2ASD5FGH');
const uuid = `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = [base64url({ alg: 'HS256', typ: 'JWT' }), base64url({ sub: '4711', iat: 1 }), made(43)].join('.');
const body = [made(64), made(64), made(20)].join('\n');
const pem = (kind: string, inside = body): string =>
  [`-----BEGIN ${kind}-----`, inside, `-----END ${kind}-----`].join('\n');
const word = ['Tr0ub', '4dor&3'].join('');

const found = (text: string): string[] =>
  scan(secretDetector, text).kept.map(({ type, start, end }) => `${type} ${text.slice(start, end)}`);

describe('what says what it is', () => {
  test.each([
    ['GitHub', ['ghp', made(36)].join('_')],
    ['OpenAI', ['sk', 'proj', made(60)].join('-')],
    ['Anthropic', ['sk', 'ant', 'api03', made(93)].join('-')],
    ['AWS', ['AK', 'IA', upper(16)].join('')],
    ['Google', ['AI', 'za', made(35)].join('')],
    ['Slack', ['xoxb', '123456789012', made(24)].join('-')],
    ['Stripe', ['sk', 'live', made(24)].join('_')],
    ['Twilio', ['S', 'K', hex(32)].join('')],
    ['Vault', ['hvs', made(90)].join('.')],
    ['Databricks', `da${'pi'}${hex(32)}`],
    ['Telegram', ['6418093940', `AA${made(33)}`].join(':')],
    ['Mailchimp', [hex(32), 'us12'].join('-')],
    ['Terraform', [made(14), 'atlasv1', made(64)].join('.')],
    ['Entra', ['a~B', '8Q~', made(34)].join('')],
    ['Discord', [`MTA${made(23)}`, made(6), made(38)].join('.')],
    ['unlisted vendor', ['acme', 'live', made(32)].join('_')],
    ['unlisted vendor', ['zeta', 'pat', hex(40)].join('-')],
  ])('%s', (_provider, key) => {
    for (const text of [key, `see ${key}, thanks`, `x="${key}"`, `a\\n${key}\\n`, `v=%3D${key}`])
      expect(found(text)).toEqual([`SECRET_KEY ${key}`]);
  });
  test.each([
    ['PRIVATE KEY'],
    ['RSA PRIVATE KEY'],
    ['OPENSSH PRIVATE KEY'],
    ['ENCRYPTED PRIVATE KEY'],
    ['PGP PRIVATE KEY BLOCK'],
  ])('%s, whole, escaped, cut off', (kind) => {
    const whole = pem(kind);
    expect(found(`key:\n${whole}\nthanks`)).toEqual([`SECRET_PRIVATE_KEY ${whole}`]);
    const escaped = whole.replaceAll('\n', '\\n');
    expect(found(`{"k":"${escaped}"}`)).toEqual([`SECRET_PRIVATE_KEY ${escaped}`]);
    const cut = whole.slice(0, whole.indexOf('-----END') - 8);
    expect(found(cut)).toEqual([`SECRET_PRIVATE_KEY ${cut}`]);
  });
  test('a JWT: signed, without its signature, behind a cookie name; not two words with a dot', () => {
    expect(found(`t ${jwt}.`)).toEqual([`SECRET_JWT ${jwt}`]);
    const unsigned = jwt.slice(0, jwt.lastIndexOf('.'));
    expect(found(`s=${unsigned}`)).toEqual([`SECRET_JWT ${unsigned}`]);
    expect(found('eyJust.eyJoke')).toEqual([]);
  });
  test('a raw 256-bit key only where a wallet is spoken of', () => {
    expect(found(`my wallet 0x${hex(64)}`)).toEqual([`SECRET_PRIVATE_KEY 0x${hex(64)}`]);
    expect(found(`tx hash 0x${hex(64)} from the wallet`)).toEqual([]);
  });
});

describe('what stands in an address, a header, a command', () => {
  test.each([
    [`postgres://app:${word}@db.example.org:5432/x`, `SECRET_CONNECTION ${word}`],
    [['postgres://sandy', 'secret@h/x'].join(':'), 'SECRET_CONNECTION secret'],
    [`redis://:${word}@cache:6379`, `SECRET_CONNECTION ${word}`],
    [`amqp://u:p%40ss1@mq/x`, 'SECRET_CONNECTION p%40ss1'],
    [`mongodb+srv://u:a@b1c@c.example.net/d`, 'SECRET_CONNECTION a@b1c'],
    [`u:${word}@tcp(db:3306)/x`, `SECRET_CONNECTION ${word}`],
    [`Server=tcp:x,1433;User ID=sa;Password=${word};Encrypt=True`, `SECRET_CONNECTION ${word}`],
    [`jdbc:sqlserver://h:1433;user=sa;password=${word}`, `SECRET_CONNECTION ${word}`],
    [
      `https://hooks.slack.com/services/T0AB/B0CD/${made(24)}`,
      `SECRET_URL https://hooks.slack.com/services/T0AB/B0CD/${made(24)}`,
    ],
    [`https://x.example/f?sv=1&sig=${made(43)}%3D`, `SECRET_URL ${made(43)}%3D`],
    [`https://b.example/k?X-Amz-Signature=${hex(64)}&x=1`, `SECRET_URL ${hex(64)}`],
    [`Authorization: Bearer ${made(40)}`, `SECRET_GENERIC ${made(40)}`],
    [`-H 'Authorization: Basic ${made(24)}=='`, `SECRET_GENERIC ${made(24)}==`],
    [`X-Api-Key: ${hex(32)}`, `SECRET_KEY ${hex(32)}`],
    [`Set-Cookie: session=${made(26)}; HttpOnly`, `SECRET_GENERIC ${made(26)}`],
    [`mysql -u root -p${word} shop`, `SECRET_GENERIC ${word}`],
    [`curl -u bob:${word} https://x.example`, `SECRET_GENERIC ${word}`],
    [`sshpass -p ${word} ssh h`, `SECRET_GENERIC ${word}`],
    [`tool --password=${word} run`, `SECRET_GENERIC ${word}`],
    [`tool --password ${word} run`, `SECRET_GENERIC ${word}`],
    [`CREATE USER u IDENTIFIED BY '${word}'`, `SECRET_GENERIC ${word}`],
  ])('%s', (text, expected) => expect(found(text)).toEqual([expected]));
});

describe('what a name or a sentence says', () => {
  test.each([
    `DB_PASSWORD=${word}`,
    `password: ${word}`,
    `"password": "${word}"`,
    `{\\"password\\": \\"${word}\\"}`,
    `<password>${word}</password>`,
    `db.password = '${word}'`,
    `$password = "${word}";`,
    `:password => "${word}"`,
    `setPassword("${word}")`,
    `define('DB_PASSWORD', '${word}')`,
    `<add key="DbPassword" value="${word}"/>`,
    `the admin password is ${word}`,
    `my password for the wifi is ${word}.`,
    `Passwort: ${word}`,
    `contraseña: ${word}`,
    `пароль: ${word}`,
    `密码: ${word}`,
    `| password | ${word} |`,
  ])('%s', (text) => expect(found(text)).toEqual([`SECRET_GENERIC ${word}`]));
  test.each([
    `MISTRAL_API_KEY=${made(32)}`,
    `const apiKey = "${made(32)}"`,
    `client_secret: ${made(40)}`,
    `my key is ${made(32)}`,
    `the token: ${made(32)}`,
    `here is the api key for staging, do not share: ${made(32)}`,
    `AWS_SECRET_ACCESS_KEY=${made(40)}`,
  ])('%s', (text) =>
    expect(found(text).map((each) => each.split(' ').at(-1))).toEqual([text.match(/[A-Za-z0-9]{32,}/)?.[0]]),
  );
  test.each([
    `algolia_app: "${hex(32)}"`,
    `new Mixpanel("${hex(32)}")`,
    `circleci: ${hex(40)}`,
    `trello key ${hex(32)}`,
  ])("behind the provider's name: %s", (text) =>
    expect(found(text)).toEqual([`SECRET_KEY ${text.match(/[0-9a-f]{32,}/)?.[0]}`]),
  );
  test.each([`circleci commit ${hex(40)}`, `https://app.circleci.com/x/${hex(40)}`, `datadog trace ${hex(32)}`])(
    "a provider's commits and traces stay: %s",
    (text) => expect(found(text)).toEqual([]),
  );
  test('the key above a leaf decides when the leaf is the value', () => {
    const value = ['pw', '=', word].join('');
    expect(found(value).length).toBeGreaterThan(0);
    expect(findInField(word, 'db_password')).toMatchObject([{ start: 0, end: word.length, type: 'SECRET_GENERIC' }]);
  });
});

describe('what is said in other languages', () => {
  test.each([
    '密码是 X',
    '我的密码是X',
    '登录密码为 X',
    'パスワードはXです',
    '비밀번호는 X 입니다',
    '비번: X',
    'мой пароль X',
    'пароль от почты: X',
    'κωδικός: X',
    'mật khẩu của tôi là X',
    'رمز المرور: X',
    'كلمة المرور هي X',
    'הסיסמה שלי היא X',
    'รหัสผ่านคือ X',
    'मेरा पासवर्ड X है',
    'moje hasło to X',
    'şifrem X',
    'mdp : X',
    'parola mea este X',
    'la password è X',
  ])('%s', (sentence) => expect(found(sentence.replace('X', word))).toEqual([`SECRET_GENERIC ${word}`]));
  test.each([
    '密码必须至少8位，包含数字。',
    '密码错误次数超过5次，请30分钟后重试',
    'пароль должен содержать 8 символов',
    'パスワードは8文字以上です',
    '비밀번호는 8자 이상이어야 합니다',
    'Ключ кэша: user:123:profile',
    'token是模型处理文本的基本单位',
    'トークンは最大4096個まで',
    'рамка пароля: см. раздел 12',
  ])('stays: %s', (sentence) => expect(found(sentence)).toEqual([]));
  test('a key behind a foreign word must look made', () => {
    expect(found(`API 密钥是 ${made(32)}`)).toEqual([`SECRET_KEY ${made(32)}`]);
    expect(found('ключ API: production')).toEqual([]);
  });
});

test.each(['my password is (X)', 'the password is <b>X</b>', 'the password is [X], thanks', 'my password is \u2022 X'])(
  'wrapped: %s',
  (sentence) => expect(found(sentence.replace('X', word))).toEqual([`SECRET_GENERIC ${word}`]),
);
test.each(['the password is (see below)', 'password is <password>', 'my token is [REDACTED_TOKEN]'])(
  'wrapped, stays: %s',
  (sentence) => expect(found(sentence)).toEqual([]),
);

describe('keys in groups and on lines of their own', () => {
  const pairs = [...hex(32)]
    .map((unit, at) => (at % 2 === 1 ? `${unit} ` : unit))
    .join('')
    .trim();
  test.each([
    [`the key is ${pairs}`, `SECRET_KEY ${pairs}`],
    [`AES key: ${pairs.replaceAll(' ', ':')}`, `SECRET_KEY ${pairs.replaceAll(' ', ':')}`],
    ['TOTP secret JBSW Y3DP EHPK 3PXP', 'SECRET_KEY JBSW Y3DP EHPK 3PXP'],
    ['MFA seed: JBSWY3DPEHPK3PXP', 'SECRET_KEY JBSWY3DPEHPK3PXP'],
    [`API key\n${made(32)}`, `SECRET_KEY ${made(32)}`],
    [`- name: DB_PASSWORD\n  value: ${word}`, `SECRET_GENERIC ${word}`],
    [`password\t${word}`, `SECRET_GENERIC ${word}`],
    [`AUTH ${word}`, `SECRET_GENERIC ${word}`],
    [`redis> AUTH default ${word}`, `SECRET_GENERIC ${word}`],
    [`ACL SETUSER bob on >${word} ~*`, `SECRET_GENERIC ${word}`],
  ])('%s', (text, expected) => expect(found(text)).toEqual([expected]));
  test.each([
    `key fingerprint: ${pairs.replaceAll(' ', ':')}`,
    '2FA is on for 35 of 40 users',
    'AUTH REQUIRED',
    'auth login returned 200 OK',
    `the key\nhttps://example.org/a/b/c`,
    'one-time offer ends in week 42',
  ])('stays: %s', (text) => expect(found(text)).toEqual([]));
});

describe('tokens of three parts', () => {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: '1', name: 'Ada' })}.${made(43)}`;
  test('whole, and with its first units cut off', () => {
    expect(found(token)).toEqual([`SECRET_JWT ${token}`]);
    expect(found(token.slice(9))).toEqual([`SECRET_JWT ${token.slice(token.indexOf('.') + 1)}`]);
  });
  test('a mangled header makes none', () => {
    expect(found(`${part({ alg: 'HS256' }).slice(0, -1)}.${token.split('.').slice(1).join('.')}`)).toEqual([]);
    expect(found(`asdGciOiJIUaddasdasf9.${token.split('.').slice(1).join('.')}`)).toEqual([]);
  });
});

describe('what stays', () => {
  test.each([
    'API_KEY=your-api-key-here',
    `password: $${'{DB_PASSWORD}'}`,
    'const key = process.env.OPENAI_API_KEY',
    'password=<password>',
    'password: ********',
    'token = getToken()',
    'password: required',
    'the password is wrong',
    'forgot your password? reset it',
    'max_tokens: 4096',
    '"token_type": "bearer"',
    'cache key 0af7651916cd43dd8448eb211c80319c',
    'passport: yes',
    'author: sam99',
    `https://user:$${'{PASS}'}@x.example`,
    'postgres://user:password@db.example.org/x',
    'https://x.example:8080/@sam',
    `trace ${hex(32)}`,
    `id ${uuid}`,
    `commit ${hex(40)}`,
    `sha256:${hex(64)}`,
    `call_${made(24)} returned`,
    'chatcmpl-7M4KoiPcpZgTysqq16AvUevfvuExO',
    '[SECRET_KEY] and [SECRET_GENERIC:k1:0123456789abcdef]',
    'password: [SECRET_GENERIC]',
    'Authorization: Bearer [SECRET_KEY]',
    'tokenizer: cl100k_base',
    'public_key: none',
    'пароль: неверный!',
    'пароль: пароль:',
    'contraseña: inválida',
    '密码: 请输入',
    'Passwort: ungültig',
    `session_id: ${hex(32)}`,
    `spotify:track:${made(22)}`,
    `service-account-${hex(20)}`,
    `idempotency_key: ${uuid}`,
    '-----BEGIN PRIVATE KEY-----\n***\n-----END PRIVATE KEY-----',
  ])('%s', (text) => expect(found(text)).toEqual([]));
});

describe('laws', () => {
  const secrets = [
    ['ghp', made(36)].join('_'),
    jwt,
    pem('PRIVATE KEY'),
    `password=${word}`,
    `Authorization: Bearer ${made(40)}`,
    `postgres://a:${word}@h/x`,
    `my key is ${made(32)}`,
  ];
  const bits = fc.constantFrom(
    ...secrets,
    ...secretDetector.literals.filter((_, index) => index % 40 === 0),
    'password',
    'token ',
    ': ',
    '=',
    '"',
    '\\',
    '\n',
    '://',
    '@',
    '[SECRET_KEY]',
    'is ',
    '\ud800',
    '密码',
    ' ',
  );
  const texts = fc.oneof(
    fc.string({ maxLength: 300 }),
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.array(bits, { maxLength: 30 }).map((parts) => parts.join('')),
  );
  property.prop([texts], { numRuns: 1500 })('never throws; every finding is a piece of the text', (text) => {
    for (const { start, end, rank } of scan(secretDetector, text).all) {
      expect(start).toBeGreaterThanOrEqual(0);
      expect(end).toBeGreaterThan(start);
      expect(end).toBeLessThanOrEqual(text.length);
      expect(rank).toBeLessThanOrEqual(100);
    }
  });
  property.prop([fc.constantFrom(...secrets), fc.lorem({ maxCount: 12 }), fc.lorem({ maxCount: 12 })], {
    numRuns: 300,
  })('the prose around a secret does not move its bounds', (secret, before, after) => {
    const alone = found(secret);
    expect(alone.length).toBe(1);
    expect(found(`${before}\n\n${secret}\n\n${after}`)).toEqual(alone);
  });
  property.prop([fc.constantFrom(...secrets), fc.constantFrom('lorem ipsum ', 'x', '. ', 'A', '\n')], { numRuns: 60 })(
    'windows are bounded: twenty thousand units further off nothing changes',
    (secret, filler) => {
      const padding = filler.repeat(Math.ceil(20_000 / filler.length));
      expect(found(`${padding}\n\n${secret}\n\n${padding}`)).toEqual(found(secret));
    },
  );
  property.prop([fc.array(bits, { maxLength: 25 }).map((parts) => parts.join(' '))], { numRuns: 800 })(
    "a placeholder in a secret's place is left alone",
    (text) => {
      let once = '';
      let at = 0;
      for (const { start, end, type } of scan(secretDetector, text).kept) {
        once += `${text.slice(at, start)}[${type}]`;
        at = end;
      }
      once += text.slice(at);
      for (const { start, end } of scan(secretDetector, once).kept)
        expect(once.slice(start, end)).not.toMatch(/^\[SECRET_[A-Z_]+\]?$/);
    },
  );
  test.each([
    'sk-',
    'key ',
    'password=',
    'token ',
    'eyJ',
    '-----BEGIN PRIVATE KEY-----',
    '://',
    ':',
    '?sig=',
    'Authorization: ',
    'cookie: ',
    'auth=(',
  ])('searches in vain run out: a long stretch of %j has findings and hits at most in step with its length', (unit) => {
    const once = scan(secretDetector, unit.repeat(500)).all.length;
    const twice = scan(secretDetector, unit.repeat(1000)).all.length;
    expect(twice).toBeLessThanOrEqual(2 * once + 2);
  });
  test('literals are distinct lower-case ASCII, and a hit names its place', () => {
    expect(new Set(secretDetector.literals).size).toBe(secretDetector.literals.length);
    for (const literal of secretDetector.literals) expect(literal).toMatch(/^[\x20-\x40\x5b-\x7e]+$/);
    expect(
      hitsOf(secretDetector, 'A Token').some(
        ({ literal, at }) => secretDetector.literals[literal] === 'token' && at === 2,
      ),
    ).toBe(true);
  });
});
