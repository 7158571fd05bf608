/** Postal addresses and codes: a sure core (`address-core.ts`), then what belongs to it on either side. */
import type { Finding } from '../finding.ts';
import { addressCore } from './address-core.ts';
import { endsSentence, everyday, flatEnd, isLinked, isNameWord, isNear, isNumber } from './address-parts.ts';
import { isRole, type Reading } from './address-parts.ts';
import { beginningSieve, role, sieveCell } from './address-words.ts';
import { anyPlace, flag, has } from './lexicon.ts';
import { bitsAt, endAt, gap, gapAt, hashAt, isWritten, lengthAt, phraseAt } from './tokens.ts';
import { shape, shapeAt, startAt, type Tokens } from './tokens.ts';

/** The word at `at` may go on with the address that the word before it belongs to. */
function goesOn(all: Tokens, at: number): boolean {
  const between = gapAt(all, at);
  if (!isLinked(between) || gapAt(all, at + 1) === gap.colon) return false;
  return between !== gap.sentence || isRole(all, at - 1, role.behind | role.flat);
}

/** `5-7`, `5/7`: no house number of the next part, but a date or a range. */
const isPartOfRange = ({ text, all }: Reading, at: number): boolean =>
  gapAt(all, at) === gap.hyphen ||
  (gapAt(all, at + 1) === gap.hyphen && isNumber(all, at + 1)) ||
  text.charCodeAt(endAt(all, at)) === 47;

const isState = (all: Tokens, at: number, small: boolean): boolean =>
  (all.shape[at] === shape.allCapitals || small) && lengthAt(all, at) <= 3 && isRole(all, at, role.state);

/** A name that is surely part of an address: a known place, two capitals, or one with a line's end or a flat behind. */
function isSurePart(all: Tokens, at: number): boolean {
  if (!isWritten(shapeAt(all, at))) return false;
  if (has(phraseAt(all, at), anyPlace)) return true;
  if (lengthAt(all, at) === 2 && all.shape[at] === shape.allCapitals) return true;
  if (gapAt(all, at) !== gap.space) return false;
  const after = gapAt(all, at + 1);
  return after === gap.line || after === gap.comma || isRole(all, at, role.behind) || flatEnd(all, at + 1) > 0;
}

function mayBeTown(all: Tokens, at: number, small: boolean): boolean {
  if (!isNameWord(all, at, small)) return false;
  const bits = bitsAt(all, at);
  if (has(bits, flag.title | flag.organisation)) return false;
  return !has(bits, everyday) || has(bits, anyPlace) || !isWritten(shapeAt(all, at));
}

const furthest = 16;
const mostTownWords = 4;
/** What follows a core: flat, town, state, country, code. `core` is the core's last token; answers the address's. */
function forward(reading: Reading, core: number): number {
  const { all, small } = reading;
  let last = core;
  let words = 0;
  for (let at = core + 1; at < all.count && at < core + furthest && goesOn(all, at); at += 1) {
    const room = flatEnd(all, at);
    if (room > 0) at = room;
    const isNumeric = room < 0 && isNumber(all, at);
    if (isNumeric && isPartOfRange(reading, at)) break;
    if (room > 0 || isNumeric || isState(all, at, small)) {
      last = at;
      words = 0;
    } else if (isSurePart(all, at)) last = at;
    else if (words < mostTownWords && mayBeTown(all, at, small)) {
      words += 1;
      if (isWritten(shapeAt(all, at)) || (small && !isRole(all, at, role.link))) last = at;
    } else break;
  }
  return last;
}

/** What stands before a core: more words of the street, house number, flat. `core` is the core's first token. */
function backward({ all, small }: Reading, core: number): number {
  const words = isNumber(all, core) ? 0 : isRole(all, core, role.before) ? 1 : 4;
  let first = core;
  for (let at = core - 1; at >= 0 && at >= core - words; at -= 1) {
    const between = gapAt(all, at + 1);
    if (!isNear(between) || endsSentence(all, at, between)) break;
    if (isNumber(all, at)) {
      first = at;
      if (!isNumber(all, at - 1)) break;
    } else if (isNameWord(all, at, small) && !has(bitsAt(all, at), flag.veryCommon | flag.title)) {
      if (isWritten(shapeAt(all, at)) || small) first = at;
    } else break;
  }
  if (isNumber(all, first - 1) && isLinked(gapAt(all, first))) first -= 1;
  if (first >= 2 && isNumber(all, first - 1) && flatEnd(all, first - 2) === first - 1) first -= 2;
  return first;
}

/** `IL 62704`, `IL 62704-1234`. */
function findStateCode(all: Tokens, at: number, out: Finding[]): void {
  if (all.shape[at] !== shape.allCapitals || all.gap[at + 1] !== gap.space) return;
  if (!isNumber(all, at + 1) || lengthAt(all, at + 1) !== 5 || !isRole(all, at, role.state)) return;
  const hasMore = all.gap[at + 2] === gap.hyphen && isNumber(all, at + 2) && lengthAt(all, at + 2) === 4;
  out.push({ start: startAt(all, at), end: endAt(all, hasMore ? at + 2 : at + 1), type: 'ADDRESS', rank: 36 });
}

/** Great Britain, Canada, the Netherlands. */
const mixedCode = /^(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{4} ?[A-Z]{2})\b/i;
const codeWindow = 8;

/** Of a code in two numbers, as `94107-1234` and `110 00`, the end. */
function numericCodeEnd(all: Tokens, at: number): number {
  const isJoined = all.gap[at + 1] === gap.hyphen || all.gap[at + 1] === gap.space;
  return endAt(all, isJoined && isNumber(all, at + 1) && lengthAt(all, at + 1) <= 4 ? at + 1 : at);
}

/** `zip code: 1234`, from `zip` at `at`. */
function findAnnouncedCode(text: string, all: Tokens, at: number, out: Finding[]): void {
  if (!isRole(all, at, role.code)) return;
  for (let next = at + 1; next < all.count && next <= at + 4; next += 1) {
    const between = gapAt(all, next);
    if (!(isNear(between) || between === gap.colon || between === gap.other)) return;
    const start = startAt(all, next);
    const isNumeric = isNumber(all, next) && lengthAt(all, next) >= 3;
    const mixed = isNumeric ? undefined : mixedCode.exec(text.slice(start, start + codeWindow))?.[0].length;
    if (isNumeric || mixed !== undefined) {
      const end = mixed === undefined ? numericCodeEnd(all, next) : start + mixed;
      out.push({ start, end, type: 'ZIP', rank: 38 });
      return;
    }
    if (!isRole(all, next, role.codeLink)) return;
  }
}

/** So many words after one that announces an address, an address is still expected. */
const hintReach = 12;

export function findAddresses(text: string, all: Tokens, out: Finding[]): void {
  const reading: Reading = { text, all, small: all.capitals === 0, hinted: false };
  const sieve = beginningSieve();
  let hint = -20;
  let after = 0;
  for (let at = 0; at < all.count; at += 1) {
    if (sieve[sieveCell(hashAt(all, at))] === 1) {
      if (isRole(all, at, role.hint)) hint = at;
      findStateCode(all, at, out);
      findAnnouncedCode(text, all, at, out);
    } else if (all.shape[at] !== shape.number && all.shape[at + 1] !== shape.number) continue;
    if (at < after) continue;
    reading.hinted = at - hint <= hintReach;
    const core = addressCore(reading, at);
    if (core === undefined) continue;
    const first = Math.max(after, backward(reading, core[0]));
    const last = forward(reading, Math.max(core[1], at));
    out.push({ start: startAt(all, first), end: endAt(all, last), type: 'ADDRESS', rank: 45 });
    after = last + 1;
  }
}
