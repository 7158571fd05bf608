/**
 * One scan of a text: every trigger literal of every detector (Aho-Corasick over a dense table, ASCII letters without
 * case) and the hints that structured detectors start from. Linear, one table look-up a unit; a text without hits and
 * hints is done.
 */

import { type Automaton, buildAutomaton } from './automaton.ts';
import { placeholderEnd, unitAt } from './placeholder-end.ts';

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
  readonly hints: Hints;
  /** By detector. */
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

/** What a scan has come upon so far. A list is made for its first entry: most texts have few of them. */
type Sightings = {
  digits: number[] | undefined;
  ats: number[] | undefined;
  colons: number[] | undefined;
  macs: number[] | undefined;
  longs: number[] | undefined;
  hits: (number[] | undefined)[] | undefined;
  nonAscii: boolean;
  /** `escaping` and `bracket`. */
  flags: number;
};

const appended = (list: number[] | undefined, place: number): number[] => {
  if (list === undefined) return [place];
  list.push(place);
  return list;
};
function addLong(seen: Sightings, start: number, end: number): void {
  if (seen.longs === undefined) seen.longs = [start, end];
  else seen.longs.push(start, end);
}

/** `00-1a-...`: dashes that far apart. */
const isDashedAddress = (text: string, index: number): boolean =>
  unitAt(text, index + 3) === 45 && unitAt(text, index + 6) === 45;
/** `001a.2b3c.4d5e`: dots that far apart. */
const isDottedAddress = (text: string, index: number): boolean =>
  unitAt(text, index + 5) === 46 && unitAt(text, index + 1) !== 46;
/** Quoted-printable: two hex digits in upper case. */
const isQuoted = (text: string, index: number): boolean =>
  isUpperHex(unitAt(text, index + 1)) && isUpperHex(unitAt(text, index + 2));

/** Of a separator that may mean something, its hint. */
function addSeparator(seen: Sightings, text: string, index: number, hint: number): void {
  if (hint & dot) {
    if (isDottedAddress(text, index)) seen.macs = appended(seen.macs, index);
  } else if (hint & equals) {
    if (isQuoted(text, index)) seen.flags |= escaping;
  } else if (hint & at) seen.ats = appended(seen.ats, index);
  else if (hint & colon) seen.colons = appended(seen.colons, index);
  else seen.flags |= hint;
}

/** What a scanner knows of its detectors' literals. */
type ScanTables = {
  readonly next: Automaton['next'];
  readonly shift: number;
  /** Of an ASCII unit: its hints, and above them its class. */
  readonly units: Uint16Array;
  readonly firstOutput: number;
  /** By state with outputs: detector, literal and length, in turns. */
  readonly outputs: readonly (readonly number[])[];
  /** Hits before there are any: one entry a detector. */
  readonly noHits: readonly (number[] | undefined)[];
};

function addHits(seen: Sightings, { outputs, firstOutput, noHits }: ScanTables, state: number, end: number): void {
  seen.hits ??= noHits.slice();
  const found = outputs[state - firstOutput] as readonly number[];
  for (let each = 0; each < found.length; each += 3) {
    const detector = found[each] as number;
    const own = seen.hits[detector] ?? [];
    seen.hits[detector] = own;
    own.push(found[each + 1] as number, end - (found[each + 2] as number));
  }
}

function scan(tables: ScanTables, text: string): Scanned | undefined {
  const { next, shift, units, firstOutput } = tables;
  const { length } = text;
  const seen: Sightings = {
    digits: undefined,
    ats: undefined,
    colons: undefined,
    macs: undefined,
    longs: undefined,
    hits: undefined,
    nonAscii: false,
    flags: 0,
  };
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
    const isForeign = text.charCodeAt(index) > 127;
    if (isForeign) state = 0;
    else if (state >= firstOutput) addHits(seen, tables, state, index + 1);
    const hint = isForeign ? breaks : unit & hintMask;
    if (hint === digit) {
      if (!wasDigit) seen.digits = appended(seen.digits, index);
      wasDigit = true;
      continue;
    }
    wasDigit = false;
    if (hint === 0) continue;
    if (hint === dash) {
      if (isDashedAddress(text, index)) seen.macs = appended(seen.macs, index);
      continue;
    }
    if (index - wordStart >= shortest) addLong(seen, wordStart, index);
    wordStart = index + 1;
    if (isForeign) seen.nonAscii = true;
    if (hint === breaks) continue;
    addSeparator(seen, text, index, hint);
    if ((hint & bracket) === 0) continue;
    // What stands where a value stood is looked at no more.
    const end = placeholderEnd(text, index);
    if (end < 0) continue;
    index = end - 1;
    state = 0;
    wordStart = end;
  }
  if (length - wordStart >= shortest) addLong(seen, wordStart, length);
  return scanned(seen, tables);
}

function scanned(seen: Sightings, { noHits }: ScanTables): Scanned | undefined {
  const { digits, ats, colons, macs, longs, hits, nonAscii, flags } = seen;
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
    hits: hits ?? noHits,
  };
}

/** A scanner for these detectors' literals. Answers undefined when there is nothing to look at. */
export function createLiteralScan(detectors: readonly { readonly literals: readonly string[] }[]): Scanner {
  const owners = detectors.flatMap(({ literals }, detector) =>
    literals.map((literal, index) => [detector, index, literal.length] as const),
  );
  const { next, shift, classOf, firstOutput, outputs } = buildAutomaton(detectors.flatMap(({ literals }) => literals));
  const tables: ScanTables = {
    next,
    shift,
    units: hintOf.map((hint, code) => hint | ((classOf[code] as number) << hintBits)),
    firstOutput,
    outputs: outputs.map((ids) => ids.flatMap((id) => owners[id] ?? [])),
    noHits: detectors.map(() => undefined),
  };
  return (text) => scan(tables, text);
}
