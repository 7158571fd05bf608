/**
 * What the tagger looks at: hashed features of one token and its neighbours. Training and use call the same function.
 */
import { foldTable } from './letters.ts';
import { anyName, anyPlace, flag, has } from './lexicon.ts';
import { shape, type Tokens } from './tokens.ts';

export const featureBits = 16;
export const featureCount = 26;
const cell = (id: number, a: number, b: number): number =>
  Math.imul(Math.imul(a + id, 0x85ebca6b) ^ Math.imul(b ^ (id << 20), 0xc2b2ae35) ^ (a >>> 13), 0x27d4eb2f) >>>
  (32 - featureBits);

/** Bits of a word brought down to what tells names apart: 0..1,727. */
const gistOf = (bits: number): number =>
  (has(bits, flag.given) ? 1 : has(bits, flag.rareGiven) ? 2 : 0) +
  (has(bits, flag.surname) ? 3 : has(bits, flag.rareSurname) ? 6 : 0) +
  (has(bits, flag.country) ? 9 : has(bits, flag.city) ? 18 : has(bits, flag.town) ? 27 : 0) +
  (has(bits, flag.veryCommon) ? 36 : has(bits, flag.dictionary | flag.foreign) ? 72 : 0) +
  (has(bits, flag.capitalised) ? 108 : 0) +
  (has(bits, flag.organisation) ? 216 : 0) +
  (has(bits, flag.title) ? 432 : 0) +
  (has(bits, flag.street) ? 864 : 0);
/** And further down, to kinds: 0..63. */
const kindOf = (bits: number): number =>
  (has(bits, anyName) ? 1 : 0) +
  (has(bits, anyPlace) ? 2 : 0) +
  (has(bits, flag.veryCommon | flag.dictionary | flag.foreign) ? 4 : 0) +
  (has(bits, flag.capitalised) ? 8 : 0) +
  (has(bits, flag.organisation) ? 16 : 0) +
  (has(bits, flag.title) ? 32 : 0);

/** Both by every set of bits there can be. */
type BitTables = { readonly gists: Uint16Array; readonly kinds: Uint8Array };
let tables: BitTables | undefined;
/** Made for the first text. */
function bitTables(): BitTables {
  if (tables !== undefined) return tables;
  const gists = new Uint16Array(65_536);
  const kinds = new Uint8Array(65_536);
  for (let bits = 0; bits < 65_536; bits += 1) {
    gists[bits] = gistOf(bits);
    kinds[bits] = kindOf(bits);
  }
  tables = { gists, kinds };
  return tables;
}
/** Stands for the word where there is none. */
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
  const { gists, kinds } = bitTables();
  const { start, end, hash, bits, phrase, shape: shapes, gap: gaps, count } = all;
  const word = blind ? nothing : (hash[at] ?? 0);
  const form = shapes[at] ?? 0;
  const known = gists[bits[at] ?? 0] ?? 0;
  const kind = kinds[bits[at] ?? 0] ?? 0;
  const inPhrase = kinds[phrase[at] ?? 0] ?? 0;
  const hasLeft = at > 0;
  const hasRight = at + 1 < count;
  const left = hasLeft ? (hash[at - 1] ?? 0) : nothing;
  const left2 = at > 1 ? (hash[at - 2] ?? 0) : nothing;
  const right = hasRight ? (hash[at + 1] ?? 0) : nothing;
  const right2 = at + 2 < count ? (hash[at + 2] ?? 0) : nothing;
  const leftForm = hasLeft ? (shapes[at - 1] ?? 0) : 9;
  const rightForm = hasRight ? (shapes[at + 1] ?? 0) : 9;
  const leftKind = hasLeft ? (kinds[bits[at - 1] ?? 0] ?? 0) : 64;
  const rightKind = hasRight ? (kinds[bits[at + 1] ?? 0] ?? 0) : 64;
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
  out[11] = cell(11, leftKind * 16 + leftForm, known);
  out[12] = cell(12, rightKind * 16 + rightForm, known);
  out[13] = cell(13, before * 4 + beforeThat, gapLeft);
  out[14] = cell(14, before, known);
  out[15] = cell(15, before, word);
  out[16] = cell(16, gapLeft, known);
  out[17] = cell(17, gapRight, known);
  out[18] = cell(18, inPhrase, before);
  out[19] = cell(19, left, known);
  out[20] = cell(20, right, known);
  out[21] = cell(21, Math.min(12, last - first), form);
  out[22] = cell(22, before * 64 + rightForm * 4 + (rightKind & 3), kind);
  out[23] = cell(23, word, mode);
  out[24] = cell(24, left, before * 8 + form);
  out[25] = cell(25, hasRight && rightForm !== shape.lower ? rightKind * 16 + gapRight : 999, before * 256 + kind);
}
