/**
 * Keys of providers nobody listed: `acme_live_...`, `xyz-pat-...`, `foo_sk_...`. A segment that says what the token is
 * (live, pat, sk, api, secret, ...) between a vendor's name and twenty or more made-up letters and digits. Ids
 * (`call_`, `req_`, `chatcmpl-`) have no such segment.
 */
import { alphabet, beginsToken, type SecretRule, runEnd, runStart } from './secret-rule.ts';
import { isStandIn, uuid } from './plausible.ts';

const units = alphabet('_-');
const maxToken = 400;
const telling = [
  'live',
  'test',
  'prod',
  'sandbox',
  'production',
  'staging',
  'pat',
  'sk',
  'api',
  'apikey',
  'secret',
  'token',
  'key',
  'tkn',
  'priv',
  'private',
  'auth',
  'access',
  'refresh',
  'oauth',
  'admin',
  'svc',
  'bot',
  'pk',
  'rk',
  'whsec',
  'personal',
  'sec',
  'pw',
  'at',
  'oat',
  'pvt',
  'tok',
];
const shape = new RegExp(
  `^(?:[A-Za-z][A-Za-z0-9]{0,14}[_-]){0,3}(?:${telling.join('|')})[_-](?:[A-Za-z0-9]{1,10}[_-]){0,2}([A-Za-z0-9_-]+)$`,
  'i',
);
const publicKey = /^(?:[a-z0-9]+[_-])?(?:pk|pub|public|publishable)[_-]/i;

/**
 * Letters and digits both, in turns, in one stretch of sixteen or more; or long mixed case. Words with a version number
 * are neither.
 */
function isMadeUp(body: string): boolean {
  const longest = body.split(/[_-]/).reduce((best, part) => (part.length > best.length ? part : best), '');
  if (longest.length < 16) return uuid.test(body.slice(-36));
  const turns = longest.match(/\d(?=[A-Za-z])|[A-Za-z](?=\d)/g)?.length ?? 0;
  return (
    turns >= 3 ||
    (turns >= 1 && /[a-z]/.test(longest) && /[A-Z]/.test(longest)) ||
    (longest.length >= 24 && /[a-z][A-Z].*[a-z][A-Z].*[a-z][A-Z]/.test(longest) && /[A-Z]{2}/.test(longest))
  );
}

export const keyShapes: SecretRule = {
  literals: telling.flatMap((part) => [`${part}_`, `${part}-`]),
  findAt(text, at, _literal, out) {
    let start = runStart(text, at, units, 48);
    if (text[start - 1] === '\\' && /[ntr]/.test(text[start] ?? '')) start += 1;
    else if (text[start - 1] === '%') start += 2;
    const end = runEnd(text, at, units, maxToken + 1);
    if (end - start < 20 || end - start > maxToken || !beginsToken(text, start)) return end;
    const token = text.slice(start, end).replace(/[_-]+$/, '');
    const match = shape.exec(token);
    const body = match?.[1];
    if (body === undefined || publicKey.test(token) || !isMadeUp(body) || isStandIn(token)) return end;
    out.push({ start, end: start + token.length, type: 'SECRET_KEY', rank: 80 });
    return end;
  },
};
