/**
 * What a UTF-16 unit is to the names tier, and how it is folded before it is hashed: two tables over the basic plane,
 * made on first use.
 */
import { isPlain } from '../fold-tables.ts';

export const unitKind = { other: 0, lower: 1, upper: 2, caseless: 3, digit: 4, mark: 5 } as const;

let kinds: Uint8Array | undefined;
let folds: Uint16Array | undefined;

/**
 * Kind of every unit: letters by case, letters of scripts without case, digits, combining marks. Surrogates are
 * `other`.
 */
export function kindTable(): Uint8Array {
  if (kinds !== undefined) return kinds;
  const table = new Uint8Array(65_536);
  const rows: readonly (readonly [RegExp, number])[] = [
    [/\p{Ll}/u, unitKind.lower],
    [/[\p{Lu}\p{Lt}]/u, unitKind.upper],
    [/[\p{Lo}\p{Lm}]/u, unitKind.caseless],
    [/\p{Nd}/u, unitKind.digit],
    [/\p{M}/u, unitKind.mark],
  ];
  for (let code = 0; code < 65_536; code += 1) {
    if (isPlain(code)) {
      if (code < 0xd800) table[code] = unitKind.caseless;
      continue;
    }
    const char = String.fromCharCode(code);
    table[code] = rows.find(([pattern]) => pattern.test(char))?.[1] ?? unitKind.other;
  }
  kinds = table;
  return table;
}

/** Lower case without diacritics, unit by unit: `É` and `e` are one letter to the tables. */
export function foldTable(): Uint16Array {
  if (folds !== undefined) return folds;
  const table = new Uint16Array(65_536);
  for (let code = 0; code < 65_536; code += 1) {
    const lower = isPlain(code) ? '' : String.fromCharCode(code).toLowerCase();
    // Hangul decomposes into three; only what is Latin, Greek or Cyrillic is taken apart.
    table[code] =
      lower === ''
        ? code
        : (code < 0x530 || (code >= 0x1e00 && code < 0x2000) ? lower.normalize('NFD') : lower).charCodeAt(0);
  }
  folds = table;
  return table;
}

/** FNV-1a over folded units, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
export const hashSeed = 0x811c9dc5 | 0;
export const hashStep = (hash: number, unit: number): number => Math.imul(hash ^ unit, 0x01000193);

/** Hash of a word or, word by word, of a phrase: the hash of what comes before and of the next word. */
export const joinHashes = (before: number, next: number): number =>
  Math.imul(before ^ (next >>> 7), 0x2c1b3c6d) ^ Math.imul(next, 0x297a2d39);

export function hashWord(word: string): number {
  const fold = foldTable();
  const kind = kindTable();
  let hash: number = hashSeed;
  for (let at = 0; at < word.length; at += 1) {
    const code = word.charCodeAt(at);
    if (kind[code] !== unitKind.mark) hash = hashStep(hash, fold[code] ?? code);
  }
  return hash;
}

/** Words as the tokenizer cuts them: runs of letters. */
export const wordsOf = (phrase: string): string[] => phrase.match(/[\p{L}\p{M}]+/gu) ?? [];

export function hashPhrase(phrase: string): number {
  const [first, ...rest] = wordsOf(phrase);
  let hash = hashWord(first ?? '');
  for (const word of rest) hash = joinHashes(hash, hashWord(word));
  return hash;
}
