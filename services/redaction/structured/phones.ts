/** Phone numbers: with a calling code by E.164's plan, without one by grouping and the words around. */
import { pattern } from '../pattern.ts';
import { type Chain, type Group, isBehindEscape, isWhole, standsAlone } from './chain.ts';
import { type Context, nameBefore, says } from './context.ts';
import { contextOf, type NumberTask } from './number-task.ts';

/** Calling codes by their first digits (ITU-T E.164 assignments). */
const callingCode = pattern()`
    ^(?:1[2-9]|7[3-9]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-689]\d|3[578]\d|42\d|50\d
    |59\d|67\d|68\d|69\d|8[058]\d|9[679]\d)
  `;

export type PhoneFound = {
  readonly start: number;
  readonly end: number;
  readonly last: number;
  readonly score: number;
};

const phoneGap = /^(?:[ .\-/()]|-\(|[ -] |\) ?|\)[-./]| ?\(| [-–] |\)\(|\) ?[-/]|\. |--|[ ]{2}| \. )$/;
const extension = /^ {0,2}(?:x|ext\.?|extension|#|доб\.?|durchwahl|wew\.?) {0,2}\d{1,6}(?![\dA-Za-z])/i;

/**
 * Mobile numbers of countries where people write them bare (national numbering plans); a leading zero is the trunk
 * prefix.
 */
const bareMobile = /^(?:0\d{9,10}|1[3-9]\d{9}|[6-9]\d{9}|[2-9]\d{2}[2-9]\d{6})$/;

/** From group `a` of a chain: the longest run of groups that can be one phone number. */
export function phoneFrom(task: NumberTask, chain: Chain, a: number): PhoneFound | undefined {
  const { text } = task;
  const { groups, separators } = chain;
  const first = groups[a] as { start: number; end: number };
  let start = first.start;
  let plus = false;
  for (let back = start - 1; back >= 0 && start - back <= 3; back -= 1) {
    const char = text[back] as string;
    if (char === '+') {
      plus = true;
      start = back;
      break;
    }
    if (char !== '(' && char !== ' ') break;
  }
  if (!plus && text[first.start - 1] === '(') start = first.start - 1;
  if (plus && start > 0 && /[A-Za-z0-9+]/.test(text[start - 1] as string) && !/[a-z]/i.test(text[start - 1] as string))
    return undefined;
  const isInternational =
    plus ||
    (/^00[1-9]/.test(text.slice(first.start, first.end)) && (first.end - first.start >= 4 || a + 1 < groups.length));
  const most = isInternational ? 17 : 12;
  let b = a;
  let digits = text.slice(first.start, first.end);
  while (b + 1 < groups.length && phoneGap.test(separators[b] as string)) {
    const { start: from, end: to } = groups[b + 1] as { start: number; end: number };
    if (digits.length + to - from > most) break;
    b += 1;
    digits += text.slice(from, to);
  }
  for (; b >= a; b -= 1) {
    const last = groups[b] as { start: number; end: number };
    const size = groups.slice(a, b + 1).reduce((sum, group) => sum + group.end - group.start, 0);
    if (size < 7) return undefined;
    const found = judge(task, chain, {
      a,
      b,
      start,
      end: last.end,
      digits: digits.slice(0, size),
      isInternational,
      plus,
    });
    if (found > 0) {
      let end = last.end;
      if (text[end] === ')' && text.lastIndexOf('(', end) >= start) end += 1;
      end += extension.exec(text.slice(end, end + 18))?.[0].length ?? 0;
      return { start, end, last: b, score: found };
    }
    if (!isInternational) return undefined;
  }
  return undefined;
}

type Candidate = {
  readonly a: number;
  readonly b: number;
  readonly start: number;
  readonly end: number;
  readonly digits: string;
  readonly isInternational: boolean;
  readonly plus: boolean;
};

/** An account number's head, in groups: what follows is its tail. */
const accountHead = /(?<![A-Z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{1,4}){0,8}[ -]$/;
export const isInsideCode = (text: string, start: number): boolean =>
  /[ -]/.test(text[start - 1] ?? '') &&
  /[A-Z0-9]/.test(text[start - 2] ?? '') &&
  accountHead.test(text.slice(Math.max(0, start - 44), start));

/** Sizes of groups that numbers without a trunk prefix are written in. */
const usualShape = pattern()`
    ^(?:3-4|3-3-3|2-2-2-2(?:-2)?|4-4|3-2-3|2-3-3|3-3-2-2|3-4-4|2-4-4|5-5|5-6|4-6|4-3-3|4-7|3-8|2-8|1-2-3-4
    |3-2-2-2|2-3-2-2|2-7|2-6|3-7|1-7|1-3-4|2-4-3)$
  `;

/** `0049301234567` without a space: an order's number may begin with zeros too. */
const bareInternational = (around: Context, digits: number): number =>
  says(around, 'phone') ? 0.9 : digits >= 11 && !around.before.includes('not') ? 0.5 : 0.45;

/** Sizes of the groups of a candidate, and the separators between them. */
type Shape = { readonly sizes: readonly number[]; readonly gaps: readonly string[]; readonly name: string };

/** 0..1; 0 when it is none. */
function judge(task: NumberTask, chain: Chain, candidate: Candidate): number {
  const { text } = task;
  const { groups, separators } = chain;
  const { a, b, start, end, digits, isInternational } = candidate;
  if (goesOn(text, end)) return 0;
  if (b + 1 < groups.length && /^[-./_:]$/.test(separators[b] as string)) return 0;
  if (isInternational) return judgeInternational(task, chain, candidate);
  if (digits.length < 7 || digits.length > 12) return 0;
  if (a > 0 && /^[-./_:]$/.test(separators[a - 1] as string)) return 0;
  if (isPieceOfMore(text, start, end, separators.slice(a, b).includes('-'))) return 0;
  const sizes = groups.slice(a, b + 1).map((group) => group.end - group.start);
  const shape = { sizes, gaps: separators.slice(a, b), name: sizes.join('-') };
  if (isOtherShape(shape, digits)) return 0;
  const score = scoreShape(shape, digits, text[start] === '(', isWhole(text, start, end));
  return score + scoreWords(task, shape, candidate, a > 0 && separators[a - 1] === ' ');
}

/** A letter or digit stands behind, and is no extension. */
const goesOn = (text: string, end: number): boolean =>
  /[A-Za-z0-9_]/.test(text[end] ?? '') &&
  !/^_(?!\w)/.test(text.slice(end, end + 2)) &&
  !extension.test(text.slice(end, end + 18));

function judgeInternational(
  task: NumberTask,
  { groups }: Chain,
  { a, b, start, end, digits, plus }: Candidate,
): number {
  const { text } = task;
  const number = (plus ? digits : digits.slice(2)).replace(/^0+/, '');
  const plain = number.replace(/^(\d{1,3})0(?=\d{6})/, '$1');
  if (number.length < (plus ? 7 : 8) || plain.length > 15 || !callingCode.test(number)) return 0;
  if (plus) return 0.95;
  if (!standsAlone(text, start, end)) return 0;
  const first = groups[a] as Group;
  if (b > a && first.end - first.start <= 5) return 0.85;
  return bareInternational(contextOf(task, start, end), b === a && !isWhole(text, start, end) ? digits.length : 0);
}

/** What stands right before or behind makes it a piece of a longer value, an amount or a measure. */
function isPieceOfMore(text: string, start: number, end: number, hasHyphens: boolean): boolean {
  const before = text[start - 1] ?? '';
  if (/[A-Za-z0-9_]/.test(before) && !isBehindEscape(text, start)) return true;
  // Brackets and hyphens are a phone number's own: a comma next to it is a list's, not a decimal one.
  const isListed = text[start] === '(' || hasHyphens;
  if (/[#$€£@/\\]/.test(before)) return true;
  if (/[-.+]/.test(before) && /[\dA-Za-z]/.test(text[start - 2] ?? '')) return true;
  if (before === ',' && !isListed && /\d/.test(text[start - 2] ?? '')) return true;
  if ((isListed ? /^[.:]\d/ : /^[,.:]\d/).test(text.slice(end, end + 2))) return true;
  return /^ ?(?:%|ms|kb|mb|gb|bytes|eur|usd|€|\$)\b/i.test(text.slice(end, end + 7));
}

/** Dates, times, ranges of years, dotted versions and decimals. */
function isOtherShape({ sizes, gaps, name }: Shape, digits: string): boolean {
  if (/^(?:19|20)\d\d/.test(digits) && /^4-[12]-[12]|^4-4$/.test(name)) return true;
  if (/^[12]-[12]-4$/.test(name) || /^1-3-3(?:-3)*$/.test(name)) return true;
  if (gaps.every((gap) => gap === '.') && sizes.length === 2) return true;
  if (sizes[0] === 1 && gaps[0] === '.') return true;
  const hasSlash = gaps.some((gap) => gap === '/');
  return hasSlash && sizes.length > 2 && sizes.every((size) => size <= 4) && digits.length === 8;
}

/** With the trunk prefix, in groups with one or two kinds of separator. */
const isTrunkNumber = ({ sizes, gaps }: Shape, digits: string): boolean =>
  sizes.length >= 2 &&
  /^0(?!0)/.test(digits) &&
  digits.length >= 8 &&
  digits.length <= 12 &&
  new Set(gaps.map((gap) => gap.trim() || ' ')).size <= 2;

/** What grouping and digits say by themselves. */
function scoreShape(shape: Shape, digits: string, isBracketed: boolean, isAlone: boolean): number {
  const { sizes, gaps, name } = shape;
  if (/^3-4-4$/.test(name) && /^1[3-9]/.test(digits)) return 0.5;
  if (isBracketed && sizes.length >= 2 && (sizes[0] as number) <= 5) return digits.length >= 8 ? 0.6 : 0.3;
  if (name === '3-3-4') return /^[2-9]\d\d[2-9]/.test(digits) || digits.startsWith('0') ? 0.6 : 0.3;
  if (name === '3-2-4') return 0.1;
  if (isTrunkNumber(shape, digits)) return 0.55;
  if (name === '1-3-3-4' && digits.startsWith('1')) return 0.6;
  if (/^1-3-3-2-2$|^1-3-7$/.test(name) && /^[087]/.test(digits)) return 0.6;
  if (usualShape.test(name)) return gaps[0] === '-' && /^(?:3-4|2-7|4-4)$/.test(name) ? 0.3 : 0.25;
  if (sizes.length > 1) return 0;
  const isLongMobile = /^0[5-9]\d{9}$/.test(digits);
  const score = bareMobile.test(digits) ? (isLongMobile ? 0.42 : 0.2) : 0.05;
  return isLongMobile && isAlone ? score + 0.2 : score;
}

/** What the words around add and take away; `isTail`: a group of digits stands in front. */
function scoreWords(task: NumberTask, shape: Shape, { start, end, digits }: Candidate, isTail: boolean): number {
  const { text } = task;
  const { gaps, name } = shape;
  const context = contextOf(task, start, end);
  if (says(context, 'phone')) return context.before.at(-1) === 'phone' || !context.before.includes('not') ? 0.5 : 0.2;
  // Grouped like a phone number and nothing else: only its own name says that it is none.
  const isOnlyThat =
    text[start] === '(' ||
    (/^(?:1-)?3-3-4$/.test(name) && /[-.]/.test(gaps[0] as string)) ||
    (name === '2-2-2-2-2' && digits.startsWith('0'));
  const named = isOnlyThat ? nameBefore(text, start, task.key) : context.before;
  const isDenied = named.some((tag) => tag === 'not' || tag === 'version' || (tag === 'card' && !isOnlyThat));
  // A group of digits in front, or the head of an account number, makes it the tail of something longer.
  return (isTail ? -0.3 : 0) - (isDenied ? 0.4 : 0);
}
