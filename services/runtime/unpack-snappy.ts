/**
 * Snappy as Kafka's clients write it: Java's in frames of xerial (a magic, two versions, then blocks behind their
 * lengths), librdkafka's bare.
 */
import snappy from 'snappyjs';

const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const headerBytes = 16;

export function unpackSnappy(packed: Buffer): Uint8Array {
  if (!packed.subarray(0, magic.length).equals(magic)) return snappy.uncompress(packed);
  const blocks: Uint8Array[] = [];
  for (let at = headerBytes; at < packed.length; ) {
    const length = packed.readUInt32BE(at);
    blocks.push(snappy.uncompress(packed.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}
