/**
 * Where text is in a text: JSON, and JSON by the line, by its leaves; everything else in pieces of bounded length. What
 * is found in one leaf, over the seams between leaves, and in the joined deltas of a stream.
 */
import { detect, maxFindings, type Search } from './detect.ts';
import { isOfNames } from './entity-types.ts';
import { fieldType, isEmptyHanded } from './field-names.ts';
import type { Found, Placed } from './finding.ts';
import { cutValues } from './joined.ts';
import { streamLeaves } from './json-lines.ts';
import { jsonLeaves, type Leaf, readJsonString } from './json-text.ts';

const maxNested = 3;

/** An object or an array, as far as both ends tell. */
const looksLikeJson = /^\s{0,8}(?:\{\s{0,64}["}]|\[\s{0,64}[[{"\]\d\-tfn])[\s\S]*[}\]]\s*$/;
export const startsLikeJson = (text: string): boolean => {
  const first = text.charCodeAt(0);
  return (first === 123 || first === 91 || first <= 32) && looksLikeJson.test(text);
};

/** The file that a cloud gives a service: its ids open as much as its key does for whoever holds an older one. */
const serviceAccount = /^\s*\{(?=[^{}]*"type"\s?:\s?"service_account")[^{}]*"private_key"\s?:\s?"[^{}]*\}\s*$/;
const accountUnits = 16_384;

/** `nested`: how many texts this one is inside of. Answers true when this is too much: the caller drops the text. */
export function findInText(text: string, key: string | undefined, search: Search, out: Placed[], nested = 0): boolean {
  if (nested > maxNested) return findInPieces(text, key, search, out);
  if (startsLikeJson(text)) {
    const leaves = jsonLeaves(text);
    if (leaves === 'too-deep') return true;
    if (leaves !== undefined && text.length <= accountUnits && serviceAccount.test(text)) {
      out.push(wholeAccount(text));
      return false;
    }
    if (leaves !== undefined) return findInLeaves(text, leaves, search, out, nested);
  }
  const lines = streamLeaves(text);
  if (lines !== undefined && findInLines(text, lines, search, out, nested)) return false;
  return findInPieces(text, key, search, out);
}

const wholeAccount = (text: string): Placed => ({
  start: text.length - text.trimStart().length,
  end: text.trimEnd().length,
  type: 'SECRET_PRIVATE_KEY',
  rank: 99,
  score: 1,
  tier: 'field',
  quote: '"',
});

const overlapUnits = 4_096;
/** Pieces overlap. What a piece finds counts when it reaches into the piece itself; two finding the same is no harm. */
function findInPieces(text: string, key: string | undefined, search: Search, out: Placed[]): boolean {
  const { pieceUnits } = search.policy;
  if (text.length <= pieceUnits) return detect(text, key, search, out);
  for (let from = 0; from < text.length; from += pieceUnits) {
    const found: Found[] = [];
    // Two overlaps: one in front, so that what began before is not seen from its middle, and one behind.
    const start = Math.max(0, from - overlapUnits);
    if (detect(text.slice(start, from + pieceUnits + overlapUnits), key, search, found)) return true;
    for (const finding of found) {
      const at = finding.start + start;
      const end = finding.end + start;
      if (end > from && at < from + pieceUnits) out.push({ ...finding, start: at, end });
    }
    if (out.length > maxFindings) return true;
  }
  return false;
}

/**
 * Leaf by leaf is dearer than text: it gets half of what is left. Answers false when that was not enough: the lines are
 * text like any other then.
 */
function findInLines(text: string, lines: readonly Leaf[], search: Search, out: Placed[], nested: number): boolean {
  const { policy, budget } = search;
  const half = budget.left / 2;
  const share = { left: half };
  const found: Placed[] = [];
  const isTooMuch = findInLeaves(text, lines, { policy, budget: share }, found, nested);
  if (Number.isFinite(half)) budget.left -= half - Math.max(0, share.left);
  if (isTooMuch) return false;
  for (const finding of found) out.push(finding);
  return true;
}

/** The leaves of a JSON text as their reader sees them, and the way back to the text. */
type LeafTexts = {
  readonly leaves: readonly Leaf[];
  contentOf(index: number): string;
  /** Appends what was found in a leaf, at its place in the text. */
  place(index: number, finding: Placed): void;
};

function readLeaves(text: string, leaves: readonly Leaf[], out: Placed[]): LeafTexts {
  const read = leaves.map(({ isEscaped, start, end }) =>
    isEscaped ? readJsonString(text.slice(start, end)) : undefined,
  );
  return {
    leaves,
    contentOf(index) {
      const { start, end } = leaves[index] as Leaf;
      return read[index]?.text ?? text.slice(start, end);
    },
    place(index, finding) {
      const { start, end, kind } = leaves[index] as Leaf;
      if (kind === 'number') {
        out.push({ ...finding, start, end, quote: '"' });
        return;
      }
      const mapped = read[index];
      out.push({
        ...finding,
        start: start + (mapped ? (mapped.map[finding.start] as number) : finding.start),
        end: start + (mapped ? (mapped.mapEnd[finding.end - 1] as number) : finding.end),
        ...(finding.quote !== undefined && { quote: JSON.stringify(finding.quote).slice(1, -1) }),
      });
    },
  };
}

/** What a leaf costs before anything is read, in budget steps. */
const leafSteps = 0.2;
/** Longer ones are not compared with their neighbours. */
const columnUnits = 65_536;

function findInLeaves(text: string, leaves: readonly Leaf[], search: Search, out: Placed[], nested: number): boolean {
  const texts = readLeaves(text, leaves, out);
  const withoutNames: Search = { ...search, policy: { ...search.policy, names: false } };
  const columns = new Map<string, number[]>();
  for (const [index, leaf] of leaves.entries()) {
    search.budget.left -= leafSteps;
    if (search.budget.left <= 0) return true;
    if (isDecided(texts, index, search)) continue;
    const isString = leaf.kind === 'string';
    const isTooMuch = findInLeaf(texts, index, isString ? search : withoutNames, isString ? nested + 1 : maxNested + 1);
    if (isTooMuch) return true;
    if (!isString || texts.contentOf(index).length > columnUnits) continue;
    const column = columns.get(leaf.column);
    if (column) column.push(index);
    else columns.set(leaf.column, [index]);
  }
  if (findInDeltas(texts, columns, search)) return true;
  findOverSeams(texts, columns, withoutNames);
  return search.budget.left <= 0;
}

const longNumber = 12;
const wholeLeaf = 4_096;
const wholeSecret = 65_536;
/** Its key says that it goes, whatever it holds; or it is a short number, which says nothing. */
function isDecided(texts: LeafTexts, index: number, { policy }: Search): boolean {
  const { kind, key, isOfSecret } = texts.leaves[index] as Leaf;
  const content = texts.contentOf(index);
  const named = key === undefined || kind === 'key' ? undefined : fieldType(key);
  const type = isOfSecret === true ? 'SECRET_GENERIC' : named;
  const goes =
    type !== undefined &&
    content.length <= (isOfSecret === true ? wholeSecret : wholeLeaf) &&
    (policy.names !== false || !isOfNames(type)) &&
    !isEmptyHanded(type, content, kind === 'number') &&
    content.trim() !== '' &&
    !startsLikeJson(content);
  if (goes) texts.place(index, { start: 0, end: content.length, type, rank: 99, score: 1, tier: 'field' });
  return goes || (kind === 'number' && content.length < longNumber);
}

/** A sibling key is one to go by when it names a secret or a number; it decides nothing alone. */
function isTellingKey(name: string): boolean {
  const type = fieldType(name);
  return type !== undefined && !isOfNames(type);
}

function findInLeaf(texts: LeafTexts, index: number, search: Search, nested: number): boolean {
  const { key, siblingKey } = texts.leaves[index] as Leaf;
  const name = siblingKey !== undefined && isTellingKey(siblingKey) ? siblingKey : key;
  const found: Placed[] = [];
  if (findInText(texts.contentOf(index), name, search, found, nested)) return true;
  for (const finding of found) texts.place(index, finding);
  return false;
}

type Columns = ReadonlyMap<string, readonly number[]>;
/** Streams cut anywhere: their pieces are read as one text. */
const isDelta = /(?:^|\.)(?:delta|deltas|chunk|chunks|partial|partial_json)(?:\.|$)/;

function findInDeltas(texts: LeafTexts, columns: Columns, search: Search): boolean {
  for (const [name, column] of columns) {
    if (column.length < 2 || !isDelta.test(name)) continue;
    const found: Found[] = [];
    if (detect(column.map(texts.contentOf).join(''), undefined, search, found)) return true;
    let from = 0;
    for (const index of column) {
      const { length } = texts.contentOf(index);
      for (const finding of found) {
        const start = Math.max(0, finding.start - from);
        const end = Math.min(length, finding.end - from);
        if (start < end) texts.place(index, { ...finding, start, end });
      }
      from += length;
    }
  }
  return false;
}

/** Values that were cut in two by neighbours: items of one column, and the strings of the whole text in their order. */
function findOverSeams(texts: LeafTexts, columns: Columns, search: Search): void {
  const seek = (joined: string): readonly Found[] => {
    const found: Found[] = [];
    detect(joined, undefined, search, found);
    return found;
  };
  const rows = [...columns.values()].filter((column) => column.length > 1);
  const strings = texts.leaves.flatMap(({ kind }, index) => (kind === 'string' ? [index] : []));
  for (const column of [...rows, strings]) {
    const pieces = column.map((index) => ({ text: texts.contentOf(index), index }));
    for (const { type, score, parts } of cutValues(pieces, seek))
      for (const { index, start, end } of parts)
        texts.place(index, { start, end, type, rank: 71, score, tier: 'structured' });
  }
}
