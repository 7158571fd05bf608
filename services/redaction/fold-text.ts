/**
 * Text as patterns should see it: invisible characters dropped, digits of all scripts, full-width forms, dashes and
 * spaces brought to ASCII, look-alike letters inside words that mix scripts too. Only for text that holds non-ASCII;
 * `map` leads every unit back to the input.
 */
import { astralZeros, type FoldTables, foldTables, isMark } from './fold-tables.ts';

export type Mapped = {
  readonly text: string;
  /**
   * Where each unit of `text` came from, and one past the end. Half-open ranges map to half-open ranges: [map[start],
   * mapEnd[end - 1]).
   */
  readonly map: Int32Array;
  /** One past the input unit(s) that each unit of `text` stands for. */
  readonly mapEnd: Int32Array;
};

const isAsciiLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isWordUnit = (code: number): boolean => isAsciiLetter(code) || isDigit(code) || code > 0xbf;
const isHighHalf = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
/** A high half without its low one is a unit like any other, and what follows it is not its own. */
const isPair = (input: string, at: number): boolean =>
  isHighHalf(input.charCodeAt(at)) && at + 1 < input.length && (input.charCodeAt(at + 1) & 0xfc00) === 0xdc00;

/** The folded text as it grows; a unit's place in all three arrays is the same. */
type Folding = {
  readonly units: Uint16Array;
  readonly map: Int32Array;
  readonly mapEnd: Int32Array;
  length: number;
};

/** Room for the input and for all that becomes more than one unit: at most four for one. */
function roomFor(input: string, { more }: FoldTables): Folding {
  let expansions = 0;
  for (let index = 0; index < input.length; index += 1)
    if (input.charCodeAt(index) > 0x7f && more.has(input.charCodeAt(index))) expansions += 1;
  const size = input.length + expansions * 3;
  const map = new Int32Array(size + 1);
  return { units: new Uint16Array(size), map, mapEnd: new Int32Array(size + 1), length: 0 };
}

function put(folding: Folding, code: number, start: number, end: number): void {
  const { length } = folding;
  folding.units[length] = code;
  folding.map[length] = start;
  folding.mapEnd[length] = end;
  folding.length = length + 1;
}

/** Emoji: most of what stands beyond the basic plane, and nothing in it folds. */
const isEmoji = (point: number): boolean => point >= 0x1f000 && point <= 0x1fb00;
/** Variation selectors and tags. */
const isIgnorable = (point: number): boolean => point >= 0xe0000 && point <= 0xe0fff;

/** Folds the two halves at `at`; true when that changes something. */
function foldPair(input: string, at: number, folding: Folding): boolean {
  const point = input.codePointAt(at) ?? 0;
  if (isIgnorable(point)) return true;
  const zero = astralZeros.find((start) => point >= start && point < start + 10);
  const plain =
    zero !== undefined ? String(point - zero) : isEmoji(point) ? '' : input.slice(at, at + 2).normalize('NFKC');
  if (plain.length === 1) {
    put(folding, plain.charCodeAt(0), at, at + 2);
    return true;
  }
  put(folding, input.charCodeAt(at), at, at + 1);
  put(folding, input.charCodeAt(at + 1), at + 1, at + 2);
  return false;
}

/** The word that was looked at last: one past its end, and whether it holds ASCII letters. */
type Word = { end: number; isMixed: boolean };

/** A look-alike at `at` stands in a word that has ASCII letters too. Asks each word once, and of long ones a part. */
function isInMixedWord(input: string, at: number, word: Word): boolean {
  if (at < word.end) return word.isMixed;
  let start = at;
  while (start > 0 && at - start < 64 && isWordUnit(input.charCodeAt(start - 1))) start -= 1;
  word.end = at;
  while (word.end < input.length && word.end - at < 256 && isWordUnit(input.charCodeAt(word.end))) word.end += 1;
  word.isMixed = false;
  for (let unit = start; unit < word.end && !word.isMixed; unit += 1)
    word.isMixed = isAsciiLetter(input.charCodeAt(unit));
  return word.isMixed;
}

/** Strokes through letters belong to no language; other marks after a digit neither. */
const isIdleMark = (code: number, before: number): boolean =>
  isMark(code) && ((code >= 0x334 && code <= 0x338) || code >= 0x20d0 || isDigit(before));

/** Folds the unit at `at`; true when that changes something. */
function foldUnit(input: string, at: number, { to, look, more }: FoldTables, folding: Folding, word: Word): boolean {
  const code = input.charCodeAt(at);
  const several = more.get(code);
  if (several !== undefined) {
    for (const char of several) put(folding, char.charCodeAt(0), at, at + 1);
    return true;
  }
  let target = to[code] as number;
  if (folding.length > 0 && isIdleMark(code, folding.units[folding.length - 1] as number)) target = 0;
  if (look[code] !== 0 && isInMixedWord(input, at, word)) target = look[code] as number;
  if (target !== 0) put(folding, target, at, at + 1);
  return target !== code;
}

function isTouched(input: string, { touched }: FoldTables): boolean {
  for (let index = 0; index < input.length; index += 1) if (touched[input.charCodeAt(index)] === 1) return true;
  return false;
}

/** Undefined when folding changes nothing, which most non-ASCII text is. */
export function foldText(input: string): Mapped | undefined {
  const tables = foldTables();
  if (!isTouched(input, tables)) return undefined;
  const { touched } = tables;
  const folding = roomFor(input, tables);
  const word: Word = { end: 0, isMixed: false };
  let changed = false;
  for (let index = 0; index < input.length; ) {
    const code = input.charCodeAt(index);
    if (touched[code] === 0 && !isHighHalf(code)) {
      put(folding, code, index, index + 1);
      index += 1;
      continue;
    }
    const size = isPair(input, index) ? 2 : 1;
    if (size === 2 ? foldPair(input, index, folding) : foldUnit(input, index, tables, folding, word)) changed = true;
    index += size;
  }
  if (!changed) return undefined;
  const { units, map, mapEnd, length } = folding;
  map[length] = input.length;
  mapEnd[length] = input.length;
  return { text: textOf(units, length), map, mapEnd };
}

const smallText = 512;
/** UTF-16 units as a string. A call's arguments hold the short ones, which then take a byte a unit where they can. */
export function textOf(units: Uint16Array, length: number): string {
  if (length <= smallText) return String.fromCharCode(...units.subarray(0, length));
  return Buffer.from(units.buffer, units.byteOffset, length * 2).toString('utf16le');
}
