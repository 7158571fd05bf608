/**
 * Avro in Confluent's wire format: byte 0 = 0, bytes 1..4 the schema id (big endian), then the body. Decoded in place
 * at offset 5 through a resolver from the writer's schema to ours, kept per id. Broken bytes are odd data and come back
 * as a code; a registry that is away is broken machinery and throws. Messages never quote data.
 */
import { type RecordName, type RecordTypes, schemas } from '../../schemas/generated.ts';
import type { Clock } from '../kernel/time.ts';
import type { ParkCode } from '../kernel/verdict.ts';
import type { RegistryClient } from './registry-client.ts';
import { createWriterSchemas, type Resolver, resolverOf, typeOf, type WriterSchemas } from './writer-schemas.ts';

export { canRead, schemaProblem } from './writer-schemas.ts';

export type DecodeResult<K extends RecordName> =
  | { [Name in K]: { readonly ok: true; readonly record: Name; readonly value: RecordTypes[Name] } }[K]
  | { readonly ok: false; readonly code: ParkCode; readonly message: string };

export type AvroCodec = {
  /** Framed with the registered id. Throws when the value does not fit its schema or nothing was registered. */
  encode<K extends RecordName>(record: K, value: RecordTypes[K]): Buffer;
  /** Framed with id 0: `stamp` fills it in when the registry has been reached. */
  encodeUnregistered<K extends RecordName>(record: K, value: RecordTypes[K]): Buffer;
  /** The value of a frame that we encoded ourselves, under our own schema. */
  decodeOwn<K extends RecordName>(record: K, frame: Buffer): RecordTypes[K];
  stamp(frame: Buffer, record: RecordName): Buffer;
  /** Subjects are `<topic>-<full name>` (TopicRecordNameStrategy). */
  register(pairs: readonly { readonly record: RecordName; readonly topic: string }[]): Promise<void>;
  /** Fetches writers' schemas not seen yet. undefined when there is nothing to fetch. */
  prepare(frames: readonly Buffer[]): Promise<void> | undefined;
  decode<K extends RecordName>(records: readonly K[], frame: Buffer): DecodeResult<K>;
};

/** Which field does not fit, by its path: the encoder's own message quotes the value. */
function misfit(record: RecordName, value: unknown): RangeError {
  const paths: string[] = [];
  typeOf(record).isValid(value, { errorHook: (path) => void paths.push(path.join('.')) });
  return new RangeError(`${paths[0] || record} has the wrong type`);
}

/** Encodes into one buffer that grows, and copies out what it holds: id 0 until it is stamped. */
function createFrameEncoder(): AvroCodec['encodeUnregistered'] {
  let scratch = Buffer.allocUnsafe(64 * 1024);
  const write = (record: RecordName, value: unknown): number => {
    try {
      return typeOf(record).encode(value, scratch, 5);
    } catch {
      throw misfit(record, value);
    }
  };
  return (record, value) => {
    let end = write(record, value);
    if (end < 0) {
      // avsc answers with the missing bytes, negative, when the buffer was too small.
      scratch = Buffer.allocUnsafe(Math.max(scratch.length * 2, scratch.length - end));
      end = write(record, value);
    }
    const frame = Buffer.allocUnsafe(end);
    scratch.copy(frame, 0, 0, end);
    frame.writeUInt8(0, 0);
    frame.writeUInt32BE(0, 1);
    return frame;
  };
}

type Refusal = { readonly ok: false; readonly code: ParkCode; readonly message: string };
const refuse = (code: ParkCode, message: string): Refusal => ({ ok: false, code, message });

const isFramed = (frame: Buffer): boolean => frame.length >= 6 && frame[0] === 0;

function decodeBody<K extends RecordName>(record: K, frame: Buffer, id: number, resolver: Resolver): DecodeResult<K> {
  try {
    const { value, offset } =
      resolver === 'same' ? typeOf(record).decode(frame, 5) : typeOf(record).decode(frame, 5, resolver);
    if (offset < 0 || offset > frame.length) return refuse('UNDECODABLE', `the body ends early for schema ${id}`);
    if (offset < frame.length)
      return refuse('UNDECODABLE', `${frame.length - offset} bytes are left over after schema ${id}`);
    return { ok: true, record, value: value as RecordTypes[typeof record] } as DecodeResult<K>;
  } catch {
    return refuse('UNDECODABLE', `the body does not follow schema ${id}`);
  }
}

function decodeFrame<K extends RecordName>(
  writers: WriterSchemas,
  maxFrameBytes: number,
  records: readonly K[],
  frame: Buffer,
): DecodeResult<K> {
  if (frame.length > maxFrameBytes) return refuse('TOO_LARGE', `${frame.length} bytes, at most ${maxFrameBytes}`);
  if (!isFramed(frame))
    return refuse('BAD_FRAME', 'not a Confluent frame: byte 0 is 0, bytes 1 to 4 are the schema id');
  const id = frame.readUInt32BE(1);
  const writer = writers.known.get(id);
  if (writer === undefined) return refuse('SCHEMA_UNKNOWN', `the registry knows no schema ${id}`);
  const record = records.find((candidate) => schemas[candidate].fullName === writer.name);
  if (record === undefined) return refuse('SCHEMA_UNKNOWN', `schema ${id} is none of ${records.join(', ')}`);
  const resolver = resolverOf(writer, record);
  if (resolver === 'unreadable') return refuse('SCHEMA_UNKNOWN', `schema ${id} cannot be read as ${record}`);
  return decodeBody(record, frame, id, resolver);
}

export function createAvroCodec({
  registry,
  clock,
  maxFrameBytes = 8 << 20,
}: {
  registry: RegistryClient;
  clock: Clock;
  maxFrameBytes?: number;
}): AvroCodec {
  const ids = new Map<RecordName, number>();
  const writers = createWriterSchemas(registry, clock);
  const encodeUnregistered = createFrameEncoder();
  const stamp = (frame: Buffer, record: RecordName): Buffer => {
    const id = ids.get(record);
    if (id === undefined) throw new RangeError(`${record} is not registered yet`);
    frame.writeUInt32BE(id, 1);
    return frame;
  };
  return {
    encodeUnregistered,
    decodeOwn: (record, frame) => typeOf(record).decode(frame, 5).value,
    stamp,
    encode: (record, value) => stamp(encodeUnregistered(record, value), record),
    register: async (pairs) => {
      for (const { record, topic } of pairs) {
        const { fullName, avsc } = schemas[record];
        const id = await registry.register(`${topic}-${fullName}`, avsc);
        ids.set(record, id);
        writers.add(id, avsc);
      }
    },
    prepare: (frames) => {
      const missing = new Map<number, number>();
      for (const frame of frames) {
        if (!isFramed(frame)) continue;
        const id = frame.readUInt32BE(1);
        if (writers.isMissing(id)) missing.set(id, (missing.get(id) ?? 0) + 1);
      }
      if (missing.size === 0) return undefined;
      // Those of most frames first: a new schema is named by many, noise names another each time.
      return writers.fetch([...missing].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([id]) => id));
    },
    decode: (records, frame) => decodeFrame(writers, maxFrameBytes, records, frame),
  };
}
