import { describe, expect, test } from 'vitest';
import { defaultPolicy, redact, redactJoined } from '../../../services/redaction/index.ts';

/**
 * Formats beyond the ones that the other files name one by one. Fake credentials are put together at run time, so that
 * no scanner takes this file for a leak.
 */
const made = (length: number, from = 'Q7rT2vX9bN4mK8pL3sD6fG1hJ5kZ0wYcVaEuRoIt'): string =>
  from.repeat(Math.ceil(length / from.length)).slice(0, length);
const hex = (length: number): string => made(length, '3fa9c07be1d84526');
const digits = (length: number): string => made(length, '7301948265');
const upper = (length: number): string => made(length, 'QW7ERTY3UIOP2ASD5FGH');
const isCovered = (text: string, value: string): boolean => {
  const at = text.lastIndexOf(value);
  const covered = new Uint8Array(text.length);
  for (const { start, end } of redact(text).spans) covered.fill(1, start, end);
  return at >= 0 && [...value].every((char, index) => !/[\p{L}\p{N}]/u.test(char) || covered[at + index] === 1);
};

const keys: Readonly<Record<string, string>> = {
  OpenAI: `sk-proj-${made(80)}`,
  'OpenAI, short': `sk-${made(48)}`,
  Anthropic: `sk-ant-api03-${made(93)}`,
  OpenRouter: `sk-or-v1-${hex(64)}`,
  Google: `AI${'za'}${made(35)}`,
  'Google OAuth': `GOCSPX-${made(28)}`,
  'Hugging Face': `hf_${made(34)}`,
  Replicate: `r8_${made(37)}`,
  Groq: `gsk_${made(52)}`,
  Perplexity: `pplx-${made(48)}`,
  xAI: `xai-${made(80)}`,
  NVIDIA: `nvapi-${made(64)}`,
  Pinecone: `pcsk_${made(5)}_${made(60)}`,
  LangSmith: `lsv2_pt_${hex(32)}_${hex(10)}`,
  AWS: `AK${'IA'}${upper(16)}`,
  DigitalOcean: `dop_v1_${hex(64)}`,
  Databricks: `da${'pi'}${hex(32)}`,
  Supabase: `sbp_${hex(40)}`,
  Netlify: `nfp_${made(36)}`,
  'Fly.io': `fo1_${made(43)}`,
  PlanetScale: `pscale_tkn_${made(43)}`,
  Neon: `napi_${hex(60)}`,
  Vault: `hvs.${made(90)}`,
  Terraform: `${made(14)}.atlasv1.${made(67)}`,
  Doppler: `dp.pt.${made(43)}`,
  Pulumi: `pul-${hex(40)}`,
  Tailscale: `tskey-auth-${made(11)}-${made(32)}`,
  Confluent: `cflt${made(60)}`,
  GitHub: `gh${'p_'}${made(36)}`,
  'GitHub, fine': `github_pat_${made(22)}_${made(59)}`,
  GitLab: `gl${'pat-'}${made(20)}`,
  npm: `npm_${made(36)}`,
  PyPI: `pypi-AgEIcHlwaS5vcmc${made(120)}`,
  Docker: `dckr_pat_${made(27)}`,
  RubyGems: `rubygems_${hex(48)}`,
  CircleCI: `CCIPAT_${made(22)}_${hex(40)}`,
  Sonar: `sqp_${hex(40)}`,
  Postman: `PMAK-${hex(24)}-${hex(34)}`,
  Sentry: `sntrys_${made(80)}`,
  Grafana: `glsa_${made(32)}_${hex(8)}`,
  'New Relic': `NRAK-${upper(27)}`,
  Slack: `xox${'b-'}${digits(12)}-${digits(13)}-${made(24)}`,
  Stripe: `sk_${'live_'}${made(24)}`,
  SendGrid: `SG.${made(22)}.${made(43)}`,
  Mailchimp: `${hex(32)}-us14`,
  Shopify: `shp${'at_'}${hex(32)}`,
  Square: `sq0csp-${made(43)}`,
  Linear: `lin_api_${made(40)}`,
  Notion: `ntn_${digits(11)}${made(35)}`,
  Airtable: `pat${made(14)}.${hex(64)}`,
  Figma: `figd_${made(40)}`,
  Telegram: `${digits(10)}:AA${made(33)}`,
  Discord: `${made(2)}M${made(23)}.${made(6)}.${made(27)}`,
  HubSpot: `pat-na1-${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`,
  Entra: `${made(3)}8Q~${made(34)}`,
  'nobody knows': `acme_live_${made(32)}`,
};
test.each(Object.entries(keys))('%s, alone, in a sentence, in JSON in JSON', (_provider, key) => {
  expect(
    [
      key,
      `my key: ${key} thanks`,
      JSON.stringify({ role: 'user', content: `use ${key}` }),
      JSON.stringify({ a: JSON.stringify({ b: key }) }),
    ].filter((text) => !isCovered(text, key)),
  ).toEqual([]);
});

const password = `qv${'tz'}#91KBX`;
test.each([
  ...[
    'postgres',
    'postgresql+asyncpg',
    'mysql',
    'mysql+pymysql',
    'mariadb',
    'mongodb',
    'mongodb+srv',
    'rediss',
    'amqps',
    'clickhouse',
    'mssql+pyodbc',
    'oracle+cx_oracle',
    'cassandra',
    'neo4j+s',
    'bolt',
    'snowflake',
    'ftp',
    'sftp',
    'ldap',
    'https',
    'nats',
    'kafka',
    'couchdb',
    'sqlserver',
    'influxdb',
  ].map((scheme) => `${scheme}://app:${password}@db.example.org/x`),
  `Server=db;User Id=app;Password=${password};`,
  `Data Source=db;User ID=app;Pwd=${password}`,
  `host=db user=app password=${password} dbname=x`,
  `jdbc:postgresql://db/x?user=app&password=${password}`,
  `jdbc:oracle:thin:app/${password}@db:1521:x`,
  `app:${password}@tcp(db:3306)/x`,
  `use ${password} as the password`,
  `credentials: admin / ${password}`,
  `Password (temporary): ${password}`,
  `the secret is ${password}`,
  `kata sandi: ${password}`,
  `รหัสผ่าน: ${password}`,
  `سلام كلمة المرور: ${password}`,
])('the password in %s', (text) => expect(isCovered(text, password)).toBe(true));
test.each([
  'use it as the password field',
  'credentials: required / optional',
  'the secret is out',
  'a pass rate of 93.5 (Q2-24)',
])('stays: %s', (text) => expect(redact(text).text).toBe(text));

describe('JSON', () => {
  test('a number in JSON in a string becomes a string there', () => {
    const inner = (value: unknown): string => JSON.stringify({ n: value });
    expect(redact(JSON.stringify({ a: inner(4111111111111111) })).text).toBe(
      JSON.stringify({ a: inner('[CREDIT_CARD]') }),
    );
    expect(redact(JSON.stringify({ a: JSON.stringify({ b: inner(4111111111111111) }) })).text).toBe(
      JSON.stringify({ a: JSON.stringify({ b: inner('[CREDIT_CARD]') }) }),
    );
    expect(redact('[true,4111111111111111]').text).toBe('[true,"[CREDIT_CARD]"]');
  });
  test('fields named for secrets, by the same names that text is judged by; not what only counts or masks', () => {
    expect(
      redact(
        '{"dbPassword":"x1","api_key":"abc","clientSecret":"summer","x-api-key":"k","passwort":"hallo"}',
      ).spans.map(({ tier }) => tier),
    ).toEqual(['field', 'field', 'field', 'field', 'field']);
    for (const text of [
      '{"pass":12,"token":"Hello","max_tokens":5}',
      '{"password":"********","secret":"$DB_SECRET","passwd":null,"pwd":"<password>"}',
      '{"password_policy":"long"}',
    ])
      expect(redact(text).text).toBe(text);
  });
  test('the file of a service account goes out whole', () => {
    const file = JSON.stringify({
      type: 'service_account',
      project_id: 'p',
      private_key_id: hex(40),
      private_key: '-----BEGIN PRIVATE KEY-----\nx\n',
      client_email: 'a@b.example',
    });
    expect(redact(file).text).toBe('"[SECRET_PRIVATE_KEY]"');
    expect(JSON.parse(redact(JSON.stringify({ note: file })).text)).toEqual({ note: '"[SECRET_PRIVATE_KEY]"' });
  });
});

test('a private key without its BEGIN line; base64 of plain words is none', () => {
  const body = [made(64), made(64), made(31)].join('\n');
  expect(redact(`${body}\n-----END RSA PRIVATE KEY-----\nbye`).text).toBe('[SECRET_PRIVATE_KEY]\nbye');
  const plain = Buffer.from('these are only plain words').toString('base64');
  const words = `-----BEGIN PRIVATE KEY-----\n${plain}\n-----END PRIVATE KEY-----`;
  expect(redact(words).text).toBe(words);
});

test.each([
  ['IBAN', ['account DE89 3704 0044', '0532 0130 00 please']],
  ['US_SSN', ['my ssn is 536', '22 1234']],
  ['PHONE', ['call +1 415', '555 2671']],
  ['SECRET_KEY', [`key gl${'pat-'}${made(6)}`, made(14)]],
])('%s cut over two messages', (type, texts) =>
  expect(redactJoined(texts, defaultPolicy, 'message').every((text) => text.includes(`[${type}]`))).toBe(true),
);
test('numbers of two messages that are nothing together stay', () =>
  expect(redactJoined(['we sold 536', '22 1234 were returned'], defaultPolicy, 'message')).toEqual([
    'we sold 536',
    '22 1234 were returned',
  ]));

test.each([
  ['octal', [...'sam@example.org'].map((char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`).join('')],
  ['quoted-printable', 'sam=40example.org'],
  [
    'quoted-printable, all of it',
    [...'sam@example.org'].map((char) => `=${char.charCodeAt(0).toString(16).toUpperCase()}`).join(''),
  ],
  ['hex behind 0x', `0x${Buffer.from('write to sam@example.org').toString('hex')}`],
  ['percent, twice', 'sam%2540example.org'],
  ['zero-width', [...'sam@example.org'].join('\u200b')],
])('an address in %s', (_name, text) => expect(redact(`see ${text} ok`).text).toBe('see [EMAIL] ok'));
test.each(['?page=40&size=20', 'a=3D model', 'C:\\101\\notes', 'x &copy nothing &amp; all'])('no escape: %s', (text) =>
  expect(redact(text).text).toBe(text),
);

test.each([
  'geboren op 12 maart 1980',
  'syntynyt 12.3.1980',
  'narozen 12. března 1980',
  'született: 1980. március 12.',
  'народилася 12 березня 1980',
  'ngày sinh: 12 tháng 3 năm 1980',
  'data nașterii: născut 12 martie 1980, born 12 martie 1980',
  'I was born in March 1980',
  'γέννησης: 12 Μαρτίου 1980',
])('a date of birth: %s', (text) => expect(redact(text).spans.map(({ type }) => type)).toContain('DATE_OF_BIRTH'));
test('00 before a calling code', () => {
  expect(redact('please note 004915123456789 for later').text).toBe('please note [PHONE] for later');
  expect(redact('order 004915123456789 was sent').text).toBe('order 004915123456789 was sent');
});
test('a text reads the same whatever was read before it', () => {
  const text = '["S.z>QTP<,"]';
  const results = [
    'Maria lives in New York 12',
    'WORDS ALL IN CAPITALS',
    'q w e r t z u i o p',
    '1 2 3 4 5 6 7 8 9',
  ].map((before) => {
    redact(before);
    return redact(text).text;
  });
  expect(new Set(results).size).toBe(1);
});
