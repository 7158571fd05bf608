/**
 * Schemas that records were written with, by their id in the registry. States of an id: unknown -> being fetched (one
 * request, however many wait for it) -> known for good, or absent for a while: a schema registered a moment later must
 * still be found.
 */
import type avro from 'avsc';
import { type RecordName, schemas } from '../../schemas/generated.ts';
import type { Clock } from '../kernel/time.ts';
import { avroTypeOf } from './avro-types.ts';
import type { RegistryClient } from './registry-client.ts';

const types = new Map<RecordName, avro.Type>();
/** Compiled when it is first needed: who writes three kinds of records does not pay for the others. */
export function typeOf(record: RecordName): avro.Type {
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

/** Absence of an id is remembered this long. */
const absentForMs = 30_000;
/** Ids that a registry was asked for and does not know, in that time: then it is asked for no other. */
const maxAbsent = 64;
/** Ids are 31 bits in a registry: a larger one is none. */
const maxId = 0x7fff_ffff;
/** Asked for together. */
const together = 8;

/** Reads what a writer wrote as ours. 'same': no resolving is needed. */
export type Resolver = ReturnType<avro.Type['createResolver']> | 'same';

export type Writer = {
  readonly name: string;
  readonly type: avro.Type;
  readonly resolvers: Map<RecordName, Resolver | 'unreadable'>;
};

export type WriterSchemas = {
  readonly known: ReadonlyMap<number, Writer>;
  add(id: number, avsc: string): void;
  /** Neither known nor found to be absent lately, nor what no registry has. */
  isMissing(id: number): boolean;
  /**
   * Asks for those, in this order, a few at a time. Bytes that are no records name a new id each, and each costs a
   * round trip: after `maxAbsent` ids that the registry does not know, the rest are taken for unknown until some of
   * those are forgotten. Ids that it knows cost nothing of it.
   */
  fetch(ids: readonly number[]): Promise<void>;
};

export function resolverOf(writer: Writer, record: RecordName): Resolver | 'unreadable' {
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
}

export function createWriterSchemas(registry: RegistryClient, clock: Clock): WriterSchemas {
  const known = new Map<number, Writer>();
  const absent = new Map<number, number>();
  const fetching = new Map<number, Promise<void>>();
  const add = (id: number, avsc: string): void => {
    if (known.has(id)) return;
    const type = avroTypeOf(avsc);
    known.set(id, { name: type.name ?? '', type, resolvers: new Map() });
  };
  const ask = async (id: number): Promise<void> => {
    const avsc = await registry.schemaById(id);
    if (avsc !== undefined && schemaProblem(avsc) === undefined) add(id, avsc);
    else absent.set(id, clock.now());
  };
  const askOnce = (id: number): Promise<void> => {
    const asked = fetching.get(id) ?? ask(id).finally(() => fetching.delete(id));
    fetching.set(id, asked);
    return asked;
  };
  const forget = (): void => {
    for (const [id, at] of absent) if (at + absentForMs < clock.now()) absent.delete(id);
  };
  return {
    known,
    add,
    isMissing: (id) => id <= maxId && !known.has(id) && (absent.get(id) ?? -Infinity) + absentForMs < clock.now(),
    fetch: async (ids) => {
      forget();
      for (let from = 0; from < ids.length && absent.size < maxAbsent; from += together)
        await Promise.all(ids.slice(from, from + together).map(askOnce));
    },
  };
}
