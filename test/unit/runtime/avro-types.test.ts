/** Corrupt counts and block sizes, as avsc alone would follow them. */
import { describe, expect, test } from 'vitest';
import { avroTypeOf } from '../../../services/runtime/avro-types.ts';

const items = { type: 'record', name: 'Item', fields: [{ name: 'n', type: 'long' }] };
const array = avroTypeOf(
  JSON.stringify({
    type: 'record',
    name: 'R',
    fields: [
      { name: 'list', type: { type: 'array', items } },
      { name: 'after', type: 'long' },
    ],
  }),
);
const map = avroTypeOf(
  JSON.stringify({
    type: 'record',
    name: 'R',
    fields: [
      { name: 'list', type: { type: 'map', values: 'long' } },
      { name: 'after', type: 'long' },
    ],
  }),
);
/** Reads `after` only: the list is skipped. */
const skipping = avroTypeOf(JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'after', type: 'long' }] }));

/** Zigzag varint of a whole number up to 2^53. */
function long(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value >= 0n ? value * 2n : -value * 2n - 1n; ; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 127n) | 128);
  }
}

describe('a lie about the length', () => {
  const attacks = {
    'a count of 2^40': [...long(2n ** 40n), 2, 2],
    'a negative count of 2^40 with a size': [...long(-(2n ** 40n)), ...long(4n), 2, 2],
    'one item more than bytes': [...long(3n), 2, 2],
  };
  for (const [name, bytes] of Object.entries(attacks)) {
    test(`${name} throws at once, read or skipped`, () => {
      const frame = Buffer.from(bytes);
      for (const type of [array, map]) {
        expect(() => type.fromBuffer(frame)).toThrow();
        expect(() => skipping.fromBuffer(frame, skipping.createResolver(type)), 'skipped').toThrow();
      }
    });
  }

  test('blocks with a size, as other languages write them, are read', () => {
    expect(array.fromBuffer(Buffer.from([...long(-2n), ...long(2n), 2, 4, 0, 6]))).toEqual({
      list: [{ n: 1 }, { n: 2 }],
      after: 3,
    });
  });

  test('a block size that points backwards is not followed', () => {
    const frame = Buffer.from([...long(-2n), ...long(-6n), 2, 4, 0, 6]);
    expect(skipping.fromBuffer(frame, skipping.createResolver(array))).toMatchObject({ after: 3 });
  });

  test('a map key named like the prototype is a key', () => {
    const read = map.fromBuffer(Buffer.from([2, 18, ...Buffer.from('__proto__'), 2, 0, 6])) as {
      list: Record<string, unknown>;
    };
    expect(Object.keys(read.list)).toEqual(['__proto__']);
  });

  test('an int of more than 32 bits is refused', () => {
    expect(() => avroTypeOf('"int"').fromBuffer(Buffer.from(long(2n ** 33n)))).toThrow('more than 32 bits');
  });
});

describe('half of a surrogate pair is written as the sign that stands for what is no text', () => {
  const text = avroTypeOf('"string"');
  test.each([
    ['at the end of a short text', 'user-\ud83d', 'user-\ufffd'],
    ['alone', '\udc00', '\ufffd'],
    ['in a long text', `${'x'.repeat(200)}\ud83d!`, `${'x'.repeat(200)}\ufffd!`],
    ['next to a whole one', '\ud83d\ud83d\ude00', '\ufffd\ud83d\ude00'],
    ['none', 'a\u0000b 語 \ud83d\ude00', 'a\u0000b 語 \ud83d\ude00'],
  ])('%s', (_name, given, read) => {
    const bytes = text.toBuffer(given);
    expect(text.fromBuffer(bytes)).toBe(read);
    // What is read back is written in the same bytes: an id keeps its hash.
    expect(text.toBuffer(read)).toEqual(bytes);
  });
  test('in the key of a map', () => {
    const texts = avroTypeOf('{ "type": "map", "values": "string" }');
    expect(texts.fromBuffer(texts.toBuffer({ 'k\ud83d': 'v\ud83d' }))).toEqual({ 'k\ufffd': 'v\ufffd' });
  });
});
