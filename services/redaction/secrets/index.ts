/** Secrets as one detector: all rules' literals in one list, each hit handed to the rules that asked for it. */
import type { Detector } from '../detector.ts';
import { capabilityUrls } from './capability-url.ts';
import { authCommands, commandLines } from './command-line.ts';
import { connections } from './connection.ts';
import { contexts } from './context.ts';
import { findBehindForeignWords } from './foreign-words.ts';
import type { SecretRule } from './secret-rule.ts';
import { oneTimeSecrets } from './grouped-key.ts';
import { headers } from './header.ts';
import { jwts } from './jwt.ts';
import { keyShapes } from './key-shape.ts';
import { privateKeys } from './private-key.ts';
import { providerNames } from './provider-name.ts';
import { discordKeys, infixKeys, providerKeys } from './provider-key.ts';

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
  providerNames,
  ...contexts,
];

/**
 * Searches in vain that cost microseconds; a configuration file has one in thirty units of text. More than this many is an
 * attack on the clock.
 */
const maxVain = 12_000;
const costly: ReadonlySet<SecretRule> = new Set([
  ...contexts,
  ...headers,
  ...capabilityUrls,
  commandLines,
  providerKeys,
  providerNames,
]);

const literals: string[] = [];
/** Rule and its own index of the literal, in turns, by literal. */
const listeners: number[][] = [];
const isCostly = rules.map((rule) => costly.has(rule));
/** Per rule: literals before this index have been searched already. Reused: nothing here outlives a call. */
const searched = new Int32Array(rules.length);
/** Where the last search began: a longer literal at the same place (`sk-`, `sk-proj-`) is no second one. */
const began = new Int32Array(rules.length);
for (const [rule, { literals: own }] of rules.entries()) {
  for (const [index, literal] of own.entries()) {
    const known = literals.indexOf(literal);
    if (known >= 0) listeners[known]?.push(rule, index);
    else {
      literals.push(literal);
      listeners.push([rule, index]);
    }
  }
}

export const secretDetector: Detector = {
  name: 'secrets',
  literals,
  find(text, hits, _context, out) {
    searched.fill(0);
    began.fill(-1);
    let fuel = Math.min(maxVain, 1024 + text.length / 24);
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
        fuel -= 1;
        if (fuel >= 0) continue;
        // Fails closed: a text that is mostly words for secrets, with none behind them, goes out from here on.
        out.push({ start: at, end: text.length, type: 'SECRET_GENERIC', rank: 100 });
        return;
      }
    }
  },
  findForeign: findBehindForeignWords,
};
