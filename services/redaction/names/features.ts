/**
 * What the tagger looks at: hashed features of one token and its neighbours. Training and use call the same function.
 */
import { shape, type Tokens } from './tokens.ts';
import { foldTable } from './letters.ts';
import { anyName, anyPlace, flag } from './lexicon.ts';

export const featureBits = 16;
export const featureCount = 26;
const cell = (id: number, a: number, b: number): number =>
  Math.imul(Math.imul(a + id, 0x85ebca6b) ^ Math.imul(b ^ (id << 20), 0xc2b2ae35) ^ (a >>> 13), 0x27d4eb2f) >>>
  (32 - featureBits);

/**
 * Known bits of a word brought down to what tells names apart, and further down to their kinds: tables over all 65,536
 * sets of bits.
 */
const gistOf = (bits: number): number =>
  ((bits & flag.given) !== 0 ? 1 : (bits & flag.rareGiven) !== 0 ? 2 : 0) +
  ((bits & flag.surname) !== 0 ? 3 : (bits & flag.rareSurname) !== 0 ? 6 : 0) +
  ((bits & flag.country) !== 0 ? 9 : (bits & flag.city) !== 0 ? 18 : (bits & flag.town) !== 0 ? 27 : 0) +
  ((bits & flag.veryCommon) !== 0 ? 36 : (bits & (flag.dictionary | flag.foreign)) !== 0 ? 72 : 0) +
  ((bits & flag.capitalised) !== 0 ? 108 : 0) +
  ((bits & flag.organisation) !== 0 ? 216 : 0) +
  ((bits & flag.title) !== 0 ? 432 : 0) +
  ((bits & flag.street) !== 0 ? 864 : 0);
const coarseOf = (bits: number): number =>
  ((bits & anyName) !== 0 ? 1 : 0) +
  ((bits & anyPlace) !== 0 ? 2 : 0) +
  ((bits & (flag.veryCommon | flag.dictionary | flag.foreign)) !== 0 ? 4 : 0) +
  ((bits & flag.capitalised) !== 0 ? 8 : 0) +
  ((bits & flag.organisation) !== 0 ? 16 : 0) +
  ((bits & flag.title) !== 0 ? 32 : 0);
const gists = Uint16Array.from({ length: 65_536 }, (_, bits) => gistOf(bits));
const coarses = Uint8Array.from({ length: 65_536 }, (_, bits) => coarseOf(bits));
const gist = (bits: number): number => gists[bits] ?? 0;
const coarse = (bits: number): number => coarses[bits] ?? 0;
const nothing = 0x5bd1e995;

/** 0 all small letters, 1 usual text, 2 many capitals, 3 nearly only capitals. */
export const caseMode = (all: Tokens): number =>
  all.capitals === 0 ? 0 : all.capitals * 2 < all.lowers ? 1 : all.capitals < all.lowers * 4 ? 2 : 3;

/**
 * Fills `out` with `featureCount` cells for token `at`; `before` and `beforeThat` are the labels given to the two
 * tokens before it; `blind` hides the word itself.
 */
export function featuresAt(
  text: string,
  all: Tokens,
  at: number,
  mode: number,
  before: number,
  beforeThat: number,
  blind: boolean,
  out: Int32Array,
): void {
  const folds = foldTable();
  const { start, end, hash, bits, phrase, shape: shapes, gap: gaps, count } = all;
  const word = blind ? nothing : (hash[at] ?? 0);
  const form = shapes[at] ?? 0;
  const known = gist(bits[at] ?? 0);
  const inPhrase = coarse(phrase[at] ?? 0);
  const hasLeft = at > 0;
  const hasRight = at + 1 < count;
  const left = hasLeft ? (hash[at - 1] ?? 0) : nothing;
  const left2 = at > 1 ? (hash[at - 2] ?? 0) : nothing;
  const right = hasRight ? (hash[at + 1] ?? 0) : nothing;
  const right2 = at + 2 < count ? (hash[at + 2] ?? 0) : nothing;
  const leftForm = hasLeft ? (shapes[at - 1] ?? 0) : 9;
  const rightForm = hasRight ? (shapes[at + 1] ?? 0) : 9;
  const leftBits = hasLeft ? coarse(bits[at - 1] ?? 0) : 64;
  const rightBits = hasRight ? coarse(bits[at + 1] ?? 0) : 64;
  const gapLeft = gaps[at] ?? 0;
  const gapRight = gaps[at + 1] ?? 0;
  const first = start[at] ?? 0;
  const last = end[at] ?? 0;
  let suffix = 0;
  if (!blind)
    for (let index = last - 1; index >= last - 3; index -= 1)
      suffix = suffix * 1_021 + (index >= first ? (folds[text.charCodeAt(index)] ?? 0) : 0);
  out[0] = cell(0, form, mode);
  out[1] = cell(1, known, 0);
  out[2] = cell(2, known, form * 4 + mode);
  out[3] = cell(3, word, 0);
  out[4] = cell(4, suffix, form);
  out[5] = cell(5, left, gapLeft);
  out[6] = cell(6, left, left2);
  out[7] = cell(7, right, gapRight);
  out[8] = cell(8, right, right2);
  out[9] = cell(9, leftForm * 16 + gapLeft, form);
  out[10] = cell(10, rightForm * 16 + gapRight, form);
  out[11] = cell(11, leftBits * 16 + leftForm, known);
  out[12] = cell(12, rightBits * 16 + rightForm, known);
  out[13] = cell(13, before * 4 + beforeThat, gapLeft);
  out[14] = cell(14, before, known);
  out[15] = cell(15, before, word);
  out[16] = cell(16, gapLeft, known);
  out[17] = cell(17, gapRight, known);
  out[18] = cell(18, inPhrase, before);
  out[19] = cell(19, left, known);
  out[20] = cell(20, right, known);
  out[21] = cell(21, Math.min(12, last - first), form);
  out[22] = cell(22, before * 64 + rightForm * 4 + (rightBits & 3), coarse(bits[at] ?? 0));
  out[23] = cell(23, word, mode);
  out[24] = cell(24, left, before * 8 + form);
  out[25] = cell(
    25,
    hasRight && rightForm !== shape.lower ? coarse(bits[at + 1] ?? 0) * 16 + gapRight : 999,
    before * 256 + coarse(bits[at] ?? 0),
  );
}
