import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultPolicy, redact, redactValue } from '../../../services/redaction/index.ts';
import { redactLines } from '../../../services/redaction/lines.ts';

const types = (text: string): string[] =>
  redact(text).spans.map(({ type, start, end }) => `${type} ${text.slice(start, end)}`);

describe('detectors', () => {
  test.each([
    ['write to sam.lee+x@example.co.uk.', 'EMAIL sam.lee+x@example.co.uk'],
    ['card 4111 1111 1111 1111 please', 'CREDIT_CARD 4111 1111 1111 1111'],
    ['IBAN DE89 3704 0044 0532 0130 00', 'IBAN DE89 3704 0044 0532 0130 00'],
    ['call +1 (415) 555-2671 now', 'PHONE +1 (415) 555-2671'],
    ['SSN 536-22-1234', 'US_SSN 536-22-1234'],
    ['from 192.168.17.4 today', 'IP 192.168.17.4'],
    ['from 2001:db8::8a2e:370:7334 today', 'IP 2001:db8::8a2e:370:7334'],
    ['nic 00:1B:44:11:3A:B7', 'MAC 00:1B:44:11:3A:B7'],
    ['key AKIAIOSFODNN7EXAMPLE', 'SECRET_KEY AKIAIOSFODNN7EXAMPLE'],
    ['ghp_abcdefghijklmnopqrstuvwxyz0123456789', 'SECRET_KEY ghp_abcdefghijklmnopqrstuvwxyz0123456789'],
    ['password: tr0ub4dor&3', 'SECRET_GENERIC tr0ub4dor&3'],
    ['postgres://bob:s3cret@db.example.org:5432/x', 'SECRET_CONNECTION s3cret'],
    [
      'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
      'SECRET_JWT eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
    ],
    ['card ４１１１１１１１１１１１１１１１', 'CREDIT_CARD ４１１１１１１１１１１１１１１１'],
  ])('%s', (text, found) => expect(types(text)).toEqual([found]));
  test('a private key, cut off or whole', () => {
    const body = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\nAgEAAoIBAQC7VJTUt9Us8cKB';
    for (const text of [
      `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----`,
      `-----BEGIN RSA PRIVATE KEY-----\n${body}`,
    ])
      expect(redact(text).text).toBe('[SECRET_PRIVATE_KEY]');
  });
  test.each([
    'order 2026-11-20T10:15:00Z',
    'trace 0af7651916cd43dd8448eb211c80319c',
    'id 95e6ca4e-e0b8-4c38-8d52-e129c6830bd9',
    'version 1.2.3.4',
    'it took 3279 ms',
    'the password is required',
    'model databricks/databricks-llama-2-70b-chat',
  ])('stays: %s', (text) => expect(types(text)).toEqual([]));
  test('the same value has the same token however it is written', () => {
    const policy = { ...defaultPolicy, tokens: { kid: 'k1', key: Buffer.alloc(32, 1) } };
    const token = (text: string): string =>
      /\[CREDIT_CARD:k1:[0-9a-f]{16}\]/.exec(redact(text, policy).text)?.[0] ?? '';
    expect(token('4111 1111 1111 1111')).toBe(token('x 4111-1111-1111-1111'));
    expect(token('4111 1111 1111 1111')).not.toBe(token('5500 0000 0000 0004'));
  });
});

describe('laws', () => {
  const bits = fc.constantFrom(
    'a@example.org',
    '4111 1111 1111 1111',
    ' ',
    'x',
    '@',
    '5',
    '-----BEGIN PRIVATE KEY-----',
    'sk-',
    'password=',
    'Secret99!x',
    '+49 30 1234567',
    '[EMAIL]',
    '\u200b',
    '٣',
    '"',
    '{',
    ':',
    '10.0.0.1',
    '\n',
  );
  const texts = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.array(bits, { maxLength: 40 }).map((parts) => parts.join('')),
  );
  test('spans lie inside the text, in order, apart; nothing throws', () => {
    fc.assert(
      fc.property(texts, (text) => {
        let end = 0;
        for (const span of redact(text).spans) {
          expect(span.start).toBeGreaterThanOrEqual(end);
          expect(span.end).toBeGreaterThan(span.start);
          end = span.end;
        }
        expect(end).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 2_000 },
    );
  });
  test.each([
    ['without keys', defaultPolicy],
    ['with keys', { ...defaultPolicy, tokens: { kid: 'k1', key: Buffer.alloc(32, 1) } }],
  ])('redacting twice is redacting once, %s', (_name, policy) => {
    fc.assert(
      fc.property(texts, (text) => {
        const { text: once } = redact(text, policy);
        expect(redact(once, policy).text).toBe(once);
      }),
      { numRuns: 2_000 },
    );
  });
  test('JSON stays JSON, keys of secrets decide by themselves', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const clean = redactValue(JSON.stringify(value), defaultPolicy).value as string;
        if (typeof value === 'object' && value !== null) expect(() => JSON.parse(clean)).not.toThrow();
      }),
      { numRuns: 500 },
    );
    expect(redactValue({ db: { password: 'x', note: '{"api_key":"abc"}' } }, defaultPolicy)).toEqual({
      value: { db: { password: '[SECRET_GENERIC]', note: '{"api_key":"[SECRET_GENERIC]"}' } },
      counts: { SECRET_GENERIC: 2 },
      tiers: { 'SECRET_GENERIC field': 2 },
    });
  });
  test.each(['A', '@', '5', '-----BEGIN ', ':', '.', '{"a":', 'a@', '1.', 'eyJ', '+1 '])(
    'a megabyte of %j is answered',
    (unit) => {
      const text = unit.repeat(Math.ceil(1_048_576 / unit.length));
      expect(redact(text).text.length).toBeGreaterThan(0);
    },
  );
});

test('lines in, lines out; a bad line is answered', async () => {
  const out: string[] = [];
  async function* lines() {
    yield '{"id":"1","text":"a@example.org"}';
    yield 'nonsense';
    yield '{"id":"3"}';
  }
  const bad = await redactLines(lines(), (line) => out.push(line));
  expect(bad).toBe(2);
  expect(out.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      id: '1',
      text: '[EMAIL]',
      spans: [{ start: 0, end: 13, type: 'EMAIL', tier: 'structured', score: 0.95, token: 'EMAIL#1' }],
    },
    { id: null, error: expect.stringContaining('E0103') },
    { id: '3', error: expect.stringContaining('E0103') },
  ]);
});

describe('budgets', () => {
  const fine = 'The weather is fine today. '.repeat(2_000);
  test('units and names cost budget steps: what fits without the names tier goes out whole with it', () => {
    expect(redact(fine, { ...defaultPolicy, names: false, maxSteps: 2_000 }).spans).toEqual([]);
    expect(redact(fine, { ...defaultPolicy, maxSteps: 2_000 }).text).toBe('[TOO_MANY]');
    expect(redact(fine).spans).toEqual([]);
  });
  test('more names than a text may hold: it goes out whole', () =>
    expect(redact('Anna met Peter. '.repeat(15_000)).text).toBe('[TOO_MANY]'));
  test('the same text has the same fate however often it is asked for', () => {
    const text = 'call +49 30 1234567 or 415-555-2671, ref 7758080538; '.repeat(700);
    const first = redact(text);
    for (let times = 0; times < 3; times += 1) expect(redact(text)).toEqual(first);
  });
});

test.each([
  'Née le 12/03/1980',
  'NÉE LE 12/03/1980',
  'född 1980-03-12',
  'født 12.03.1980',
  'doğum tarihi 12.03.1980',
  'родился 12.03.1980',
  'РОДИЛСЯ 12.03.1980',
  'γεννήθηκε 12/03/1980',
  'született 1980.03.12',
  '出生 1980年3月12日',
  '생년월일 1980년 3월 12일',
  'مواليد 12/03/1980',
  'נולד 12/03/1980',
  'ngày sinh 12/03/1980',
  'sinh ngày 12/03/1980',
  'เกิดวันที่ 12/03/1980',
  'जन्म 12/03/1980',
])('a word of birth outside ASCII is heard: %s', (text) => {
  expect(redact(text).spans.map(({ type }) => type)).toContain('DATE_OF_BIRTH');
});
test('one value twice has one number, another has its own, whichever types stand around', () => {
  expect(
    redact('a@example.org, B@example.org, 192.168.17.4, A@EXAMPLE.org', { ...defaultPolicy, names: false }).spans.map(
      ({ token }) => token,
    ),
  ).toEqual(['EMAIL#1', 'EMAIL#2', 'IP#3', 'EMAIL#1']);
});

describe('what names a value next to it', () => {
  test.each([
    ['{"name":"DB_PASSWORD","value":"hunter2!x"}', '{"name":"DB_PASSWORD","value":"[SECRET_GENERIC]"}'],
    ['{"value":"hunter2!x","key":"db.password"}', '{"value":"[SECRET_GENERIC]","key":"db.password"}'],
    ['{"user":{"password":{"value":"hunter2!x"}}}', '{"user":{"password":{"value":"[SECRET_GENERIC]"}}}'],
    ['{"args":["--password","hunter2!x","--verbose"]}', '{"args":["--password","[SECRET_GENERIC]","--verbose"]}'],
    ['{"headers":[["x-api-key","q8Zr2LmX9vTk4WbN7cYs"]]}', '{"headers":[["x-api-key","[SECRET_KEY]"]]}'],
    [
      'env [{"name":"DB_PASSWORD","value":"hunter2!x"}] please',
      'env [{"name":"DB_PASSWORD","value":"[SECRET_GENERIC]"}] please',
    ],
    ['{"field":"ssn","value":"536228726"}', '{"field":"ssn","value":"[US_SSN]"}'],
  ])('%s', (text, clean) => expect(redact(text).text).toBe(clean));
  test.each([
    '{"name":"password","value":"text"}',
    '{"name":"token_count","value":"1812"}',
    '{"fields":["token","password"]}',
    '{"name":"blue","value":"green"}',
    '{"email":{"value":"enabled"}}',
    '{"phone":{"old":"required","new":"optional"}}',
  ])('%s is none', (text) => expect(redact(text).text).toBe(text));
});

describe('JSON by the line', () => {
  test('a value cut between the deltas of a stream of events', () => {
    const stream = (...deltas: readonly string[]): string =>
      [...deltas.map((delta) => `event: x\ndata: {"delta":{"content":"${delta}"}}\n\n`), 'data: [DONE]\n'].join('');
    expect(redact(stream('write to sam@exa', 'mple.org')).text).toBe(stream('write to [EMAIL]', '[EMAIL]'));
  });
  test('every line stays JSON, lines between are texts', () => {
    expect(redact('{"card":4111111111111111}\n{"mail":"sam@example.org"}\nplain sam@example.org\n{"a":1}').text).toBe(
      '{"card":"[CREDIT_CARD]"}\n{"mail":"[EMAIL]"}\nplain [EMAIL]\n{"a":1}',
    );
  });
  test('code is no stream: braces by the line', () => {
    const code = '{\n  a: 1\n}\n{\n'.repeat(2_000);
    expect(redact(code).text).toBe(code);
  });
});

test.each([
  ['q=my+card+4111111111111111&lang=en', 'q=my+card+[CREDIT_CARD]&lang=en'],
  ['?to=call+%28415%29+555-2671&x=1+1', '?to=call+[PHONE]&x=1+1'],
  ['sum=1+2&lang=c++', 'sum=1+2&lang=c++'],
])('a plus in the value of a query is a space: %s', (text, clean) => expect(redact(text).text).toBe(clean));

test('a long log of JSON lines goes through as text does: leaf by leaf only while there is budget for it', () => {
  const line = '{"level":"info","msg":"request done in 12 ms","path":"/v1/items","user":"u-81"}\n';
  const log = `${line.repeat(1_200)}{"mail":"sam@example.org"}\n`;
  expect(redact(log).text).toBe(`${line.repeat(1_200)}{"mail":"[EMAIL]"}\n`);
});
