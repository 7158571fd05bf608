/**
 * The tree of unit keys against a plain model of it: what is dropped is gone, everything else is as it was, and nothing
 * that is written down leads back.
 */
import { createHash, hash } from 'node:crypto';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  commonUnitKeys,
  createUnitKeyFinder,
  dropUnitKeys,
  formatUnitKeys,
  isWhole,
  parseUnitKeys,
  type UnitKeys,
  type UnitName,
  unitKeysFrom,
} from '../../../services/redactor/unit-keys.ts';

const key = Buffer.alloc(32, 5);
const name = fc.record({
  kind: fc.constantFrom('user', 'org', 'entity:ticket'),
  id: fc.integer({ min: 0, max: 40 }).map((number) => `u${number}`),
});
const hexOf = (keys: UnitKeys, unit: UnitName): string | undefined => createUnitKeyFinder(keys)(unit);
const whole = unitKeysFrom(key);

/** The construction written down a second time, without the short cuts. */
function plainKey({ kind, id }: UnitName): string {
  const sha = (...parts: (string | Buffer)[]): string =>
    createHash('sha256')
      .update(Buffer.concat(parts.map((part) => Buffer.from(part as string))))
      .digest('hex');
  let seed = sha('tripline unit keys\u001f', key).slice(0, 32);
  for (const digit of sha(`tripline unit\u001f${kind}\u001f${id}`).slice(0, 12)) seed = sha(seed, digit).slice(0, 32);
  return seed;
}

describe('unit keys', () => {
  property.prop([name])('are those of the construction', (unit) => {
    expect(hexOf(whole, unit)).toBe(plainKey(unit));
  });
  property.prop([fc.array(name, { minLength: 1, maxLength: 12 }), fc.array(name, { minLength: 1, maxLength: 20 })], {
    numRuns: 60,
  })('dropped ones are gone, in any order and however often; all others are what they were', (dropped, others) => {
    const left = dropUnitKeys(whole, dropped);
    const oneByOne = [...dropped, ...dropped]
      .reverse()
      .reduce<UnitKeys>((keys, unit) => dropUnitKeys(keys, [unit]), whole);
    expect(formatUnitKeys(oneByOne)).toBe(formatUnitKeys(left));
    const gone = new Set(dropped.map(({ kind, id }) => `${kind} ${id}`));
    for (const unit of [...dropped, ...others])
      expect(hexOf(left, unit)).toBe(gone.has(`${unit.kind} ${unit.id}`) ? undefined : plainKey(unit));
    expect([isWhole(whole), isWhole(left)]).toEqual([true, false]);
  });
  property.prop([fc.array(name, { maxLength: 8 }), fc.array(name, { maxLength: 8 })], { numRuns: 40 })(
    "of two who each dropped some, what both have is without either's",
    (some, others) => {
      expect(formatUnitKeys(commonUnitKeys(dropUnitKeys(whole, some), dropUnitKeys(whole, others)))).toBe(
        formatUnitKeys(dropUnitKeys(whole, [...some, ...others])),
      );
    },
  );
  property.prop([fc.array(name, { maxLength: 6 })], { numRuns: 30 })('survive being written down', (dropped) => {
    const left = dropUnitKeys(whole, dropped);
    expect(parseUnitKeys(formatUnitKeys(left))).toEqual(left);
  });
  test('nothing left holds a key on the way to the dropped one, nor the key that all were made from', () => {
    const unit = { kind: 'user', id: 'u1' };
    const leaf = hash('sha256', Buffer.from('tripline unit\u001fuser\u001fu1')).slice(0, 12);
    const left = dropUnitKeys(whole, [unit]);
    expect([...left.nodes.keys()].filter((prefix) => leaf.startsWith(prefix))).toEqual([]);
    const text = formatUnitKeys(left);
    const path = [whole.nodes.get('') as string];
    for (const digit of leaf) path.push(hash('sha256', (path.at(-1) as string) + digit).slice(0, 32));
    expect(path.at(-1)).toBe(plainKey(unit));
    for (const secret of [key.toString('hex'), ...path]) expect(text).not.toContain(secret);
    expect(text.split('\n').length - 2).toBe(12 * 15);
  });
  test("tokens are made under a key that does not lead to units' keys, and that no erasure touches", () => {
    expect(dropUnitKeys(whole, [{ kind: 'user', id: 'u1' }]).tokens).toEqual(whole.tokens);
    expect(whole.tokens).not.toEqual(key);
  });
  test('one line of hex is the key that everything is made from', () =>
    expect(parseUnitKeys(`${key.toString('hex')}\n`)).toEqual(whole));
  test.each([
    '',
    'abc',
    'tokens:00',
    `0:${'00'.repeat(16)}`,
    `tokens:${'00'.repeat(32)}\n0:${'00'.repeat(15)}`,
    `tokens:${'00'.repeat(32)}\n0123456789abc:${'00'.repeat(16)}`,
  ])('text that is none is undefined: %j', (text) => expect(parseUnitKeys(text)).toBeUndefined());
});
