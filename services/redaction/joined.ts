/** Values that were cut in two: the last digits of one text and the first of the next, as neighbours in a conversation or as fields of one object. */
import { isCardNumber } from './structured/cards.ts';
import { digitsOf } from './structured/chain.ts';

export type Piece = { readonly text: string; readonly index: number };
export type Cut = { readonly type: string; readonly parts: readonly { readonly index: number; readonly start: number; readonly end: number }[] };

const lastDigits = /(?<!\d)\d{2,8}(?:[ \-.]\d{2,8}){0,4}(?=\D{0,24}$)/;
const firstDigits = /^\D{0,24}?(\d{2,8}(?:[ \-.]\d{2,8}){0,4})(?!\d)/;

/** Cards that begin at the end of one text and go on at the start of the next. Both parts hold four digits and more. */
export function cutValues(pieces: readonly Piece[]): readonly Cut[] {
  const cuts: Cut[] = [];
  for (let index = 0; index + 1 < pieces.length; index += 1) {
    const left = pieces[index] as Piece;
    const right = pieces[index + 1] as Piece;
    const tail = left.text.slice(-64);
    const before = lastDigits.exec(tail);
    const after = before && firstDigits.exec(right.text.slice(0, 80));
    if (!before || !after) continue;
    const head = after[1] as string;
    const [a, b] = [digitsOf(before[0]), digitsOf(head)];
    if (a.length < 4 || b.length < 4 || a.length + b.length < 15 || !isCardNumber(a + b)) continue;
    const start = left.text.length - tail.length + before.index;
    const at = after[0].length - head.length;
    cuts.push({ type: 'CREDIT_CARD', parts: [{ index: left.index, start, end: start + before[0].length }, { index: right.index, start: at, end: at + head.length }] });
  }
  return cuts;
}
