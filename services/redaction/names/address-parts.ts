/** The small questions that finding addresses is made of: numbers, words of names, flats, and what joins them. */
import { role, roleOf } from './address-words.ts';
import { anyPlace, flag, has } from './lexicon.ts';
import { isParticle } from './small-words.ts';
import { bitsAt, gap, gapAt, hashAt, isPeriod, isWritten, joinsWords, lengthAt, shape, shapeAt } from './tokens.ts';
import type { Tokens } from './tokens.ts';

/** A text on its way through the rules for addresses. */
export type Reading = {
  readonly text: string;
  readonly all: Tokens;
  /** Holds no capitals at all: small letters may be names then. */
  readonly small: boolean;
  /** A word nearby says that an address follows. */
  hinted: boolean;
};

/** First and last token. */
export type TokenRange = readonly [first: number, last: number];

export const isRole = (all: Tokens, at: number, roles: number): boolean => has(roleOf(hashAt(all, at)), roles);

export const isNumber = (all: Tokens, at: number): boolean =>
  at >= 0 && at < all.count && all.shape[at] === shape.number && lengthAt(all, at) <= 6;

/** Joins parts of one line: spaces, hyphens, the period of a short form. */
export const isNear = (kind: number): boolean => joinsWords(kind) || isPeriod(kind);
/** Joins lines and parts of an address. */
export const isLinked = (kind: number): boolean => isNear(kind) || kind === gap.comma || kind === gap.line;

/** Means something in itself; a dictionary's rarer words may be streets. */
export const everyday = flag.veryCommon | flag.foreign | flag.capitalised;
const longestShortForm = 4;
/** A period behind more than a short form ends the sentence. */
export const endsSentence = (all: Tokens, at: number, between: number): boolean =>
  between === gap.sentence && lengthAt(all, at) > longestShortForm;

/** A word of a street's or a town's name. */
export function isNameWord(all: Tokens, at: number, small: boolean): boolean {
  const form = shapeAt(all, at);
  if (isParticle(all, at) || (form === shape.lower && isRole(all, at, role.link))) return true;
  const bits = bitsAt(all, at);
  if (has(bits, flag.introduces) && !has(bits, anyPlace)) return false;
  return isWritten(form) || (small && form === shape.lower && !has(bits, everyday));
}

/** Flat, suite or unit and its number, starting at `at`: index of its last token or -1. */
export function flatEnd(all: Tokens, at: number): number {
  if (at + 1 >= all.count || !isRole(all, at, role.flat) || !isNear(gapAt(all, at + 1))) return -1;
  return isNumber(all, at + 1) || all.shape[at + 1] === shape.initial ? at + 1 : -1;
}
