import { createHmac } from 'node:crypto';

/** 16 bytes that stand for an id, the same for the same kind and id under one key; without the key nobody gets from one to the other. */
export type Pseudonymizer = (kind: string, id: string) => Buffer;

/** `key`: at least 16 bytes. Recently used pseudonyms are kept, at most `remember` of them: an HMAC costs 1.5 us, a look-up a fraction. */
export function createPseudonymizer(key: Uint8Array, remember = 100_000): Pseudonymizer {
  if (key.length < 16) throw new RangeError('a pseudonym key has at least 16 bytes');
  const known = new Map<string, Buffer>();
  return (kind, id) => {
    const text = `${kind}\u001f${id}`;
    const hit = known.get(text);
    if (hit) return hit;
    const pseudonym = createHmac('sha256', key).update(text, 'utf8').digest().subarray(0, 16);
    if (known.size >= remember) for (const oldest of [...known.keys()].slice(0, remember / 10)) known.delete(oldest);
    known.set(text, pseudonym);
    return pseudonym;
  };
}
