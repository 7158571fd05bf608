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
};

const maxDepth = 64;
const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;

const nameField = /^(?:name|key|k|field|header|variable|var|param|parameter|property|label|attribute|env)$/;
const valueField =
  /^(?:value|val|v|raw|plain|plaintext|#text|_text|\$t|_value|\$value|string_?value|current|new|old|default_?(?:value)?)$/;
const flag = /^--?[A-Za-z][\w-]+$/;
const maxName = 64;

const endsWord = (code: number): boolean => code === 44 || code === 93 || code === 125 || isSpace(code);
/** More leaves than this are a dump: it goes out whole. */
const maxLeaves = 60_000;

/**
 * Undefined when the text is no JSON object or array, ; 'too-deep' when it is deeper than 64 levels or has more leaves
 * than can be looked at.
 */
export function jsonLeaves(text: string): readonly Leaf[] | undefined | 'too-deep' {
  const leaves: Leaf[] = [];
  let at = 0;
  let tooDeep = false;
  const space = (): void => {
    while (isSpace(text.charCodeAt(at))) at += 1;
  };
  const string = (): { start: number; end: number; isEscaped: boolean } | undefined => {
    const start = at + 1;
    let isEscaped = false;
    for (let index = start; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code === 34) {
        at = index + 1;
        return { start, end: index, isEscaped };
      }
      if (code === 92) {
        isEscaped = true;
        index += 1;
      } else if (code < 32) return undefined;
    }
    return undefined;
  };
  const value = (key: string | undefined, column: string, depth: number): boolean => {
    if (depth > maxDepth || leaves.length > maxLeaves) {
      tooDeep = true;
      return false;
    }
    space();
    const code = text.charCodeAt(at);
    if (code === 34) {
      const found = string();
      if (found && found.end > found.start)
        leaves.push({ kind: 'string', ...found, ...(key !== undefined && { key }), column });
      return found !== undefined;
    }
    if (code === 123 || code === 91) {
      const isObject = code === 123;
      const close = isObject ? 125 : 93;
      // Strings that are items of this array, or fields of this object that hold a value or a name.
      const own: Leaf[] = [];
      let named = isObject ? key : undefined;
      let items = 0;
      const contentOf = ({ start, end }: Leaf): string => text.slice(start, Math.min(end, start + maxName));
      at += 1;
      space();
      if (text.charCodeAt(at) === close) {
        at += 1;
        return true;
      }
      for (;;) {
        let name = key;
        space();
        if (isObject) {
          if (text.charCodeAt(at) !== 34) return false;
          const found = string();
          if (!found) return false;
          name = text.slice(found.start, found.end).toLowerCase();
          if (found.end > found.start) leaves.push({ kind: 'key', ...found, column: '' });
          space();
          if (text.charCodeAt(at) !== 58) return false;
          at += 1;
        }
        space();
        const isString = text.charCodeAt(at) === 34;
        if (!value(name, isObject ? `${column}.${name}` : column, depth + 1)) return false;
        const leaf = leaves.at(-1);
        items += 1;
        if (isString && leaf?.end === at - 1) {
          if (isObject && nameField.test(name ?? '')) named = contentOf(leaf).toLowerCase();
          else if (!isObject || valueField.test(name ?? '')) own.push(leaf);
          const before = isObject ? undefined : own.at(-2);
          if (before !== undefined && before.end < leaf.start && flag.test(contentOf(before)))
            leaf.siblingKey = contentOf(before).toLowerCase().replace(/^-+/, '');
        }
        space();
        const next = text.charCodeAt(at);
        at += 1;
        if (next === close) {
          const [first, second] = own;
          if (isObject && named !== undefined) for (const each of own) each.siblingKey = named;
          else if (items === 2 && first !== undefined && second !== undefined)
            second.siblingKey ??= contentOf(first).toLowerCase();
          return true;
        }
        if (next !== 44) return false;
      }
    }
    const start = at;
    while (at < text.length && !endsWord(text.charCodeAt(at))) at += 1;
    const word = text.slice(start, Math.min(at, start + 400));
    if (code === 45 || (code >= 48 && code <= 57)) {
      if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(word)) return false;
      leaves.push({ kind: 'number', start, end: at, isEscaped: false, ...(key !== undefined && { key }), column });
      return true;
    }
    return word === 'true' || word === 'false' || word === 'null';
  };
  space();
  if (!/[{[]/.test(text[at] ?? '')) return undefined;
  const isJson = value(undefined, '', 0);
  if (tooDeep) return 'too-deep';
  space();
  return isJson && at === text.length ? leaves : undefined;
}

const maxStreamLeaves = 4_000;
/** Lines that begin like JSON and are none, before a text counts as prose: code has as many. */
const maxMisses = 32;
const streamed = /^(?:(?:event|id|retry)?:[^\n]{0,200}\n|\s){0,8}(?:data:[ \t]?)?[{[]/;
/**
 * JSON by the line, alone or behind `data:` (NDJSON, server-sent events); whatever stands between such lines is one
 * text each. Undefined when fewer than two lines are JSON, or when there is more than can be looked at leaf by leaf:
 * that is text like any other.
 */
export function streamLeaves(text: string): readonly Leaf[] | undefined {
  if (!text.includes('\n') || !streamed.test(text)) return undefined;
  const leaves: Leaf[] = [];
  let lines = 0;
  let between = 0;
  let misses = 0;
  const plain = (end: number): void => {
    if (text.slice(between, end).trim() !== '')
      leaves.push({ kind: 'string', start: between, end, isEscaped: false, column: '' });
  };
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    const start = from + (/^data:[ \t]?/.exec(text.slice(from, from + 6))?.[0].length ?? 0);
    const found = /[{[]/.test(text[start] ?? '') ? jsonLeaves(text.slice(start, end)) : undefined;
    misses += found === undefined ? 1 : 0;
    if (found === 'too-deep' || leaves.length > maxStreamLeaves || misses > maxMisses + 8 * lines) return undefined;
    if (found !== undefined) {
      plain(from);
      for (const leaf of found) leaves.push({ ...leaf, start: leaf.start + start, end: leaf.end + start });
      lines += 1;
      between = end;
    }
    from = end + 1;
  }
  if (lines < 2) return undefined;
  plain(text.length);
  return leaves;
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
