/** Values that a schema allows and nobody expects, from a seed. */
import type { Random } from '../../services/simulation/random.ts';

type Field = { readonly name: string; readonly type: Avro };
export type Avro =
  | string
  | readonly Avro[]
  | {
      readonly type: Avro;
      readonly name?: string;
      readonly fields?: readonly Field[];
      readonly items?: Avro;
      readonly values?: Avro;
      readonly symbols?: readonly string[];
    };

const longs = [
  0,
  1,
  -1,
  2 ** 31,
  -(2 ** 31),
  2 ** 40,
  Number.MAX_SAFE_INTEGER - 1,
  Number.MIN_SAFE_INTEGER + 1,
  999_999_999,
];
const ints = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)];
const doubles = [0, -0, 1, -1, 0.1, 5e-324, 1e9, -1e9, 1e15, 1e308, -1e308, NaN, Infinity, -Infinity];
const texts = [
  '',
  ' ',
  'a',
  'user-1',
  'T-1',
  'exp-test',
  'A',
  'B',
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  "'; DROP TABLE facts; --",
  '\u0000',
  '\ud800',
  '\ufeff',
  'é'.repeat(300),
  '🙂'.repeat(200),
  '1e999',
  'NaN',
  'null',
  '0'.repeat(600),
  'x\r\ny',
  'request',
  'entity:ticket',
  'tripline.erase',
  'tripline.alias/exp-test/1',
];

export const pick = <T>(random: Random, values: readonly T[]): T => values[random.next() % values.length] as T;
export const chance = (random: Random, oneIn: number): boolean => random.next() % oneIn === 0;

/** Lists have up to four items, one of fifty 300. */
const lengthOf = (random: Random): number => (chance(random, 50) ? 300 : random.next() % 5);
const listOf = <T>(random: Random, item: () => T): T[] => Array.from({ length: lengthOf(random) }, item);

const primitives: Readonly<Record<string, (random: Random) => unknown>> = {
  null: () => null,
  boolean: (random) => chance(random, 2),
  int: (random) => pick(random, ints),
  long: (random) => pick(random, longs),
  float: (random) => pick(random, doubles),
  double: (random) => pick(random, doubles),
  string: (random) => pick(random, texts),
  bytes: (random) => Buffer.alloc(random.next() % 40, random.next() & 255),
};

/** Types by the name that later fields call them by. */
export type Named = Map<string, Avro>;

function typeNamed(named: Named, name: string): Avro {
  const type = named.get(name) ?? named.get(name.slice(name.lastIndexOf('.') + 1));
  if (type === undefined) throw new Error(`no type ${name}`);
  return type;
}

export function oddValue(random: Random, type: Avro, named: Named): unknown {
  if (typeof type === 'string') {
    const primitive = primitives[type];
    return primitive ? primitive(random) : oddValue(random, typeNamed(named, type), named);
  }
  if ('length' in type) return oddValue(random, pick(random, type), named);
  if (type.name !== undefined) named.set(type.name, type);
  if (type.fields)
    return Object.fromEntries(type.fields.map((field) => [field.name, oddValue(random, field.type, named)]));
  const { items, values, symbols } = type;
  if (symbols) return pick(random, symbols);
  if (items !== undefined) return listOf(random, () => oddValue(random, items, named));
  if (values !== undefined)
    return Object.fromEntries(listOf(random, () => [pick(random, texts), oddValue(random, values, named)]));
  return oddValue(random, type.type, named);
}

/** Every type that a schema names, whatever comes of its fields. */
export function namesIn(type: Avro, named: Named = new Map()): Named {
  if (typeof type === 'string') return named;
  if ('length' in type) for (const branch of type) namesIn(branch, named);
  else {
    if (type.name !== undefined) named.set(type.name, type);
    for (const field of type.fields ?? []) namesIn(field.type, named);
    for (const inner of [type.items, type.values, typeof type.type === 'string' ? undefined : type.type])
      if (inner !== undefined) namesIn(inner, named);
  }
  return named;
}
