/** Keys with a documented prefix, by table, and the few whose literal is in the middle of the token. */
import { once } from '../once.ts';
import { pattern } from '../pattern.ts';
import { alnum, alphabet, beginsToken, type SecretRule, letters, runEnd, runStart } from './secret-rule.ts';
import { passwordHashes, productProviders } from './product-prefixes.ts';
import { isRandom } from './plausible.ts';
import { cloudProviders, codeProviders, modelProviders, type PrefixRow } from './provider-prefixes.ts';

const classes: Readonly<Record<string, string>> = {
  a: '[A-Za-z0-9]',
  u: '[A-Za-z0-9_-]',
  v: '[A-Za-z0-9_]',
  b: '[A-Za-z0-9+/]',
  h: '[0-9a-f]',
  x: '[0-9A-Fa-f]',
  l: '[a-z0-9]',
  c: '[A-Z0-9]',
};
/** Behind a shape with `_-` in its alphabet neither may follow: it would be a longer token of another kind. */
const withClasses = (shape: string): string =>
  shape.replaceAll(/<([a-z])>/g, (whole, name: string) => classes[name] ?? whole);
const compile = (shape: string): RegExp =>
  new RegExp(`(?:${withClasses(shape)})(?![A-Za-z0-9${shape.includes('<u>') ? '_-' : ''}])`, 'y');

type Rule = {
  readonly prefix: string;
  readonly body: RegExp;
  readonly digits: boolean;
  readonly fixed: boolean;
  readonly hash: boolean;
};
/**
 * Literals of two letters would fire in every other word: these prefixes are announced with their first unit behind
 * them.
 */
const shortPrefixes: Readonly<Record<string, string>> = {
  SK: '0123456789abcdef',
  AC: '0123456789bdf',
  '00': 'abcdefghijklmnopqrstuvwxyz',
  's.': '0123456789abcdefghijklmnopqrstuvwxyz',
  b_: '0123456789abcdefghijklmnopqrstuvwxyz',
  '1/': '0123456789abcdef',
  '0/': '123456789',
  '2/': '123456789',
  '*': '0123456789abcdef',
};

/** Rules by trigger literal: the prefix in lower case, with the first unit behind it where the prefix is short. */
const rulesByLiteral = once((): ReadonlyMap<string, readonly Rule[]> => {
  const byLiteral = new Map<string, Rule[]>();
  const add = (rows: readonly PrefixRow[], hash: boolean): void => {
    for (const [, prefixes, shape] of rows) {
      const digits = shape.startsWith('!');
      const body = compile(digits ? shape.slice(1) : shape);
      for (const prefix of prefixes.split(/ (?=\S)/)) {
        const rule = { prefix, body, digits, fixed: !/\{\d+,/.test(shape), hash };
        for (const unit of shortPrefixes[prefix] ?? ['']) {
          const literal = prefix.toLowerCase() + unit;
          byLiteral.set(literal, [...(byLiteral.get(literal) ?? []), rule]);
        }
      }
    }
  };
  for (const rows of [modelProviders, cloudProviders, codeProviders, productProviders]) add(rows, false);
  add(passwordHashes, true);
  return byLiteral;
});
const rules = once(() => [...rulesByLiteral().values()]);

/** A run of x or a word of advice in the place of the key. */
const tutorial = pattern('i')`
    ^[xX*.0_-]+$|^(?:your|placeholder|replace|insert|xxxx|test[_-]?key|change)|(?:your|example
    |placeholder)[_-]?(?:api|key|token|secret)|[_-]here$
  `;

/** A prefix that ends in a separator may follow a digit or `_` (`MY_tskey-...`), never a letter. */
function standsFree(text: string, at: number, prefix: string): boolean {
  if (beginsToken(text, at)) return prefix !== '*' || !/[A-Za-z0-9)\]]/.test(text[at - 1] ?? ' ');
  return prefix.length >= 5 && /[-_.]$/.test(prefix) && letters[text.charCodeAt(at - 1)] !== 1;
}

/**
 * `...+EAAA.../...`: a stretch of an image or a digest that happens to begin like a key. Paths have slashes on both
 * sides too, but no plus.
 */
const isInsideBase64 = (text: string, from: number, to: number): boolean =>
  (text[from - 1] === '+' && alnum[text.charCodeAt(from - 2)] === 1) ||
  (text[to] === '+' && alnum[text.charCodeAt(to + 1)] === 1 && text[from - 1] === '/');

export const providerKeys: SecretRule = {
  get literals() {
    return [...rulesByLiteral().keys()];
  },
  findAt(text, at, literal, out) {
    let best = 0;
    let hash = false;
    for (const rule of rules()[literal] ?? []) {
      if (
        !text.startsWith(rule.prefix, at) ||
        !standsFree(text, at, rule.prefix) ||
        (rule.digits && /[_-]/.test(text[at - 1] ?? ''))
      )
        continue;
      const from = at + rule.prefix.length;
      rule.body.lastIndex = from;
      if (!rule.body.test(text)) continue;
      const end = rule.body.lastIndex;
      const body = text.slice(from, end);
      if ((rule.digits && !/\d/.test(body)) || (!rule.fixed && !rule.hash && tutorial.test(body))) continue;
      if (end > best) hash = rule.hash;
      best = Math.max(best, end);
    }
    if (best === 0 || isInsideBase64(text, at, best)) return at;
    out.push({ start: at, end: best, type: hash ? 'SECRET_GENERIC' : 'SECRET_KEY', rank: 86 });
    return best;
  },
};

/**
 * Tokens with a literal in the middle: the literal, what a token of that kind looks like from its first unit on, and
 * the units it is made of.
 */
type Middle = { readonly literal: string; readonly token: RegExp; readonly units: Uint8Array; readonly reach: number };
const middle = (literal: string, token: string, extra: string, reach: number): Middle => ({
  literal,
  token: new RegExp(`(?:${withClasses(token)})(?![A-Za-z0-9])`, 'y'),
  units: alphabet(extra),
  reach,
});
const azureMarks = '(?:AIoT|ASbT|AEhS|ARmT|ACDb|\\+AMC|\\+ASt|AzFu|AzSe|\\+ACR|APIM|\\+ABa)';
const azureSignature = `[A-Za-z0-9+/]{32,80}${azureMarks}[A-Za-z0-9+/]{5,12}={0,2}`;
const inTheMiddle = once((): readonly Middle[] => [
  middle(':aa', '\\d{7,10}:A[A-Za-z0-9]<u>{33}', '', 10), // Telegram bot
  middle('-us', '<h>{32}-us\\d{1,2}', '', 32), // Mailchimp
  middle('.atlasv1.', '<a>{14}\\.atlasv1\\.[A-Za-z0-9_=-]{60,90}', '', 14), // Terraform Cloud
  middle('q~', '[A-Za-z0-9_~.-]{3}\\dQ~[A-Za-z0-9_~.-]{31,34}', '_~.-', 4), // Microsoft Entra client secret
  ...'+ast +amc acdb azse azfu +acr apim aiot asbt aehs armt +aba'
    .split(' ')
    .map((literal) => middle(literal, azureSignature, '+/', 80)), // Azure keys with a signature
  ...['jqqj9', 'azdo'].map((literal) => middle(literal, '<a>{48,80}(?:JQQJ9|AZDO)<a>{4,40}', '', 80)),
  middle('.apps.googleusercontent.com', '\\d{6,16}-<l>{20,40}\\.apps\\.googleusercontent\\.com', '-', 60),
  middle(
    '.acc',
    '(?:sc|ext|scauth|authress)_<l>{5,30}\\.<l>{4,6}\\.acc[_-][a-z0-9-]{10,32}\\.[A-Za-z0-9+/_=-]{30,120}',
    '_.-',
    46,
  ), // Authress
  middle('_mmk', '<a>{6}_<a>{29}_mmk', '_', 38), // MaxMind
  middle('nral', '<h>{32,36}NRAL', '', 40), // New Relic licence
  middle('jsn', '<l>{10}msh<l>{15}p1<l>{6}jsn<l>{12}', '', 40), // RapidAPI
  middle(':apa91b', '<u>{11}:APA91b<u>{120,160}', '_-', 11), // Firebase messaging
]);
/**
 * Discord: three parts of base64url, the first the digits of an account's id. Coded digits leave 9 x 10 beginnings of
 * three units (`MTA`, `NzY`, ...), and those are the literals.
 */
const discord = /[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,45}/y;
const discordStarts = ['mt', 'mj', 'mz', 'nd', 'nt', 'nj', 'nz', 'od', 'ot'].flatMap((pair) =>
  [...'aeimquycgk'].map((unit) => `${pair}${unit}`),
);

export const infixKeys: SecretRule = {
  get literals() {
    return inTheMiddle().map(({ literal }) => literal);
  },
  findAt(text, at, literal, out) {
    const rule = inTheMiddle()[literal];
    if (rule === undefined) return at;
    const start = runStart(text, at, rule.units, rule.reach + 1);
    for (let from = Math.max(start, at - rule.reach); from <= at && from < start + 2; from += 1) {
      if (!beginsToken(text, from)) continue;
      rule.token.lastIndex = from;
      if (rule.token.test(text) && rule.token.lastIndex > at) {
        out.push({ start: from, end: rule.token.lastIndex, type: 'SECRET_KEY', rank: 86 });
        return rule.token.lastIndex;
      }
    }
    return at;
  },
};

export const discordKeys: SecretRule = {
  literals: discordStarts,
  findAt(text, at, _literal, out) {
    if (!/[MNO]/.test(text[at] ?? '') || !beginsToken(text, at) || runEnd(text, at, alnum, 24) < at + 8) return at;
    discord.lastIndex = at;
    if (!discord.test(text) || alnum[text.charCodeAt(discord.lastIndex)] === 1) return at;
    const end = runEnd(text, discord.lastIndex, alnum, 8);
    out.push({ start: at, end, type: 'SECRET_KEY', rank: 86 });
    return end;
  },
};

const beforeTail = /(?:^|[^A-Za-z0-9_-])([A-Za-z0-9_-]{0,2}[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.)$/;
/**
 * Discord's three parts (24 to 26, 6, 27 to 45 units) whose first codes no digits, or has units too many in front, by
 * the last part [from, to): where the whole begins, or -1.
 */
export function dottedKeyStart(text: string, from: number, to: number): number {
  if (text.charCodeAt(from - 1) !== 46 || text.charCodeAt(from - 8) !== 46 || to - from < 27 || to - from > 45)
    return -1;
  const head = beforeTail.exec(text.slice(Math.max(0, from - 38), from))?.[1];
  return head !== undefined && /[A-Z]/.test(head) && /\d/.test(head) && isRandom(text.slice(from, to))
    ? from - head.length
    : -1;
}
