/**
 * HTTP headers that carry credentials: Authorization in its schemes, cookies by name or by look. API-key headers are
 * names like any other (`named-value.ts`).
 */
import { pattern } from '../pattern.ts';
import type { SecretRule } from './secret-rule.ts';
import { isRandom, isStandIn } from './plausible.ts';

const scheme = pattern('i')`
    (?:bearer|basic|token|apikey|api-key|api-token|digest|negotiate|ntlm|splunk|genie-?key|bot|key|hawk
    |oauth|ghtoken|jwt|zoho-oauthtoken|client-id|sso-key|deepl-auth-key|pre-shared|userkey|aws4-hmac-sha256)
  `;
const schemed = new RegExp(`${scheme.source}(?:[ \\t]{1,3}|%20)["'\`]?`, 'iy');
const lead = /[:=\s\\"'`>,(]{0,12}/y;
const credential = /[A-Za-z0-9._~+/:|!-]{6,2048}={0,2}/y;

const bearer: SecretRule = {
  literals: [
    'bearer ',
    'bearer%20',
    'basic ',
    'authorization: ',
    'authorization:',
    'authorization":',
    'authorization\\":',
    "authorization':",
    'authorization=',
    'authorization ',
    'negotiate ',
    'digest ',
    'apikey ',
    'genie-key ',
    'genie key ',
    'splunk ',
    'bot ',
    'sso-key ',
    'deepl-auth-key ',
    'ghtoken ',
  ],
  findAt(text, at, literal, out) {
    const named = literal >= 3 && literal <= 9;
    const word = bearer.literals[literal] ?? '';
    let from = at + word.length;
    if (named) {
      lead.lastIndex = from;
      lead.test(text);
      from = lead.lastIndex;
      schemed.lastIndex = from;
      if (schemed.test(text)) from = schemed.lastIndex;
    }
    credential.lastIndex = from;
    const match = credential.exec(text);
    if (match === null) return at;
    const value = match[0].replace(/[.:!|]+$/, '');
    const sample = value.slice(0, 200);
    const strict = named || literal < 2 || word === 'genie-key ' || word === 'sso-key ';
    if (isStandIn(sample) || /^[a-z]+$|^[A-Z]?[a-z]+$/.test(value)) return at;
    const basic =
      word === 'basic ' &&
      value.length >= 8 &&
      value.length % 4 !== 1 &&
      /:/.test(Buffer.from(value, 'base64').toString('latin1')) &&
      /^[\x20-\x7e]+$/.test(Buffer.from(value, 'base64').toString('latin1'));
    if (
      !basic &&
      !isRandom(sample) &&
      !(strict && value.length >= 16 && /\d/.test(value)) &&
      !(named && value.length >= 8 && /\d/.test(value) && /[A-Za-z]/.test(value))
    )
      return at;
    if (!strict && !basic && (value.length < 16 || !/\d/.test(value))) return at;
    const end = from + value.length;
    out.push({ start: from, end, type: 'SECRET_GENERIC', rank: 89 });
    return end;
  },
};

const sessionName = pattern('i')`
    sess|^s$|sid$|^id$|token|auth|jwt|csrf|xsrf|login|remember|user|identity|ticket|secret|cookie|connect
    |^_?ga$|account|refresh|access|cf_clearance|datadome|^li_at$|^c_user$|^xs$|^fr$|^sb$|^datr$|nid$|hsid
    |ssid|apisid
  `;
const cookies: SecretRule = {
  literals: ['cookie: ', 'cookie:', 'cookie":', 'cookie\\":', "cookie':", 'cookies: ', 'cookie='],
  findAt(text, at, literal, out) {
    const from = at + (cookies.literals[literal] ?? '').length;
    const line = /^[^\n\r]{0,4096}/.exec(text.slice(from, from + 4096))?.[0] ?? '';
    if (!line.includes('=')) return from + line.length;
    const pair = /(?:^[\s\\"']{0,6}|;\s?)([A-Za-z0-9_.$-]{1,64})=("?)([^;\s"'\\,]{6,2048})/g;
    for (let match = pair.exec(line); match !== null; match = pair.exec(line)) {
      const value = match[3] ?? '';
      const stop = from + match.index + match[0].length;
      if (/^(?:path|domain|expires|max-age|samesite|version|priority)$/i.test(match[1] ?? '') || isStandIn(value))
        continue;
      if (
        (sessionName.test(match[1] ?? '') && /\d|[a-z][A-Z]/.test(value) && value.length >= 8) ||
        (isRandom(value) && value.length >= 16)
      )
        out.push({ start: stop - value.length, end: stop, type: 'SECRET_GENERIC', rank: 89 });
    }
    return from + line.length;
  },
};

export const headers: readonly SecretRule[] = [bearer, cookies];
