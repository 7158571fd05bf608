import { describe, expect, test } from 'vitest';
import { parsePolicy, parseTokenKeys, recheckJudge } from '../../../services/redaction/config.ts';
import { defaultPolicy, redact, redactJoined, tokenOf } from '../../../services/redaction/index.ts';

const judge = recheckJudge();

describe('a policy file', () => {
  test('switches types, thresholds, names, own patterns and allowed shapes', () => {
    const policy = parsePolicy(
      {
        version: '3',
        off: ['IP'],
        thresholds: { PHONE: 0.99 },
        names: false,
        own: [{ type: 'STAFF_ID', pattern: 'EMP-\\d{6}' }],
        allow: ['[a-z]+@example\\.org'],
      },
      judge,
    );
    expect(policy).toMatchObject({ version: '3', names: false });
    expect(redact('EMP-123456 at 10.1.2.3, ada@example.org, bob@example.net, 06 12 34 56 78', policy).text).toBe(
      '[STAFF_ID] at 10.1.2.3, ada@example.org, [EMAIL], 06 12 34 56 78',
    );
  });
  test('an allowed shape keeps no card', () =>
    expect(redact('4111 1111 1111 1111', parsePolicy({ version: '3', allow: ['[0-9 ]{16,24}'] }, judge)).text).toBe(
      '[CREDIT_CARD]',
    ));
  test.each<[string, unknown, string]>([
    ['no version', {}, 'version'],
    ['an unknown key', { version: '1', colour: 'red' }, 'colour'],
    ['a threshold beyond 1', { version: '1', thresholds: { EMAIL: 2 } }, 'thresholds.EMAIL'],
    ['a pattern that stalls', { version: '1', own: [{ type: 'X_ID', pattern: '^(a+)+$' }] }, 'unsafe'],
    ['a pattern that is none', { version: '1', own: [{ type: 'X_ID', pattern: '(' }] }, 'no regular expression'],
    ['a pattern that matches nothing', { version: '1', allow: ['a*'] }, 'empty text'],
  ])('refuses %s', (_name, document, words) => expect(() => parsePolicy(document, judge)).toThrow(words));
  test('without a judge no own pattern is taken', () =>
    expect(() => parsePolicy({ version: '1', own: [{ type: 'X_ID', pattern: 'X\\d{4}' }] }, undefined)).toThrow(
      'recheck is not installed',
    ));
});

describe('keys and tokens', () => {
  const old = `k1:${'11'.repeat(16)}`;
  const next = `k2:${'22'.repeat(32)}`;
  const policyOf = (keys: string) => ({
    ...defaultPolicy,
    names: false,
    tokens: parseTokenKeys(keys) as NonNullable<ReturnType<typeof parseTokenKeys>>,
  });
  const tokenIn = (text: string, keys: string): string =>
    /\[[A-Z_]+:k\d:[0-9a-f]{16}\]/.exec(redact(text, policyOf(keys)).text)?.[0] ?? text;
  test.each([
    ['EMAIL', ['SAM@example.org', 'sam@example.org', 'ｓａｍ@example.org', 'sam [at] example [dot] org']],
    ['CREDIT_CARD', ['4111 1111 1111 1111', '4111-1111-1111-1111', '4111111111111111']],
    ['IBAN', ['DE89 3704 0044 0532 0130 00', 'de89370400440532013000']],
    ['PHONE', ['+49 30 1234567', '+49 (0)30 1234567', '0049 30 1234567']],
  ])('one %s, one token', (_type, forms) => {
    expect(new Set(forms.map((form) => tokenIn(`x ${form} y`, old))).size).toBe(1);
  });
  test('a rotation overlaps: tokens of the last key version pass until its key goes, then they are strangers', () => {
    const token = tokenIn('sam@example.org', old);
    expect(token).toMatch(/^\[EMAIL:k1:[0-9a-f]{16}\]$/);
    expect(tokenIn('sam@example.org', `${next},${old}`)).toMatch(/^\[EMAIL:k2:/);
    expect(redact(token, policyOf(`${next},${old}`)).text).toBe(token);
    expect(redact(token, policyOf(next)).text).toBe(token.replace('[', '[?'));
    expect(tokenOf('EMAIL', 'sam@example.org', policyOf(old).tokens)).toBe(token);
  });
  test('an imitation is escaped once, other types have other keys, secrets have no token', () => {
    const imitation = '[EMAIL:k1:0123456789abcdef]';
    expect(redact(imitation, policyOf(old)).text).toBe('[?EMAIL:k1:0123456789abcdef]');
    expect(redact('[?EMAIL:k1:0123456789abcdef]', policyOf(old)).text).toBe('[?EMAIL:k1:0123456789abcdef]');
    const { tokens } = policyOf(old);
    expect(tokenOf('EMAIL', 'x', tokens).slice(-17)).not.toBe(tokenOf('PHONE', 'x', tokens).slice(-17));
    expect(redact('{"password":"hunter2hunter2"}', policyOf(old)).text).toBe('{"password":"[SECRET_GENERIC:l16]"}');
  });
  test.each(['k1:11', 'K1:11111111111111111111111111111111', `${old},${old}`])(
    'refuses %s without quoting the key',
    (text) => {
      expect(() => parseTokenKeys(text)).toThrow(/token key/);
      try {
        parseTokenKeys(text);
      } catch (error) {
        expect(String(error)).not.toContain('1111');
      }
    },
  );
  test('no keys is no tokens', () => expect(parseTokenKeys(' \n# none\n')).toBeUndefined());
});

test('deltas of one stream are read as one text, messages with their neighbours', () => {
  expect(redactJoined(['mail sam@exa', 'mple.org now'], defaultPolicy, 'delta')).toEqual([
    'mail [EMAIL]',
    '[EMAIL] now',
  ]);
  expect(redactJoined(['first half 4012 8888', 'second 8888 1881'], defaultPolicy, 'message')).toEqual([
    'first half [CREDIT_CARD]',
    'second [CREDIT_CARD]',
  ]);
});
