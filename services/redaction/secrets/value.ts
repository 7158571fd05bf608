/** Reads a value where a name or a sentence says that one stands, and reports it when it may be a secret. */
import type { Finding } from '../finding.ts';
import { pattern } from '../pattern.ts';
import { hexGroupsEnd } from './grouped-key.ts';
import { isOwnersKey, kindOfName, type NameKind } from './key-name.ts';
import { isClearlyMadeUp } from './made-up.ts';
import { type EvidenceStrength, isPassword, isRandom, isRepeated, isStandIn, isToken, uuid } from './plausible.ts';
import { alnum, alphabet, runEnd } from './secret-rule.ts';
import { closingAt, overBlank, overMarks } from './value-end.ts';

const tail = alphabet('_-.+/=~%');
const maxValue = 2048;
/** What is judged; the rest of a longer value goes with it. */
const judged = 256;

const opening = /(?:[bfruLR@$]{1,2}(?=["']))?("{3}|'{3}|\\{0,3}["'`]|[“‘«„])/y;
const closings: Readonly<Record<string, string>> = { '“': '”', '‘': '’', '«': '»', '„': '“' };
/** Brackets, bullets and tags that a sentence puts around a value. */
const wrapper = pattern('y')`
    <(?:b|i|em|strong|code|kbd|pre|span|p|tt|mark)>|[([{<|;,/\u2022]\s?(?=[^\s<>[\](){}|]{6,80}[)\]}>|;,/]
    |[^\s]{6,80}$)|\u2022\s
  `;
const bareValue = /[^\s"'`<>,;|\\“”]{0,256}/y;
const queryValue = /[^\s"'`<>,;&#\\]{1,256}/y;

const connectionString = pattern('i')`
    (?:server|data source|host|hostname|address|addr|network address|user id|uid|username|user|database
    |initial catalog|accountname|endpoint|sharedaccesskeyname|loginmodule required)\s?=[^\n]{0,160}$
    |LoginModule required[^\n]{0,120}$|jdbc:[^\s]{0,160}$
  `;

/** Punctuation in front of a value. */
const lead = /^[[({<>$%&*@!#|;,\\^~?+=:/.-]{1,3}/;
/** Punctuation in front says template, tag or variable, unless what follows is no name of one. */
function judge(value: string, kind: NameKind, strength: EvidenceStrength): boolean {
  if (judgePlain(value, kind, strength)) return true;
  const front = alnum[value.charCodeAt(0)] === 1 ? undefined : lead.exec(value)?.[0].length;
  return (
    kind !== 'weak' && front !== undefined && isClearlyMadeUp(value) && judgePlain(value.slice(front), kind, strength)
  );
}
function judgePlain(value: string, kind: NameKind, strength: EvidenceStrength): boolean {
  if (value.length < 4 || !/[^A-Za-z :._-]|[a-z][A-Z]|[A-Za-z]{6}/.test(value) || /^[[({<$]|^--?[a-z]/.test(value))
    return false;
  if (kind === 'password') return isPassword(value, strength);
  if (kind === 'id') return /^(?=.*\d)(?=.*[a-f])[0-9a-f]{32,128}$/i.test(value) && !isRepeated(value);
  if (!isToken(value, strength)) return false;
  return (
    kind === 'token' ||
    (isRandom(value) &&
      value.length >= 16 &&
      !uuid.test(value) &&
      (strength === 'phrase' || !/^[0-9a-f]+$/.test(value) || value.length === 32))
  );
}

function push(
  text: string,
  start: number,
  end: number,
  kind: NameKind,
  out: Finding[],
  rank = kind === 'weak' || kind === 'id' ? 70 : 88,
): number {
  out.push({ start, end, type: typeOf(text, start, end, kind), rank });
  return end;
}
function typeOf(text: string, start: number, end: number, kind: NameKind): Finding['type'] {
  if (connectionString.test(text.slice(Math.max(0, start - 200), start))) return 'SECRET_CONNECTION';
  return kind !== 'password' && isRandom(text.slice(start, end)) ? 'SECRET_KEY' : 'SECRET_GENERIC';
}

/** Where a value stands: its first unit, the kind that its name promises, and what the place says about it. */
export type Place = {
  readonly from: number;
  readonly kind: NameKind;
  readonly strength: EvidenceStrength;
  /** In a query string: `&` and `#` end it. */
  readonly inQuery: boolean;
};

/** Reads the value at a place and reports it when it may be a secret: where it ends, or -1. */
export function readValue(text: string, place: Place, out: Finding[]): number {
  const { from, kind, strength } = place;
  const grouped = kind === 'password' ? -1 : hexGroupsEnd(text, /["'`]/.test(text[from] ?? '') ? from + 1 : from);
  if (grouped > 0) {
    out.push({ start: from, end: grouped, type: 'SECRET_KEY', rank: 84 });
    return grouped;
  }
  opening.lastIndex = from;
  const open = opening.exec(text);
  if (open !== null) return readQuoted(text, opening.lastIndex, open[1] ?? '"', place, out);
  if (strength === 'phrase') {
    wrapper.lastIndex = from;
    if (wrapper.test(text))
      return readValue(text, { from: wrapper.lastIndex, kind, strength: 'adjacent', inQuery: false }, out);
  }
  return readBare(text, place, out);
}

/** `start`: behind the quotation mark. */
function readQuoted(text: string, start: number, quote: string, { kind, strength }: Place, out: Finding[]): number {
  const closing = closings[quote] ?? quote;
  const first = text.slice(start, start + judged);
  const window = first.includes(closing) || /[\n\r]/.test(first) ? first : text.slice(start, start + maxValue);
  const line = window.split(/[\n\r]/, 1)[0] ?? '';
  let close = closingAt(line, closing);
  if (close < 0) close = line.length < window.length ? line.length : Math.min(window.length, 200);
  let value = window.slice(0, close);
  const schemed = /^(?:bearer|basic|token|apikey|api-key)\s{1,3}/i.exec(value);
  const skip = schemed?.[0].length ?? 0;
  value = value.slice(skip);
  const isCode = strength !== 'phrase' && strength !== 'adjacent';
  const sample = value.length > judged ? value.slice(0, judged) : value;
  if (value.length === 0 || !judge(sample, schemed === null ? kind : 'token', isCode ? 'quoted' : 'phrase')) return -1;
  return push(text, start + skip, start + close, kind, out);
}

function readBare(text: string, place: Place, out: Finding[]): number {
  const { from, kind, strength, inQuery } = place;
  const units = inQuery ? queryValue : bareValue;
  units.lastIndex = from;
  const match = units.exec(text);
  if (match === null) return -1;
  let value = match[0];
  const bracket = value.search(/[)\]}](?:[)\]},;.:/]|$)/);
  if (bracket > 0 && !/[([{]/.test(value)) value = value.slice(0, bracket);
  else if (kind !== 'weak') value = text.slice(from, overMarks(text, from, from + value.length, judged));
  // A comma or semicolon inside a password is rarer than one after it; closing punctuation belongs to the sentence.
  const isSentence = strength === 'phrase' || strength === 'adjacent';
  value = value.replace(isSentence ? /[.!?:)\]}*_~]+$/ : /[)\]}.*]+$/, '');
  if (/^\*{1,2}[^*]/.test(value))
    return readValue(text, { ...place, from: from + (value.startsWith('**') ? 2 : 1) }, out);
  const whole = kind === 'weak' || inQuery ? value : text.slice(from, overBlank(text, from, from + value.length));
  // Behind `#` stands a fragment, or the rest of a password in a driver's address.
  if (!judge(value, kind, strength) && !(whole !== value && judge(whole.replace(' ', ''), kind, strength)))
    return inQuery && text[from + match[0].length] === '#' ? readValue(text, { ...place, inQuery: false }, out) : -1;
  const end = match[0].length < judged ? from + whole.length : runEnd(text, from + value.length, tail, maxValue);
  return push(text, from, end, kind, out);
}

/** How far after a word a made-up value still belongs to it. */
const reach = 72;
const longRun = /[A-Za-z0-9_+/.~-]{16}/;
const madeUp = /[A-Za-z0-9_+/~-][A-Za-z0-9_+/.~-]{14,510}[A-Za-z0-9_+/~-]={0,2}/g;

/** What announces a made-up value of another kind: hashes and ids are named for it. */
const innocent = pattern('i')`
    (?:sha\d*|md5|hash|digest|checksum|commit|revision|trace|span|request|req|id|uuid|guid|etag|version
    |build|image|integrity|fingerprint|thumbprint|nonce|model|ref
    |branch)["'\x60]?\s{0,2}[:=#@(]?\s{0,2}["'\x60]?$
  `;

/** A made-up value that nothing around it claims for something else. */
const mayBeKey = (value: string, before: string, kind: NameKind): boolean =>
  value.replace(/[^A-Za-z0-9]/g, '').length >= 20 &&
  !/[/.][A-Za-z]{3,}[/.]/.test(value) &&
  isRandom(value) &&
  !uuid.test(value) &&
  !isStandIn(value) &&
  !innocent.test(before) &&
  !/[\w/@.:%-]$/.test(before) &&
  !(kind === 'weak' && /^[0-9a-f]+$/.test(value));

/** The first made-up value within reach of the word that ends at `from`, on its line: where it ends, or -1. */
export function readNearby(text: string, from: number, kind: NameKind, out: Finding[]): number {
  if (!longRun.test(text.slice(from, from + reach + 16))) return -1;
  // What stood in a placeholder's place was longer: behind one, nothing is near.
  const line = text.slice(from, from + reach + 512).split(/\[[A-Z]/, 1)[0] ?? '';
  madeUp.lastIndex = 0;
  for (let match = madeUp.exec(line); match !== null && match.index <= reach; match = madeUp.exec(line)) {
    const value = match[0].replace(/[.]+$/, '');
    if (/\n[ \t]*\n/.test(line.slice(0, match.index))) return -1;
    const start = from + match.index;
    if (mayBeKey(value, line.slice(Math.max(0, match.index - 24), match.index), kind))
      return push(text, start, start + value.length, kind, out, 68);
  }
  return -1;
}

/** A text that is one value, in a field whose name promises a secret. */
export function findInField(text: string, key: string): readonly Finding[] {
  const kind = kindOfName(key);
  const value = text.trim();
  if (kind === 'none' || value.length > maxValue) return [];
  if (!judge(value, kind, 'quoted') && !(kind === 'weak' && isOwnersKey(key) && judge(value, 'id', 'quoted')))
    return [];
  const out: Finding[] = [];
  const start = text.indexOf(value);
  push(text, start, start + value.length, kind, out);
  return out;
}
