/** What a text is to the names tier: its words and numbers, what is known of each, and what stands between them. */
import type { Finding } from '../finding.ts';

/** How a token is written. `glued`: part of a handle, a path or a key, or a placeholder; never a name. */
export const shape = {
  lower: 0,
  capital: 1,
  allCapitals: 2,
  initial: 3,
  mixed: 4,
  caseless: 5,
  number: 6,
  glued: 7,
} as const;
/** What stands between a token and the one before it. */
export const gap = {
  space: 0,
  start: 1,
  line: 2,
  sentence: 3,
  comma: 4,
  colon: 5,
  quote: 6,
  bracket: 7,
  hyphen: 8,
  apostrophe: 9,
  period: 10,
  other: 11,
  handle: 12,
  none: 13,
} as const;

/** One entry a token in each array; `start` and `end` are a half-open range of UTF-16 units. */
export type Tokens = {
  count: number;
  start: Int32Array;
  end: Int32Array;
  hash: Int32Array;
  bits: Uint16Array;
  /** Bits of the longest known phrase the token is part of. */
  phrase: Uint16Array;
  shape: Uint8Array;
  /** `gap[count]` is what follows the last token. */
  gap: Uint8Array;
  /** Words with a capital, and words without; glued ones not counted. */
  capitals: number;
  lowers: number;
  /** Holds letters of a script without case. */
  uncased: boolean;
  /** Holds digits. */
  numbers: boolean;
};

// Behind the last token these answer for the four empty ones that `tokenize` puts there, and 0 further on.
export const hashAt = (all: Tokens, at: number): number => all.hash[at] ?? 0;
export const bitsAt = (all: Tokens, at: number): number => all.bits[at] ?? 0;
export const phraseAt = (all: Tokens, at: number): number => all.phrase[at] ?? 0;
export const shapeAt = (all: Tokens, at: number): number => all.shape[at] ?? 0;
export const gapAt = (all: Tokens, at: number): number => all.gap[at] ?? 0;
export const startAt = (all: Tokens, at: number): number => all.start[at] ?? 0;
export const endAt = (all: Tokens, at: number): number => all.end[at] ?? 0;
export const lengthAt = (all: Tokens, at: number): number => endAt(all, at) - startAt(all, at);

/** `Maria`, `MARIA`, `McKay`, `M`. */
export const isWritten = (form: number): boolean =>
  form === shape.capital || form === shape.allCapitals || form === shape.mixed || form === shape.initial;
/** Joins the words of one name: `Mary Ann`, `Smith-Jones`, `O'Neill`. */
export const joinsWords = (kind: number): boolean =>
  kind === gap.space || kind === gap.hyphen || kind === gap.apostrophe || kind === gap.none;
/** A period, whatever stands behind it: `J. Smith`, `J.Smith`. */
export const isPeriod = (kind: number): boolean => kind === gap.sentence || kind === gap.period;

/** Hash of every placeholder. */
export const placeholderHash = 1;
/** `[EMAIL]`, `[SECRET_KEY:l32]`, `[PERSON:k1:...]`: no word, and the end of whatever reads on from its neighbours. */
export const isPlaceholder = (all: Tokens, at: number): boolean =>
  all.hash[at] === placeholderHash && all.shape[at] === shape.glued;

/** A finding of a person over the tokens `first` to `last`; none when `last` is before `first`. */
export function pushPerson(all: Tokens, first: number, last: number, rank: number, out: Finding[]): void {
  if (last >= first) out.push({ start: startAt(all, first), end: endAt(all, last), type: 'PERSON', rank });
}
