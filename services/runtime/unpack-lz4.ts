/**
 * LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), as Kafka's clients write them. Checksums
 * are not looked at: the broker has checked the batch's own. Written here because the packages that do it are no longer
 * kept.
 */
const frameMagic = 0x184d2204;
/** Bits of the descriptor's first byte. */
const flag = { blockChecksum: 0x10, contentSize: 0x08, contentChecksum: 0x04, dictionary: 0x01 } as const;
/** Bit of a block's length: it is not packed. */
const plainBlock = 0x8000_0000;
const minMatch = 4;

class Output {
  private bytes = Buffer.allocUnsafe(64 * 1024);
  length = 0;

  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + more));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  append(from: Buffer): void {
    this.reserve(from.length);
    from.copy(this.bytes, this.length);
    this.length += from.length;
  }

  /** From what is there, `back` bytes ago; it may reach into what it appends itself. */
  repeat(back: number, count: number): void {
    if (back === 0 || back > this.length) throw new RangeError('lz4: a match reaches before the beginning');
    this.reserve(count);
    if (back >= count) this.bytes.copyWithin(this.length, this.length - back, this.length - back + count);
    else for (let at = 0; at < count; at += 1) this.bytes[this.length + at] = this.bytes[this.length - back + at] ?? 0;
    this.length += count;
  }

  take(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}

/** A length of 15 goes on in the bytes that follow, until one is below 255. */
function longer(block: Buffer, at: number, nibble: number): readonly [length: number, next: number] {
  if (nibble < 15) return [nibble, at];
  let length = nibble;
  for (let next = at; ; next += 1) {
    const byte = block.readUInt8(next);
    length += byte;
    if (byte < 255) return [length, next + 1];
  }
}

function unpackBlock(block: Buffer, out: Output): void {
  let at = 0;
  while (at < block.length) {
    const token = block.readUInt8(at);
    const [literals, from] = longer(block, at + 1, token >> 4);
    if (from + literals > block.length) throw new RangeError('lz4: a block ends early');
    out.append(block.subarray(from, from + literals));
    at = from + literals;
    if (at === block.length) return;
    const back = block.readUInt16LE(at);
    const [match, next] = longer(block, at + 2, token & 15);
    out.repeat(back, match + minMatch);
    at = next;
  }
}

/** Where the next frame begins. */
function unpackFrame(packed: Buffer, start: number, out: Output): number {
  if (packed.readUInt32LE(start) !== frameMagic) throw new RangeError('lz4: not a frame');
  const flags = packed.readUInt8(start + 4);
  let at = start + 7 + (flags & flag.contentSize ? 8 : 0) + (flags & flag.dictionary ? 4 : 0);
  for (;;) {
    const word = packed.readUInt32LE(at);
    at += 4;
    if (word === 0) return at + (flags & flag.contentChecksum ? 4 : 0);
    const length = word & ~plainBlock;
    const block = packed.subarray(at, at + length);
    if (block.length < length) throw new RangeError('lz4: a frame ends early');
    if ((word & plainBlock) === 0) unpackBlock(block, out);
    else out.append(block);
    at += length + (flags & flag.blockChecksum ? 4 : 0);
  }
}

export function unpackLz4(packed: Buffer): Buffer {
  const out = new Output();
  for (let at = 0; at < packed.length; ) at = unpackFrame(packed, at, out);
  return out.take();
}
