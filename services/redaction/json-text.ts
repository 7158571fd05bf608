/**
 * JSON as text: its strings, keys and long numbers with their places, without parsing it into values, so that what is
 * put back changes nothing else.
 */
import { type Mapped, textOf } from './fold-text.ts';

export type Leaf = {
  readonly kind: 'string' | 'key' | 'number';
  /** Content, without quotes. */
  readonly start: number;
  readonly end: number;
  readonly isEscaped: boolean;
  /** Name of the nearest key above, lower case. */
  readonly key?: string;
  /**
   * The same for leaves that follow each other in meaning: the same field of the items of one array, or the fields of
   * one object.
   */
  readonly column: string;
  /**
   * What names this value though it is not its key, lower case: `{"name": "DB_PASSWORD", "value": ...}`, `{"password":
   * {"value": ...}}`, `["--password", ...]`, `["authorization", ...]`.
   */
  siblingKey?: string;
  /** A value of a Kubernetes Secret: it goes whatever it looks like. */
  isOfSecret?: boolean;
};

const maxDepth = 64;
/** More leaves than this are a dump: it goes out whole. */
const maxLeaves = 60_000;
const maxName = 64;
const maxNumber = 400;

const nameField = /^(?:name|key|k|field|header|variable|var|param|parameter|property|label|attribute|env)$/;
const valueFields = `
  value val v raw plain plaintext #text _text \\$t _value \\$value string_?value current new old default_?(?:value)?`;
const valueField = new RegExp(`^(?:${valueFields.trim().split(/\s+/).join('|')})$`);
const flag = /^--?[A-Za-z][\w-]+$/;
const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;
const endsWord = (code: number): boolean => code === 44 || code === 93 || code === 125 || isSpace(code);
const opensNumber = (code: number): boolean => code === 45 || (code >= 48 && code <= 57);

/** A reading of one text: how far it has come, and what it has found. Each reader below answers false for "no JSON". */
type Reading = {
  readonly text: string;
  readonly leaves: Leaf[];
  at: number;
  tooDeep: boolean;
};

function skipSpace(reading: Reading): void {
  const { text } = reading;
  while (isSpace(text.charCodeAt(reading.at))) reading.at += 1;
}
/** The unit at hand, behind any white space. */
function nextUnit(reading: Reading): number {
  skipSpace(reading);
  return reading.text.charCodeAt(reading.at);
}

type StringPlace = { readonly start: number; readonly end: number; readonly isEscaped: boolean };
function readString(reading: Reading): StringPlace | undefined {
  const { text } = reading;
  const start = reading.at + 1;
  let isEscaped = false;
  for (let index = start; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 34) {
      reading.at = index + 1;
      return { start, end: index, isEscaped };
    }
    if (code === 92) {
      isEscaped = true;
      index += 1;
    } else if (code < 32) return undefined;
  }
  return undefined;
}

/** A number, or true, false, null. */
function readWord(reading: Reading, key: string | undefined, column: string): boolean {
  const { text, leaves, at: start } = reading;
  while (reading.at < text.length && !endsWord(text.charCodeAt(reading.at))) reading.at += 1;
  const word = text.slice(start, Math.min(reading.at, start + maxNumber));
  if (!opensNumber(text.charCodeAt(start))) return word === 'true' || word === 'false' || word === 'null';
  if (!jsonNumber.test(word)) return false;
  leaves.push({ kind: 'number', start, end: reading.at, isEscaped: false, ...(key !== undefined && { key }), column });
  return true;
}

function readValue(reading: Reading, key: string | undefined, column: string, depth: number): boolean {
  const { leaves } = reading;
  if (depth > maxDepth || leaves.length > maxLeaves) {
    reading.tooDeep = true;
    return false;
  }
  const code = nextUnit(reading);
  if (code === 123) return readObject(reading, key, column, depth);
  if (code === 91) return readArray(reading, key, column, depth);
  if (code !== 34) return readWord(reading, key, column);
  const found = readString(reading);
  if (found && found.end > found.start)
    leaves.push({ kind: 'string', ...found, ...(key !== undefined && { key }), column });
  return found !== undefined;
}

/** Reads a value; answers its leaf when the value is a string that holds something. */
function readItem(reading: Reading, key: string | undefined, column: string, depth: number): boolean | Leaf {
  const isString = nextUnit(reading) === 34;
  if (!readValue(reading, key, column, depth)) return false;
  const leaf = reading.leaves.at(-1);
  return isString && leaf?.end === reading.at - 1 ? leaf : true;
}

/** What a leaf says, cut to the length of a name. */
const contentOf = (text: string, { start, end }: Leaf): string => text.slice(start, Math.min(end, start + maxName));
/** The same as the name of another. */
const nameOf = (text: string, leaf: Leaf): string => contentOf(text, leaf).toLowerCase();

/** Behind an item: true at the container's end, false before another item, undefined for neither. */
function isClosed(reading: Reading, close: number): boolean | undefined {
  const next = nextUnit(reading);
  reading.at += 1;
  if (next === close) return true;
  return next === 44 ? false : undefined;
}
/** Behind the opening bracket: the container is empty. */
function isEmpty(reading: Reading, close: number): boolean {
  reading.at += 1;
  if (nextUnit(reading) !== close) return false;
  reading.at += 1;
  return true;
}

/** The name of a field and its colon, lower case. */
function readKey(reading: Reading): string | undefined {
  if (nextUnit(reading) !== 34) return undefined;
  const found = readString(reading);
  if (!found) return undefined;
  if (found.end > found.start) reading.leaves.push({ kind: 'key', ...found, column: '' });
  if (nextUnit(reading) !== 58) return undefined;
  reading.at += 1;
  return reading.text.slice(found.start, found.end).toLowerCase();
}

/** `named`: the key of this object, until a field of its own says what it is about. */
function readObject(reading: Reading, key: string | undefined, column: string, depth: number): boolean {
  if (isEmpty(reading, 125)) return true;
  const values: Leaf[] = [];
  const data: (readonly Leaf[])[] = [];
  let isSecret = false;
  let named = key;
  let items = 0;
  for (;;) {
    const field = readKey(reading);
    if (field === undefined) return false;
    const from = reading.leaves.length;
    const item = readItem(reading, field, `${column}.${field}`, depth + 1);
    if (item === false) return false;
    items += 1;
    if (item !== true) {
      if (nameField.test(field)) named = nameOf(reading.text, item);
      else if (valueField.test(field)) values.push(item);
      else if (field === 'kind') isSecret = contentOf(reading.text, item) === 'Secret';
    }
    if (field === 'data' || field === 'stringdata') data.push(reading.leaves.slice(from));
    const closed = isClosed(reading, 125);
    if (closed === undefined) return false;
    if (!closed) continue;
    if (isSecret) for (const leaf of data.flat()) leaf.isOfSecret = leaf.kind === 'string';
    if (named !== undefined) for (const value of values) value.siblingKey = named;
    else nameSecond(reading.text, values, items);
    return true;
  }
}

function readArray(reading: Reading, key: string | undefined, column: string, depth: number): boolean {
  if (isEmpty(reading, 93)) return true;
  const { text } = reading;
  const strings: Leaf[] = [];
  let items = 0;
  for (;;) {
    const item = readItem(reading, key, column, depth + 1);
    if (item === false) return false;
    items += 1;
    if (item !== true) {
      const before = strings.at(-1);
      // `["--password", "..."]`
      if (before !== undefined && before.end < item.start && flag.test(contentOf(text, before)))
        item.siblingKey = nameOf(text, before).replace(/^-+/, '');
      strings.push(item);
    }
    const closed = isClosed(reading, 93);
    if (closed === undefined) return false;
    if (!closed) continue;
    nameSecond(text, strings, items);
    return true;
  }
}

/** Of two items the first names the second: `["authorization", "..."]`. */
function nameSecond(text: string, [first, second]: readonly Leaf[], items: number): void {
  if (items === 2 && first !== undefined && second !== undefined) second.siblingKey ??= nameOf(text, first);
}

/**
 * Undefined when the text is no JSON object or array; 'too-deep' when it is deeper than 64 levels or has more leaves
 * than can be looked at.
 */
export function jsonLeaves(text: string): readonly Leaf[] | undefined | 'too-deep' {
  const reading: Reading = { text, leaves: [], at: 0, tooDeep: false };
  const first = nextUnit(reading);
  if (first !== 123 && first !== 91) return undefined;
  const isJson = readValue(reading, undefined, '', 0);
  if (reading.tooDeep) return 'too-deep';
  skipSpace(reading);
  return isJson && reading.at === text.length ? reading.leaves : undefined;
}

const simple: Readonly<Record<string, number>> = { '"': 34, '\\': 92, '/': 47, b: 8, f: 12, n: 10, r: 13, t: 9 };
/** The content of a JSON string as its reader sees it, with the way back; positions are relative to `raw`. */
export function readJsonString(raw: string): Mapped {
  const units = new Uint16Array(raw.length);
  const map = new Int32Array(raw.length + 1);
  const mapEnd = new Int32Array(raw.length + 1);
  let length = 0;
  for (let at = 0; at < raw.length; ) {
    let unit = raw.charCodeAt(at);
    let size = 1;
    if (unit === 92) {
      const kind = raw[at + 1] ?? '';
      const hex = kind === 'u' ? Number.parseInt(raw.slice(at + 2, at + 6), 16) : Number.NaN;
      size = kind === 'u' ? 6 : 2;
      unit = kind === 'u' ? (Number.isNaN(hex) ? 0xfffd : hex) : (simple[kind] ?? 0xfffd);
    }
    units[length] = unit;
    map[length] = at;
    mapEnd[length] = Math.min(raw.length, at + size);
    length += 1;
    at += size;
  }
  map[length] = raw.length;
  mapEnd[length] = raw.length;
  return { text: textOf(units, length), map, mapEnd };
}
