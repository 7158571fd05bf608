/**
 * Keys that people read aloud or copy by hand: base32 secrets of authenticator apps, and hex in groups (`4f 9a 1c ...`)
 * where a key is announced.
 */
import { pattern } from '../pattern.ts';
import type { SecretRule } from './secret-rule.ts';

const base32 = pattern('g')`
    (?<![A-Za-z0-9])(?:[A-Z2-7]{16,64}|[A-Z2-7]{4}(?:[ -][A-Z2-7]{4}){3,15}|[a-z2-7]{4}
    (?:[ -][a-z2-7]{4}){3,15})(?![A-Za-z0-9])={0,6}
  `;
const window = 88;
export const oneTimeSecrets: SecretRule = {
  literals: ['totp', 'hotp', 'otp', '2fa', 'mfa', 'authenticator', 'two-factor', 'two factor', 'one-time'],
  findAt(text, at, _literal, out) {
    base32.lastIndex = 0;
    const match = base32.exec(text.slice(at, at + window + 80));
    if (match === null || match.index > window) return at;
    // Small letters in fours are words unless digits stand among them.
    const digits = match[0].match(/\d/g)?.length ?? 0;
    if (/[a-z]/.test(match[0]) ? digits < 2 : digits === 0 && /[ -]/.test(match[0])) return at;
    const start = at + match.index;
    out.push({ start, end: start + match[0].length, type: 'SECRET_KEY', rank: 84 });
    return start + match[0].length;
  },
};

const hexGroups = pattern('iy')`
    (?:0x)?(?:[0-9a-f]{2}(?:[ :-](?:0x)?[0-9a-f]{2}){7,63}|[0-9a-f]{4}(?:[ :-][0-9a-f]{4}){3,31}|[0-9a-f]{8}
    (?:[ :-][0-9a-f]{8}){1,15})(?![0-9A-Za-z])
  `;
const publicPart = /finger|thumb|hash|digest|serial|checksum|mac\b|\bid\b/i;
/** End of a key in hex groups at `from`, or -1. Fingerprints are written the same way. */
export function hexGroupsEnd(text: string, from: number): number {
  hexGroups.lastIndex = from;
  if (!hexGroups.test(text)) return -1;
  const end = hexGroups.lastIndex;
  const value = text.slice(from, end);
  return /\d/.test(value) && /[a-f]/i.test(value) && !publicPart.test(text.slice(Math.max(0, from - 32), from))
    ? end
    : -1;
}
