import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createRowBinaryWriter } from '../../../services/kernel/row-binary.ts';

const written = (write: (writer: ReturnType<typeof createRowBinaryWriter>) => void): Buffer => {
  const writer = createRowBinaryWriter(1);
  write(writer);
  return writer.take();
};
const reference = (value: number): string => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes.toString('hex');
};

describe('whole numbers of 64 bits', () => {
  property.prop([
    fc.array(
      fc.oneof(
        fc.maxSafeInteger(),
        fc.integer(),
        fc.constantFrom(
          0,
          -0,
          -1,
          2 ** 31,
          2 ** 32,
          -(2 ** 31),
          -(2 ** 31) - 1,
          -(2 ** 32),
          Number.MAX_SAFE_INTEGER,
          Number.MIN_SAFE_INTEGER,
        ),
      ),
      { maxLength: 40 },
    ),
  ])('are the bytes of a big integer', (values) => {
    const expected = values.map(reference).join('');
    expect(
      written((writer) => {
        for (const value of values) writer.int64(value);
      }).toString('hex'),
    ).toBe(expected);
    expect(
      written((writer) => writer.int64s(Float64Array.of(7, ...values, 7), 1, values.length + 1)).toString('hex'),
    ).toBe(expected);
  });

  test.each([0.5, Number.NaN, Infinity, 2 ** 53, -(2 ** 53)])('%d is refused', (value) => {
    expect(() => written((writer) => writer.int64(value))).toThrow(RangeError);
    expect(() => written((writer) => writer.int64s(Float64Array.of(value), 0, 1))).toThrow(RangeError);
  });
});

test.each([
  ['uint8', 256],
  ['uint8', -1],
  ['uint8', 0.5],
  ['uint16', 65_536],
  ['uint16', -1],
  ['uint32', 2 ** 32],
  ['uint32', -1],
  ['int16', 2 ** 15],
  ['int16', -(2 ** 15) - 1],
  ['int16', Number.NaN],
] as const)('%s of %d is refused', (kind, value) => {
  expect(() => written((writer) => writer[kind](value))).toThrow(RangeError);
});

property.prop([fc.string({ unit: 'binary', maxLength: 200 })])('text is its length and its UTF-8', (text) => {
  const bytes = Buffer.from(text, 'utf8');
  const prefix = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >>> 7];
  expect(written((writer) => writer.text(text))).toEqual(Buffer.from([...prefix, ...bytes]));
});

test('what was taken is not written over by what comes next', () => {
  const writer = createRowBinaryWriter(64);
  writer.fixed('abcd');
  writer.row();
  const first = writer.take();
  expect(writer.rows).toBe(0);
  writer.fixed('wxyz');
  expect([first.toString('latin1'), writer.take().toString('latin1'), writer.take().length]).toEqual([
    'abcd',
    'wxyz',
    0,
  ]);
});
