/**
 * Codes of letters and digits at a word: account numbers, identifiers by country, document numbers; spread over several
 * words perhaps.
 */
import type { Finding } from '../finding.ts';
import { isAlnum, isLetter } from './ascii.ts';
import { ibanEnd } from './cards.ts';
import { type Group, isBehindEscape, isWhole, standsAloneOrGlued } from './chain.ts';
import { type Context, nameBefore } from './context.ts';
import { documentType } from './documents.ts';
import { anyCode, idCodes } from './id-codes.ts';
import { scoreId } from './score-ids.ts';
import { contextIn, type NumberTask } from './number-task.ts';

/** Findings below it are not worth a policy's threshold. */
export const least = 0.3;
export const rankOf = (score: number): number => Math.round(44 + 16 * score);

export function ibanFrom(text: string, start: number): number {
  return start > 0 && /[A-Za-z0-9]/.test(text[start - 1] as string) && !isBehindEscape(text, start)
    ? -1
    : ibanEnd(text, start);
}

/** `YZ 61 48...`, `DE 89 37...`, `55555555-K`: letters one separator away belong to the number perhaps. */
export function nextToLetters(text: string, start: number, end: number): boolean {
  const before = text.charCodeAt(start - 1);
  if (
    (before === 32 || before === 45 || before === 46) &&
    isLetter(text.charCodeAt(start - 2)) &&
    !(isLetter(text.charCodeAt(start - 4)) && isLetter(text.charCodeAt(start - 5)))
  )
    return true;
  const after = text.charCodeAt(end);
  return (
    (after === 32 || after === 45 || after === 40 || after === 46) &&
    isLetter(text.charCodeAt(end + 1)) &&
    !isLetter(text.charCodeAt(end + 3))
  );
}

const maxWords = 7;
export const maxCompact = 18;

/** Words from `start` on that one identifier can spread over. */
function wordsFrom(text: string, start: number): readonly Group[] {
  const words: Group[] = [];
  let at = start;
  let total = 0;
  while (words.length < maxWords) {
    let end = at;
    while (end < text.length && end - at < 24 && isAlnum(text.charCodeAt(end))) end += 1;
    if (end === at) break;
    const digits = /\d/.test(text.slice(at, end));
    if (words.length > 0 && !digits && end - at > 3) break;
    total += end - at;
    if (total > maxCompact) break;
    words.push({ start: at, end });
    const gap = text[end] ?? '';
    if (!/[ \-./(:+]/.test(gap)) break;
    at = end + (gap === ' ' && /[-(]/.test(text[end + 1] ?? '') && text[end + 2] === ' ' ? 3 : 1);
  }
  return words;
}

export function codesFrom(task: NumberTask, wordStart: number): void {
  const { text, out, budget } = task;
  budget.left -= 2;
  const previous =
    /(?<![A-Za-z0-9_])(?:[A-Z]{1,3}|[A-Za-z]{2}(?= \S\d)|[A-Za-z]{2}(?= \d\d ))[ .-]$/.exec(
      text.slice(Math.max(0, wordStart - 5), wordStart),
    )?.[0].length ?? 0;
  const iban =
    previous === 3 && /^\d\d[ -]/.test(text.slice(wordStart, wordStart + 3))
      ? ibanFrom(text, wordStart - 3)
      : ibanFrom(text, wordStart);
  if (iban > 0) {
    out.push({
      start: previous === 3 && ibanEnd(text, wordStart) < 0 ? wordStart - 3 : wordStart,
      end: iban,
      type: 'IBAN',
      rank: 75,
      score: 0.98,
    });
    return;
  }
  for (const start of previous > 0 ? [wordStart - previous, wordStart] : [wordStart]) {
    let context: Context | undefined;
    const words = wordsFrom(text, start);
    if (words.length === 0 || (words.at(-1) as Group).end - start < 7) continue;
    let compact = '';
    let layout = '';
    for (const [index, word] of words.entries()) {
      const gap = index > 0 ? text.slice((words[index - 1] as Group).end, word.start).trim() || ' ' : '';
      compact += text.slice(word.start, word.end).toUpperCase();
      layout += `${gap}${word.end - word.start}`;
      const { end } = word;
      if (compact.length < 7 || !/\d.*\d.*\d.*\d/.test(compact) || !/[A-Z]/.test(compact)) continue;
      if (
        !standsAloneOrGlued(text, start, end) ||
        /^[-/_@+]\w|^==|^\.(?![A-Z][a-z])\w/.test(text.slice(end, end + 3)) ||
        (start > 0 && /[-./_@#+]/.test(text[start - 1] as string) && /\w/.test(text[start - 2] ?? ''))
      )
        continue;
      budget.left -= 8;
      context ??= contextIn(task, start, end);
      const whole = isWhole(text, start, end);
      let best: Finding | undefined;
      if (anyCode().test(compact))
        for (const row of idCodes) {
          const score = scoreId(row, { compact, layout, isGrouped: index > 0, isWhole: whole, context });
          if (score >= least && score > (best?.score ?? 0))
            best = {
              start,
              end: end + (text[end] === ')' && layout.includes('(') ? 1 : 0),
              type: row.type,
              rank: rankOf(score) + 1,
              score,
            };
        }
      const document =
        best === undefined || (best.score ?? 0) < 0.5
          ? documentType(compact, layout, index + 1, context, () => nameBefore(text, start, task.key))
          : undefined;
      if (document && document.score > (best?.score ?? 0))
        best = { start, end, type: document.type, rank: rankOf(document.score), score: document.score };
      if (best) out.push(best);
    }
  }
}
