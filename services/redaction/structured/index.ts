/**
 * Structured personal data: numbers by country, cards, accounts, phones, addresses of mail, network and crypto, dates
 * of birth. Called with the hints of the scan; reads bounded windows around them.
 */
import type { Finding, LiteralHits } from '../detector.ts';
import type { Hints } from '../trigger-literals.ts';
import { buildAutomaton, eachLongest } from '../automaton.ts';
import { cardFrom, ibanEnd } from './cards.ts';
import { codesFrom, ibanFrom, least, maxCompact, nextToLetters, rankOf, type Word } from './codes.ts';
import { type Chain, chainAt, isBehindEscape, isWhole, joinGroups, standsAlone, standsAloneOrGlued } from './chain.ts';
import { nameBefore, says } from './context-words.ts';
import { schemeStart, scoreCryptoAddress } from './crypto.ts';
import { birthLiterals, findBirthdays, foreignBirthWords } from './dates.ts';
import { documentType } from './documents.ts';
import { emailLiterals, findEmails } from './email.ts';
import { numericIds } from './id-numbers.ts';
import { findColons, findDefanged, findMacs, ipv4From } from './network.ts';
import { isInsideCode, phoneFrom } from './phones.ts';
import { addressWords, findPostalCode, findPostalCodes, foreignPostalWords, postalWords } from './postal-codes.ts';
import { scoreId } from './score-ids.ts';
import { contextOf, type Task, type Budget } from './task.ts';

export type { Budget } from './task.ts';

/** `score` is how likely the finding is right (0..1), set against the policy's threshold of its type. */
export type ScoredFinding = Finding & { readonly score?: number };

const postal = [...postalWords, ...addressWords];
export const structuredLiterals: readonly string[] = [...emailLiterals, ...birthLiterals, ...postal];
const birthFrom = emailLiterals.length;
const postalFrom = birthFrom + birthLiterals.length;
const mailLiteral = emailLiterals.indexOf('mail');
const defangedLiterals = new Set<number>(
  ['[.]', '(.)', '[dot]', '(dot)', ' dot '].map((literal) => (emailLiterals as readonly string[]).indexOf(literal)),
);

/**
 * `secrets`: start and end, in turns, of what is a secret already: no number begins in there. `places`: postal codes
 * too.
 */
export function findStructured(
  text: string,
  hints: Hints,
  hits: LiteralHits | undefined,
  key: string | undefined,
  out: ScoredFinding[],
  budget: Budget,
  secrets: readonly number[] = [],
  places = true,
): void {
  const task: Task = { text, key, out, budget, around: undefined };
  const spelled: number[] = [];
  const births: number[] = [];
  for (let hit = 0; hits !== undefined && hit < hits.length; hit += 2) {
    const literal = hits[hit] as number;
    const at = hits[hit + 1] as number;
    if (literal >= postalFrom) {
      if (places) findPostalCodes(text, at, postal[literal - postalFrom] as string, out);
    } else if (literal >= birthFrom) births.push(at);
    else if (literal === mailLiteral) {
      // The word is common; only `at` near it makes an address of it.
      if (text.slice(Math.max(0, at - 70), at + 80).includes(' at ')) spelled.push(at);
    } else {
      spelled.push(at);
      if (defangedLiterals.has(literal) && /\d/.test(text[at - 1] ?? '')) findDefanged(text, at, out);
    }
  }
  budget.left -= hints.ats.length * 4 + hints.colons.length + spelled.length * 8 + births.length * 16;
  if (hints.ats.length > 0 || spelled.length > 0)
    findEmails(text, budget.left > 0 ? hints.ats : [], budget.left > 0 ? spelled : [], out);
  if (budget.left <= 0) return;
  const foreign = hints.nonAscii && hints.digits.length > 0 ? foreignWords(text, places, out) : noPlaces;
  if (births.length > 0 || foreign.length > 0 || key !== undefined) findBirthdays(text, births, foreign, key, out);
  if (hints.colons.length > 0) findColons(task, hints.colons);
  if (hints.macs.length > 0) findMacs(text, hints.macs, out);
  let done = -1;
  let secret = 0;
  for (const first of hints.digits) {
    if (first < done) continue;
    while (secret < secrets.length && (secrets[secret + 1] as number) <= first) secret += 2;
    if (secret < secrets.length && (secrets[secret] as number) <= first) continue;
    if (budget.left <= 0) return;
    done = numberAt(task, first);
  }
}

const noPlaces: readonly number[] = [];
let foreignTable: ReturnType<typeof buildAutomaton> | undefined;
/**
 * Ends of words of birth that hold letters beyond ASCII; what stands behind words for postal codes is looked at on the
 * way. One pass.
 */
function foreignWords(text: string, places: boolean, out: ScoredFinding[]): readonly number[] {
  foreignTable ??= buildAutomaton([...foreignBirthWords, ...foreignPostalWords]);
  const births: number[] = [];
  eachLongest(foreignTable, text, (literal, end) => {
    if (literal < foreignBirthWords.length) births.push(end);
    else if (places) findPostalCode(text, end, out);
  });
  return births;
}

const isLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
const isAlnum = (code: number): boolean => (code >= 48 && code <= 57) || isLetter(code);

/** Looks at the word or the chain of digit groups at `first`; answers where to go on. */
function numberAt(task: Task, first: number): number {
  const { text, out, budget } = task;
  let start = first;
  while (start > 0 && first - start < 120 && isAlnum(text.charCodeAt(start - 1)) && !isBehindEscape(text, start))
    start -= 1;
  let end = first + 1;
  while (end < text.length && isAlnum(text.charCodeAt(end))) end += 1;
  let hasLetters = start < first;
  for (let at = first; at < end && !hasLetters; at += 1) hasLetters = isLetter(text.charCodeAt(at));
  budget.left -= 1;
  if (end - start > 24 && hasLetters) {
    if (standsAlone(text, start, end)) {
      const score = scoreCryptoAddress(task, start, end);
      if (score >= least) out.push({ start: schemeStart(text, start), end, type: 'CRYPTO', rank: 60, score });
    }
    const label = /^iban(?=[A-Za-z]{2}\d\d)/i.test(text.slice(start, start + 8)) ? 4 : 0;
    const iban = end - start <= 44 ? ibanEnd(text, start + label) : -1;
    if (iban > 0) out.push({ start: start + label, end: iban, type: 'IBAN', rank: 75, score: 0.98 });
    return end;
  }
  // `D E 8 9 3 7...`: an account number with every unit spaced.
  if (end - start === 1 && /[A-Za-z][ -][A-Za-z][ -]$/.test(text.slice(Math.max(0, start - 4), start))) {
    const iban = ibanFrom(text, start - 4);
    if (iban > 0) {
      out.push({ start: start - 4, end: iban, type: 'IBAN', rank: 75, score: 0.9 });
      return iban;
    }
  }
  if (hasLetters) {
    // `is030594W903B`, `card4111...`: a label may stick to the value.
    const label = /^(?![A-Z]{2}\d\d(?!\d))[A-Za-z]{2,6}(?=\d)/.exec(text.slice(start, first + 3))?.[0].length ?? 0;
    codesFrom(task, start);
    if (label > 0) {
      codesFrom(task, start + label);
      chainFrom(task, chainAt(text, start + label));
      return Math.max(end, first + 1);
    }
    // A chain may begin inside: `+49151...`, `4111x`.
    if (start === first) chainFrom(task, chainAt(text, first));
    return end;
  }
  // Most numbers of prose end here: short, and no digits follow.
  if (end - start < 6 && !continues(text, end) && !(end - start === 2 && isUpper(text.charCodeAt(start - 2))))
    return end;
  const chain = chainAt(text, first);
  const lastGroup = chain.groups.at(-1) as Word;
  // `131052-308T`: the check letter sticks to the last group.
  if (
    chain.groups.length > 1 &&
    chain.groups.length < 6 &&
    isLetter(text.charCodeAt(lastGroup.end)) &&
    !isLetter(text.charCodeAt(lastGroup.end + 1))
  )
    codesFrom(task, start);
  if ((end - start !== 2 && end - start < 6 && chain.groups.length === 1) || !nextToLetters(text, start, end))
    chainFrom(task, chain);
  else {
    codesFrom(task, start);
    chainFrom(task, chain);
  }
  return (chain.groups.at(-1) as { end: number }).end;
}

const isUpper = (code: number): boolean => code >= 65 && code <= 90;
const isDigit = (code: number): boolean => code >= 48 && code <= 57;
/** A digit stands behind one to three units that are no letters. */
function continues(text: string, end: number): boolean {
  for (let at = end; at < end + 3 && at < text.length; at += 1) {
    if (isLetter(text.charCodeAt(at))) return false;
    if (isDigit(text.charCodeAt(at + 1))) return true;
  }
  return false;
}

const tight = /^[-./_:·*]$/;
/** SSA never issues area 000, 666 or 900-999, group 00, serial 0000. */
const ssn = /^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/;
const ssnLayouts: Readonly<Record<string, number>> = {
  '3-2-4': 0.8,
  '3 2 4': 0.65,
  '3.2.4': 0.65,
  '3/2/4': 0.5,
  '3-2 4': 0.65,
  '3 2-4': 0.65,
  '9': 0.05,
  '3-6': 0.35,
  '5-4': 0.35,
};

function chainFrom(task: Task, chain: Chain): void {
  const { text, out, budget } = task;
  const { groups, separators } = chain;
  let total = 0;
  for (let index = 0; index < groups.length; index += 1)
    total += (groups[index] as Word).end - (groups[index] as Word).start;
  if (total < 4) return;
  task.around = undefined;
  let phoneUntil = -1;
  if (isInsideCode(text, (groups[0] as Word).start)) return;
  for (let a = 0; a < groups.length; a += 1) {
    const first = groups[a] as Word;
    budget.left -= total >= 7 ? 4 : 1;
    if (separators[a] !== undefined) {
      const ip = ipv4From(task, chain, a);
      if (ip >= 0) {
        a = ip;
        task.around = undefined;
        continue;
      }
    }
    if (total < 6) continue;
    const card = total >= 12 ? cardFrom(text, chain, a) : -1;
    if (card >= 0) {
      const { end } = groups[card] as Word;
      const doubtful =
        card === a &&
        nameBefore(text, first.start, task.key).includes('not') &&
        !says(contextOf(task, first.start, end), 'card');
      out.push({ start: first.start, end, type: 'CREDIT_CARD', rank: 72, score: doubtful ? 0.4 : 0.95 });
      if (!doubtful) {
        a = card;
        task.around = undefined;
        continue;
      }
    }
    if (a > phoneUntil && total >= 7) {
      const phone = phoneFrom(task, chain, a);
      if (phone) {
        // Where one phone number is written down, a second one is likely.
        const score = Math.min(1, phone.score + (out.some(({ type }) => type === 'PHONE') ? 0.12 : 0));
        if (score >= least) out.push({ start: phone.start, end: phone.end, type: 'PHONE', rank: rankOf(score), score });
        if (score >= 0.5) phoneUntil = phone.last;
      }
    }
    if (a > 0 && tight.test(separators[a - 1] as string)) continue;
    idsFrom(task, chain, a);
  }
}

function idsFrom(task: Task, chain: Chain, a: number): void {
  const { text, out, budget } = task;
  const { groups, separators } = chain;
  const { start } = groups[a] as Word;
  let layout = '';
  for (let b = a; b < groups.length && b - a < 9; b += 1) {
    const group = groups[b] as Word;
    if (b > a) layout += (separators[b - 1] as string).trim() || ' ';
    layout += String(group.end - group.start);
    const compact = joinGroups(text, chain, a, b, maxCompact);
    if (compact === undefined) return;
    if (
      compact.length < 6 ||
      (b + 1 < groups.length && tight.test(separators[b] as string)) ||
      !standsAloneOrGlued(text, start, group.end)
    )
      continue;
    const rows = numericIds.get(compact.length);
    const behind = text.charCodeAt(group.end);
    // A comma before a letter is a list's or a table's; before a digit it may be the number's own, unless the number
    // has hyphens. `.Ok` is a sentence that goes on.
    if (
      (behind === 45 || behind === 46 || behind === 58) &&
      /^[-:]\w|^\.(?![A-Z][a-z])\w/.test(text.slice(group.end, group.end + 3))
    )
      continue;
    if (behind === 44 && !layout.includes('-') && /^,\d/.test(text.slice(group.end, group.end + 2))) continue;
    if (
      start > 0 &&
      /[$€£.@/\\-]/.test(text[start - 1] as string) &&
      /[\w.]/.test(text[start - 2] ?? '') &&
      !text.startsWith('...', start - 3)
    )
      continue;
    budget.left -= 4;
    const context = contextOf(task, start, group.end);
    const evidence = { compact, layout, isGrouped: b > a, isWhole: isWhole(text, start, group.end), context };
    let best: ScoredFinding | undefined;
    // Seconds since 1970 between 2014 and 2033 look like every ten-digit id there is.
    const isEpoch = b === a && /^1[4-9]\d{8}(?:\d{3})?$/.test(compact) && !evidence.isWhole;
    if (rows !== undefined) {
      for (const row of rows) {
        const score = scoreId(row, evidence) - (isEpoch && !says(context, row.id) ? 0.4 : 0);
        if (score >= least && score > (best?.score ?? 0))
          best = { start, end: group.end, type: row.type, rank: rankOf(score), score };
      }
    }
    const base =
      compact.length === 9
        ? (ssnLayouts[layout] ??
          (/^1 1 1[ -]1 1[ -]1 1 1 1$/.test(layout) ? (layout.includes('-') ? 0.6 : 0.1) : undefined))
        : undefined;
    if (base !== undefined && ssn.test(compact)) {
      const score =
        base +
        (says(context, 'ssn') ? 0.6 : says(context, 'id') ? 0.2 : 0) -
        ((b > a ? nameBefore(text, start, task.key) : context.before).includes('not') && !says(context, 'ssn')
          ? 0.4
          : 0);
      if (score >= least)
        out.push({
          start,
          end: group.end,
          type: 'US_SSN',
          rank: Math.round(46 + 16 * Math.min(1, score)),
          score: Math.min(1, score),
        });
    }
    if (best === undefined || (best.score ?? 0) < 0.5) {
      const document = documentType(compact, layout, b - a + 1, context, () => nameBefore(text, start, task.key));
      if (document !== undefined && document.score > (best?.score ?? 0))
        best = { start, end: group.end, type: document.type, rank: rankOf(document.score), score: document.score };
    }
    if (best) out.push(best);
  }
}
