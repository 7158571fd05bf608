import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { redact } from '../../../services/redaction/index.ts';
import { readRedactionPolicy } from '../../../services/runtime/redaction-settings.ts';

const home = mkdtempSync(join(tmpdir(), 'tripline-settings-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(home, name), text);
  return join(home, name);
};
const hex = 'ab'.repeat(16);

test('nothing set: the built-in policy, no tokens; empty settings are none', () => {
  expect(redact('ada@example.org', readRedactionPolicy({})).text).toBe('[EMAIL]');
  expect(
    redact('ada@example.org', readRedactionPolicy({ TRIPLINE_TOKEN_KEYS: '', TRIPLINE_REDACTION_POLICY: '' })).text,
  ).toBe('[EMAIL]');
});
test('own keys serve until others are named; a file of keys and the environment make the same tokens', () => {
  const own = { kid: 'k1', key: Buffer.alloc(32, 1) };
  const tokenOf = (settings: Parameters<typeof readRedactionPolicy>[0]): string =>
    redact('ada@example.org', readRedactionPolicy(settings, own)).text;
  expect(tokenOf({})).toMatch(/^\[EMAIL:k1:/);
  expect(tokenOf({ TRIPLINE_TOKEN_KEYS: `q4:${hex}` })).toMatch(/^\[EMAIL:q4:/);
  expect(tokenOf({ TRIPLINE_TOKEN_KEYS_FILE: file('keys', `# this quarter\nq4:${hex}\n`) })).toBe(
    tokenOf({ TRIPLINE_TOKEN_KEYS: `q4:${hex}` }),
  );
});
test('a policy file brings its version, its own patterns and the keys', () => {
  const path = file(
    'policy.json',
    JSON.stringify({ version: '7', own: [{ type: 'STAFF_ID', pattern: 'EMP-\\d{6}' }] }),
  );
  const policy = readRedactionPolicy({ TRIPLINE_REDACTION_POLICY: path, TRIPLINE_TOKEN_KEYS: `q4:${hex}` });
  expect([policy.version, redact('EMP-123456', policy).text]).toEqual([
    '7',
    expect.stringMatching(/^\[STAFF_ID:q4:[0-9a-f]{16}\]$/),
  ]);
});
test.each<[string, Parameters<typeof readRedactionPolicy>[0], string]>([
  ['a policy that is not there', { TRIPLINE_REDACTION_POLICY: join(home, 'none.json') }, 'cannot be read'],
  ['a policy that is no JSON', { TRIPLINE_REDACTION_POLICY: file('bad.json', '{') }, 'no JSON'],
  ['a policy without a version', { TRIPLINE_REDACTION_POLICY: file('empty.json', '{}') }, 'version'],
  ['keys twice', { TRIPLINE_TOKEN_KEYS: `a:${hex}`, TRIPLINE_TOKEN_KEYS_FILE: join(home, 'keys') }, 'both set'],
  ['keys that are not there', { TRIPLINE_TOKEN_KEYS_FILE: join(home, 'no-keys') }, 'cannot be read'],
  ['a key that is none', { TRIPLINE_TOKEN_KEYS: 'topsecretkey' }, 'no'],
])('%s is said, and nothing of a key is', (_what, settings, words) => {
  expect(() => readRedactionPolicy(settings)).toThrow(words);
  expect(() => readRedactionPolicy(settings)).not.toThrow(/topsecretkey|abab/);
});
