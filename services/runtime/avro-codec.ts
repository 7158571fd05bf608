/**
 * Avro in Confluent's wire format: byte 0 = 0, bytes 1..4 the schema id (big endian), then the body. Decoded in place
 * at offset 5 through a resolver from the writer's schema to ours, kept per id. Broken bytes are odd data and come back
 * as a code; a registry that is away is broken machinery and throws. Messages never quote data.
 */
import type avro from 'avsc';
import { type RecordName, type RecordTypes, schemas } from '../../schemas/generated.ts';
import type { Clock } from '../kernel/time.ts';
import type { ParkCode } from '../kernel/verdict.ts';
import { avroTypeOf } from './avro-types.ts';
import type { RegistryClient } from './registry-client.ts';

export type DecodeResult<K extends RecordName> =
  | { [Name in K]: { readonly ok: true; readonly record: Name; readonly value: RecordTypes[Name] } }[K]
  | { readonly ok: false; readonly code: ParkCode; readonly message: string };

export type AvroCodec = {
  /** Framed with the registered id. Throws when the value does not fit its schema or nothing was registered. */
  encode<K extends RecordName>(record: K, value: RecordTypes[K]): Buffer;
  /** Framed with id 0: `stamp` fills it in when the registry has been reached. */
  encodeUnregistered<K extends RecordName>(record: K, value: RecordTypes[K]): Buffer;
  stamp(frame: Buffer, record: RecordName): Buffer;
  /** Subjects are `<topic>-<full name>` (TopicRecordNameStrategy). */
  register(pairs: readonly { readonly record: RecordName; readonly topic: string }[]): Promise<void>;
  /** Fetches writers' schemas not seen yet. undefined when there is nothing to fetch. */
  prepare(frames: readonly Buffer[]): Promise<void> | undefined;
  decode<K extends RecordName>(records: readonly K[], frame: Buffer): DecodeResult<K>;
};

const types = new Map<RecordName, avro.Type>();
/** Compiled when it is first needed: who writes three kinds of records does not pay for the others. */
function typeOf(record: RecordName): avro.Type {
  const known = types.get(record);
  if (known !== undefined) return known;
  const type = avroTypeOf(schemas[record].avsc);
  types.set(record, type);
  return type;
}

/** True when whoever reads with `reader` can read everything that `writer` wrote. */
export function canRead(reader: string, writer: string): boolean {
  try {
    avroTypeOf(reader).createResolver(avroTypeOf(writer));
    return true;
  } catch {
    return false;
  }
}

/** The schema as avsc understands it, or what is wrong with it. */
export function schemaProblem(avsc: string): string | undefined {
  try {
    avroTypeOf(avsc);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Absence of an id is remembered this long: a schema registered a moment later must still be found. */
const absentForMs = 30_000;

type Writer = {
  readonly name: string;
  readonly type: avro.Type;
  readonly resolvers: Map<RecordName, ReturnType<avro.Type['createResolver']> | 'same' | 'unreadable'>;
};

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
  const writers = new Map<number, Writer>();
  const absent = new Map<number, number>();
  const fetching = new Map<number, Promise<void>>();
  let scratch = Buffer.allocUnsafe(64 * 1024);

  const addWriter = (id: number, avsc: string): void => {
    const type = avroTypeOf(avsc);
    writers.set(id, { name: type.name ?? '', type, resolvers: new Map() });
  };

  /** One request an id, however many wait for it. */
  const fetchWriter = (id: number): Promise<void> => {
    const known = fetching.get(id);
    if (known !== undefined) return known;
    const asked = registry
      .schemaById(id)
      .then((avsc) => {
        if (avsc !== undefined && schemaProblem(avsc) === undefined) addWriter(id, avsc);
        else absent.set(id, clock.now());
      })
      .finally(() => fetching.delete(id));
    fetching.set(id, asked);
    return asked;
  };

  const encodeUnregistered = <K extends RecordName>(record: K, value: RecordTypes[K]): Buffer => {
    let end = typeOf(record).encode(value, scratch, 5);
    if (end < 0) {
      // avsc answers with the missing bytes, negative, when the buffer was too small.
      scratch = Buffer.allocUnsafe(Math.max(scratch.length * 2, scratch.length - end));
      end = typeOf(record).encode(value, scratch, 5);
    }
    const frame = Buffer.allocUnsafe(end);
    scratch.copy(frame, 0, 0, end);
    frame.writeUInt8(0, 0);
    frame.writeUInt32BE(0, 1);
    return frame;
  };
  const stamp = (frame: Buffer, record: RecordName): Buffer => {
    const id = ids.get(record);
    if (id === undefined) throw new RangeError(`${record} is not registered yet`);
    frame.writeUInt32BE(id, 1);
    return frame;
  };

  const resolverOf = (writer: Writer, record: RecordName) => {
    let resolver = writer.resolvers.get(record);
    if (resolver === undefined) {
      try {
        resolver = typeOf(record).fingerprint().equals(writer.type.fingerprint())
          ? 'same'
          : typeOf(record).createResolver(writer.type);
      } catch {
        resolver = 'unreadable';
      }
      writer.resolvers.set(record, resolver);
    }
    return resolver;
  };

  return {
    encodeUnregistered,
    stamp,
    encode: (record, value) => stamp(encodeUnregistered(record, value), record),
    register: async (pairs) => {
      for (const { record, topic } of pairs) {
        const id = await registry.register(`${topic}-${schemas[record].fullName}`, schemas[record].avsc);
        ids.set(record, id);
        if (!writers.has(id)) addWriter(id, schemas[record].avsc);
      }
    },
    prepare: (frames) => {
      const missing = new Set<number>();
      for (const frame of frames) {
        if (frame.length < 6 || frame[0] !== 0) continue;
        const id = frame.readUInt32BE(1);
        if (!writers.has(id) && (absent.get(id) ?? -Infinity) + absentForMs < clock.now()) missing.add(id);
      }
      if (missing.size === 0) return undefined;
      return Promise.all([...missing].map(fetchWriter)).then(() => {});
    },
    decode: <K extends RecordName>(records: readonly K[], frame: Buffer): DecodeResult<K> => {
      if (frame.length > maxFrameBytes)
        return { ok: false, code: 'TOO_LARGE', message: `${frame.length} bytes, at most ${maxFrameBytes}` };
      if (frame.length < 6 || frame[0] !== 0)
        return {
          ok: false,
          code: 'BAD_FRAME',
          message: 'not a Confluent frame: byte 0 is 0, bytes 1 to 4 are the schema id',
        };
      const id = frame.readUInt32BE(1);
      const writer = writers.get(id);
      if (writer === undefined)
        return { ok: false, code: 'SCHEMA_UNKNOWN', message: `the registry knows no schema ${id}` };
      const record = records.find((candidate) => schemas[candidate].fullName === writer.name);
      if (record === undefined)
        return { ok: false, code: 'SCHEMA_UNKNOWN', message: `schema ${id} is none of ${records.join(', ')}` };
      const resolver = resolverOf(writer, record);
      if (resolver === 'unreadable')
        return { ok: false, code: 'SCHEMA_UNKNOWN', message: `schema ${id} cannot be read as ${record}` };
      try {
        const { value, offset } =
          resolver === 'same' ? typeOf(record).decode(frame, 5) : typeOf(record).decode(frame, 5, resolver);
        if (offset < 0 || offset > frame.length)
          return { ok: false, code: 'UNDECODABLE', message: `the body ends early for schema ${id}` };
        if (offset < frame.length)
          return {
            ok: false,
            code: 'UNDECODABLE',
            message: `${frame.length - offset} bytes are left over after schema ${id}`,
          };
        return { ok: true, record, value: value as RecordTypes[typeof record] } as DecodeResult<K>;
      } catch {
        return { ok: false, code: 'UNDECODABLE', message: `the body does not follow schema ${id}` };
      }
    },
  };
}
