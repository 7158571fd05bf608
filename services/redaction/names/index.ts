/** `namesFamily`: PERSON, LOCATION, ADDRESS and ZIP. The second, switchable tier: gazetteer, context and a small trained tagger. */
import type { Family, Finding } from '../family.ts';
import { findAddresses, findAddressShapes } from './addresses.ts';
import { findIntroduced } from './introductions.ts';
import { lexicon } from './lexicon.ts';
import { label, nameEnd, tag } from './tagger.ts';
import { type Tokens, tokenize } from './tokens.ts';
import { findUncased } from './uncased.ts';

let labels = new Uint8Array(4_096);

function findTagged(all: Tokens, out: Finding[]): void {
  for (let at = 0; at < all.count; at += 1) {
    const kind = labels[at];
    if (kind === label.none) continue;
    const last = nameEnd(all, labels, at);
    if (kind !== label.organisation) out.push({ start: all.start[at] ?? 0, end: all.end[last] ?? 0, type: kind === label.person ? 'PERSON' : 'LOCATION', rank: kind === label.person ? 30 : 28 });
    at = last;
  }
}

export const namesFamily: Family = {
  name: 'names',
  anchors: [],
  find(text, _hits, _context, out) {
    const all = tokenize(text, lexicon());
    if (all.count > labels.length) labels = new Uint8Array(all.count * 2);
    tag(text, all, labels);
    findTagged(all, out);
    findIntroduced(text, all, out);
    if (all.uncased) findUncased(text, out);
    findAddresses(text, all, out);
    if (all.numbers) findAddressShapes(text, all.uncased, out);
  },
};
