/**
 * Secrets by what stands before them: assignments in code, JSON, YAML, INI, XML, shell and connection strings,
 * sentences ("the password for the wifi is ..."), and a made-up value soon after the word. A name is judged first
 * (`key-name.ts`), then the value (`plausible.ts`).
 */
import { pattern } from '../pattern.ts';
import type { Finding } from '../detector.ts';
import { alphabet, type SecretRule, runEnd, runStart } from './secret-rule.ts';
import { hexGroupsEnd } from './grouped-key.ts';
import { kindOfName, type NameKind } from './key-name.ts';
import { isPassword, isRandom, isStandIn, isToken, type EvidenceStrength, uuid } from './plausible.ts';

const nameUnits = alphabet('_-.$');
const tail = alphabet('_-.+/=~%');
const maxName = 64;
const maxValue = 2048;
/** What is judged; the rest of a longer value goes with it. */
const judged = 256;
/** How far after a word a made-up value still belongs to it. */
const reach = 72;

/** From the end of a name to the value: closing quote or bracket, type annotation, operator, wrappers like `value=`. */
const operator = pattern('y')`
    ["'\x60\])\\]{0,5}(?: ?\([A-Za-z ]{2,24}\))?[ \t]{0,8}(?:(?::[ \t]?[A-Za-z_<>?&'[\]*]{2,24}[ \t]?
    (?==[^=>]))?(?:=>|<-|:=|[=!]==?|=|::?|->|\?\?=?|\|\|=?|\+=)|(?:,\s{0,24}|\s{1,24}
    |:[ \t]?\{\s{0,24})\\{0,3}["']?(?:value|content|default)\\{0,3}["']?\s{0,2}[:=]|\|(?=[ \t])|[为是為は는은이가]
    |</(?:key|name)>\s{0,24}<(?:string|value)>)[ \t]{0,8}(?:\\{0,1}[ \t]?\r?\n[ \t]{1,16}|\\[nt]){0,1}
  `;
/** The name ends its line: the value has a name of its own there (`value:`), or is all of the next line. */
const nextLine =
  /\r?\n(?:[ \t-]{0,24}["']?(?:value|content|default)\b|[ \t]{0,16}(?=[\w+/~.-]{20,200}={0,2}(?:\s|$)))/y;
/** The second argument of `define('DB_PASSWORD', '...')`. */
const second = /["'] ?, ?(?=["'`])/y;
const call = /\(\s{0,3}(?=["'`])/y;
const verb = pattern()`
    [ \t"'\x60*)\]](?:is|was|are|equals|be|to|ist|lautet|es|est|é|è|este|jest|je|er|är|on|adalah|s
    (?<='s))[ \t]{1,2}(?:(?:now|still|just|currently|actually|simply|set[ \t]to|changed[ \t]to|called
    |probably|like|this|the[ \t]following|as[ \t]follows)\b)?[ \t]{0,2}[:=]?[ \t\n]{0,3}|[:=][ \t\n]{1,3}
  `;
/** A sentence between the word and its verb: up to six words, no clause. */
const between = /^["'`*)\]]{0,3}(?:[ \t]+[\p{L}\p{N}_'’.@/&-]{1,24}){0,6}[ \t]{0,2}$/u;
const maxSentence = 112;
const longRun = /[A-Za-z0-9_+/.~-]{16}/;

/** Where the value of a sentence begins (`for the wifi is ...`), or -1. */
function afterVerb(text: string, from: number): number {
  const window = text.slice(from, from + maxSentence);
  const match = verb.exec(window);
  return match !== null && between.test(window.slice(0, match.index)) ? from + match.index + match[0].length : -1;
}
const opening = /(?:[bfruLR@$]{1,2}(?=["']))?(\\{0,3}["'`]|[“‘«„])/y;
const closings: Readonly<Record<string, string>> = { '“': '”', '‘': '’', '«': '»', '„': '“' };
/** Brackets, bullets and tags that a sentence puts around a value. */
const wrapper = pattern('y')`
    <(?:b|i|em|strong|code|kbd|pre|span|p|tt|mark)>|[([{<|;,/\u2022]\s?(?=[^\s<>[\](){}|]{6,80}[)\]}>|;,/]
    |[^\s]{6,80}$)|\u2022\s
  `;
/** Punctuation that sets a value off from its name: `password - ...`, `Password (...)`, `token → ...`. */
const setOff = /[ \t]{0,2}(?:[-–—→>|;~([{<]|\\[nt]|(?=[“„«‘]))[ \t]{0,2}(?=\S)/y;
const bareValue = /[^\s"'`<>,;|\\“”]{1,256}/y;
const queryValue = /[^\s"'`<>,;&#\\]{1,256}/y;
const madeUp = /[A-Za-z0-9_+/~-][A-Za-z0-9_+/.~-]{14,510}[A-Za-z0-9_+/~-]={0,2}/g;

/** What announces a made-up value of another kind: hashes and ids are named for it. */
const innocent = pattern('i')`
    (?:sha\d*|md5|hash|digest|checksum|commit|revision|trace|span|request|req|id|uuid|guid|etag|version
    |build|image|integrity|fingerprint|thumbprint|nonce|model|ref
    |branch)["'\x60]?\s{0,2}[:=#@(]?\s{0,2}["'\x60]?$
  `;
const connectionString = pattern('i')`
    (?:server|data source|host|hostname|address|addr|network address|user id|uid|username|user|database
    |initial catalog|accountname|endpoint|sharedaccesskeyname|loginmodule required)\s?=[^\n]{0,160}$
    |LoginModule required[^\n]{0,120}$|jdbc:[^\s]{0,160}$
  `;

function judge(value: string, kind: NameKind, strength: EvidenceStrength): boolean {
  if (value.length < 4 || !/[^A-Za-z :._-]|[a-z][A-Z]|[A-Za-z]{6}/.test(value) || /^[[({<$]|^--?[a-z]/.test(value))
    return false;
  if (kind === 'password') return isPassword(value, strength);
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
  rank = kind === 'weak' ? 70 : 88,
): number {
  const before = text.slice(Math.max(0, start - 200), start);
  const type = connectionString.test(before)
    ? 'SECRET_CONNECTION'
    : kind === 'password'
      ? 'SECRET_GENERIC'
      : isRandom(text.slice(start, end))
        ? 'SECRET_KEY'
        : 'SECRET_GENERIC';
  out.push({ start, end, type, rank });
  return end;
}

/** Reads the value at `from` and reports it when it may be a secret: where it ends, or -1. */
function take(
  text: string,
  from: number,
  kind: NameKind,
  strength: EvidenceStrength,
  out: Finding[],
  query: boolean,
): number {
  const grouped = kind === 'password' ? -1 : hexGroupsEnd(text, /["'`]/.test(text[from] ?? '') ? from + 1 : from);
  if (grouped > 0) {
    out.push({ start: from, end: grouped, type: 'SECRET_KEY', rank: 84 });
    return grouped;
  }
  opening.lastIndex = from;
  const open = opening.exec(text);
  if (open !== null) {
    const quote = open[1] ?? '"';
    const start = opening.lastIndex;
    const first = text.slice(start, start + judged);
    const window =
      first.includes(closings[quote] ?? quote) || /[\n\r]/.test(first) ? first : text.slice(start, start + maxValue);
    let close = window.indexOf(closings[quote] ?? quote);
    const line = window.search(/[\n\r]/);
    if (close < 0 || (line >= 0 && line < close)) close = line >= 0 ? line : Math.min(window.length, 200);
    let value = window.slice(0, close);
    const schemed = /^(?:bearer|basic|token|apikey|api-key)\s{1,3}/i.exec(value);
    const skip = schemed?.[0].length ?? 0;
    value = value.slice(skip);
    if (
      value.length > 0 &&
      judge(
        value.length > judged ? value.slice(0, judged) : value,
        schemed === null ? kind : 'token',
        strength === 'phrase' || strength === 'adjacent' ? 'phrase' : 'quoted',
      )
    )
      return push(text, start + skip, start + close, kind, out);
    return -1;
  }
  if (strength === 'phrase') {
    wrapper.lastIndex = from;
    const wrapped = wrapper.exec(text);
    if (wrapped !== null) return take(text, wrapper.lastIndex, kind, 'adjacent', out, false);
  }
  const pattern = query ? queryValue : bareValue;
  pattern.lastIndex = from;
  const match = pattern.exec(text);
  if (match === null) return -1;
  let value = match[0];
  const bracket = value.search(/[)\]}](?:[)\]},;.:/]|$)/);
  if (bracket > 0 && !/[([{]/.test(value)) value = value.slice(0, bracket);
  // A comma or semicolon inside a password is rarer than one after it; closing punctuation belongs to the sentence.
  value = value.replace(strength === 'phrase' || strength === 'adjacent' ? /[.!?:)\]}*_~]+$/ : /[)\]}.*]+$/, '');
  if (/^\*{1,2}[^*]/.test(value))
    return take(text, from + (value.startsWith('**') ? 2 : 1), kind, strength, out, query);
  // Behind `#` stands a fragment, or the rest of a password in a driver's address.
  if (!judge(value, kind, strength))
    return query && text[from + match[0].length] === '#' ? take(text, from, kind, strength, out, false) : -1;
  const end = match[0].length < judged ? from + value.length : runEnd(text, from + value.length, tail, maxValue);
  return push(text, from, end, kind, out);
}

/** The first made-up value within reach of the word, on its line. */
function nearby(text: string, from: number, kind: NameKind, out: Finding[]): number {
  if (!longRun.test(text.slice(from, from + reach + 16))) return -1;
  // What stood in a placeholder's place was longer: behind one, nothing is near.
  const line = text.slice(from, from + reach + 512).split(/\[[A-Z]/, 1)[0] ?? '';
  madeUp.lastIndex = 0;
  for (let match = madeUp.exec(line); match !== null && match.index <= reach; match = madeUp.exec(line)) {
    const value = match[0].replace(/[.]+$/, '');
    const before = line.slice(Math.max(0, match.index - 24), match.index);
    if (/\n[ \t]*\n/.test(line.slice(0, match.index))) return -1;
    if (
      value.replace(/[^A-Za-z0-9]/g, '').length < 20 ||
      /[/.][A-Za-z]{3,}[/.]/.test(value) ||
      !isRandom(value) ||
      uuid.test(value) ||
      isStandIn(value) ||
      innocent.test(before) ||
      /[\w/@.:%-]$/.test(before) ||
      (kind === 'weak' && /^[0-9a-f]+$/.test(value))
    )
      continue;
    return push(text, from + match.index, from + match.index + value.length, kind, out, 68);
  }
  return -1;
}

const words: readonly string[] = [
  'pass',
  'pwd',
  'psw',
  'secret',
  'token',
  'key',
  'auth',
  'cred',
  'kennwort',
  'contrase',
  'clave',
  'senha',
  'parola',
  'wachtwoord',
  'senord',
  'salasana',
  'heslo',
  'jelsz',
  'haslo',
  'sifre',
  'adgangskode',
  'kodeord',
  'sandi',
  'segredo',
  'geheim',
  'bindpw',
  'pincode',
  'pin code',
  'pin is',
  'pin:',
  'session',
  'jwt',
  'signature',
  'connectionstring',
  'connection_string',
  'access code',
  'license',
  'chiave',
  'schluessel',
  'salt',
  '_pat',
  'login:',
  'pw:',
  'pw is',
  'pw=',
  '_pw',
  'mdp',
  'ww:',
  'jeton',
  'chave',
  'jelszav',
];
/** Key words before `key`, and what makes a plain `key` one of another sort. */
const qualifier = pattern('i')`
    (?:^|[^A-Za-z])(api|access|auth|authentication|authorization|secret|private|license|encryption|signing
    |account|activation|product|service|master|shared|admin|deploy|client|ssh|root)[ _-]{0,2}$
  `;
const possessive = pattern()`
    (?:^|[^A-Za-z])(?:my|our|the|this|your|his|her|their|a|new|old|prod|production|staging|live|test
    |[A-Z][A-Za-z]{2,14}) $
  `;
const otherKeys = pattern('i')`
    (?:primary|public|foreign|cache|partition|sort|idempotency|dedup|object|routing|row|map|index|unique
    |shard|group|translation|message|lookup|s3|redis|hash|storage|json|enter|answer)[ _-]$
  `;
/** ASCII names of languages whose word holds other letters: the hit is on the ASCII part, the name on both sides. */
const wide = /[\u00c0-\u024f]/;

const assigned: SecretRule = {
  literals: words,
  findAt(text, at, literal, out) {
    const word = words[literal] ?? '';
    let start = runStart(text, at, nameUnits, maxName);
    while (start > 0 && at - start < maxName && wide.test(text[start - 1] ?? ''))
      start = runStart(text, start - 1, nameUnits, 8);
    let end = runEnd(text, at + word.replace(/(?: is|:|=)$/, '').length, nameUnits, maxName);
    while (wide.test(text[end] ?? '') && end - at < maxName) end = runEnd(text, end + 1, nameUnits, 16);
    while (end > at && /[.$-]/.test(text[end - 1] ?? '')) end -= 1;
    const next = text.charCodeAt(end);
    // Most hits are in prose (`key`, `pass`, `author`): a letter, comma or full stop behind the name ends it here.
    if (end - start >= maxName + 64 || (next >= 48 && next <= 57) || next === 46 || Number.isNaN(next)) return at;
    nextLine.lastIndex = end;
    if ((next === 10 || next === 13) && !nextLine.test(text)) return at;
    const name = text.slice(start, end);
    // a placeholder of ours
    if (text[start - 1] === '[' && /^[A-Z_]+$/.test(name) && (next === 93 || next === 58)) return end;
    if (/^(?:--?|\$)?[A-Za-z.]*\.(?:com|org|net|io|dev|md|py|js|ts|json|txt)$/.test(name)) return at;
    let kind: NameKind = /^pin|^access code|^login:/.test(word) ? 'password' : kindOfName(name);
    if (word.startsWith('pin') && !/^\S{0,8}[ :=is]{1,6}\d{4,8}(?!\w)/i.test(text.slice(at, at + 32))) return at;
    if (kind === 'none') return at;
    const before = text.slice(Math.max(0, start - 32), start);
    let plainKey = false;
    if (/^(?:keys?|schluessel|chiave)$/i.test(name)) {
      if (otherKeys.test(before)) return at;
      plainKey = possessive.test(before);
      if (qualifier.test(before)) kind = 'token';
    }
    const query =
      /[?&][^\s?&=]*$/.test(text.slice(Math.max(0, start - 1), start)) || /[?&]/.test(text[start - 1] ?? '');
    let found = -1;
    operator.lastIndex = end;
    if ((next === 10 || next === 13) && !/[a-z]$/.test(text.slice(end, nextLine.lastIndex))) {
      found = take(text, nextLine.lastIndex, kind === 'weak' ? 'token' : kind, 'phrase', out, false);
      return found >= 0 ? found : at;
    }
    const tagged = text[end] === '>' && /[</]$|[<][A-Za-z:]*$/.test(before);
    if (tagged) found = text[start - 1] === '/' ? -1 : take(text, end + 1, kind, 'quoted', out, false);
    else if (operator.test(text)) found = take(text, operator.lastIndex, kind, 'bare', out, query);
    if (found >= 0) return found;
    if (/["']/.test(text[end] ?? '') && (text[start - 2] === '(' || /^--?[A-Za-z]/.test(name))) {
      second.lastIndex = end;
      if (second.test(text)) found = take(text, second.lastIndex, kind, 'bare', out, false);
      if (found >= 0) return found;
    }
    call.lastIndex = end;
    if (call.test(text)) {
      found = take(text, call.lastIndex, kind, 'bare', out, false);
      if (found >= 0) return found;
    }
    if (next === 44 && text[end + 1] !== ' ') found = take(text, end + 1, kind, 'adjacent', out, false);
    else if (next === 9) found = take(text, end + 1, kind, 'phrase', out, false);
    if (found >= 0) return found;
    setOff.lastIndex = end;
    if (setOff.test(text)) found = take(text, setOff.lastIndex, kind, 'adjacent', out, false);
    if (found >= 0) return found;
    if (
      next !== 32 &&
      next !== 58 &&
      next !== 61 &&
      next !== 34 &&
      next !== 39 &&
      next !== 9 &&
      next !== 42 &&
      next !== 40 &&
      next !== 96
    )
      return at;
    const said = afterVerb(text, end);
    if (said >= 0) found = take(text, said, plainKey && kind === 'weak' ? 'token' : kind, 'phrase', out, false);
    if (found >= 0) return found;
    if (next === 32 && /^(?:passcode|passwort|pincode)$/i.test(name))
      found = take(text, end + 1, kind, 'phrase', out, false);
    else if (next === 32)
      found = take(
        text,
        end + 1,
        kind,
        /^--?[a-z]/.test(name) && text[end + 1] !== '-' ? 'bare' : 'adjacent',
        out,
        false,
      );
    if (found >= 0 || (kind === 'weak' && !plainKey)) return found >= 0 ? found : at;
    found = nearby(text, end, kind === 'weak' ? 'token' : kind, out);
    return found >= 0 ? found : at;
  },
};

/**
 * `credentials: admin / hunter2!`, `log in as bob with hunter2!`, `use hunter2! as the password`: the value is not
 * where the word points.
 */
const pair = pattern('iy')`
    (?:credentials?|creds|zugangsdaten|anmeldedaten|identifiants|credencia(?:le|i)s|credenziali
    |inloggegevens)["']?\s{0,2}(?:are|is|[:=])\s{0,3}["']?[\w.@+-]{1,64}["']?\s{0,2}(?:/|:|and
    |with)\s{0,2}["']?([^\s"'\x60]{5,64})
  `;
const beforehand =
  /(?:^|[\s"'`])([^\s"'`]{5,64})["'`]?\s(?:as|is|was)\s(?:the|my|your|our|a|its|his|her|their)\s(?:\w{1,16}\s){0,2}$/;
const pairWords = [
  'credential',
  'creds',
  'zugangsdaten',
  'anmeldedaten',
  'identifiants',
  'credencia',
  'credenziali',
  'inloggegevens',
];
const piped = /echo\s+["']?([^"'|\s]{4,80})["']?\s*$/;
const elsewhere: SecretRule = {
  literals: [...pairWords, 'password', 'passphrase', 'passcode', '| sudo -s'],
  findAt(text, at, literal, out) {
    let value: string | undefined;
    let start = -1;
    if (literal < pairWords.length) {
      pair.lastIndex = at;
      value = pair.exec(text)?.[1]?.replace(/[.,;:!?)]+$/, '');
      start = pair.lastIndex - (value?.length ?? 0);
      start = value === undefined ? -1 : text.indexOf(value, Math.max(at, start - 8));
    } else {
      const from = Math.max(0, at - 110);
      const match = (literal > pairWords.length + 2 ? piped : beforehand).exec(text.slice(from, at));
      value = match?.[1];
      start = match === null ? -1 : from + match.index + match[0].indexOf(match[1] as string);
    }
    if (value === undefined || start < 0 || !isPassword(value, 'adjacent') || /^\[[A-Z_]+/.test(value)) return at;
    out.push({ start, end: start + value.length, type: 'SECRET_GENERIC', rank: 68 });
    return at;
  },
};

export const contexts: readonly SecretRule[] = [assigned, elsewhere];

/** A leaf that is one value, under a key that names a secret. */
export function judgeLeaf(text: string, key: string, out: Finding[]): void {
  const kind = kindOfName(key);
  const value = text.trim();
  if (kind === 'none' || value.length > maxValue || !judge(value, kind, 'quoted')) return;
  const start = text.indexOf(value);
  push(text, start, start + value.length, kind, out);
}
