/**
 * The gazetteer: what is known of a word, as bits, by a 32-bit hash of it. No string is stored; a wrong hit has odds of
 * about 1 in 17,000.
 */
import { hashPhrase, hashWord, wordsOf } from './letters.ts';
import { lexiconTable } from './lexicon-table.ts';
import { vocabulary, vocabularyOf } from './vocabulary.ts';

export const flag = {
  given: 1,
  rareGiven: 2,
  surname: 4,
  rareSurname: 8,
  city: 16,
  town: 32,
  country: 64,
  veryCommon: 128,
  dictionary: 256,
  capitalised: 512,
  organisation: 1_024,
  street: 2_048,
  title: 4_096,
  phraseStart: 8_192,
  introduces: 16_384,
  foreign: 32_768,
} as const;
export const anyName = flag.given | flag.rareGiven | flag.surname | flag.rareSurname;
export const anyPlace = flag.city | flag.town | flag.country;
/** Means something in itself, so that a capital is no sign of a name. */
export const ordinary = flag.veryCommon | flag.dictionary | flag.foreign | flag.capitalised;
export const has = (bits: number, any: number): boolean => (bits & any) !== 0;

export type Lexicon = {
  readonly lookup: (hash: number) => number;
  /** The same for hashes that are seldom known, as those of two words next to each other are. */
  readonly lookupRare: (hash: number) => number;
};

/**
 * Reads `lexicon-table.ts`: per combination of bits its 16-bit value, the number of words, then ascending hashes as
 * LEB128 differences.
 */
function* entries(packed: Uint8Array): Generator<readonly [hash: number, bits: number]> {
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = packed[at] ?? 0;
      at += 1;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < packed.length) {
    const bits = next();
    let hash = 0;
    for (let left = next(); left > 0; left -= 1) {
      hash += next();
      yield [hash, bits];
    }
  }
}

let loaded: Lexicon | undefined;
const recentWords = 8_192;
/** 2^22 bits, one in ten set. */
const sieveCells = 1 << 17;

/** Open addressing over 2^20 slots, a third full; about 6 MB, made once, on the first text. */
export function lexicon(): Lexicon {
  if (loaded !== undefined) return loaded;
  const size = 1 << 20;
  const keys = new Int32Array(size);
  const bits = new Uint16Array(size);
  const slotOf = (hash: number): number => {
    let slot = (Math.imul(hash, 0x9e3779b1) >>> 12) & (size - 1);
    while (bits[slot] !== 0 && keys[slot] !== hash) slot = (slot + 1) & (size - 1);
    return slot;
  };
  const sieve = new Int32Array(sieveCells);
  const sieveCell = (hash: number): number => (Math.imul(hash, 0x9e3779b1) >>> 7) & (sieveCells - 1);
  const add = (hash: number, more: number): void => {
    const slot = slotOf(hash | 0);
    keys[slot] = hash | 0;
    sieve[sieveCell(hash)] = (sieve[sieveCell(hash)] as number) | (1 << (hash & 31));
    bits[slot] = (bits[slot] ?? 0) | more;
  };
  for (const [hash, more] of entries(Buffer.from(lexiconTable, 'base64'))) add(hash, more);
  for (const kind of Object.keys(vocabulary) as (keyof typeof vocabulary)[])
    for (const word of vocabularyOf(kind)) {
      add(hashPhrase(word), flag[kind]);
      const [first, second] = wordsOf(word);
      if (first !== undefined && second !== undefined) add(hashWord(first), flag.phraseStart);
    }
  // The words of a language's everyday use miss the processor's caches in a table of 6 MB; here they do not.
  const recent = new Int32Array(recentWords);
  const recentBits = new Uint16Array(recentWords).fill(bits[slotOf(0)] ?? 0);
  loaded = {
    lookup: (hash) => {
      const place = (hash ^ (hash >>> 15)) & (recentWords - 1);
      if (recent[place] === hash) return recentBits[place] as number;
      const known = bits[slotOf(hash)] as number;
      recent[place] = hash;
      recentBits[place] = known;
      return known;
    },
    lookupRare: (hash) =>
      (((sieve[sieveCell(hash)] as number) >>> (hash & 31)) & 1) === 0 ? 0 : (bits[slotOf(hash)] as number),
  };
  return loaded;
}
