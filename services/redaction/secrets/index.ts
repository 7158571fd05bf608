/** Secrets as one detector: the literals of all rules in one list, each hit handed to the rules that asked for it. */
import type { Detector, Task } from '../detector.ts';
import type { Finding } from '../finding.ts';
import { once } from '../once.ts';
import type { LiteralHits } from '../trigger-literals.ts';
import { apartValues } from './apart-value.ts';
import { capabilityUrls } from './capability-url.ts';
import { authCommands, commandLines } from './command-line.ts';
import { connections } from './connection.ts';
import { findBehindForeignWords, foreignLiterals } from './foreign-words.ts';
import { oneTimeSecrets } from './grouped-key.ts';
import { headers } from './header.ts';
import { jwts } from './jwt.ts';
import { keyShapes } from './key-shape.ts';
import { kubernetesSecrets } from './kubernetes.ts';
import { namedValues } from './named-value.ts';
import { privateKeys } from './private-key.ts';
import { discordKeys, infixKeys, providerKeys } from './provider-key.ts';
import { providerNames } from './provider-name.ts';
import type { SecretRule } from './secret-rule.ts';

export { unlistedKeyStart } from './key-shape.ts';
export { dottedKeyStart } from './provider-key.ts';
export { findInField } from './value.ts';

/** In order: of rules with the same literal the first is asked first. */
const rules: readonly SecretRule[] = [
  ...privateKeys,
  jwts,
  ...connections,
  ...capabilityUrls,
  providerKeys,
  infixKeys,
  discordKeys,
  ...headers,
  commandLines,
  authCommands,
  oneTimeSecrets,
  keyShapes,
  kubernetesSecrets,
  providerNames,
  namedValues,
  apartValues,
];

/** Rules of which a search in vain costs microseconds. */
const costly: ReadonlySet<SecretRule> = new Set([
  namedValues,
  apartValues,
  ...headers,
  ...capabilityUrls,
  commandLines,
  providerKeys,
  providerNames,
  kubernetesSecrets,
]);
/** A configuration file has one search in vain in thirty units of text. More than this is an attack on the clock. */
const maxVain = 12_000;

/** Which rules listen to which literal; made with the scanner. */
const dispatch = once(() => {
  const literals: string[] = [];
  /** By literal: rule and its own index of the literal, in turns. */
  const listeners: number[][] = [];
  const indexes = new Map<string, number>();
  for (const [rule, { literals: own }] of rules.entries()) {
    for (const [index, literal] of own.entries()) {
      const known = indexes.get(literal);
      if (known !== undefined) listeners[known]?.push(rule, index);
      else {
        indexes.set(literal, literals.length);
        literals.push(literal);
        listeners.push([rule, index]);
      }
    }
  }
  return { literals, listeners };
});
const isCostly = rules.map((rule) => costly.has(rule));
/** Per rule: literals before this place have been searched already. Reused: nothing here outlives a call. */
const searched = new Int32Array(rules.length);
/** Where the last search began: a longer literal at the same place (`sk-`, `sk-proj-`) is no second one. */
const began = new Int32Array(rules.length);

function findByRules(text: string, hits: LiteralHits, out: Finding[]): void {
  const { listeners } = dispatch();
  searched.fill(0);
  began.fill(-1);
  let vain = Math.min(maxVain, 1024 + text.length / 24);
  for (let hit = 0; hit < hits.length; hit += 2) {
    const at = hits[hit + 1] as number;
    const own = listeners[hits[hit] as number] as readonly number[];
    for (let each = 0; each < own.length; each += 2) {
      const index = own[each] as number;
      // Hits come by their ends: a longer literal that began earlier (`glpat-`, after `pat`) gets its search too.
      if (at < (searched[index] as number) && at > (began[index] as number)) continue;
      began[index] = at;
      const until = (rules[index] as SecretRule).findAt(text, at, own[each + 1] as number, out);
      if (until > at) {
        if (until > (searched[index] as number)) searched[index] = until;
        continue;
      }
      if (isCostly[index] !== true) continue;
      vain -= 1;
      if (vain >= 0) continue;
      // Fails closed: a text that is mostly words for secrets, with none behind them, goes out from here on.
      out.push({ start: at, end: text.length, type: 'SECRET_GENERIC', rank: 100 });
      return;
    }
  }
}

export const secretDetector: Detector = {
  name: 'secrets',
  tier: 'secrets',
  types: ['SECRET_GENERIC', 'SECRET_KEY', 'SECRET_PRIVATE_KEY', 'SECRET_JWT', 'SECRET_CONNECTION', 'SECRET_URL'],
  get literals() {
    return dispatch().literals;
  },
  foreignLiterals,
  find({ text, hits, foreignHits, budget, out }: Task) {
    budget.left -= hits.length >> 2;
    if (budget.left <= 0) return;
    if (hits.length > 0) findByRules(text, hits, out);
    if (foreignHits.length > 0) findBehindForeignWords(text, foreignHits, out);
  },
};
