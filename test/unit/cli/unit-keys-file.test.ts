/**
 * The file of unit keys: made once, rewritten whole, never wider open than its owner, never giving back what somebody
 * else has dropped.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { knownUnitKeys, redactionPolicy, unitKeys, unitKeysKeeper } from '../../../services/cli/addresses.ts';
import { readUnits } from '../../../services/cli/erase.ts';
import { createPseudonymizer } from '../../../services/redactor/index.ts';

const home = mkdtempSync(join(tmpdir(), 'tripline-keys-'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});
const file = join(home, 'pseudonym.key');
const [u1, u2] = [
  { kind: 'user', id: 'u1' },
  { kind: 'user', id: 'u2' },
];
const knows = () => [u1, u2].map(({ kind, id }) => createPseudonymizer(unitKeys(home)).knows(kind, id));

test('is made once, for its owner alone, and a reader that needs an old one says so', () => {
  expect(() => knownUnitKeys(home)).toThrow('no pseudonym key');
  const first = unitKeys(home);
  expect([statSync(file).mode & 0o777, unitKeys(home)]).toEqual([0o600, first]);
});
test("two processes that each drop a key: neither brings the other's back, tokens stay, no half a file is left", () => {
  const [one, other] = [createPseudonymizer(unitKeys(home)), createPseudonymizer(unitKeys(home))];
  const tokens = redactionPolicy(undefined, home).tokens;
  const keep = unitKeysKeeper(home);
  one.drop([u1]);
  other.drop([u2]);
  keep?.(one.keys());
  expect(knows()).toEqual([false, true]);
  keep?.(other.keys());
  expect(knows()).toEqual([false, false]);
  expect(redactionPolicy(undefined, home).tokens).toEqual(tokens);
  expect([statSync(file).mode & 0o777, readdirSync(home)]).toEqual([0o600, ['pseudonym.key']]);
});
test('what is no key stops the start and is not quoted; a place that cannot be written is worth another try', () => {
  const kept = readFileSync(file, 'utf8');
  writeFileSync(file, 'top secret');
  expect(() => unitKeys(home)).toThrow(/holds no pseudonym key/);
  expect(() => unitKeys(home)).not.toThrow(/top secret/);
  writeFileSync(file, kept);
  expect(() => unitKeysKeeper(join(home, 'nowhere'))?.(unitKeys(home))).toThrow(
    expect.objectContaining({ code: 'STORE_UNAVAILABLE', retriable: true }),
  );
});
test('a key in the environment cannot be rewritten', () => {
  vi.stubEnv('TRIPLINE_PSEUDONYM_KEY', 'ab'.repeat(16));
  expect(unitKeysKeeper(home)).toBeUndefined();
  vi.unstubAllEnvs();
});

describe('the list of units to erase', () => {
  test('a type, a tab and an id, or an id; each once, as keys of tombstones', () =>
    expect(readUnits('user\tu1\r\nu1\n\nticket\tT 1\nuser\tu1\n', 'f')).toEqual([
      'user\u001fu1',
      'u1',
      'ticket\u001fT 1',
    ]));
  test.each([
    ['', 'names no unit'],
    ['u1\nour user\tu1', 'line 2 names no unit'],
    ['user\t', 'line 1'],
  ])('%j is refused', (text, words) => expect(() => readUnits(text, 'f')).toThrow(words));
});
