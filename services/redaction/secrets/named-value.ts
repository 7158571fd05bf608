/**
 * Secrets by the name before them: a name is judged first (`key-name.ts`), then where its value stands
 * (`value-places.ts`) and whether it may be one (`plausible.ts`).
 */
import { pattern } from '../pattern.ts';
import { isOwnersKey, kindOfName, type NameKind } from './key-name.ts';
import { alphabet, runEnd, runStart, type SecretRule } from './secret-rule.ts';
import { findValue, isLastWord, type Named } from './value-places.ts';

const nameUnits = alphabet('_-.$');
const maxName = 64;

const oneWord = `
  pass pwd psw secret token key auth cred kennwort contrase clave senha parola wachtwoord senord salasana heslo jelsz
  haslo sifre adgangskode kodeord sandi segredo geheim bindpw pincode pin: session jwt signature connectionstring
  connection_string license chiave schluessel salt _pat login: pw: pw= _pw mdp ww: jeton chave jelszav
`;
const callers =
  'app api application client consumer developer dev partner affiliate publisher merchant access subscriber';
const literals = [
  ...oneWord.trim().split(/\s+/),
  ...['pin code', 'pin is', 'access code', 'pw is'],
  ...callers.split(' ').flatMap((caller) => [`${caller}id`, `${caller}_id`, `${caller}-id`]),
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

/** First unit of the name around the literal at `at`. */
function nameStart(text: string, at: number): number {
  let start = runStart(text, at, nameUnits, maxName);
  while (start > 0 && at - start < maxName && wide.test(text[start - 1] ?? ''))
    start = runStart(text, start - 1, nameUnits, 8);
  return start;
}
function nameEnd(text: string, at: number, word: string): number {
  let end = runEnd(text, at + word.replace(/(?: is|:|=)$/, '').length, nameUnits, maxName);
  while (wide.test(text[end] ?? '') && end - at < maxName) end = runEnd(text, end + 1, nameUnits, 16);
  while (end > at && /[.$-]/.test(text[end - 1] ?? '')) end -= 1;
  return end;
}
/** Most hits are in prose (`key`, `pass`, `author`): a letter, comma or full stop behind the name ends it here. */
const endsThere = (next: number): boolean => (next >= 48 && next <= 57) || next === 46 || Number.isNaN(next);
const isPlaceholder = (text: string, start: number, name: string, next: number): boolean =>
  text[start - 1] === '[' && /^[A-Z_]+$/.test(name) && (next === 93 || next === 58);
const hostOrFile = /^(?:--?|\$)?[A-Za-z.]*\.(?:com|org|net|io|dev|md|py|js|ts|json|txt)$/;
const pinBehind = /^\S{0,8}[ :=is]{1,6}\d{4,8}(?!\w)/i;

const hexAhead = /[^\n]{0,24}?[0-9a-fA-F]{32}/y;

/** The kind that a literal and the name around it promise. */
function kindAt(text: string, at: number, word: string, name: string): NameKind {
  if (word.startsWith('pin') && !pinBehind.test(text.slice(at, at + 32))) return 'none';
  return /^pin|^access code|^login:/.test(word) ? 'password' : kindOfName(name);
}

export const namedValues: SecretRule = {
  literals,
  findAt(text, at, literal, out) {
    const word = literals[literal] ?? '';
    const start = nameStart(text, at);
    const end = nameEnd(text, at, word);
    const next = text.charCodeAt(end);
    if (end - start >= maxName + 64 || endsThere(next) || isLastWord(text, end)) return at;
    const name = text.slice(start, end);
    if (isPlaceholder(text, start, name, next)) return end;
    if (hostOrFile.test(name)) return at;
    let kind = kindAt(text, at, word, name);
    if (kind === 'none') return at;
    const before = text.slice(Math.max(0, start - 32), start);
    let isOwnKey = false;
    if (/^(?:keys?|schluessel|chiave)$/i.test(name)) {
      if (otherKeys.test(before)) return at;
      isOwnKey = possessive.test(before);
      if (qualifier.test(before)) kind = 'token';
    }
    const named: Named = { text, name, start, end, next, kind, isOwnKey, before };
    const until = findValue(named, out);
    if (until >= 0) return until;
    // `user_key=` in front of long hex: more than `key` says, which may be one of a cache or a store.
    hexAhead.lastIndex = end;
    if (kind !== 'weak' || !isOwnersKey(name) || !hexAhead.test(text)) return at;
    return Math.max(at, findValue({ ...named, kind: 'id' }, out));
  },
};
