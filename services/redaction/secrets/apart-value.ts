/** Secrets that do not stand where their word points: behind a user's name, or before the word. */
import { pattern } from '../pattern.ts';
import { isPassword } from './plausible.ts';
import type { SecretRule } from './secret-rule.ts';

/**
 * `credentials: admin / hunter2!`, `log in as bob with hunter2!`, `use hunter2! as the password`: the value is not
 * where the word points.
 */
const pair = pattern('iy')`
    (?:credentials?|creds|zugangsdaten|anmeldedaten|identifiants|credencia(?:le|i)s|credenziali
    |inloggegevens|login)["']?\s{0,2}(?:are|is|[:=])\s{0,3}["']?[\w.@+-]{1,64}["']?\s{0,2}(?:/|:|and
    |with)\s{0,2}["']?([^\s"'\x60]{5,64})
  `;
const beforehand =
  /(?:^|[\s"'`])([^\s"'`]{5,64})["'`]?\s(?:as|is|was)\s(?:the|my|your|our|a|its|his|her|their)\s(?:\w{1,16}\s){0,2}$/;
const pairWords =
  'credential creds zugangsdaten anmeldedaten identifiants credencia credenziali inloggegevens login:'.split(' ');
const piped = /echo\s+["']?([^"'\s]{4,80})["']?\s*$/;
const pipedBehindUser = /echo\s+["']?[^"'\s:]{1,60}:([^"'\s]{4,80})["']?\s*$/;

type Value = { readonly start: number; readonly value: string };
/** `credentials: admin / hunter2!` */
function behindUser(text: string, at: number): Value | undefined {
  pair.lastIndex = at;
  const value = pair.exec(text)?.[1]?.replace(/[.,;:!?)]+$/, '');
  if (value === undefined) return undefined;
  const start = text.indexOf(value, Math.max(at, pair.lastIndex - value.length - 8));
  return start < 0 ? undefined : { start, value };
}
/** `use hunter2! as the password`, `echo hunter2! | sudo -S` */
function beforeWord(text: string, at: number, expression: RegExp): Value | undefined {
  const from = Math.max(0, at - 110);
  const match = expression.exec(text.slice(from, at));
  const value = match?.[1];
  return match === null || value === undefined
    ? undefined
    : { start: from + match.index + match[0].indexOf(value), value };
}

export const apartValues: SecretRule = {
  literals: [...pairWords, 'password', 'passphrase', 'passcode', '| sudo -s', '| chpasswd'],
  findAt(text, at, literal, out) {
    const found =
      literal < pairWords.length
        ? behindUser(text, at)
        : beforeWord(
            text,
            at,
            [beforehand, beforehand, beforehand, piped, pipedBehindUser][literal - pairWords.length] ?? beforehand,
          );
    if (found === undefined || !isPassword(found.value, 'adjacent') || /^\[[A-Z_]+/.test(found.value)) return at;
    const { start, value } = found;
    out.push({ start, end: start + value.length, type: 'SECRET_GENERIC', rank: 68 });
    return at;
  },
};
