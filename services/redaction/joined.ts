/**
 * Values that were cut in two: the last digits of one text and the first of the next, as neighbours in a conversation
 * or as fields of one object.
 */
import { isCardNumber } from './structured/cards.ts';
import { digitsOf } from './structured/chain.ts';

export type Piece = { readonly text: string; readonly index: number };
export type Cut = {
  readonly type: string;
  readonly score: number;
  readonly parts: readonly { readonly index: number; readonly start: number; readonly end: number }[];
};

const lastDigits = /(?<!\d)\d{2,8}(?:[ \-.]\d{2,8}){0,4}(?=\D{0,24}$)/;
const firstDigits = /^\D{0,24}?(\d{2,8}(?:[ \-.]\d{2,8}){0,4})(?!\d)/;

/** Finds in a text of a few hundred units. */
export type Seek = (text: string) => readonly {
  readonly start: number;
  readonly end: number;
  readonly type: string;
  readonly rank: number;
  readonly score: number;
}[];

const margin = 80;
/** Checksums, prefixes and context of their own: what two unrelated texts do not make by chance. */
const isSure = (type: string, rank: number, score: number): boolean =>
  type === 'IBAN' ||
  (type === 'US_SSN' && score >= 0.9) ||
  (type === 'PHONE' && score >= 0.95) ||
  ((type === 'SECRET_KEY' || type === 'SECRET_JWT' || type === 'SECRET_PRIVATE_KEY') && rank >= 86);
/** A letter or a digit ends one and begins the other, and digits are near. */
const canGoOn = (tail: string, next: string): boolean =>
  /[\w+/=.:-]\s{0,2}$/.test(tail) &&
  /^\s{0,2}[\w+/=.-]/.test(next) &&
  /[\d_-]/.test(tail.slice(-24)) &&
  /\d/.test(next.slice(0, 24));

/** What lies over the seam when the texts are joined directly, or by a space. */
function findAcross(left: Piece, right: Piece, seek: Seek, cuts: Cut[]): void {
  const end = left.text.trimEnd();
  const from = Math.max(0, end.length - margin);
  const skipped = right.text.length - right.text.trimStart().length;
  const next = right.text.slice(skipped, skipped + margin * 2);
  for (const seam of ['', ' ']) {
    const head = end.slice(from);
    const found = seek(head + seam + next).find(
      (each) =>
        isSure(each.type, each.rank, each.score) &&
        each.start <= head.length - 2 &&
        each.end >= head.length + seam.length + 2,
    );
    if (found === undefined) continue;
    cuts.push({
      type: found.type,
      score: found.score,
      parts: [
        { index: left.index, start: from + found.start, end: end.length },
        { index: right.index, start: skipped, end: skipped + found.end - head.length - seam.length },
      ],
    });
    return;
  }
}

/** Cards that begin at the end of one text and go on at the start of the next. Both parts hold four digits and more. */
export function cutValues(pieces: readonly Piece[], seek: Seek): readonly Cut[] {
  const cuts: Cut[] = [];
  for (let index = 0; index + 1 < pieces.length; index += 1) {
    const left = pieces[index] as Piece;
    const right = pieces[index + 1] as Piece;
    const tail = left.text.slice(-64);
    const before = lastDigits.exec(tail);
    const after = before && firstDigits.exec(right.text.slice(0, 80));
    if (!before || !after) {
      if (canGoOn(tail, right.text)) findAcross(left, right, seek, cuts);
      continue;
    }
    const head = after[1] as string;
    const [a, b] = [digitsOf(before[0]), digitsOf(head)];
    if (a.length < 4 || b.length < 4 || a.length + b.length < 15 || !isCardNumber(a + b)) {
      if (canGoOn(tail, right.text)) findAcross(left, right, seek, cuts);
      continue;
    }
    const start = left.text.length - tail.length + before.index;
    const at = after[0].length - head.length;
    cuts.push({
      type: 'CREDIT_CARD',
      score: 0.8,
      parts: [
        { index: left.index, start, end: start + before[0].length },
        { index: right.index, start: at, end: at + head.length },
      ],
    });
  }
  return cuts;
}
