/**
 * Words and numbers of a text with what the tagger needs of each, in typed arrays that are reused from call to call
 * (nothing here outlives one).
 */
import { placeholderEnd } from '../trigger-literals.ts';
import { foldTable, hashSeed, hashStep, joinHashes, kindTable, unitKind } from './letters.ts';
import { anyName, anyPlace, flag, type Lexicon } from './lexicon.ts';

export const shape = {
  lower: 0,
  capital: 1,
  allCapitals: 2,
  initial: 3,
  mixed: 4,
  caseless: 5,
  number: 6,
  glued: 7,
} as const;
/** What stands between a token and the one before it. */
export const gap = {
  space: 0,
  start: 1,
  line: 2,
  sentence: 3,
  comma: 4,
  colon: 5,
  quote: 6,
  bracket: 7,
  hyphen: 8,
  apostrophe: 9,
  period: 10,
  other: 11,
  handle: 12,
  none: 13,
} as const;

export type Tokens = {
  count: number;
  start: Int32Array;
  end: Int32Array;
  hash: Int32Array;
  bits: Uint16Array;
  /** Bits of the longest known phrase the token is part of. */
  phrase: Uint16Array;
  shape: Uint8Array;
  /** `gap[count]` is what follows the last token. */
  gap: Uint8Array;
  capitals: number;
  lowers: number;
  /** Holds letters of a script without case. */
  uncased: boolean;
  /** Holds digits. */
  numbers: boolean;
};

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
/** Kind of separator by its code, for ASCII; the strongest of a run wins. */
const separators = new Uint8Array(128).fill(gap.other);
for (const [chars, kind] of [
  [' \t', gap.space],
  ['\n\r', gap.line],
  ['.!?', gap.sentence],
  [',;', gap.comma],
  [':', gap.colon],
  ['"', gap.quote],
  ['([{<', gap.bracket],
  ['-', gap.hyphen],
  ["'", gap.apostrophe],
  ['@#_/\\=&%~$+*|', gap.handle],
] as const)
  for (const char of chars) separators[char.charCodeAt(0)] = kind;
const separatorOf = (code: number): number => {
  if (code < 128) return separators[code] ?? gap.other;
  if (code === 0x2019) return gap.apostrophe;
  if (code === 0x201c || code === 0x201d || code === 0xab || code === 0xbb || code === 0x201e) return gap.quote;
  if (code === 0x3002 || code === 0xff01 || code === 0xff1f || code === 0x2026) return gap.sentence;
  return gap.other;
};
const strength = [1, 9, 8, 7, 5, 6, 4, 3, 2, 2, 2, 3, 4, 0];

/** What lies in `from..to`, which holds no letter or digit. */
function gapBetween(text: string, from: number, to: number): number {
  if (to === from) return gap.none;
  const first = text.charCodeAt(from);
  if (to - from === 1) {
    if (first === 46) return gap.period;
    return separatorOf(first);
  }
  if (to - from > 64) return gap.sentence;
  let best: number = gap.space;
  for (let at = from; at < to; at += 1) {
    const kind = separatorOf(text.charCodeAt(at));
    if ((strength[kind] ?? 0) > (strength[best] ?? 0)) best = kind;
  }
  return best;
}

const placeholderHash = 1;
/** `[EMAIL]`, `[SECRET_KEY:l32]`, `[PERSON:k1:...]`: no word, and the end of whatever reads on from its neighbours. */
export const isPlaceholder = (all: Tokens, at: number): boolean =>
  all.hash[at] === placeholderHash && all.shape[at] === shape.glued;
/** Before or behind a word these make it part of a handle, a path, a key or a number, never a name. */
const gluing = new Uint8Array(128);
for (const char of '@#_/\\=$0123456789') gluing[char.charCodeAt(0)] = 1;
const glues = (code: number, kinds: Uint8Array): boolean =>
  code < 128 ? gluing[code] === 1 : kinds[code] === unitKind.digit;

// Constants of other modules are looked up where they are used; the loop over units is too hot for that.
const {
  lower: lowerUnit,
  upper: upperUnit,
  caseless: caselessUnit,
  mark: markUnit,
  digit: digitUnit,
  other: otherUnit,
} = unitKind;

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
  tokens.count = 0;
  tokens.uncased = false;
  tokens.numbers = false;
  while (at < length) {
    const code = text.charCodeAt(at);
    const kind = kinds[code] ?? 0;
    if (kind === otherUnit || kind === markUnit) {
      if (code === 91) {
        const close = placeholderEnd(text, at);
        if (close > 0) {
          // One token, whatever its type and key: the text reads the same however it was redacted.
          gaps[count] = count === 0 ? gap.start : gapBetween(text, last, at);
          starts[count] = at;
          at = close;
          ends[count] = at;
          hashes[count] = placeholderHash;
          known[count] = 0;
          phrases[count] = 0;
          shapes[count] = shape.glued;
          last = at;
          count += 1;
          continue;
        }
      }
      at += 1;
      continue;
    }
    const begin = at;
    let hash: number = hashSeed;
    let uppers = 0;
    let lowerCount = 0;
    if (kind === digitUnit) {
      while (at < length && kinds[text.charCodeAt(at)] === digitUnit) at += 1;
      tokens.numbers = true;
      hash = 7 + Math.min(6, at - begin);
      // `GB82`, `10f4`: part of a key, unless one letter follows (`221B Baker Street`).
      const kindBefore = begin > 0 ? (kinds[text.charCodeAt(begin - 1)] as number) : otherUnit;
      const kindAfter = at < length ? (kinds[text.charCodeAt(at)] as number) : otherUnit;
      shapes[count] =
        kindBefore === lowerUnit ||
        kindBefore === upperUnit ||
        ((kindAfter === lowerUnit || kindAfter === upperUnit) &&
          at + 1 < length &&
          kinds[text.charCodeAt(at + 1)] !== otherUnit)
          ? shape.glued
          : shape.number;
      known[count] = 0;
    } else {
      let caseless = 0;
      let unit = code;
      for (let what = kind; ; what = kinds[unit] as number) {
        if (what === lowerUnit) lowerCount += 1;
        else if (what === upperUnit) uppers += 1;
        else if (what === caselessUnit) caseless += 1;
        else if (what !== markUnit) break;
        if (what !== markUnit) hash = hashStep(hash, folds[unit] as number);
        at += 1;
        if (at >= length) break;
        unit = text.charCodeAt(at);
      }
      if (caseless > 0) tokens.uncased = true;
      const isUpper = kind === upperUnit;
      const glued =
        (begin > 0 && glues(text.charCodeAt(begin - 1), kinds)) ||
        (at < length && glues(unit, kinds)) ||
        at - begin > 40 ||
        (begin > 1 &&
          !isUpper &&
          text.charCodeAt(begin - 1) === 46 &&
          kinds[text.charCodeAt(begin - 2)] === lowerUnit) ||
        (unit === 46 && at + 1 < length && kinds[text.charCodeAt(at + 1)] === lowerUnit && at - begin > 1);
      shapes[count] = glued
        ? shape.glued
        : caseless > 0
          ? shape.caseless
          : uppers === 0
            ? shape.lower
            : uppers === 1 && isUpper
              ? lowerCount === 0
                ? shape.initial
                : shape.capital
              : lowerCount === 0
                ? shape.allCapitals
                : shape.mixed;
      known[count] = lexicon.lookup(hash);
      if (!glued) {
        if (uppers > 0) capitals += 1;
        else lowers += 1;
      }
    }
    gaps[count] =
      count === 0
        ? gap.start
        : begin - last === 1 && text.charCodeAt(last) === 32
          ? gap.space
          : gapBetween(text, last, begin);
    starts[count] = begin;
    ends[count] = at;
    hashes[count] = hash;
    phrases[count] = 0;
    last = at;
    count += 1;
  }
  tokens.count = count;
  // Neighbours are read without a look at the count: behind the last word stands nothing, whatever the text before left
  // there.
  for (let at = count; at < count + 4; at += 1) {
    hashes[at] = 0;
    known[at] = 0;
    phrases[at] = 0;
    shapes[at] = shape.glued;
    gaps[at + 1] = gap.start;
  }
  tokens.capitals = capitals;
  tokens.lowers = lowers;
  gaps[count] = count === 0 || length - last === 0 ? gap.start : gapBetween(text, last, length);
  markPhrases(lexicon);
  return tokens;
}

/** Finds known phrases of two to four words and gives their bits to each word. */
function markPhrases(known: Lexicon): void {
  const { count, bits: words, shape: shapes, gap: gaps, hash: hashes, phrase } = tokens;
  for (let first = 0; first + 1 < count; first += 1) {
    if (((words[first] as number) & flag.phraseStart) === 0) continue;
    if (shapes[first] === shape.lower && shapes[first + 1] !== shape.lower) continue;
    let hash = hashes[first] as number;
    let found = 0;
    let length = 0;
    for (let next = first + 1; next < first + 4 && next < count; next += 1) {
      const between = gaps[next] as number;
      if (between !== gap.space && between !== gap.hyphen && between !== gap.period && between !== gap.apostrophe)
        break;
      hash = joinHashes(hash, hashes[next] as number);
      const bits = known.lookupRare(hash) & (anyPlace | flag.introduces | flag.title | flag.capitalised);
      if (bits !== 0) {
        found = bits;
        length = next - first + 1;
      }
    }
    for (let at = first; at < first + length; at += 1) phrase[at] = (phrase[at] as number) | found;
  }
}

const opens = (kind: number): boolean =>
  kind === gap.start || kind === gap.line || kind === gap.sentence || kind === gap.quote;

/** Worth the tagger's time: written like a name, or in small letters and known as nothing else. */
export function isCandidate(all: Tokens, at: number): boolean {
  const form = all.shape[at] ?? 0;
  // The capital of a sentence's first word, or of `I`, says nothing of a very common word.
  if (
    form <= shape.initial &&
    form !== shape.lower &&
    ((all.bits[at] ?? 0) & (flag.veryCommon | flag.foreign)) !== 0 &&
    ((all.bits[at] ?? 0) & (flag.given | flag.country | flag.city)) === 0 &&
    (all.phrase[at] ?? 0) === 0 &&
    (form === shape.initial || opens(all.gap[at] ?? 0)) &&
    at + 1 < all.count &&
    all.shape[at + 1] === shape.lower
  )
    return false;
  if (form === shape.capital || form === shape.allCapitals || form === shape.mixed || form === shape.initial)
    return true;
  if (form !== shape.lower) return false;
  const bits = all.bits[at] ?? 0;
  if (((all.phrase[at] ?? 0) & anyPlace) !== 0) return true;
  return (
    (bits & (flag.given | flag.city | flag.country | flag.surname)) !== 0 &&
    (bits & (flag.veryCommon | flag.foreign | flag.dictionary | flag.introduces | flag.street | flag.organisation)) ===
      0 &&
    (bits & (anyName | anyPlace)) !== 0 &&
    (all.end[at] ?? 0) - (all.start[at] ?? 0) > 2
  );
}
