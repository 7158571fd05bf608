/** Runs a family the way an engine does, plainly: every anchor by a trie, then `find`. */
import type { Family, Finding } from '../../../../services/redaction/family.ts';

type AnchorHit = { readonly anchor: number; readonly at: number };
type Node = { readonly next: Map<number, Node>; anchor: number };
const tries = new WeakMap<Family, Node>();

function trieOf(family: Family): Node {
  const known = tries.get(family);
  if (known !== undefined) return known;
  const root: Node = { next: new Map(), anchor: -1 };
  for (const [anchor, literal] of family.anchors.entries()) {
    let node = root;
    for (let at = 0; at < literal.length; at += 1) {
      const unit = literal.charCodeAt(at);
      const next = node.next.get(unit) ?? { next: new Map(), anchor: -1 };
      node.next.set(unit, next);
      node = next;
    }
    node.anchor = anchor;
  }
  tries.set(family, root);
  return root;
}

export function hitsOf(family: Family, text: string): AnchorHit[] {
  const root = trieOf(family);
  const hits: AnchorHit[] = [];
  for (let at = 0; at < text.length; at += 1) {
    let node: Node | undefined = root;
    for (let behind = at; node !== undefined; behind += 1) {
      if (node.anchor >= 0) hits.push({ anchor: node.anchor, at });
      const unit = text.charCodeAt(behind);
      node = node.next.get(unit >= 65 && unit <= 90 ? unit + 32 : unit);
    }
  }
  // The engine's automaton reports hits by their ends, the longest first.
  const endOf = ({ anchor, at }: AnchorHit): number => at + (family.anchors[anchor] ?? '').length;
  return hits.sort((a, b) => endOf(a) - endOf(b) || a.at - b.at);
}

/** All findings of `family` in `text`, then without those that a more trusted (or longer) one overlaps, in order. */
export function scan(
  family: Family,
  text: string,
  context: { readonly key?: string } = {},
): { readonly all: readonly Finding[]; readonly kept: readonly Finding[] } {
  const all: Finding[] = [];
  const hits = hitsOf(family, text);
  if (hits.length > 0)
    family.find(
      text,
      hits.flatMap(({ anchor, at }) => [anchor, at]),
      context,
      all,
    );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what the engine's mark for units beyond ASCII says
  if (/[^\u0000-\u007f]/.test(text)) family.findForeign?.(text, all);
  const kept: Finding[] = [];
  for (const finding of [...all].sort(
    (a, b) => b.rank - a.rank || b.end - b.start - (a.end - a.start) || a.start - b.start,
  )) {
    if (!kept.some(({ start, end }) => start < finding.end && finding.start < end)) kept.push(finding);
  }
  return { all, kept: kept.sort((a, b) => a.start - b.start) };
}
