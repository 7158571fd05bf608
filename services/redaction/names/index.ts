/**
 * `namesDetector`: PERSON, LOCATION, ADDRESS and ZIP. The second, switchable tier: gazetteer, context and a small
 * trained tagger.
 */
import type { Detector } from '../detector.ts';
import type { Finding } from '../finding.ts';
import { findAddressShapes } from './address-shapes.ts';
import { findAddresses } from './addresses.ts';
import { findIntroduced } from './introductions.ts';
import { has, lexicon, ordinary } from './lexicon.ts';
import { mayHoldNames } from './may-hold-names.ts';
import { findByField } from './name-fields.ts';
import { label, nameEnd, resolveLabels, tag } from './tagger.ts';
import { tokenize } from './tokenize.ts';
import { bitsAt, endAt, hashAt, isWritten, shape, shapeAt, startAt, type Tokens } from './tokens.ts';
import { findUncased } from './uncased.ts';

/** One a token, reused from text to text. */
let labels = new Uint8Array(4_096);

/** One more than the engine takes from one text: it goes out whole then, and nobody needs the rest. */
const mostNames = 20_000;

function findTagged(all: Tokens, out: Finding[]): void {
  for (let at = 0; at < all.count; at += 1) {
    const kind = labels[at];
    if (kind === label.none) continue;
    const last = nameEnd(all, labels, at);
    if (out.length > mostNames) return;
    const start = startAt(all, at);
    const end = endAt(all, last);
    if (kind === label.person) out.push({ start, end, type: 'PERSON', rank: 30 });
    else if (kind === label.place) out.push({ start, end, type: 'LOCATION', rank: 28 });
    at = last;
  }
}

/** More different names than this in one text are a list: its words are judged one by one. */
const mostPeople = 64;
/** A word labelled once as a person's name is one everywhere in the text, when it means nothing else. */
function labelAlike(all: Tokens): void {
  const people = new Set<number>();
  for (let at = 0; at < all.count && people.size < mostPeople; at += 1)
    if (labels[at] === label.person && !has(bitsAt(all, at), ordinary) && all.shape[at] !== shape.initial)
      people.add(hashAt(all, at));
  if (people.size === 0) return;
  for (let at = 0; at < all.count; at += 1) {
    const form = shapeAt(all, at);
    if (labels[at] !== label.none || !isWritten(form) || form === shape.initial) continue;
    if (people.has(hashAt(all, at))) labels[at] = label.person;
  }
}

function anyLabel(count: number): boolean {
  for (let at = 0; at < count; at += 1) if (labels[at] !== label.none) return true;
  return false;
}

function findInText(text: string): Finding[] {
  const found: Finding[] = [];
  const all = tokenize(text, lexicon());
  // Four more, since neighbours are read without a look at the count.
  if (all.count + 4 > labels.length) labels = new Uint8Array(all.count * 2 + 4);
  labels.fill(label.none, all.count, all.count + 4);
  tag(text, all, labels);
  resolveLabels(all, labels);
  if (anyLabel(all.count)) {
    labelAlike(all);
    findTagged(all, found);
    if (found.length > mostNames) return found;
  }
  findIntroduced(text, all, found);
  if (all.uncased) findUncased(text, found);
  findAddresses(text, all, found);
  if (all.numbers) findAddressShapes(text, all.uncased, found);
  return disjoint(found);
}

/** Findings that overlap become one, of the most trusted type: what two rules saw in part goes out whole. */
function disjoint(found: Finding[]): Finding[] {
  found.sort((a, b) => a.start - b.start);
  const merged: Finding[] = [];
  for (const next of found) {
    const before = merged.at(-1);
    if (before === undefined || next.start >= before.end) merged.push(next);
    else
      merged[merged.length - 1] = {
        ...(next.rank > before.rank ? next : before),
        start: before.start,
        end: Math.max(before.end, next.end),
      };
  }
  return merged;
}

/** What a unit of text costs here, in budget steps: its words, three times. */
const unitSteps = 1 / 24;

export const namesDetector: Detector = {
  name: 'names',
  tier: 'names',
  types: ['PERSON', 'LOCATION', 'ADDRESS', 'ZIP'],
  literals: [],
  wants: mayHoldNames,
  find({ text, key, budget, out }) {
    budget.left -= text.length * unitSteps;
    if (budget.left <= 0) return;
    findByField(text, key, out);
    for (const finding of findInText(text)) out.push(finding);
  },
};
