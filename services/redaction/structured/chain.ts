/**
 * Digits as people group them: runs of digits with at most three separators between. Every structured detector of
 * numbers starts from such a chain.
 */
import { pattern } from '../pattern.ts';
import { isDigit, isWordUnit } from './ascii.ts';

export type Group = { readonly start: number; readonly end: number };
export type Chain = {
  readonly groups: readonly Group[];
  /** `separators[i]` stands between groups i and i + 1. */
  readonly separators: readonly string[];
};

const separatorUnits = new Uint8Array(128);
for (const char of ' \t\n\r.-_/()·*:|+\u007e') separatorUnits[char.charCodeAt(0)] = 1;
const isSeparator = (code: number): boolean =>
  code < 128 ? separatorUnits[code] === 1 : code === 0xb7 || code === 0x2022;

/** A chain is looked at in pieces of this many groups: a wall of numbers costs linear time. */
const maxGroups = 24;
const maxGap = 3;

export function chainAt(text: string, first: number): Chain {
  const groups: Group[] = [];
  const separators: string[] = [];
  let at = first;
  for (;;) {
    let end = at + 1;
    while (isDigit(text.charCodeAt(end))) end += 1;
    groups.push({ start: at, end });
    if (groups.length >= maxGroups) break;
    let next = end;
    while (next - end < maxGap && isSeparator(text.charCodeAt(next))) next += 1;
    // Groups of four between commas are a card; other commas separate numbers.
    if (next === end && text.charCodeAt(end) === 44 && end - at === 4) next += 1;
    if (next === end || !isDigit(text.charCodeAt(next))) break;
    separators.push(text.slice(end, next));
    at = next;
  }
  return { groups, separators };
}

export const digitsOf = (text: string): string => text.replaceAll(/\D/g, '');

/** Groups a to b, inclusive, as digits only, or undefined when there are more than `max`. */
export function joinGroups(text: string, { groups }: Chain, a: number, b: number, max: number): string | undefined {
  let digits = '';
  for (let index = a; index <= b; index += 1) {
    const { start, end } = groups[index] as Group;
    if (digits.length + end - start > max) return undefined;
    digits += text.slice(start, end);
  }
  return digits;
}

/** The letter of an escape that was left as it is (`\\n4111...`) ends before `at`. */
export const isBehindEscape = (text: string, at: number): boolean =>
  text.charCodeAt(at - 2) === 92 && /[nrt]/.test(text[at - 1] ?? '');
/** `_` around a value is emphasis; within a word it joins. */
const beginsAlone = (text: string, start: number): boolean =>
  start === 0 ||
  !isWordUnit(text.charCodeAt(start - 1)) ||
  (text.charCodeAt(start - 1) === 95 && !(start > 1 && isWordUnit(text.charCodeAt(start - 2)))) ||
  isBehindEscape(text, start);
const endsAlone = (text: string, end: number): boolean =>
  end >= text.length ||
  !isWordUnit(text.charCodeAt(end)) ||
  (text.charCodeAt(end) === 95 && !(end + 1 < text.length && isWordUnit(text.charCodeAt(end + 1))));
/** Neither a letter, a digit nor `_` of ASCII stands at its edges: a value, not a piece of an identifier. */
export const standsAlone = (text: string, start: number, end: number): boolean =>
  beginsAlone(text, start) && endsAlone(text, end);

/** Words that may stick to a value from the left: `card4111...`, `is030594W903B`, `ssn536-22-1234`. */
const gluedWord = pattern('i')`
    (?:^|[^a-z0-9])(?:is|was|no|nr|num|number|id|tel|phone|fax|mob|call|card|visa|cc|pan|ssn|iban|nr|to|at
    |dob|born|on|ist|es|est|mail|email)$
  `;
export const standsAloneOrGlued = (text: string, start: number, end: number): boolean =>
  endsAlone(text, end) && (beginsAlone(text, start) || gluedWord.test(text.slice(Math.max(0, start - 8), start)));

/** The range is all that the text holds, but for white space and quotes. */
export const isWhole = (text: string, start: number, end: number): boolean =>
  start <= 4 && text.length - end <= 4 && /^[\s"'`(.,;:]*$/.test(text.slice(0, start) + text.slice(end));
