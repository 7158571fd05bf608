/** Secrets that hold punctuation, or stand in it, in every notation that names a value; and what stays next to them. */
import { describe, expect, test } from 'vitest';
import { redact } from '../../../../services/redaction/index.ts';

/** Put together here, so that no scanner of sources takes this file for a leak. */
const [front, back] = [['kR4', 'x'].join(''), ['Wq8n', 'TzB2c'].join('')] as const;
const whole = front + back;
const marks = ['(', ')', '<', '>', ';', ',', '|', '`', "'", '"', '\\', ' ', '[', '{', '%', '$', '/', '#', '@', '!'];

const rest = (text: string): string => redact(text).text;
const leaks = (text: string): readonly string[] => {
  const left = rest(text);
  return [front, back].filter((piece) => left.includes(piece));
};

const bare = [
  'password: §',
  'DB_PASSWORD=§\nDB_HOST=db',
  'export DB_PASSWORD=§',
  'ENV DB_PASSWORD §',
  '    environment:\n      - DB_PASSWORD=§\n      - DB_HOST=db',
  'my password is §',
  'tool --password=§',
  'db.password = §',
  'X-Auth-Token: §',
  'machine db login bob password §',
];
const quoted = [
  "password='§'",
  "connect(host='db', password='§', port=1)",
  "docker login -u bob -p '§' registry.example",
  "curl -u 'bob:§' https://a.example",
  "--from-literal=hook='§'",
  'variable "db_password" {\n  type      = string\n  sensitive = true\n  default   = \'§\'\n}',
  "IDENTIFIED BY '§'",
  "the password is '§'",
];
const put = (notation: string, value: string): string => notation.replace('§', () => value);

describe('a mark inside', () => {
  test.each(marks)('%s', (mark) => {
    const value = front + mark + back;
    for (const notation of bare) expect(leaks(put(notation, value)), notation).toEqual([]);
    for (const notation of quoted) {
      const one = mark === "'" ? value.replace("'", "\\'") : value;
      expect(leaks(put(notation, one)), notation).toEqual([]);
      if (mark !== '"') expect(leaks(put(notation.replaceAll("'", '"'), value)), notation).toEqual([]);
    }
    expect(leaks(JSON.stringify({ user: 'bob', password: value }))).toEqual([]);
    expect(leaks(`got ${JSON.stringify({ password: value })} back`)).toEqual([]);
  });
});

describe('a mark in front, or two inside', () => {
  test.each(['(', '<', '[', '{', '%', '$', ';', ',', '|', '>', '\\', '/'])('%s', (mark) => {
    for (const notation of bare.slice(0, 4)) expect(leaks(put(notation, mark + whole)), notation).toEqual([]);
    expect(leaks(JSON.stringify({ password: mark + whole }))).toEqual([]);
    expect(leaks(`password: ${front}${mark};${back}`)).toEqual([]);
  });
});

test.each([
  `password: >-\n  ${whole}\n`,
  `<password><![CDATA[${whole}]]></password>`,
  `<property name="password">${whole}</property>`,
  `postgres://app:${front}<${back}@db.example.org/x`,
  `zip -P ${whole} a.zip b`,
  `echo "bob:${whole}" | chpasswd`,
  `password = """${whole}"""`,
  `password='${front}''${back}'`,
])('%s', (text) => expect(leaks(text)).toEqual([]));

test('the value alone goes: what stands behind its end stays', () => {
  for (const [text, expected] of [
    [`Server=db;User ID=sa;Password=${whole};Encrypt=True`, ';Encrypt=True'],
    [`{password: ${whole}, user: bob}`, ', user: bob}'],
    [`connect(password=${whole},port=5432)`, ',port=5432)'],
    [`export PASSWORD=${whole};make all`, ';make all'],
    [`password=${whole}>out.txt`, '>out.txt'],
    [`<p>password: ${whole}</p>`, '</p>'],
    [`"https://a.example/?password=${whole}","next"`, '","next"'],
    [`password: ${whole}\\nuser: bob`, '\\nuser: bob'],
    [`the password is ${whole}, thanks`, ', thanks'],
    [`password=${whole},110bcd25-a55d-453a-8046-1297901ea002`, ',110bcd25-a55d-453a-8046-1297901ea002'],
    [`password: ${whole} 2026-11-30T23:10:00Z`, ' 2026-11-30T23:10:00Z'],
  ] as const)
    expect(rest(text), text).toMatch(
      new RegExp(`\\[SECRET_[A-Z]+\\]${expected.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`),
    );
});

describe('stays', () => {
  test.each([
    'password: getSecret(ctx1)',
    'password = hash(input, salt)',
    'token: Map<string,User2>',
    'password: string | undefined',
    'this.credentials = call_credentials_1.CallCredentials.createEmpty();',
    "password = os.environ['DB_PASS1']",
    'password: <password>',
    'password: {{ vault.db1 }}',
    `password: "Enter your password, at least 8 characters"`,
    `password: 'Use AES256 GCM'`,
    "the password is 'too short (min. 8)'",
    'password: [SECRET_GENERIC],next',
    'token: $TOKEN1,$TOKEN2',
  ])('%s', (text) => expect(rest(text)).toBe(text));
});
