/**
 * What stands where a value stood. `[TYPE]` without keys; with keys `[TYPE:kid:16 hex]`: 13 hex digits of an HMAC over
 * the canonical value (the same value has the same token, however it was written) and 3 that only the key's holder can
 * make, so that a text that imitates a token is told from a token and escaped. Secrets get their type and a class of
 * length.
 */
import { createHmac } from 'node:crypto';
import { canonical } from './entity-types.ts';
import type { KeyVersion, RedactionPolicy, TokenKeys } from './policy.ts';

const known = new Map<string, string>();
const remembered = 50_000;
const keyNames = new WeakMap<Uint8Array, number>();
let keysSeen = 0;

const seal = (key: Uint8Array, type: string, kid: string, digest: string): string =>
  createHmac('sha256', key).update(`seal\u001f${type}\u001f${kid}\u001f${digest}`).digest('hex').slice(0, 3);
/** One key a type: whoever learns the key of one type's tokens learns nothing about another's. */
const typeKey = (key: Uint8Array, type: string): Buffer =>
  createHmac('sha256', key).update(`tripline redaction ${type}`).digest();

/** `value`: canonical or as found. The token of a value under one version of the key. */
export function tokenOf(type: string, value: string, { kid, key }: KeyVersion): string {
  let name = keyNames.get(key);
  if (name === undefined) {
    name = keysSeen++;
    keyNames.set(key, name);
  }
  const plain = canonical(type, value);
  const place = `${name}\u001f${type}\u001f${plain}`;
  const hit = known.get(place);
  if (hit !== undefined) return hit;
  const digest = createHmac('sha256', typeKey(key, type)).update(plain).digest('hex').slice(0, 13);
  const token = `[${type}:${kid}:${digest}${seal(key, type, kid, digest)}]`;
  if (known.size >= remembered) known.clear();
  known.set(place, token);
  return token;
}

const lengthClass = (length: number): string =>
  `l${2 ** Math.min(10, Math.max(3, Math.ceil(Math.log2(Math.max(1, length)))))}`;

export function replacementOf(type: string, value: string, policy: RedactionPolicy): string {
  if (policy.tokens === undefined) return `[${type}]`;
  return type.startsWith('SECRET') ? `[${type}:${lengthClass(value.length)}]` : tokenOf(type, value, policy.tokens);
}

/** Placeholders of every form, ours and imitations. */
export const placeholder = /\[[A-Z][A-Z_]{1,30}(?::l\d{1,4}|:([a-z0-9-]{1,16}):([0-9a-f]{13})([0-9a-f]{3}))?\]/g;

/** True for `[TYPE]` and for tokens that one of the policy's keys sealed. */
export function isOurs(match: RegExpMatchArray, { tokens }: RedactionPolicy): boolean {
  const [text, kid, digest, check] = match;
  if (kid === undefined || tokens === undefined) return true;
  return [tokens, ...(tokens.earlier ?? [])].some(
    (one) => one.kid === kid && seal(one.key, text.slice(1, text.indexOf(':')), kid, digest as string) === check,
  );
}

/**
 * The same key versions bound to a unit's secret: without either of them nobody makes these tokens. Those that were
 * made for everybody, before or by whoever knows no units, are still known.
 */
export function tokensUnder(tokens: TokenKeys, secret: string): TokenKeys {
  const everybody = [tokens, ...(tokens.earlier ?? [])].map(({ kid, key }): KeyVersion => ({ kid, key }));
  const [first, ...earlier] = everybody.map(
    ({ kid, key }): KeyVersion => ({
      kid,
      key: createHmac('sha256', key).update(`tripline unit tokens\u001f${secret}`).digest(),
    }),
  );
  return { ...(first as KeyVersion), earlier: [...earlier, ...everybody] };
}
