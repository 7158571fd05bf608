/**
 * Could this value be a secret? Context has already said that one belongs here; this keeps the stand-ins, the code and
 * the prose that stand there instead. No entropy: trace ids are as random as keys.
 */
import { pattern } from '../pattern.ts';
import { isOrdinary } from './made-up.ts';

/** Whole values that stand where a secret would. */
const standIns = pattern('i')`
    ^(?:null|nil|none|undefined|true|false|yes|no|on|off|required|optional|mandatory|invalid|valid|incorrect
    |correct|wrong|missing|empty|expired|string|str|text|number|integer|boolean|object|password|passwd
    |passphrase|passwort|secret|token|api[_-]?key|key|pass|username|user|login|basic|bearer|digest|hidden
    |redacted|masked|removed|omitted|encrypted|unknown|default|generic|any|n/a|tbd|todo|fixme|test|testing
    |foo|foobar|bar|baz|qux|asdf|abc|value|plain(?:text)?|hash(?:ed)?|header|hunter)$
  `;
/** Parts that mark a template or a tutorial's value. */
const tutorial = pattern('i')`
    (?:^|[^a-z])(?:your|insert|replace(?:me)?|change[_-]?(?:me|it|this)|enter|put|paste|example|sample|dummy
    |fake|mock|placeholder|redacted|here|goes|todo|some|any|default|xxx+|\.\.\.+)(?:$|[^a-z])|placeholder
    |changeme|replace_?me|redacted|not[_-]?(?:a|the)[_-]|notarealkey|notapassword|my(?:_|-)?(?:super)?(?:_
    |-)?(?:secret|pass|api|token|key|awesome)(?:word|key)?$|yourpass|(?:^|[_-])key[_-]here|\*{3}|\u2022{2}
    |\u2026|x{6}
  `;
/** myPassword, YOUR_KEY: somebody's name for it. Case matters: a random value may begin with `MYN`. */
const ownersName = /^(?:your|my)(?:[A-Z][a-z]|[_-])|^(?:YOUR|MY)_/;
/** Expressions that fetch the value from elsewhere, and templates. */
const expression = pattern()`
    ^[$@%&!#]?[{([<]|^\$[A-Za-z_]|^%[A-Za-z_(]|%[sd@](?![A-Za-z0-9])|\$\{|\{\{|\}\}|^\$\(|<%
    |^(?:process|import)\.|^(?:os|sys|env|config|conf|settings|cfg
    |secrets?|vault|self|this|args?|argv|opts|options|props|params?|req
    |request|res|response|ctx|context|var|local|data|module|user|account|client|credentials?|app|session
    |state|event|input|output|result|body|form|values|Deno|Bun|System|Environment|ENV|ARGV)(?:\.|\[|->|::)|^
    (?:getenv|env|lookup|get|read|load|fetch|decrypt|generate|create|make|new|await|function|lambda|return
    |input|prompt|require|import|from)\b[\s(.]|\(\)|^function|=>
  `;
/** `getSecret(name`, `read(x)`: a call of code, not a bracket in what somebody made up. */
function isCall(value: string): boolean {
  if (!value.includes('(')) return false;
  if (/[A-Za-z_]\($/.test(value) && isOrdinary(value)) return true;
  const call = /^([A-Za-z_$][\w$]*)\(([^"']*)$/.exec(value);
  return call !== null && isOrdinary(call[1] as string) && (isOrdinary(call[2] as string) || /\)\W*$/.test(value));
}
/** `a.b`, `a::b`, `a->b` of words: a member of something. */
const member = /^[A-Za-z_$][A-Za-z_$]*\d?(?:(?:\.|::|->|\?\.|\/)[A-Za-z_$][A-Za-z_$]*\d?)+$/;
/**
 * Algorithms and versions named next to the word (`password is sha256`), digests that say which they are, fingerprints
 * in pairs.
 */
const technical = pattern('i')`
    ^(?:[0-9a-f]{2}:){5,}[0-9a-f]{2}$|^(?:sha-?\d{1,3}|md5)[:-][A-Za-z0-9+/=_-]{16,}$|^(?:sha|aes|md|rsa|dsa
    |ecdsa|ed|oauth|base|utf|http|tls|ssl|bcrypt|pbkdf|argon|scrypt|hmac|hs|rs|es|ps|x|v|mfa|sso|saml|jwt
    |kerberos|ntlm|gpt|claude|llama|version)[-_ ]?v?\d[\w.-]{0,8}$
  `;
const path = /^(?:\.{0,2}\/|~\/|[A-Za-z]:\\|https?:|file:|[a-z]+:\/\/)/;
export const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Dates, versions, sizes, plain numbers with units. */
const measure = /^[\d.,:/-]+(?:[a-z%]{1,8})?$|^\d{4}-\d\d-\d\dT|^\d+(?:\.\d+)+/i;
/** Our own placeholders, and other redactors' */
const placeholder = /^\[[A-Z][A-Z_]{1,30}(?:\]|:|$)|^<[A-Za-z][^<>]{0,60}>?$|^\(?[*x\u2022._?#-]+\)?$/i;

/** A stand-in, a template, an expression, a path: whatever the key is called, there is no secret. */
export function isStandIn(value: string): boolean {
  return (
    placeholder.test(value) ||
    standIns.test(value) ||
    tutorial.test(value) ||
    ownersName.test(value) ||
    expression.test(value) ||
    isCall(value) ||
    member.test(value) ||
    technical.test(value) ||
    path.test(value) ||
    isRepeated(value)
  );
}

const wordless = pattern('i')`
    ^\s*(?:null|nil|none|undefined|true|false|yes|no|required|optional|missing|empty|string|str|text|number
    |integer|boolean|object|hidden|redacted|masked|removed|omitted|encrypted|n/a|tbd|todo|dummy|example
    |placeholder|change[_-]?me|[*\u2022#.-]+|<[^<>]{1,60}>|\$?\{{1,2}[^{}]{0,80}\}{1,2}|\$[A-Z_]{2,60}
    |%[A-Z_]{2,60}%)\s*$
  `;
/** No value at all where a field is named for a secret; weak passwords (`password`, `abc`) are some. */
export const saysNothing = (value: string): boolean => wordless.test(value);

/** One or two different characters, or one block over and over. */
export function isRepeated(value: string): boolean {
  const first = value.charCodeAt(0);
  let second = first;
  for (let at = 1; at < value.length; at += 1) {
    const unit = value.charCodeAt(at);
    if (unit === first || unit === second) continue;
    if (second !== first) return false;
    second = unit;
  }
  return true;
}

const hasLower = /[a-z]/;
const hasUpper = /[A-Z]/;
const hasDigit = /\d/;
const hasSymbol = /[^\p{L}\p{M}\p{N}\s._/'-]/u;
/**
 * Words, in camel case or with separators between them, and a number behind: parts of three letters or more on average.
 */
function isWords(value: string): boolean {
  if (!/^[A-Za-z]+(?:[\s._/:-]{1,2}[A-Za-z]+)*\d?$/.test(value)) return false;
  const parts = value.match(/[A-Z]?[a-z]+|[A-Z]+/g)?.length ?? 1;
  return value.length >= parts * 3.4 || value.length < 6;
}

/** What a generator makes: long hex, a uuid, letters and digits in turns, or long mixed case with digits. */
export function isRandom(value: string): boolean {
  const body = value.replace(/=+$/, '');
  if (body.length < 10 || measure.test(body)) return false;
  if (uuid.test(body)) return true;
  if (/^[0-9a-f]{16,}$/i.test(body)) return hasDigit.test(body) && /[a-f]/i.test(body);
  if (isWords(body)) return false;
  let turns = 0;
  for (let at = 1; at < body.length; at += 1) {
    const a = body.charCodeAt(at - 1);
    const b = body.charCodeAt(at);
    const digitA = a >= 48 && a <= 57;
    const digitB = b >= 48 && b <= 57;
    if (digitA !== digitB || (a >= 97 && a <= 122 && b >= 65 && b <= 90)) turns += 1;
  }
  const digits = hasDigit.test(body);
  return (
    (digits && turns >= 3 && turns * 9 >= Math.min(body.length, 60)) ||
    (digits && body.length >= 20 && turns >= 2 && hasLower.test(body) && hasUpper.test(body)) ||
    (body.length >= 20 && turns * 6 >= body.length && hasLower.test(body) && hasUpper.test(body))
  );
}

/**
 * How strong the evidence around a value is: `quoted` code, a bare assignment, a sentence (`phrase`), or the word alone
 * in front of it (`adjacent`).
 */
export type EvidenceStrength = 'quoted' | 'bare' | 'phrase' | 'adjacent';

/** Words of forms and their errors, which code quotes as often as passwords. */
const formWord = pattern()`
    pass|secret|token|field|input|label|error|test|user|admin|login|auth|invalid|require|confirm|forgot
    |reset|change|name|type|prompt|string|column
  `;

/** What quoted messages say of passwords, in place of one. */
const prose = pattern('i')`
    \b(?:the|a|an|your|my|our|is|are|was|be|must|should|may|can|cannot|not|no|does|do|at|in|on|of|to|for|with|from|and
    |or|if|that|this|please|enter|than|by|as|it|has|have|characters?|letters?|digits?)\b
  `;
/** Symbols and digits, a made-up part, or four plain words and nothing that makes a sentence of them. */
const isWithBlanks = (value: string, isMixed: boolean): boolean =>
  (isMixed && value.length <= 40) ||
  (value.length <= 64 && value.split(/\s+/).some((part) => part.length >= 4 && !isOrdinary(part))) ||
  (value.length <= 64 &&
    /^[a-z]{3,12}(?: [a-z]{3,12}){3,7}$/.test(value) &&
    !prose.test(value) &&
    !formWord.test(value));

/** A password people choose: letters with digits or symbols; in quotes also one unusual word; never in prose. */
export function isPassword(value: string, strength: EvidenceStrength): boolean {
  if (value.length < 4 || value.length > 200 || isStandIn(value)) return false;
  const digit = hasDigit.test(value);
  const letter = /\p{L}/u.test(value);
  const symbol = hasSymbol.test(value);
  if (/\s/.test(value)) return isWithBlanks(value, strength === 'quoted' && digit && letter && symbol);
  if (isRandom(value)) return true;
  if (strength === 'adjacent')
    return (
      value.length >= 7 &&
      letter &&
      digit &&
      (symbol || (hasLower.test(value) && hasUpper.test(value))) &&
      !measure.test(value)
    );
  if (!letter)
    return (
      (digit &&
        value.length >= (symbol ? 6 : 4) &&
        /^\d{4,}$|[^\d.,:/-]/.test(value) &&
        !/^(?:19|20)\d\d$/.test(value) &&
        !/^\d{10,}$/.test(value)) ||
      (symbol && value.length >= 8 && digit)
    );
  if (symbol && letter && value.length >= 5)
    return (
      (strength === 'quoted' || !/^\p{L}+[,:;!?]*$/u.test(value)) &&
      (strength !== 'phrase' || digit || value.length >= 8)
    );
  if (digit) return value.length >= 5 && !measure.test(value);
  if (hasLower.test(value) && hasUpper.test(value) && !isWords(value)) return true;
  if (/[a-z][A-Z].*[a-z][A-Z]/.test(value) && /[A-Z]{2,}[a-z]|[a-z][A-Z]{2}/.test(value) && value.length >= 8)
    return true;
  return strength === 'quoted' && /^[a-z]{6,24}$/.test(value) && !formWord.test(value);
}

const isUnheard = (part: string): boolean => part.length >= 2 && !isOrdinary(part);

/** A key or token a machine made. */
export function isToken(value: string, strength: EvidenceStrength): boolean {
  if (value.length < 8 || value.length > 4096 || isStandIn(value)) return false;
  if (/\s/.test(value)) return strength === 'quoted' && value.length <= 64 && value.split(/\s/).every(isUnheard);
  if (isRandom(value)) return strength !== 'adjacent' || value.replace(/[^A-Za-z0-9]/g, '').length >= 16;
  return (
    (strength === 'quoted' || strength === 'bare') &&
    hasDigit.test(value) &&
    /[A-Za-z]/.test(value) &&
    !measure.test(value) &&
    !isWords(value) &&
    (value.length >= 12 || hasSymbol.test(value)) &&
    !/^[A-Za-z]+(?:[._-][A-Za-z]*\d{0,4}[A-Za-z]*)+$/.test(value)
  );
}
