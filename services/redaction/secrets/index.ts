/** Secrets as one family: all finders' anchors in one list, each hit handed to the finders that asked for it. */
import type { Family } from '../family.ts';
import { capabilityUrls } from './capability-url.ts';
import { commandLines } from './command-line.ts';
import { connections } from './connection.ts';
import { contexts, judgeLeaf } from './context.ts';
import type { Finder } from './finder.ts';
import { headers } from './header.ts';
import { jwts } from './jwt.ts';
import { keyShapes } from './key-shape.ts';
import { privateKeys } from './private-key.ts';
import { providerNames } from './provider-name.ts';
import { discordKeys, markedKeys, providerKeys } from './provider-key.ts';

const finders: readonly Finder[] = [...privateKeys, jwts, ...connections, ...capabilityUrls, providerKeys, markedKeys, discordKeys, ...headers, commandLines, keyShapes, providerNames, ...contexts];

/** Looks in vain that cost microseconds; a configuration file has one in thirty units of text. More than this many is an attack on the clock. */
const maxLooks = 12_000;
const costly: ReadonlySet<Finder> = new Set([...contexts.slice(0, 1), ...headers, ...capabilityUrls, commandLines, providerKeys, providerNames]);

const anchors: string[] = [];
const listeners: { readonly finder: number; readonly anchor: number }[][] = [];
for (const [finder, { anchors: own }] of finders.entries()) {
  for (const [anchor, literal] of own.entries()) {
    const known = anchors.indexOf(literal);
    if (known >= 0) listeners[known]?.push({ finder, anchor });
    else {
      anchors.push(literal);
      listeners.push([{ finder, anchor }]);
    }
  }
}

export const secretFamily: Family = {
  name: 'secrets',
  anchors,
  find(text, hits, context, out) {
    /** Per finder: anchors before this index have been looked at already. */
    const looked = new Int32Array(finders.length);
    /** Where the last look began: a longer literal at the same place (`sk-`, `sk-proj-`) is no second one. */
    const began = new Int32Array(finders.length).fill(-1);
    let fuel = Math.min(maxLooks, 1024 + text.length / 24);
    for (const { anchor, at } of hits) {
      for (const listener of listeners[anchor] ?? []) {
        const finder = finders[listener.finder];
        // Hits come by their ends: a longer literal that began earlier (`glpat-`, after `pat`) gets its look too.
        if (finder === undefined || (at < (looked[listener.finder] ?? 0) && at > (began[listener.finder] ?? -1))) continue;
        began[listener.finder] = at;
        const until = finder.look(text, at, listener.anchor, out);
        if (until > at && until > (looked[listener.finder] ?? 0)) looked[listener.finder] = until;
        if (until > at || !costly.has(finder)) continue;
        fuel -= 1;
        if (fuel >= 0) continue;
        // Fails closed: a text that is mostly words for secrets, with none behind them, goes out from here on.
        out.push({ start: at, end: text.length, type: 'SECRET_GENERIC', rank: 100 });
        return;
      }
    }
    if (context.key !== undefined) judgeLeaf(text, context.key, out);
  },
};
