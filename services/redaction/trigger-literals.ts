/**
 * One scan of a text: every trigger literal of every detector (Aho-Corasick over a dense table, ASCII letters without
 * case) and the hints that structured detectors start from. Linear, one table look-up a unit; a text without hits and
 * hints is done.
 */

import { buildAutomaton } from './automaton.ts';

/**
 * Where a detector's trigger literals occur (case-insensitive ASCII), as numbers in turns: index of the literal, place;
 * by their ends, the longest first.
 */
export type LiteralHits = readonly number[];
/** Where something may be. Positions are UTF-16 units, ascending. */
export type Hints = {
  /** First digits of runs of digits. */
  readonly digits: readonly number[];
  readonly ats: readonly number[];
  readonly colons: readonly number[];
  /** Separators that look like those of a hardware address written with dashes or dots. */
  readonly macs: readonly number[];
  /** Start and end, in turns, of runs of 16 and more units of the base64 alphabets. */
  readonly longs: readonly number[];
  readonly nonAscii: boolean;
  /** Holds `%`, a backslash, `&` or a square bracket: escapes or placeholders are possible. */
  readonly escapes: boolean;
  readonly brackets: boolean;
};
export type Scanned = {
  readonly hints: Hints /** By detector. */;
  readonly hits: readonly (LiteralHits | undefined)[];
};
export type Scanner = (text: string) => Scanned | undefined;

const digit = 1;
const at = 2;
const breaks = 4;
const colon = 8;
const escaping = 16;
const bracket = 32;
const dot = 64;
const dash = 128;
const equals = 256;
const hintBits = 9;
const hintMask = (1 << hintBits) - 1;
const shortest = 16;

const hintOf = new Uint16Array(128).fill(breaks);
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/_') hintOf[char.charCodeAt(0)] = 0;
for (const char of '0123456789') hintOf[char.charCodeAt(0)] = digit;
for (const [char, hint] of [
  ['@', breaks | at],
  [':', breaks | colon],
  ['%', breaks | escaping],
  ['\\', breaks | escaping],
  ['&', breaks | escaping],
  ['[', breaks | bracket],
  ['.', breaks | dot],
  ['-', dash],
  ['=', breaks | equals],
] as const)
  hintOf[char.charCodeAt(0)] = hint;

const isUpperHex = (code: number): boolean => (code >= 48 && code <= 57) || (code >= 65 && code <= 70);

const none: readonly number[] = [];
/** Of a text that has none. */
export const noHints: Hints = {
  digits: none,
  ats: none,
  colons: none,
  macs: none,
  longs: none,
  nonAscii: false,
  escapes: false,
  brackets: false,
};

/**
 * The unit at `at`, 0 beyond the text's ends. `charCodeAt` answers NaN there, and a function that has seen one looks at
 * every later unit several times as slowly: so not in hot ones.
 */
const unitAt = (text: string, at: number): number => (at >= 0 && at < text.length ? text.charCodeAt(at) : 0);

/**
 * End of the placeholder that opens at `at`: `[TYPE]`, `[TYPE:l16]`, `[TYPE:kid:16 hex]`; or -1. By hand up to the
 * type's end: asked of every bracket, in the hottest loops there are.
 */
export function placeholderEnd(text: string, at: number): number {
  let end = at + 1;
  let code = unitAt(text, end);
  if (!(code >= 65 && code <= 90)) return -1;
  const stop = Math.min(text.length, at + 2 + longestType);
  for (end += 1; end < stop; end += 1) {
    code = text.charCodeAt(end);
    if (!((code >= 65 && code <= 90) || code === 95)) break;
  }
  if (end === stop || end < at + 3) return -1;
  if (code === 93) return end + 1;
  if (code !== 58) return -1;
  placeholderTail.lastIndex = end;
  return placeholderTail.test(text) ? placeholderTail.lastIndex : -1;
}
const longestType = 31;
const placeholderTail = /(?::l\d{1,4}|:[a-z0-9-]{1,16}:[0-9a-f]{16})\]/y;

/** A scanner for these detectors' literals. Answers undefined when there is nothing to look at. */
export function createScanner(detectors: readonly { readonly literals: readonly string[] }[]): Scanner {
  const owners: (readonly [detector: number, literal: number, length: number])[] = [];
  const all: string[] = [];
  detectors.forEach(({ literals }, detector) => {
    literals.forEach((literal, index) => {
      all.push(literal);
      owners.push([detector, index, literal.length]);
    });
  });
  const { next, shift, classOf, firstOutput, outputs } = buildAutomaton(all);
  /** Of a unit: its hints, and above them its class. */
  const units = hintOf.map((hint, code) => hint | ((classOf[code] as number) << hintBits));
  const unheard: readonly (number[] | undefined)[] = detectors.map(() => undefined);
  /** By state with outputs: detector, literal and length, in turns. */
  const triples: readonly (readonly number[])[] = outputs.map((ids) =>
    ids.flatMap((id) => owners[id] as readonly number[]),
  );
  return (text) => {
    const { length } = text;
    let digits: number[] | undefined;
    let ats: number[] | undefined;
    let colons: number[] | undefined;
    let macs: number[] | undefined;
    let longs: number[] | undefined;
    let hits: (number[] | undefined)[] | undefined;
    let flags = 0;
    let nonAscii = false;
    let state = 0;
    let wasDigit = false;
    let wordStart = 0;
    for (let index = 0; index < length; index += 1) {
      let unit = 0;
      // Most units say nothing. No call is made in here, so that what the loop reads stays in registers.
      for (; index < length; index += 1) {
        const code = text.charCodeAt(index);
        if (code > 127) break;
        unit = units[code] as number;
        state = next[(state << shift) | (unit >> hintBits)] as number;
        if (state >= firstOutput) break;
        unit &= hintMask;
        if (unit === 0) {
          wasDigit = false;
          continue;
        }
        if (unit !== breaks || index - wordStart >= shortest) break;
        wasDigit = false;
        wordStart = index + 1;
      }
      if (index >= length) break;
      if (text.charCodeAt(index) > 127) {
        nonAscii = true;
        state = 0;
        wasDigit = false;
        if (index - wordStart >= shortest) {
          longs ??= [];
          longs.push(wordStart, index);
        }
        wordStart = index + 1;
        continue;
      }
      if (state >= firstOutput) {
        const found = triples[state - firstOutput] as readonly number[];
        hits ??= unheard.slice();
        for (let each = 0; each < found.length; each += 3) {
          const detector = found[each] as number;
          let own = hits[detector];
          if (own === undefined) {
            own = [];
            hits[detector] = own;
          }
          own.push(found[each + 1] as number, index + 1 - (found[each + 2] as number));
        }
      }
      const hint = unit & hintMask;
      if (hint === 0) {
        wasDigit = false;
        continue;
      }
      if (hint === digit) {
        if (!wasDigit) {
          digits ??= [];
          digits.push(index);
          wasDigit = true;
        }
        continue;
      }
      wasDigit = false;
      if (hint !== dash) {
        if (index - wordStart >= shortest) {
          longs ??= [];
          longs.push(wordStart, index);
        }
        wordStart = index + 1;
        if (hint === breaks) continue;
      } else {
        if (unitAt(text, index + 3) === 45 && unitAt(text, index + 6) === 45) {
          macs ??= [];
          macs.push(index);
        }
        continue;
      }
      if (hint & dot) {
        if (unitAt(text, index + 5) === 46 && unitAt(text, index + 1) !== 46) {
          macs ??= [];
          macs.push(index);
        }
      } else if (hint & equals) {
        // Quoted-printable: two hex digits in upper case.
        if (isUpperHex(unitAt(text, index + 1)) && isUpperHex(unitAt(text, index + 2))) flags |= escaping;
      } else if (hint & at) {
        ats ??= [];
        ats.push(index);
      } else if (hint & colon) {
        colons ??= [];
        colons.push(index);
      } else {
        flags |= hint;
        if (hint & bracket) {
          // What stands where a value stood is looked at no more.
          const end = placeholderEnd(text, index);
          if (end > 0) {
            index = end - 1;
            state = 0;
            wordStart = end;
          }
        }
      }
    }
    if (length - wordStart >= shortest) {
      longs ??= [];
      longs.push(wordStart, length);
    }
    if (!digits && !ats && !colons && !macs && !longs && !hits && !nonAscii && flags === 0) return undefined;
    return {
      hints: {
        digits: digits ?? none,
        ats: ats ?? none,
        colons: colons ?? none,
        macs: macs ?? none,
        longs: longs ?? none,
        nonAscii,
        escapes: (flags & escaping) !== 0,
        brackets: (flags & bracket) !== 0,
      },
      hits: hits ?? unheard,
    };
  };
}
