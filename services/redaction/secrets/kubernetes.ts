/**
 * Values of a Kubernetes Secret (`data`, `stringData`): opaque, under names of the owner's choice, so the manifest's
 * kind says what they are. YAML of several documents and lists, and JSON that stands in other text; a text that is JSON
 * is read by its leaves (`json-text.ts`).
 */
import type { Finding } from '../finding.ts';
import { saysNothing } from './plausible.ts';
import type { SecretRule } from './secret-rule.ts';

/** Longest manifest that is looked at on either side of its kind, in units. */
const reach = 65_536;
const jsonReach = 32_768;
const backReach = 4_096;
const template = /\{\{|\$\{|\$\(|^<[^<>]*>$|^\[\??[A-Z][A-Z_]+[:\]]|^!/;
const base64 = /^[A-Za-z0-9+/_-]{2,}={0,2}$/;
const isKept = (value: string, isCoded: boolean): boolean =>
  value.length < 2 || template.test(value) || saysNothing(value) || (isCoded && !base64.test(value));

function push(start: number, value: string, out: Finding[]): void {
  const type = value.startsWith('LS0tLS1CRUdJTi') ? 'SECRET_PRIVATE_KEY' : 'SECRET_GENERIC';
  out.push({ start, end: start + value.length, type, rank: 72 });
}

/** A line of YAML: where its first key stands, the column of that, and whether a list's item begins with it. */
type Line = { readonly from: number; readonly to: number; readonly column: number; readonly isItem: boolean };
function lineAt(text: string, from: number): Line {
  const newline = text.indexOf('\n', from);
  const to = newline < 0 ? text.length : newline;
  let at = from;
  while (at < to && (text[at] === ' ' || (text[at] === '-' && text[at + 1] === ' '))) at += 1;
  const isEmpty = at === to || text[at] === '#' || text[at] === '\r';
  return {
    from,
    to,
    column: isEmpty ? Number.POSITIVE_INFINITY : at - from,
    isItem: text.slice(from, at).includes('-'),
  };
}
const isBoundary = (text: string, { from }: Line): boolean =>
  /^(?:---|\.\.\.)(?:\s|$)/.test(text.slice(from, from + 4));

/** Where the line begins that ends at `end`, at most `limit` units away. */
function lineStart(text: string, end: number, limit: number): number {
  const from = Math.max(0, end - limit);
  return from + text.slice(from, end).lastIndexOf('\n') + 1;
}

/** Where the mapping begins whose key stands in the line at `from`, in a column of its own. */
function mappingStart(text: string, from: number, column: number): number {
  let start = from;
  const stop = Math.max(0, from - reach);
  while (start > stop) {
    if (lineAt(text, start).isItem && lineAt(text, start).column === column) return start;
    const before = lineAt(text, lineStart(text, start - 1, reach));
    if (before.column < column || isBoundary(text, before)) return start;
    start = before.from;
  }
  return start;
}

const dataKey = /^["']?(data|stringData)["']?[ \t]*:[ \t]*(\{[^\n]*)?(?:#[^\n]*)?\r?$/;
const entry = /^["']?[\w.-]{1,253}["']?[ \t]*:(?:[ \t]+|$)/;
const flowValue = /:[ \t]*(["']?)([^"'\s,{}]+)\1/g;

/** A scalar of one line, or a line of a block: without quotes and comment. */
function pushScalar(text: string, from: number, to: number, isCoded: boolean, out: Finding[]): void {
  const raw = text.slice(from, to).trimEnd();
  const quoted = /^(["'])(.*)\1(?:\s+#.*)?$/.exec(raw);
  const value = quoted === null ? raw.replace(/\s+#.*$/, '') : (quoted[2] as string);
  if (!isKept(value, isCoded)) push(from + (quoted === null ? 0 : 1), value, out);
}

/** Reads the mapping from `start` on: the values of its data. Answers where it ends. */
function readMapping(text: string, start: number, column: number, out: Finding[]): number {
  let at = start;
  let data: { readonly isCoded: boolean; column: number } | undefined;
  const stop = start + 2 * reach;
  for (let isFirst = true; at < text.length && at < stop; isFirst = false) {
    const line = lineAt(text, at);
    if (!isFirst && (isBoundary(text, line) || line.column < column || (line.isItem && line.column <= column)))
      return at;
    const from = line.from + line.column;
    if (line.column === column) {
      const key = dataKey.exec(text.slice(from, line.to));
      data = key === null ? undefined : { isCoded: key[1] === 'data', column: -1 };
      if (data !== undefined)
        for (const pair of key?.[2]?.matchAll(flowValue) ?? [])
          if (!isKept(pair[2] as string, data.isCoded))
            push(text.indexOf(pair[2] as string, from + (pair.index as number)), pair[2] as string, out);
    } else if (data !== undefined && Number.isFinite(line.column)) {
      if (data.column < 0) data.column = line.column;
      const name = line.column === data.column ? entry.exec(text.slice(from, line.to)) : null;
      const value = from + (name?.[0].length ?? 0);
      if (value < line.to && !/^[|>][+-]?\d?[+-]?\s*(?:#|$)/.test(text.slice(value, line.to)))
        pushScalar(text, value, line.to, data.isCoded, out);
    }
    at = line.to + 1;
  }
  return at;
}

const jsonData = /(\\*)"(data|stringData)\1"\s{0,8}:\s{0,8}\{([^{}]*)\}/g;
const jsonString = /:\s*(\\*)"((?:(?!\1")[^\n]){2,65536}?)\1"/g;
/** Where the object begins that holds the unit at `at`, or -1: looked for not far away, as most hits have none. */
function objectStart(text: string, at: number): number {
  let depth = 0;
  const stop = Math.max(0, at - backReach);
  for (let from = at - 1; from >= stop; from -= 1) {
    const unit = text.charCodeAt(from);
    if (unit === 125) depth += 1;
    else if (unit === 123 && --depth < 0) return from;
  }
  return -1;
}
/** One past the object that begins at `from`; a cut-off one ends with what is looked at. */
function objectEnd(text: string, from: number): number {
  let depth = 0;
  const stop = Math.min(text.length, from + jsonReach);
  for (let at = from; at < stop; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 123) depth += 1;
    else if (unit === 125 && --depth === 0) return at + 1;
  }
  return stop;
}

function readJson(text: string, at: number, out: Finding[]): number {
  const from = objectStart(text, at);
  if (from < 0) return at;
  const until = objectEnd(text, from);
  const object = text.slice(from, until);
  let depth = 0;
  let read = 0;
  for (const match of object.matchAll(jsonData)) {
    for (; read < match.index; read += 1) depth += object[read] === '{' ? 1 : object[read] === '}' ? -1 : 0;
    if (depth !== 1) continue;
    const inside = from + match.index + match[0].length - 1 - (match[3] as string).length;
    for (const pair of (match[3] as string).matchAll(jsonString)) {
      const value = pair[2] as string;
      const start = inside + pair.index + pair[0].length - 1 - (pair[1] as string).length - value.length;
      if (!isKept(value, match[2] === 'data')) push(start, value, out);
    }
  }
  return until;
}

export const kubernetesSecrets: SecretRule = {
  literals: [
    'kind: secret',
    'kind: "secret"',
    "kind: 'secret'",
    'kind":"secret"',
    'kind": "secret"',
    'kind\\":\\"secret\\"',
    'kind\\": \\"secret\\"',
  ],
  findAt(text, at, literal, out) {
    if (literal > 2) return /^kind\\?": ?\\?"Secret/.test(text.slice(at, at + 20)) ? readJson(text, at, out) : at;
    if (!/^kind: ["']?Secret["']?(?:\s|$)/.test(text.slice(at, at + 20))) return at;
    const from = lineStart(text, at, 256);
    const line = lineAt(text, from);
    if (from + line.column !== at) return at;
    return readMapping(text, mappingStart(text, from, line.column), line.column, out);
  },
};
