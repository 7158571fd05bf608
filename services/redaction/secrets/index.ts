/** Secrets as one family: all finders' anchors in one list, each hit handed to the finders that asked for it. */
import type { Family } from '../family.ts';
import { capabilityUrls } from './capability-url.ts';
import { authCommands, commandLines } from './command-line.ts';
import { connections } from './connection.ts';
import { contexts } from './context.ts';
import { findBehindForeignWords } from './foreign-words.ts';
import type { Finder } from './finder.ts';
import { oneTimeSecrets } from './grouped-key.ts';
import { headers } from './header.ts';
import { jwts } from './jwt.ts';
import { keyShapes } from './key-shape.ts';
import { privateKeys } from './private-key.ts';
import { providerNames } from './provider-name.ts';
import { discordKeys, markedKeys, providerKeys } from './provider-key.ts';

const finders: readonly Finder[] = [
  ...privateKeys,
  jwts,
  ...connections,
  ...capabilityUrls,
  providerKeys,
  markedKeys,
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
 * Looks in vain that cost microseconds; a configuration file has one in thirty units of text. More than this many is an
 * attack on the clock.
 */
const maxLooks = 12_000;
const costly: ReadonlySet<Finder> = new Set([
  ...contexts,
  ...headers,
  ...capabilityUrls,
  commandLines,
  providerKeys,
  providerNames,
]);

const anchors: string[] = [];
/** Finder and its own index of the literal, in turns, by anchor. */
const listeners: number[][] = [];
const isCostly = finders.map((finder) => costly.has(finder));
/** Per finder: anchors before this index have been looked at already. Reused: nothing here outlives a call. */
const looked = new Int32Array(finders.length);
/** Where the last look began: a longer literal at the same place (`sk-`, `sk-proj-`) is no second one. */
const began = new Int32Array(finders.length);
for (const [finder, { anchors: own }] of finders.entries()) {
  for (const [anchor, literal] of own.entries()) {
    const known = anchors.indexOf(literal);
    if (known >= 0) listeners[known]?.push(finder, anchor);
    else {
      anchors.push(literal);
      listeners.push([finder, anchor]);
    }
  }
}

export const secretFamily: Family = {
  name: 'secrets',
  anchors,
  find(text, hits, _context, out) {
    looked.fill(0);
    began.fill(-1);
    let fuel = Math.min(maxLooks, 1024 + text.length / 24);
    for (let hit = 0; hit < hits.length; hit += 2) {
      const at = hits[hit + 1] as number;
      const own = listeners[hits[hit] as number] as readonly number[];
      for (let each = 0; each < own.length; each += 2) {
        const index = own[each] as number;
        // Hits come by their ends: a longer literal that began earlier (`glpat-`, after `pat`) gets its look too.
        if (at < (looked[index] as number) && at > (began[index] as number)) continue;
        began[index] = at;
        const until = (finders[index] as Finder).look(text, at, own[each + 1] as number, out);
        if (until > at) {
          if (until > (looked[index] as number)) looked[index] = until;
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
