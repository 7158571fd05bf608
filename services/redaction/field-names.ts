/**
 * Names of JSON fields that decide by themselves: what stands there is replaced whatever it looks like. The names are
 * those of `entity-types.ts`; whether one names a secret says `secrets/key-name.ts`.
 */
import { type EntityType, fieldRows } from './entity-types.ts';
import { once } from './once.ts';
import { saysNothing } from './secrets/plausible.ts';

const tests = once(() =>
  fieldRows.map(({ type, fieldNames }) => {
    if (typeof fieldNames === 'function') return { type, isOne: fieldNames };
    const names = new RegExp(`^(?:${fieldNames.join('|').replaceAll('~', '[_-]?')})$`);
    return { type, isOne: (name: string) => names.test(name) };
  }),
);

const known = new Map<string, EntityType | undefined>();
const remembered = 5_000;
/** `key`: lower case. */
export function fieldType(key: string): EntityType | undefined {
  if (key.length > 64) return undefined;
  if (known.has(key)) return known.get(key);
  const type = tests().find(({ isOne }) => isOne(key))?.type;
  if (known.size >= remembered) known.clear();
  known.set(key, type);
  return type;
}

/**
 * A template, a mask or a type's name stands in a secret's field, or a count (`"pass": 12`): nothing is there to take
 * out.
 */
export const isEmptyHanded = (type: EntityType, value: string, isNumber: boolean): boolean =>
  type === 'SECRET_GENERIC' && (isNumber ? value.length < 4 : saysNothing(value));
