/**
 * Escapes inside text (percent, a query's `+`, `\u0040`, `\x40`, `\100`, quoted-printable, HTML entities), undone with
 * a map back, and encoded words (base64, base64url, hex) decoded to text. All linear; a decoded text is never longer
 * than its input.
 */
import { type Escape, escapeAt, hexAt, utf8Length } from './escapes.ts';
import { type Mapped, textOf } from './fold-text.ts';

const plus: Escape = [32, 1];
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
/** What no text holds: control characters but tab and line ends, and the mark of bytes that are no UTF-8. */
const binary = /[^\t\n\r\u0020-\u007e\u0080-\ufffc\ufffe\uffff]/;

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
