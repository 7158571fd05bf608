/**
 * Which escape stands at a place of a text, and what it stands for: percent (UTF-8), `\u0040`, `\x40`, `\100`,
 * quoted-printable, HTML entities.
 */

/** Named entities of HTML that write what values are made of, and those that hide it (0: nothing). */
const entities: ReadonlyMap<string, number> = new Map(
  (
    [
      [38, 'amp'],
      [60, 'lt'],
      [62, 'gt'],
      [34, 'quot'],
      [39, 'apos'],
      [32, 'nbsp ensp emsp thinsp'],
      [64, 'commat'],
      [46, 'period dot'],
      [58, 'colon'],
      [47, 'sol'],
      [45, 'hyphen dash ndash mdash'],
      [95, 'lowbar'],
      [35, 'num'],
      [43, 'plus'],
      [61, 'equals'],
      [40, 'lpar'],
      [41, 'rpar'],
      [0, 'shy zwnj zwj ZeroWidthSpace NoBreak'],
      [9, 'Tab'],
      [10, 'NewLine'],
    ] as const
  ).flatMap(([point, names]) => names.split(' ').map((name) => [name, point])),
);

/** Code point, and the length of its escape. */
export type Escape = readonly [point: number, length: number];

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  return code >= 65 && code <= 70 ? code - 55 : -1;
}

/** Value of so many hex digits at `at`, or -1. */
export function hexAt(text: string, at: number, digits: number): number {
  let value = 0;
  for (let index = at; index < at + digits; index += 1) {
    const digit = hexDigit(text.charCodeAt(index));
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return at + digits <= text.length ? value : -1;
}
/** Two hex digits in upper case, or -1. */
const upperHexAt = (text: string, at: number): number =>
  text.charCodeAt(at) >= 97 || text.charCodeAt(at + 1) >= 97 ? -1 : hexAt(text, at, 2);

function octalAt(text: string, at: number): number {
  let value = 0;
  for (let index = at; index < at + 3; index += 1) {
    const digit = text.charCodeAt(index) - 48;
    if (!(digit >= 0 && digit <= 7)) return -1;
    value = value * 8 + digit;
  }
  return value;
}

/** Bytes of the UTF-8 sequence that starts with this one; 0 when none does. */
export function utf8Length(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  return byte >= 0xf0 && byte < 0xf5 ? 4 : 0;
}

const isWord = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

/** `%40`, and the two to four of a character beyond ASCII. */
function percentAt(text: string, at: number): Escape | undefined {
  const first = hexAt(text, at + 1, 2);
  const bytes = first < 0 ? 0 : utf8Length(first);
  if (bytes === 0) return undefined;
  let point = bytes === 1 ? first : first & (0xff >> (bytes + 1));
  for (let index = 1; index < bytes; index += 1) {
    const byte = text.charCodeAt(at + index * 3) === 37 ? hexAt(text, at + index * 3 + 1, 2) : -1;
    if (byte < 0x80 || byte > 0xbf) return undefined;
    point = (point << 6) | (byte & 0x3f);
  }
  return [point, bytes * 3];
}

/** What an address needs: `@ . + - _`. */
const isOfAddress = (value: number): boolean =>
  value === 64 || value === 46 || value === 43 || value === 45 || value === 95;
/**
 * Quoted-printable (RFC 2045), upper case as it demands: one of several in a row, or between letters and digits what an
 * address needs (`sam=40example=2Eorg`). Query strings are full of `=` and digits.
 */
function quotedAt(text: string, at: number): Escape | undefined {
  const value = upperHexAt(text, at + 1);
  if (value < 32 || value > 126) return undefined;
  const isBeforeOne = text.charCodeAt(at + 3) === 61 && upperHexAt(text, at + 4) >= 32;
  const isBehindOne = text.charCodeAt(at - 3) === 61 && upperHexAt(text, at - 2) >= 32;
  if (isBeforeOne || isBehindOne) return [value, 3];
  const isInWord = isWord(text.charCodeAt(at - 1)) && isWord(text.charCodeAt(at + 3));
  return isInWord && isOfAddress(value) ? [value, 3] : undefined;
}

/** `\u{1f600}` */
function bracedAt(text: string, at: number): Escape | undefined {
  const end = at + text.slice(at, at + 10).indexOf('}');
  const value = end < at ? -1 : hexAt(text, at + 3, end - at - 3);
  return value < 0 || value > 0x10ffff || end === at + 3 ? undefined : [value, end + 1 - at];
}
const escapeOf = (value: number, length: number): Escape | undefined => (value < 0 ? undefined : [value, length]);
/** `\u0040`, `\\u0040`, `\U0040`, `\u{40}`, `\x40`, `\100` */
function backslashAt(text: string, at: number): Escape | undefined {
  const kind = text.charCodeAt(at + 1);
  if (kind >= 48 && kind <= 51) {
    const value = octalAt(text, at + 1);
    return value < 32 ? undefined : [value, 4];
  }
  if (kind === 92 && text.charCodeAt(at + 2) === 117) return escapeOf(hexAt(text, at + 3, 4), 7);
  if (kind === 117 && text.charCodeAt(at + 2) === 123) return bracedAt(text, at);
  if (kind === 120) return escapeOf(hexAt(text, at + 2, 2), 4);
  return kind === 117 || kind === 85 ? escapeOf(hexAt(text, at + 2, 4), 6) : undefined;
}

const longestEntity = 16;
function numberOf(body: string): number {
  if (/^[xX][0-9a-fA-F]{1,6}$/.test(body)) return Number.parseInt(body.slice(1), 16);
  return /^\d{1,7}$/.test(body) ? Number(body) : -1;
}
/** `&commat;`, `&#64;`, `&#x40;` */
function entityAt(text: string, at: number): Escape | undefined {
  let end = at + 1;
  while (end - at <= longestEntity && (isWord(text.charCodeAt(end)) || text.charCodeAt(end) === 35)) end += 1;
  if (text.charCodeAt(end) !== 59) return undefined;
  const length = end + 1 - at;
  if (text.charCodeAt(at + 1) === 35) {
    const value = numberOf(text.slice(at + 2, end));
    return value > 0x10ffff ? undefined : escapeOf(value, length);
  }
  const value = entities.get(text.slice(at + 1, end));
  return value === undefined ? undefined : [value, length];
}

/** The escape at `at`, where one of `% = \ &` stands; undefined when it begins none. */
export function escapeAt(text: string, at: number): Escape | undefined {
  switch (text.charCodeAt(at)) {
    case 37:
      return percentAt(text, at);
    case 61:
      return quotedAt(text, at);
    case 92:
      return backslashAt(text, at);
    case 38:
      return entityAt(text, at);
    default:
      return undefined;
  }
}
