import type { Finding } from './family.ts';

/**
 * One row of a family's table. `anchor` must occur in the text (a cheap test) before `pattern` runs; `pattern` has bounded repetition only, so
 * that its cost is linear in the text. `accept` judges the match: false drops it, a range narrows it.
 */
export type Detector = {
  readonly type: string;
  /** Higher wins where findings overlap. */
  readonly rank: number;
  readonly anchor: RegExp;
  readonly pattern: RegExp;
  readonly accept?: (match: RegExpExecArray, text: string) => boolean | { readonly start: number; readonly end: number };
};

/** Findings of one detector, in order. At most `limit`: a text that holds more is dropped whole by the caller. */
export function detect(text: string, detector: Detector, limit: number, into: Finding[]): void {
  if (!detector.anchor.test(text)) return;
  const { pattern, accept, type, rank } = detector;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (match[0].length === 0) {
      pattern.lastIndex += 1;
      continue;
    }
    const verdict = accept ? accept(match, text) : true;
    if (verdict === false) {
      // Candidates may overlap (a card inside a longer run of digits): go on behind the first character of a rejected one.
      pattern.lastIndex = match.index + Math.max(1, Math.min(match[0].length, 4));
      continue;
    }
    const range = verdict === true ? { start: match.index, end: match.index + match[0].length } : verdict;
    into.push({ ...range, type, rank });
    if (into.length > limit) return;
  }
}

const isWord = (code: number): boolean => (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
/** True when neither neighbour continues the match as a word. */
export function standsAlone(text: string, start: number, end: number): boolean {
  return !(start > 0 && isWord(text.charCodeAt(start - 1))) && !(end < text.length && isWord(text.charCodeAt(end)));
}
