/**
 * Escapes inside text (percent, a query's `+`, `\u0040`, `\x40`, `\100`, quoted-printable, HTML entities), undone with
 * a map back, and encoded words (base64, base64url, hex) decoded to text. All linear; a decoded text is never longer
 * than its input.
 */
import { type Mapped, textOf } from './fold-text.ts';

const entities: Readonly<Record<string, number>> = {
  amp: 38,
  lt: 60,
  gt: 62,
  quot: 34,
  apos: 39,
  nbsp: 32,
  commat: 64,
  period: 46,
  dot: 46,
  colon: 58,
  sol: 47,
  hyphen: 45,
  dash: 45,
  lowbar: 95,
  num: 35,
  plus: 43,
  equals: 61,
  lpar: 40,
  rpar: 41,
  ndash: 45,
  mdash: 45,
  shy: 0,
  zwnj: 0,
  zwj: 0,
  ZeroWidthSpace: 0,
  NoBreak: 0,
  ensp: 32,
  emsp: 32,
  thinsp: 32,
  Tab: 9,
  NewLine: 10,
};

function hexAt(text: string, at: number, digits: number): number {
  let value = 0;
  for (let index = at; index < at + digits; index += 1) {
    const code = text.charCodeAt(index);
    const digit =
      code >= 48 && code <= 57
        ? code - 48
        : code >= 97 && code <= 102
          ? code - 87
          : code >= 65 && code <= 70
            ? code - 55
            : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return at + digits <= text.length ? value : -1;
}

/** Bytes of the UTF-8 sequence that starts with this one; 0 when none does. */
const utf8Length = (byte: number): number =>
  byte < 0x80
    ? 1
    : byte >= 0xc2 && byte < 0xe0
      ? 2
      : byte >= 0xe0 && byte < 0xf0
        ? 3
        : byte >= 0xf0 && byte < 0xf5
          ? 4
          : 0;

function octalAt(text: string, at: number): number {
  let value = 0;
  for (let index = at; index < at + 3; index += 1) {
    const digit = text.charCodeAt(index) - 48;
    if (!(digit >= 0 && digit <= 7)) return -1;
    value = value * 8 + digit;
  }
  return value;
}

const isWord = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
/**
 * Quoted-printable (RFC 2045), upper case as it demands: one of several in a row, or between letters and digits what an
 * address needs (`sam=40example=2Eorg`). Query strings are full of `=` and digits.
 */
function quotedAt(text: string, at: number): readonly [point: number, length: number] | undefined {
  const value = upperHexAt(text, at + 1);
  if (value < 32 || value > 126) return undefined;
  const inRow =
    (text.charCodeAt(at + 3) === 61 && upperHexAt(text, at + 4) >= 32) ||
    (text.charCodeAt(at - 3) === 61 && upperHexAt(text, at - 2) >= 32);
  return inRow ||
    ((value === 64 || value === 46 || value === 43 || value === 45 || value === 95) &&
      isWord(text.charCodeAt(at - 1)) &&
      isWord(text.charCodeAt(at + 3)))
    ? [value, 3]
    : undefined;
}
const upperHexAt = (text: string, at: number): number =>
  text.charCodeAt(at) >= 97 || text.charCodeAt(at + 1) >= 97 ? -1 : hexAt(text, at, 2);

/** Code point and the length of its escape at `at`; undefined when none stands there. */
function escapeAt(text: string, at: number): readonly [point: number, length: number] | undefined {
  const code = text.charCodeAt(at);
  if (code === 37) {
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
  if (code === 61) return quotedAt(text, at);
  if (code === 92) {
    const kind = text.charCodeAt(at + 1);
    if (kind >= 48 && kind <= 51)
      return ((value) => (value < 32 ? undefined : ([value, 4] as const)))(octalAt(text, at + 1));
    if (kind === 92 && text.charCodeAt(at + 2) === 117)
      return ((value) => (value < 0 ? undefined : ([value, 7] as const)))(hexAt(text, at + 3, 4));
    if (kind === 117 && text.charCodeAt(at + 2) === 123) {
      const end = at + text.slice(at, at + 10).indexOf('}');
      const value = end < at ? -1 : hexAt(text, at + 3, end - at - 3);
      return value < 0 || value > 0x10ffff || end === at + 3 ? undefined : [value, end + 1 - at];
    }
    const value = kind === 117 || kind === 85 ? hexAt(text, at + 2, 4) : kind === 120 ? hexAt(text, at + 2, 2) : -1;
    return value < 0 ? undefined : [value, kind === 120 ? 4 : 6];
  }
  if (code !== 38) return undefined;
  let end = at + 1;
  while (end - at <= 16 && (isWord(text.charCodeAt(end)) || text.charCodeAt(end) === 35)) end += 1;
  if (text.charCodeAt(end) !== 59) return undefined;
  if (text.charCodeAt(at + 1) === 35) {
    const body = text.slice(at + 2, end);
    const value = /^[xX][0-9a-fA-F]{1,6}$/.test(body)
      ? Number.parseInt(body.slice(1), 16)
      : /^\d{1,7}$/.test(body)
        ? Number(body)
        : -1;
    return value < 0 || value > 0x10ffff ? undefined : [value, end + 1 - at];
  }
  const value = entities[text.slice(at + 1, end)];
  return value === undefined ? undefined : [value, end + 1 - at];
}

const plus: readonly [point: number, length: number] = [32, 1];
/** Undefined when there is nothing to undo. */
export function unescapeText(input: string): Mapped | undefined {
  let units: Uint16Array | undefined;
  let map = new Int32Array(0);
  let mapEnd = new Int32Array(0);
  let length = 0;
  let copied = 0;
  const copy = (until: number): void => {
    for (let index = copied; index < until; index += 1) {
      (units as Uint16Array)[length] = input.charCodeAt(index);
      map[length] = index;
      mapEnd[length] = index + 1;
      length += 1;
    }
  };
  // `q=my+card&lang=en`: in the value of a query's field a plus is a space.
  let key = 0;
  let inValue = false;
  for (let index = 0; index < input.length; index += 1) {
    const code = input.charCodeAt(index);
    if (code > 63 && code !== 92) continue;
    if (code <= 34 || code === 60 || code === 39 || code === 63) {
      key = index + 1;
      inValue = false;
      continue;
    }
    const isPlus = code === 43 && inValue && input.charCodeAt(index - 1) !== 43;
    if (!isPlus && code !== 37 && code !== 92 && code !== 38 && code !== 61) continue;
    const found = isPlus ? plus : escapeAt(input, index);
    if (code === 61) inValue ||= index > key;
    else if (code === 38 && found === undefined) {
      key = index + 1;
      inValue = false;
    }
    if (found === undefined) continue;
    const [point, size] = found;
    if (units === undefined) {
      units = new Uint16Array(input.length);
      map = new Int32Array(input.length + 1);
      mapEnd = new Int32Array(input.length + 1);
    }
    copy(index);
    copied = index + size;
    if (point > 0) {
      for (const unit of point > 0xffff
        ? [0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff)]
        : [point]) {
        units[length] = unit;
        map[length] = index;
        mapEnd[length] = index + size;
        length += 1;
      }
    }
    index += size - 1;
  }
  if (units === undefined) return undefined;
  copy(input.length);
  map[length] = input.length;
  mapEnd[length] = input.length;
  return { text: textOf(units, length), map, mapEnd };
}

const base64 = /^[A-Za-z0-9+/]+$|^[A-Za-z0-9_-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells bytes from text
const binary = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]/;

const sextets = new Int8Array(128).fill(-1);
[...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].forEach((char, index) => {
  sextets[char.charCodeAt(0)] = index;
});
sextets[45] = 62;
sextets[95] = 63;

const sextetAt = (text: string, at: number, end: number): number =>
  at < end ? (sextets[text.charCodeAt(at)] as number) : -1;

/**
 * Whether the first 9 bytes can be text, read as base64, or the first 6, read as hex: ids and hashes seldom pass, and
 * nothing is allocated.
 */
function beginsAsText(text: string, from: number, end: number): boolean {
  let follow = 0;
  let isText = true;
  for (let group = from; group < from + 12 && isText; group += 4) {
    const bits =
      (sextetAt(text, group, end) << 18) |
      (sextetAt(text, group + 1, end) << 12) |
      (sextetAt(text, group + 2, end) << 6) |
      sextetAt(text, group + 3, end);
    for (let shift = 16; shift >= 0 && isText; shift -= 8) {
      const value = (bits >> shift) & 0xff;
      if (follow > 0) {
        isText = value >= 0x80 && value <= 0xbf;
        follow -= 1;
      } else if (value >= 0x80) {
        follow = utf8Length(value) - 1;
        isText = follow > 0;
      } else isText = value >= 32 ? value !== 127 : value >= 9 && value <= 13;
    }
  }
  if (isText || end - from < 32) return isText;
  for (let at = from; at < from + 12; at += 2) {
    const value = hexAt(text, at, 2);
    if (value < 9 || (value > 13 && value < 32) || value === 127) return false;
  }
  return true;
}

/** The text that the encoded word in [from, end) stands for; undefined when it is none, or its bytes are no text. */
export function decodeWord(input: string, from = 0, end = input.length): string | undefined {
  if (!beginsAsText(input, from, end)) return undefined;
  const word = input.slice(from, end);
  const isHex = word.length >= 32 && word.length % 2 === 0 && /^[0-9a-fA-F]+$/.test(word);
  if (!isHex && !base64.test(word)) return undefined;
  if (isHex) {
    const text = Buffer.from(word, 'hex').toString('utf8');
    return binary.test(text) ? undefined : text;
  }
  const text = Buffer.from(word, 'base64').toString('utf8');
  // A cut-off multi-byte character at the end is no reason to look away.
  return binary.test(text.replace(/\ufffd$/, '')) ? undefined : text;
}
