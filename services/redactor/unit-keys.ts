/**
 * One key a unit, out of one key a deployment, and a way to lose one of them for good: a puncturable pseudo-random
 * function over a tree (Goldreich, Goldwasser and Micali, "How to construct random functions", J. ACM 33, 1986;
 * puncturing: Boneh and Waters 2013, Kiayias et al. 2013). A unit is a leaf, 12 hex digits of a hash of its type and
 * id; a node's key makes those of its 16 children by a one-way hash. Whoever has the root has every leaf. To lose a
 * leaf, every node above it is replaced by its other children: all other leaves stay what they were, and nothing that
 * is left leads to this one.
 */
import { hash } from 'node:crypto';

/** Hex digits of a leaf. 48 bits: with 1e8 units, an erasure meets another unit's leaf once in three million times. */
const depth = 12;
const seedDigits = 32;
const digits = '0123456789abcdef';

/**
 * `nodes`: 16-byte key, as hex, by prefix of the leaves below it; a whole deployment is one node, under ''. `tokens`:
 * what tokens of texts are made under when they have no keys of their own.
 */
export type UnitKeys = { readonly nodes: ReadonlyMap<string, string>; readonly tokens: Buffer };
export type UnitName = { readonly kind: string; readonly id: string };

const oneWay = (purpose: string, key: Uint8Array): string =>
  hash('sha256', Buffer.concat([Buffer.from(`tripline ${purpose}\u001f`), key]));
const leafOf = ({ kind, id }: UnitName): string =>
  hash('sha256', `tripline unit\u001f${kind}\u001f${id}`).slice(0, depth);

/**
 * SHA-256 over the parent's 32 hex digits and the child's one: a fixed length. As text: bytes cost three times as much
 * here (measured, 1.1 us against 0.35).
 */
const childOf = (seed: string, digit: string): string => hash('sha256', seed + digit).slice(0, seedDigits);

/** `key`: 16 bytes or more, from which everything is made; it must not be kept once a unit's key is dropped. */
export function unitKeysFrom(key: Uint8Array): UnitKeys {
  if (key.length < 16) throw new RangeError('a pseudonym key has at least 16 bytes');
  return {
    nodes: new Map([['', oneWay('unit keys', key).slice(0, seedDigits)]]),
    tokens: Buffer.from(oneWay('tokens', key), 'hex'),
  };
}
/** True when no unit's key has been dropped yet. */
export const isWhole = ({ nodes }: UnitKeys): boolean => nodes.has('');

const coverOf = (nodes: ReadonlyMap<string, string>, leaf: string): string | undefined => {
  for (let length = 0; length <= depth; length += 1) if (nodes.has(leaf.slice(0, length))) return leaf.slice(0, length);
  return undefined;
};

/** Nodes up to here are remembered, at most 16^4 of them: a unit then costs eight hashes. */
const rememberedDepth = 4;

/** The key of each unit, 16 bytes as hex; undefined when it has been dropped. */
export function createUnitKeyFinder({ nodes }: UnitKeys): (unit: UnitName) => string | undefined {
  const above = new Map<string, string>();
  return (unit) => {
    const leaf = leafOf(unit);
    const cover = coverOf(nodes, leaf);
    if (cover === undefined) return undefined;
    const known = cover.length < rememberedDepth ? above.get(leaf.slice(0, rememberedDepth)) : undefined;
    let seed = known ?? (nodes.get(cover) as string);
    for (let length = known ? rememberedDepth : cover.length; length < depth; length += 1) {
      seed = childOf(seed, leaf[length] as string);
      if (length + 1 === rememberedDepth) above.set(leaf.slice(0, rememberedDepth), seed);
    }
    return seed;
  };
}

/**
 * The same keys without those of these units. Dropping one twice changes nothing. About 180 nodes come in its place,
 * fewer the more there are.
 */
export function dropUnitKeys({ nodes, tokens }: UnitKeys, units: readonly UnitName[]): UnitKeys {
  const left = new Map(nodes);
  for (const leaf of units.map(leafOf)) {
    const cover = coverOf(left, leaf);
    if (cover === undefined) continue;
    let seed = left.get(cover) as string;
    left.delete(cover);
    for (let length = cover.length; length < depth; length += 1) {
      for (const digit of digits)
        if (digit !== leaf[length]) left.set(leaf.slice(0, length) + digit, childOf(seed, digit));
      seed = childOf(seed, leaf[length] as string);
    }
  }
  return { nodes: left, tokens };
}

/** What both have: a key that is gone from either stays gone. */
export const commonUnitKeys = (one: UnitKeys, other: UnitKeys): UnitKeys => ({
  nodes: new Map([
    ...[...one.nodes].filter(([prefix]) => coverOf(other.nodes, prefix) !== undefined),
    ...[...other.nodes].filter(([prefix]) => coverOf(one.nodes, prefix) !== undefined),
  ]),
  tokens: one.tokens,
});

const line = /^(tokens|[0-9a-f]{0,12}):([0-9a-f]+)$/;

/**
 * A text of lines `prefix:hex` and `tokens:hex`, sorted: which units were dropped last cannot be seen, only that a hole
 * is there.
 */
export const formatUnitKeys = ({ nodes, tokens }: UnitKeys): string =>
  [
    `tokens:${tokens.toString('hex')}`,
    ...[...nodes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([prefix, seed]) => `${prefix}:${seed}`),
    '',
  ].join('\n');

/**
 * What `formatUnitKeys` wrote, or one line of hex: the key that everything is made from. Undefined for anything else.
 */
export function parseUnitKeys(text: string): UnitKeys | undefined {
  const lines = text
    .trim()
    .split('\n')
    .map((one) => one.trim());
  if (lines.length === 1 && /^(?:[0-9a-f]{2}){16,64}$/.test(lines[0] ?? ''))
    return unitKeysFrom(Buffer.from(lines[0] ?? '', 'hex'));
  const nodes = new Map<string, string>();
  let tokens: Buffer | undefined;
  for (const one of lines) {
    const [, name, hex = ''] = line.exec(one) ?? [];
    if (
      name === undefined ||
      (name !== 'tokens' && hex.length !== seedDigits) ||
      (name === 'tokens' && hex.length !== 64)
    )
      return undefined;
    if (name === 'tokens') tokens = Buffer.from(hex, 'hex');
    else nodes.set(name, hex);
  }
  return tokens && { nodes, tokens };
}
