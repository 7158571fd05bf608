/**
 * Numbers: every run of digits is read as a word (codes, addresses of wallets) and as a chain of groups (cards, phones,
 * identifiers, IP addresses).
 */
import { type Detector, noHits } from '../detector.ts';
import type { Found } from '../finding.ts';
import { isAlnum, isDigit, isLetter, isUpper } from './ascii.ts';
import { ibanEnd } from './cards.ts';
import { type Chain, chainAt, isBehindEscape, standsAlone } from './chain.ts';
import { findInChain } from './chain-numbers.ts';
import { codesFrom, ibanFrom, least, nextToLetters } from './codes.ts';
import { schemeStart, scoreCryptoAddress } from './crypto.ts';
import type { NumberTask } from './number-task.ts';

/** Start and end, in turns, ascending, of what is surely a secret: no number begins inside of one. */
function sureSecrets(found: readonly Found[]): readonly number[] {
  let sure: Found[] | undefined;
  for (const finding of found) {
    if (finding.tier !== 'secrets' || finding.rank < 86) continue;
    sure ??= [];
    sure.push(finding);
  }
  if (sure === undefined) return noHits;
  if (sure.length > 1) sure.sort((a, b) => a.start - b.start);
  const ranges: number[] = [];
  for (const { start, end } of sure) ranges.push(start, end);
  return ranges;
}

export const numberDetector: Detector = {
  name: 'numbers',
  tier: 'structured',
  types: [
    'CREDIT_CARD',
    'IBAN',
    'PHONE',
    'US_SSN',
    'NATIONAL_ID',
    'BUSINESS_ID',
    'PASSPORT',
    'DRIVER_LICENSE',
    'BANK_ROUTING',
    'CRYPTO',
    'IP',
    'MAC',
  ],
  literals: [],
  hints: ['digits'],
  find({ text, key, hints, budget, found, out }) {
    const task: NumberTask = { text, key, budget, out, around: undefined };
    const secrets = sureSecrets(found);
    let done = -1;
    let secret = 0;
    for (const first of hints.digits) {
      if (first < done) continue;
      while (secret < secrets.length && (secrets[secret + 1] as number) <= first) secret += 2;
      if (secret < secrets.length && (secrets[secret] as number) <= first) continue;
      if (budget.left <= 0) return;
      done = findAt(task, first);
    }
  },
};

/** Reads the word or the chain of digit groups at `first`; answers where to go on. */
function findAt(task: NumberTask, first: number): number {
  const { text, budget } = task;
  let start = first;
  while (start > 0 && first - start < 120 && isAlnum(text.charCodeAt(start - 1)) && !isBehindEscape(text, start))
    start -= 1;
  let end = first + 1;
  while (end < text.length && isAlnum(text.charCodeAt(end))) end += 1;
  let hasLetters = start < first;
  for (let at = first; at < end && !hasLetters; at += 1) hasLetters = isLetter(text.charCodeAt(at));
  budget.left -= 1;
  if (end - start > 24 && hasLetters) {
    findInLongWord(task, start, end);
    return end;
  }
  const spacedIban = end - start === 1 ? findSpacedIban(task, start) : -1;
  if (spacedIban > 0) return spacedIban;
  if (hasLetters) return findInWord(task, start, first, end);
  // Most numbers of prose end here: short, and no digits follow.
  if (end - start < 6 && !goesOn(text, end) && !(end - start === 2 && isUpper(text.charCodeAt(start - 2)))) return end;
  return findInDigits(task, start, end);
}

/** A wallet's address, or an account number with its label stuck to it. */
function findInLongWord(task: NumberTask, start: number, end: number): void {
  const { text, out } = task;
  if (standsAlone(text, start, end)) {
    const score = scoreCryptoAddress(task, start, end);
    if (score >= least) out.push({ start: schemeStart(text, start), end, type: 'CRYPTO', rank: 60, score });
  }
  const label = /^iban(?=[A-Za-z]{2}\d\d)/i.test(text.slice(start, start + 8)) ? 4 : 0;
  const iban = end - start <= 44 ? ibanEnd(text, start + label) : -1;
  if (iban > 0) out.push({ start: start + label, end: iban, type: 'IBAN', rank: 75, score: 0.98 });
}

/** `D E 8 9 3 7...`: an account number with every unit spaced. Answers its end, or -1. */
function findSpacedIban({ text, out }: NumberTask, start: number): number {
  if (!/[A-Za-z][ -][A-Za-z][ -]$/.test(text.slice(Math.max(0, start - 4), start))) return -1;
  const iban = ibanFrom(text, start - 4);
  if (iban > 0) out.push({ start: start - 4, end: iban, type: 'IBAN', rank: 75, score: 0.9 });
  return iban;
}

/** A word of letters and digits, of which the first digit is at `first`. */
function findInWord(task: NumberTask, start: number, first: number, end: number): number {
  const { text } = task;
  // `is030594W903B`, `card4111...`: a label may stick to the value.
  const label = /^(?![A-Z]{2}\d\d(?!\d))[A-Za-z]{2,6}(?=\d)/.exec(text.slice(start, first + 3))?.[0].length ?? 0;
  codesFrom(task, start);
  if (label > 0) {
    codesFrom(task, start + label);
    findInChain(task, chainAt(text, start + label));
    return Math.max(end, first + 1);
  }
  // A chain may begin inside: `+49151...`, `4111x`.
  if (start === first) findInChain(task, chainAt(text, first));
  return end;
}

/** Digits alone, and the groups behind them. */
function findInDigits(task: NumberTask, start: number, end: number): number {
  const { text } = task;
  const chain = chainAt(text, start);
  const { groups } = chain;
  const last = (groups.at(-1) as Chain['groups'][0]).end;
  // `131052-308T`: the check letter sticks to the last group.
  if (groups.length > 1 && groups.length < 6 && endsInLetter(text, last)) codesFrom(task, start);
  const isShortAndAlone = end - start !== 2 && end - start < 6 && groups.length === 1;
  if (!isShortAndAlone && nextToLetters(text, start, end)) codesFrom(task, start);
  findInChain(task, chain);
  return last;
}

const endsInLetter = (text: string, end: number): boolean =>
  isLetter(text.charCodeAt(end)) && !isLetter(text.charCodeAt(end + 1));

/** A digit stands behind one to three units that are no letters. */
function goesOn(text: string, end: number): boolean {
  for (let at = end; at < end + 3 && at < text.length; at += 1) {
    if (isLetter(text.charCodeAt(at))) return false;
    if (isDigit(text.charCodeAt(at + 1))) return true;
  }
  return false;
}
