/** What stands between two tokens, as one `gap`: the strongest of the separators there. */
import { gap } from './tokens.ts';

/** Kind of separator by its code: a table for ASCII, a map for the few beyond. */
const separators = new Uint8Array(128).fill(gap.other);
const foreignSeparators = new Map<number, number>();
for (const [chars, kind] of [
  [' \t', gap.space],
  ['\n\r', gap.line],
  ['.!?。！？…', gap.sentence],
  [',;', gap.comma],
  [':', gap.colon],
  ['"“”„«»', gap.quote],
  ['([{<', gap.bracket],
  ['-', gap.hyphen],
  ["'\u2019", gap.apostrophe],
  ['@#_/\\=&%~$+*|', gap.handle],
] as const)
  for (const char of chars) {
    const code = char.charCodeAt(0);
    if (code < 128) separators[code] = kind;
    else foreignSeparators.set(code, kind);
  }
const separatorOf = (code: number): number =>
  (code < 128 ? separators[code] : foreignSeparators.get(code)) ?? gap.other;

/** By `gap`: of several separators in a row the one with the highest number says what they are. */
const strength = [1, 9, 8, 7, 5, 6, 4, 3, 2, 2, 2, 3, 4, 0];
/** Two words further apart than this belong to two sentences, whatever stands between them. */
const farApart = 64;

/** What lies in [from, to), which holds no letter and no digit. */
export function gapBetween(text: string, from: number, to: number): number {
  if (to === from) return gap.none;
  const first = text.charCodeAt(from);
  if (to - from === 1) return first === 46 ? gap.period : separatorOf(first);
  if (to - from > farApart) return gap.sentence;
  let best: number = gap.space;
  for (let at = from; at < to; at += 1) {
    const kind = separatorOf(text.charCodeAt(at));
    if ((strength[kind] ?? 0) > (strength[best] ?? 0)) best = kind;
  }
  return best;
}
