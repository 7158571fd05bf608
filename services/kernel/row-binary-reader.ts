/** The types of row-binary.ts read back, one after the other: what a store in memory makes of a flush. */
export type RowBinaryReader = {
  more(): boolean;
  uint8(): number;
  uint16(): number;
  int16(): number;
  uint32(): number;
  int64(): bigint;
  int128(): bigint;
  int256(): bigint;
  text(): string;
  /** Bytes as upper-case hex: of a string, or of so many bytes. */
  hex(size?: number): string;
  array<T>(item: () => T): T[];
};

export function createRowBinaryReader(bytes: Buffer): RowBinaryReader {
  let at = 0;
  const take = (size: number): Buffer => {
    at += size;
    return bytes.subarray(at - size, at);
  };
  const length = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  /** Two's complement in so many words of 64 bits, the lowest first. */
  const wide = (words: number): bigint => {
    let value = 0n;
    for (let word = 0; word < words - 1; word += 1) value |= take(8).readBigUInt64LE() << BigInt(64 * word);
    return value | (take(8).readBigInt64LE() << BigInt(64 * (words - 1)));
  };
  return {
    more: () => at < bytes.length,
    uint8: () => take(1).readUInt8(),
    uint16: () => take(2).readUInt16LE(),
    int16: () => take(2).readInt16LE(),
    uint32: () => take(4).readUInt32LE(),
    int64: () => take(8).readBigInt64LE(),
    int128: () => wide(2),
    int256: () => wide(4),
    text: () => take(length()).toString('utf8'),
    hex: (size = length()) => take(size).toString('hex').toUpperCase(),
    array: (item) => Array.from({ length: length() }, item),
  };
}
