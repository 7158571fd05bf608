/** Runs a detector the way an engine does, plainly: every literal by a trie, then `find`. */
import type { Detector } from '../../../../services/redaction/detector.ts';
import type { Finding } from '../../../../services/redaction/finding.ts';
import { createForeignScanner, type ForeignScanner } from '../../../../services/redaction/foreign-literals.ts';
import { aTask } from '../a-task.ts';

type LiteralHit = { readonly literal: number; readonly at: number };
type Node = { readonly next: Map<number, Node>; literal: number };
const tries = new WeakMap<Detector, Node>();
const foreign = new WeakMap<Detector, ForeignScanner>();
function foreignScannerOf(detector: Detector): ForeignScanner {
  const scan = foreign.get(detector) ?? createForeignScanner([detector]);
  foreign.set(detector, scan);
  return scan;
}

function trieOf(detector: Detector): Node {
  const known = tries.get(detector);
  if (known !== undefined) return known;
  const root: Node = { next: new Map(), literal: -1 };
  for (const [index, literal] of detector.literals.entries()) {
    let node = root;
    for (let at = 0; at < literal.length; at += 1) {
      const unit = literal.charCodeAt(at);
      const next = node.next.get(unit) ?? { next: new Map(), literal: -1 };
      node.next.set(unit, next);
      node = next;
    }
    node.literal = index;
  }
  tries.set(detector, root);
  return root;
}

export function hitsOf(detector: Detector, text: string): LiteralHit[] {
  const root = trieOf(detector);
  const hits: LiteralHit[] = [];
  for (let at = 0; at < text.length; at += 1) {
    let node: Node | undefined = root;
    for (let behind = at; node !== undefined; behind += 1) {
      if (node.literal >= 0) hits.push({ literal: node.literal, at });
      const unit = text.charCodeAt(behind);
      node = node.next.get(unit >= 65 && unit <= 90 ? unit + 32 : unit);
    }
  }
  // The engine's automaton reports hits by their ends, the longest first.
  const endOf = ({ literal, at }: LiteralHit): number => at + (detector.literals[literal] ?? '').length;
  return hits.sort((a, b) => endOf(a) - endOf(b) || a.at - b.at);
}

/** All findings of `detector` in `text`, then without those that a more trusted (or longer) one overlaps, in order. */
export function scan(
  detector: Detector,
  text: string,
): { readonly all: readonly Finding[]; readonly kept: readonly Finding[] } {
  const all: Finding[] = [];
  const hits = hitsOf(detector, text).flatMap(({ literal, at }) => [literal, at]);
  const foreignHits = foreignScannerOf(detector)(text)?.[0] ?? [];
  if (hits.length > 0 || foreignHits.length > 0) detector.find(aTask(text, { hits, foreignHits, out: all }));
  const kept: Finding[] = [];
  for (const finding of [...all].sort(
    (a, b) => b.rank - a.rank || b.end - b.start - (a.end - a.start) || a.start - b.start,
  )) {
    if (!kept.some(({ start, end }) => start < finding.end && finding.start < end)) kept.push(finding);
  }
  return { all, kept: kept.sort((a, b) => a.start - b.start) };
}
