/**
 * Keys of providers nobody listed: `acme_live_...`, `xyz-pat-...`, `foo_sk_...`. A segment that says what the token is
 * (live, pat, sk, api, secret, ...) between a vendor's name and twenty or more made-up letters and digits. Ids
 * (`call_`, `req_`, `chatcmpl-`) have no such segment. And prefixes that nobody listed at all, in front of more than
 * ids have (`unlistedKeyStart`).
 */
import { alphabet, beginsToken, type SecretRule, runEnd, runStart } from './secret-rule.ts';
import { isOrdinary } from './made-up.ts';
import { isStandIn, uuid } from './plausible.ts';
import { wordList } from '../word-list.ts';

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

/** Prefixes of ids of calls, people and things, in this form with most providers. */
const ofIds: ReadonlySet<string> = new Set(
  wordList(`
    call req request msg message run thread asst assistant file vs batch msgbatch step resp response rs fc chatcmpl cmpl
    conv conversation org user usr cus cust customer pi pm ch py txn tx seti si sub price prod product in inv invoice
    acct acc account evt event cs src proj project team sess session dpl prj build job task trace span chunk doc
    document node item obj object id uid uuid img image page cursor ws wf flow exec snap vol db col row idx index ver
    version rev commit hash sha md digest nonce etag dev device act action rule env site store order cart lead deal note
    comment ticket issue toolu srvtoolu container model ft ftjob eval gen rec upl upload part blob ref pos ts log tmp
    foo bar baz qux example sample dummy fake your my test case class name path url link state code data enc
    encrypted cipher sig signature cert pub public pk vec emb
    embedding feature flag exp experiment variant group role policy queue topic stream table view cache lock
  `),
);
/** What short prefixes of keys end in (`uak_`, `pcsk_`, `napi_`), and words that end so. */
const ofKeys = /^(?:(?!pk$)[a-z]{0,4}[asrp]k|[a-z]{0,6}(?:key|tok|tkn|pat|sec|secret|token|api))$/;
const words = new Set(
  wordList('ask task mask risk disk desk dark park mark bark work leak weak peak break soak speak'),
);
const prefixed = /^([a-z][a-z0-9]{1,11}|[A-Z]{2,10})_(?:[a-z0-9]{1,6}_){0,2}([A-Za-z0-9_-]{20,200})$/;

const sortOf = (code: number): number => (code <= 57 ? 0 : code <= 90 ? 1 : 2);
/** How often two neighbours differ in sort (digit, upper, lower): three times in five in what a generator makes. */
function turnsIn(body: string): number {
  let turns = 0;
  for (let at = 1; at < body.length; at += 1)
    if (sortOf(body.charCodeAt(at)) !== sortOf(body.charCodeAt(at - 1))) turns += 1;
  return turns / body.length;
}

/** `aBcDeF123456`: what people type for a key. */
function isSequence(body: string): boolean {
  const plain = body.toLowerCase();
  let steps = 0;
  for (let at = 1; at < plain.length; at += 1)
    if (Math.abs(plain.charCodeAt(at) - plain.charCodeAt(at - 1)) <= 1) steps += 1;
  return steps * 2 > plain.length;
}

/**
 * A key under a prefix that no table has (`xyzak_...`), in the run [start, to) of letters, digits and their separators:
 * where it begins, or -1. Under any prefix but an id's the rest is longer than ids are and of all three sorts.
 */
export function unlistedKeyStart(text: string, start: number, to: number): number {
  if (to - start > maxToken) return -1;
  const from = Math.max(start, text.lastIndexOf('/', to - 1) + 1);
  const bar = text.slice(from, from + 13).indexOf('_');
  const match = bar < 2 ? null : prefixed.exec(text.slice(from, to));
  const prefix = match?.[1]?.toLowerCase().replace(/\d+$/, '') ?? '';
  const body = match?.[2]?.replaceAll(/[_-]/g, '') ?? '';
  if (body.length < 18 || ofIds.has(prefix) || !beginsToken(text, from) || isStandIn(text.slice(from, to))) return -1;
  if (isSequence(body) || (/[g-zA-Z]/.test(body) && isOrdinary(body))) return -1;
  const isMixed = /\d.*\d/.test(body) && /[a-z]/.test(body) && /[A-Z]/.test(body) && turnsIn(body) >= 0.38;
  const isNamed = ofKeys.test(prefix) && !words.has(prefix);
  const isKey = isNamed ? isMixed || (body.length >= 32 && isMadeUp(body)) : isMixed && (match?.[2] ?? '').length >= 32;
  return isKey ? from : -1;
}
