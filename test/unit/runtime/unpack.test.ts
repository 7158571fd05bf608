/** Compressed batches: what other clients write, and bytes that only say so. */
import { describe, expect, test } from 'vitest';
import { unpackLz4 } from '../../../services/runtime/unpack-lz4.ts';
import { unpackSnappy } from '../../../services/runtime/unpack-snappy.ts';

const text = 'again and again and again and again, and then something else\n';
/** Put together by hand from the format. */
const lz4 = Buffer.concat([
  Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]),
  // One block: literals "again and ", a match of 25 bytes 10 back, then the rest as literals.
  (() => {
    const rest = Buffer.from(text.slice(35));
    const block = Buffer.concat([
      Buffer.from([0xaf]),
      Buffer.from('again and '),
      Buffer.from([10, 0, 25 - 4 - 15]),
      Buffer.from([0xf0, rest.length - 15]),
      rest,
    ]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(block.length);
    return Buffer.concat([length, block, Buffer.alloc(4)]);
  })(),
]);
const bareSnappy = Buffer.concat([Buffer.from([text.length, 60 << 2, text.length - 1]), Buffer.from(text)]);
const framedSnappy = Buffer.concat([
  Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, bareSnappy.length]),
  bareSnappy,
]);

test.each([
  ['lz4', () => unpackLz4(lz4)],
  ['lz4, two frames', () => unpackLz4(Buffer.concat([lz4, lz4])).subarray(text.length)],
  ['snappy as librdkafka writes it', () => unpackSnappy(bareSnappy)],
  ['snappy as Java writes it', () => unpackSnappy(framedSnappy)],
])('%s', (_name, unpack) => expect(Buffer.from(unpack()).toString()).toBe(text));

describe('bytes that are none', () => {
  test.each([
    ['an empty frame', Buffer.alloc(8)],
    ['a frame that ends early', lz4.subarray(0, 20)],
    ['a match before the beginning', Buffer.concat([lz4.subarray(0, 7), Buffer.from([4, 0, 0, 0, 0x10, 65, 9, 0])])],
  ])('%s: an error, never a loop', (_name, bytes) => expect(() => unpackLz4(bytes)).toThrow());
});
