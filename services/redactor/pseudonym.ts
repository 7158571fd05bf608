/**
 * Ids of units and entities as keyed hashes, each under a key of its own (`unit-keys.ts`), so that one of them can be
 * lost for good.
 */
import { hash } from 'node:crypto';
import { createUnitKeyFinder, dropUnitKeys, isWhole, type UnitKeys, type UnitName, unitKeysFrom } from './unit-keys.ts';

export type Pseudonymizer = {
  /**
   * 16 bytes that stand for an id, the same for the same kind and id under one key; without the key nobody gets from
   * one to the other. Throws when the key has been dropped: ask `knows` first.
   */
  (kind: string, id: string): Buffer;
  /** False when the unit's key has been dropped: it was erased, and cannot be met again. */
  knows(kind: string, id: string): boolean;
  /** What binds tokens in texts to the unit they are about; undefined when its key has been dropped. */
  secret(kind: string, id: string): string | undefined;
  /** Loses the keys of these units, in this process; whoever keeps the keys writes `keys()` down. */
  drop(units: readonly UnitName[]): void;
  keys(): UnitKeys;
};

/**
 * `key`: at least 16 bytes, or what is left of one. Recently used pseudonyms are kept, at most `remember` of them: one
 * costs 10 us, a look-up a fraction.
 */
export function createPseudonymizer(key: Uint8Array | UnitKeys, remember = 100_000): Pseudonymizer {
  let keys = key instanceof Uint8Array ? unitKeysFrom(key) : key;
  let keyOf = createUnitKeyFinder(keys);
  const known = new Map<string, Buffer | undefined>();
  const find = (kind: string, id: string): Buffer | undefined => {
    const text = `${kind}\u001f${id}`;
    const hit = known.get(text);
    if (hit !== undefined || known.has(text)) return hit;
    const unitKey = keyOf({ kind, id });
    const pseudonym =
      unitKey === undefined
        ? undefined
        : Buffer.from(hash('sha256', `tripline pseudonym\u001f${unitKey}`).slice(0, 32), 'hex');
    if (known.size >= remember) for (const oldest of [...known.keys()].slice(0, remember / 10)) known.delete(oldest);
    known.set(text, pseudonym);
    return pseudonym;
  };
  const pseudonymize = (kind: string, id: string): Buffer => {
    const pseudonym = find(kind, id);
    if (pseudonym === undefined) throw new RangeError(`a ${kind} whose key has been dropped has no pseudonym`);
    return pseudonym;
  };
  return Object.assign(pseudonymize, {
    knows: (kind: string, id: string) => isWhole(keys) || find(kind, id) !== undefined,
    secret: (kind: string, id: string) => {
      const unitKey = keyOf({ kind, id });
      return unitKey && hash('sha256', `tripline unit secret\u001f${unitKey}`);
    },
    drop: (units: readonly UnitName[]) => {
      keys = dropUnitKeys(keys, units);
      keyOf = createUnitKeyFinder(keys);
      known.clear();
    },
    keys: () => keys,
  });
}
