/**
 * Ids and where records live. A unit has one of 4,096 virtual buckets; a topic with P partitions gives each a range
 * of buckets, so that doubling P splits ranges. An inference id carries its unit's bucket in 12 of its random bits:
 * an outcome that knows only that id still lands in the right partition.
 */
import { createHash } from 'node:crypto';

export const bucketCount = 4096;

/** 0..4095, from SHA-256 of `unitType 0x1f unitId` in UTF-8: its first 12 bits. */
export function bucketOf(unitType: string, unitId: string): number {
  const digest = createHash('sha256').update(`${unitType}\u001f${unitId}`, 'utf8').digest();
  return digest.readUInt16BE(0) >>> 4;
}

export const partitionOf = (bucket: number, partitions: number): number =>
  Math.floor((bucket * partitions) / bucketCount);

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** 16 bytes for any id: a UUID's own bytes, for anything else the first half of its SHA-256. */
export function id16(id: string): Buffer {
  if (uuidShape.test(id)) return Buffer.from(id.replaceAll('-', ''), 'hex');
  return createHash('sha256').update(id, 'utf8').digest().subarray(0, 16);
}

/**
 * A UUIDv7 (RFC 9562) whose rand_a, the 12 bits after the version, are the unit's bucket.
 * `random` holds at least 8 bytes; `at` is the event time in epoch milliseconds.
 */
export function inferenceId(at: number, bucket: number, random: Uint8Array): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(Math.max(0, Math.floor(at)), 0, 6);
  bytes.writeUInt16BE(0x7000 | (bucket & 0xfff), 6);
  bytes.set(random.subarray(0, 8), 8);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The bucket that an inference's id carries, of the id's bytes in hex: 12 bits after the version. */
export const readInferenceBucket = (hex: string): number => Number.parseInt(hex.slice(13, 16), 16);

/** Bucket and time of an id that `inferenceId` made; undefined for ids that are not version 7. */
export function readInferenceId(id: string): { readonly bucket: number; readonly at: number } | undefined {
  if (!uuidShape.test(id) || id[14] !== '7') return undefined;
  return { bucket: Number.parseInt(id.slice(15, 18), 16), at: Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) };
}

/** The bytes of an id as latin1 text, which is small and a Map's key; and as hex, which statements and JSON carry. */
export const idOfHex = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1');
export const hexOfId = (id: string): string => Buffer.from(id, 'latin1').toString('hex');
