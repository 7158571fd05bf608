/**
 * Cuts a text into words and numbers, in one pass, with what the tagger needs of each. The arrays are reused from call
 * to call: what `tokenize` answers is good until it is called again.
 */
import { placeholderEnd } from '../placeholder-end.ts';
import { foldTable, hashSeed, hashStep, joinHashes, kindTable, unitKind } from './letters.ts';
import { anyPlace, flag, type Lexicon } from './lexicon.ts';
import { gapBetween } from './separators.ts';
import { gap, placeholderHash, shape, type Tokens } from './tokens.ts';

const room = (size: number): Tokens => ({
  count: 0,
  start: new Int32Array(size),
  end: new Int32Array(size),
  hash: new Int32Array(size),
  bits: new Uint16Array(size),
  phrase: new Uint16Array(size),
  shape: new Uint8Array(size),
  gap: new Uint8Array(size + 1),
  capitals: 0,
  lowers: 0,
  uncased: false,
  numbers: false,
});
let tokens = room(4_096);

/** Before or behind a word these make it part of a handle, a path, a key or a number, never a name. */
const gluing = new Uint8Array(128);
for (const char of '@#_/\\=$0123456789') gluing[char.charCodeAt(0)] = 1;
const glues = (code: number, kinds: Uint8Array): boolean =>
  code < 128 ? gluing[code] === 1 : kinds[code] === digitUnit;

// Constants of other modules are looked up where they are used; the loop over units is too hot for that.
const {
  lower: lowerUnit,
  upper: upperUnit,
  caseless: caselessUnit,
  mark: markUnit,
  digit: digitUnit,
  other: otherUnit,
} = unitKind;

/** `GB82`, `10f4`: part of a key, unless one letter follows (`221B Baker Street`). */
function numberShape(text: string, kinds: Uint8Array, begin: number, end: number): number {
  const before = begin > 0 ? kinds[text.charCodeAt(begin - 1)] : otherUnit;
  if (before === lowerUnit || before === upperUnit) return shape.glued;
  if (end + 1 >= text.length) return shape.number;
  const after = kinds[text.charCodeAt(end)];
  const isKey = (after === lowerUnit || after === upperUnit) && kinds[text.charCodeAt(end + 1)] !== otherUnit;
  return isKey ? shape.glued : shape.number;
}

const longestWord = 40;
/** Part of a handle, a path, a key or a domain: `@maria`, `a/b`, `example.org`. */
function isGlued(text: string, kinds: Uint8Array, begin: number, end: number): boolean {
  if (end - begin > longestWord) return true;
  if (begin > 0) {
    const before = text.charCodeAt(begin - 1);
    if (glues(before, kinds)) return true;
    const isTail = before === 46 && begin > 1 && kinds[text.charCodeAt(begin)] !== upperUnit;
    if (isTail && kinds[text.charCodeAt(begin - 2)] === lowerUnit) return true;
  }
  if (end >= text.length) return false;
  const after = text.charCodeAt(end);
  if (glues(after, kinds)) return true;
  return after === 46 && end - begin > 1 && end + 1 < text.length && kinds[text.charCodeAt(end + 1)] === lowerUnit;
}

/** Shape of a word with so many letters of each kind. */
function wordShape(uppers: number, lowers: number, caseless: number, opensUpper: boolean): number {
  if (caseless > 0) return shape.caseless;
  if (uppers === 0) return shape.lower;
  if (uppers === 1 && opensUpper) return lowers === 0 ? shape.initial : shape.capital;
  return lowers === 0 ? shape.allCapitals : shape.mixed;
}

export function tokenize(text: string, lexicon: Lexicon): Tokens {
  const kinds = kindTable();
  const folds = foldTable();
  const { length } = text;
  // A token a unit at most.
  if (tokens.start.length < length + 6) tokens = room(length * 2 + 6);
  const { start: starts, end: ends, hash: hashes, bits: known, phrase: phrases, shape: shapes, gap: gaps } = tokens;
  let count = 0;
  let capitals = 0;
  let lowers = 0;
  let at = 0;
  let last = 0;
  tokens.uncased = false;
  tokens.numbers = false;
  while (at < length) {
    const code = text.charCodeAt(at);
    const kind = kinds[code] as number;
    const begin = at;
    let hash: number = hashSeed;
    if (kind === otherUnit || kind === markUnit) {
      // One token, whatever its type and key: the text reads the same however it was redacted.
      const close = code === 91 ? placeholderEnd(text, at) : -1;
      at = close > 0 ? close : at + 1;
      if (close < 0) continue;
      hash = placeholderHash;
      shapes[count] = shape.glued;
      known[count] = 0;
    } else if (kind === digitUnit) {
      while (at < length && kinds[text.charCodeAt(at)] === digitUnit) at += 1;
      tokens.numbers = true;
      hash = 7 + Math.min(6, at - begin);
      shapes[count] = numberShape(text, kinds, begin, at);
      known[count] = 0;
    } else {
      let upperCount = 0;
      let lowerCount = 0;
      let caseless = 0;
      let unit = code;
      for (let what = kind; ; what = kinds[unit] as number) {
        if (what === lowerUnit) lowerCount += 1;
        else if (what === upperUnit) upperCount += 1;
        else if (what === caselessUnit) caseless += 1;
        else if (what !== markUnit) break;
        if (what !== markUnit) hash = hashStep(hash, folds[unit] as number);
        at += 1;
        if (at >= length) break;
        unit = text.charCodeAt(at);
      }
      if (caseless > 0) tokens.uncased = true;
      known[count] = lexicon.lookup(hash);
      if (isGlued(text, kinds, begin, at)) shapes[count] = shape.glued;
      else {
        shapes[count] = wordShape(upperCount, lowerCount, caseless, kind === upperUnit);
        if (upperCount > 0) capitals += 1;
        else lowers += 1;
      }
    }
    const isPlainSpace = begin - last === 1 && text.charCodeAt(last) === 32;
    gaps[count] = count === 0 ? gap.start : isPlainSpace ? gap.space : gapBetween(text, last, begin);
    starts[count] = begin;
    ends[count] = at;
    hashes[count] = hash;
    phrases[count] = 0;
    last = at;
    count += 1;
  }
  tokens.capitals = capitals;
  tokens.lowers = lowers;
  closeTokens(count);
  if (count > 0 && length > last) gaps[count] = gapBetween(text, last, length);
  markPhrases(lexicon);
  return tokens;
}

/**
 * Neighbours are read without a look at the count: behind the last word stands nothing, whatever the text before left
 * there.
 */
function closeTokens(count: number): void {
  tokens.count = count;
  const { hash, bits, phrase, shape: shapes, gap: gaps } = tokens;
  gaps[count] = gap.start;
  for (let at = count; at < count + 4; at += 1) {
    hash[at] = 0;
    bits[at] = 0;
    phrase[at] = 0;
    shapes[at] = shape.glued;
    gaps[at + 1] = gap.start;
  }
}

const longestPhrase = 4;
const joinsPhrase = (kind: number): boolean =>
  kind === gap.space || kind === gap.hyphen || kind === gap.period || kind === gap.apostrophe;
/** Finds known phrases of two to four words and gives their bits to each word. */
function markPhrases(lexicon: Lexicon): void {
  const { count, bits: words, shape: shapes, gap: gaps, hash: hashes, phrase } = tokens;
  for (let first = 0; first + 1 < count; first += 1) {
    if (((words[first] as number) & flag.phraseStart) === 0) continue;
    if (shapes[first] === shape.lower && shapes[first + 1] !== shape.lower) continue;
    let hash = hashes[first] as number;
    let found = 0;
    let length = 0;
    for (let next = first + 1; next < first + longestPhrase && next < count; next += 1) {
      const between = gaps[next] as number;
      if (!joinsPhrase(between)) break;
      hash = joinHashes(hash, hashes[next] as number);
      const bits = lexicon.lookupRare(hash) & (anyPlace | flag.introduces | flag.title | flag.capitalised);
      if (bits !== 0) {
        found = bits;
        length = next - first + 1;
      }
    }
    for (let at = first; at < first + length; at += 1) phrase[at] = (phrase[at] as number) | found;
  }
}
