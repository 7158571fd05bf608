/**
 * Names that a cased text announces: titles, "my name is", labels, salutations, signatures, in about twenty languages.
 * Works on tokens near the announcing word.
 */
import type { Finding } from '../finding.ts';
import { role, roleOf } from './announcing-words.ts';
import { anyName, anyPlace, flag, has, ordinary } from './lexicon.ts';
import { findSlavic } from './slavic-names.ts';
import { isParticle } from './small-words.ts';
import { bitsAt, endAt, gap, gapAt, hashAt, isPeriod, isWritten, joinsWords, pushPerson } from './tokens.ts';
import { shape, shapeAt, startAt, type Tokens } from './tokens.ts';

const isRole = (all: Tokens, at: number, roles: number): boolean => has(roleOf(hashAt(all, at)), roles);
const surelyName = flag.given | flag.surname;

/** The word at `at` may belong to the same name as the one before it: `J. Smith`, `Smith, Jr`. */
function joinsName(all: Tokens, at: number): boolean {
  const between = gapAt(all, at);
  if (joinsWords(between)) return true;
  if (isPeriod(between)) return all.shape[at - 1] === shape.initial;
  return between === gap.comma && isRole(all, at, role.suffix);
}

/** Of a word in a text without capitals: may it be the first, or the second and last, of a name. */
function isSmallName(all: Tokens, at: number, first: number, firm: boolean): boolean {
  const bits = bitsAt(all, at);
  if (at > first + 1 || isParticle(all, at)) return false;
  if (has(bits, flag.veryCommon | flag.foreign) && !has(bits, surelyName)) return false;
  return (firm && at === first) || has(bits, anyName);
}

/** Of a word with a capital. After the first word a common one ends the name, and a firm's word always does. */
function isNamePart(all: Tokens, at: number, first: number, firm: boolean): boolean {
  const bits = bitsAt(all, at);
  const isCommon = has(bits, ordinary) && !has(bits, surelyName);
  if (isCommon && (!firm || at > first)) return false;
  return !has(bits, flag.organisation | flag.introduces) || has(bits, anyName);
}

/** How much the word at `at` says, by itself, that a name stands here: 0, 1 or 2. */
function evidenceOf(all: Tokens, at: number, first: number): number {
  const bits = bitsAt(all, at);
  const isKnown = has(bits, flag.given | flag.rareGiven) || (!has(bits, ordinary) && at > first);
  const isUnlikeWords = !has(bits, ordinary | anyPlace) && all.shape[at] === shape.capital;
  return Number(isKnown) + Number(isUnlikeWords);
}

const mostWords = 6;
/**
 * Last token of the name that starts at `first`, or -1. `firm`: the announcement is sure, so words known as common may
 * be names.
 */
function nameFrom(all: Tokens, first: number, firm: boolean): number {
  if (first < all.count && isRole(all, first, role.title)) return -1;
  const small = all.capitals === 0;
  let last = -1;
  let evidence = firm ? 1 : 0;
  for (let at = first; at < all.count && at < first + mostWords; at += 1) {
    if (at > first && !joinsName(all, at)) break;
    const form = shapeAt(all, at);
    if (small && form === shape.lower) {
      if (!isSmallName(all, at, first, firm)) break;
      evidence += 1;
      last = at;
    } else if (isWritten(form)) {
      if (!isNamePart(all, at, first, firm)) break;
      evidence += evidenceOf(all, at, first);
      last = at;
    } else if (!(last >= 0 && isParticle(all, at) && at + 1 < all.count)) break;
  }
  return evidence > 0 ? last : -1;
}

/** First token behind an announcement, and whether that is sure. */
type Announced = { readonly first: number; readonly firm: boolean };

/** `name: Maria`, `name=Maria`, `name is Maria`, `Customer Maria`, from the noun at `at`. */
function behindNoun(text: string, all: Tokens, at: number): Announced | undefined {
  const next = at + 1;
  const after = gapAt(all, next);
  const isAssigned = after === gap.handle && text.charCodeAt(endAt(all, at)) === 61;
  if (after === gap.colon || isAssigned) return { first: next, firm: true };
  if (isRole(all, next, role.copula) && next + 1 < all.count)
    return { first: next + 1, firm: shapeAt(all, next + 1) !== shape.lower };
  return after === gap.space && isWritten(shapeAt(all, next)) ? { first: next, firm: false } : undefined;
}

/** `Regards,` and the end of its line. */
function closesLetter(text: string, all: Tokens, at: number): boolean {
  const after = gapAt(all, at + 1);
  if (after !== gap.line && after !== gap.comma) return false;
  return text.slice(endAt(all, at), startAt(all, at + 1)).includes('\n');
}

function announced(text: string, all: Tokens, at: number): Announced | undefined {
  const next = at + 1;
  if (next >= all.count) return undefined;
  const roles = roleOf(hashAt(all, at));
  if (has(roles, role.verb)) return { first: isRole(all, next, role.reflexive) ? next + 1 : next, firm: true };
  const behind = has(roles, role.noun) ? behindNoun(text, all, at) : undefined;
  if (behind !== undefined) return behind;
  if (has(roles, role.closing) && closesLetter(text, all, at)) return { first: next, firm: false };
  const after = gapAt(all, next);
  const isWeak = has(roles, role.weak) && (after === gap.space || after === gap.comma);
  return isWeak ? { first: next, firm: false } : undefined;
}

/** A title and the name behind it. */
function findTitled(all: Tokens, at: number, out: Finding[]): void {
  const next = at + 1;
  if (next >= all.count) return;
  const between = gapAt(all, next);
  const sure = isRole(all, at, role.title);
  if (between !== gap.space && !(sure && isPeriod(between))) return;
  if (!sure && !isWritten(shapeAt(all, at))) return;
  const bits = bitsAt(all, next);
  if (has(bits, flag.title) && isRole(all, next, role.title)) return;
  if (!sure && has(bits, flag.organisation | ordinary)) return;
  pushPerson(all, next, nameFrom(all, next, sure), sure ? 55 : 32, out);
}

const isUncommonCapital = (all: Tokens, at: number): boolean =>
  all.shape[at] === shape.capital && !has(bitsAt(all, at), ordinary);
/** `Maria Berg speaking`, `Peter here`, from the word before that. */
function findSpeaker(all: Tokens, at: number, out: Finding[]): void {
  if (at + 1 >= all.count || all.gap[at + 1] !== gap.space || !isRole(all, at + 1, role.speaking)) return;
  if (has(bitsAt(all, at), ordinary)) return;
  const isSecond = at > 0 && all.gap[at] === gap.space && isUncommonCapital(all, at - 1);
  pushPerson(all, isSecond ? at - 1 : at, at, 33, out);
}

export function findIntroduced(text: string, all: Tokens, out: Finding[]): void {
  for (let at = 0; at < all.count; at += 1) {
    const bits = bitsAt(all, at);
    if (has(bits, flag.title)) findTitled(all, at, out);
    if (has(bits, flag.introduces)) {
      const found = announced(text, all, at);
      if (found) pushPerson(all, found.first, nameFrom(all, found.first, found.firm), found.firm ? 56 : 33, out);
    }
    if (all.shape[at] !== shape.capital) continue;
    findSpeaker(all, at, out);
    const code = text.charCodeAt(startAt(all, at));
    if (code >= 0x400 && code < 0x530) at = findSlavic(text, all, at, out);
  }
}
