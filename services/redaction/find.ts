/**
 * Findings in one text: the scan for literals, folding, the detectors, escapes and encoded words, two levels deep and under a
 * budget. Positions are those of the text that was given.
 */
import { pattern } from './pattern.ts';
import { createScanner, type Scanned, type Scanner } from './trigger-literals.ts';
import { detectors, type Tier } from './detectors.ts';
import type { Finding } from './detector.ts';
import { foldText, type Mapped } from './fold-text.ts';
import { kindTable, unitKind } from './names/letters.ts';
import type { RedactionPolicy } from './policy.ts';
import { judgeLeaf } from './secrets/context.ts';
import { dottedKeyStart } from './secrets/provider-key.ts';
import { findStructured, type ScoredFinding, structuredLiterals, type Budget } from './structured/index.ts';
import { decodeWord, unescapeText } from './unescape.ts';

/** `score` of a finding that has none is its rank. */
export type Found = Finding & { readonly score: number; readonly tier: Tier };

let scanner: Scanner | undefined;
/** Built for the first text: an app that imports the emitter need not pay for it (about 45 ms). */
function scan(text: string): Scanned | undefined {
  scanner ??= createScanner([{ literals: structuredLiterals }, ...detectors.map(({ detector }) => detector)]);
  return scanner(text);
}
const maxDepth = 2;
/**
 * What a unit of text costs before anything is found in it, in budget steps: scan, folding and maps; and the words
 * of the names tier.
 */
const unitSteps = 1 / 64;
const nameSteps = 1 / 24;
/** More findings than this in one text is an attack or a dump: it goes out whole. */
export const maxFindings = 20_000;

/** Uuids, trace contexts and moments: shapes that no structured type may cut into. */
const keptShapes = pattern('gi')`
    \b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b
    |\b00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b|\b(?:19|20)\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d
    (?::[0-5]\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?
  `;

const introduction = /\b(?:name|am|is)\b/;
/** A letter that a name may begin with: a capital, or one of a script without them; or words that announce one. */
function mayHoldNames(text: string): boolean {
  const kinds = kindTable();
  for (let at = 0; at < text.length; at += 1) {
    const kind = kinds[text.charCodeAt(at)];
    if (kind === unitKind.upper || kind === unitKind.caseless) return true;
  }
  return introduction.test(text);
}

/** `true` when this says "too much": the caller drops the text. */
export function find(
  text: string,
  key: string | undefined,
  policy: RedactionPolicy,
  budget: Budget,
  out: Found[],
  depth = 0,
): boolean {
  const names = policy.names !== false && depth === 0;
  budget.left -= text.length * unitSteps;
  if (key !== undefined && depth === 0) {
    // What a field's name says needs no literal in the text.
    const leaf: Finding[] = [];
    judgeLeaf(text, key, leaf);
    for (const finding of leaf) out.push(withTier(finding, 'secrets'));
  }
  let scanned = scan(text);
  if (scanned === undefined && !names) return false;
  let base = text;
  let folded: Mapped | undefined;
  if (scanned?.hints.nonAscii) {
    folded = foldText(text);
    if (folded) {
      base = folded.text;
      scanned = scan(base);
    }
  }
  const found: Found[] = [];
  runDetectors(base, scanned, key, { names: names && mayHoldNames(text), places: names }, budget, found);
  if (scanned?.hints.escapes && depth < maxDepth) {
    const plain = unescapeText(base);
    if (plain) {
      const inner: Found[] = [];
      if (find(plain.text, key, { ...policy, names: false }, budget, inner, depth + 1)) return true;
      for (const finding of inner) found.push(mapped(finding, plain));
    }
  }
  if (
    scanned &&
    scanned.hints.longs.length > 0 &&
    depth < maxDepth &&
    encoded(base, scanned.hints.longs, policy, budget, found, depth)
  )
    return true;
  if (policy.own) ownPatterns(base, policy, found);
  for (const finding of found) out.push(folded ? mapped(finding, folded) : finding);
  return budget.left <= 0;
}

const nearShape = 30;
/** Two dashes are near, as in every one of these shapes whatever part of it a finding cuts into. */
function hasDashes(text: string, start: number, end: number): boolean {
  const to = Math.min(text.length, end + nearShape);
  let dashes = 0;
  for (let at = Math.max(0, start - nearShape); at < to && dashes < 2; at += 1)
    if (text.charCodeAt(at) === 45) dashes += 1;
  return dashes > 1;
}
/** Longer than twice any of the shapes: what is cut off at a window's edge does not reach the finding. */
const shapeReach = 128;
/** It cuts into a shape that is kept. An address that has one inside goes out all the same. */
function isKept(text: string, { start, end, type }: ScoredFinding): boolean {
  if (type === 'DATE_OF_BIRTH' || !hasDashes(text, start, end)) return false;
  const from = Math.max(0, start - shapeReach);
  const window = text.slice(from, end + shapeReach);
  // Not matchAll: it copies the pattern each time, which takes longer than the search.
  keptShapes.lastIndex = 0;
  for (let match = keptShapes.exec(window); match !== null; match = keptShapes.exec(window)) {
    const at = from + match.index;
    const to = at + match[0].length;
    if (at < end && start < to && !(start <= at && end >= to && type === 'EMAIL')) return true;
  }
  return false;
}
const withTier = ({ start, end, type, rank, score }: ScoredFinding, tier: Tier): Found => ({
  start,
  end,
  type,
  rank,
  score: score ?? rank / 100,
  tier,
});

function mapped(finding: Found, { map, mapEnd }: Mapped): Found {
  return { ...finding, start: map[finding.start] as number, end: mapEnd[finding.end - 1] as number };
}

/** Inside what is surely a secret nothing else is looked for: start and end of such findings, in turns, ascending. */
function sureSecrets(found: readonly Found[]): readonly number[] {
  if (found.length === 0) return nothing;
  const sure = found.filter(({ tier, rank }) => tier === 'secrets' && rank >= 86);
  return sure.length === 0 ? nothing : sure.sort((a, b) => a.start - b.start).flatMap(({ start, end }) => [start, end]);
}
const nothing: readonly number[] = [];

function runDetectors(
  text: string,
  scanned: Scanned | undefined,
  key: string | undefined,
  {
    names,
    places,
  }: { readonly names: boolean /** Postal codes go with the switch of the names tier. */; readonly places: boolean },
  budget: Budget,
  found: Found[],
): void {
  const plain: ScoredFinding[] = [];
  const context = key === undefined ? noContext : { key };
  for (let index = 0; index < detectors.length; index += 1) {
    const { detector, tier } = detectors[index] as (typeof detectors)[number];
    const hits = scanned?.hits[index + 1];
    const foreign = scanned?.hints.nonAscii === true ? detector.findForeign : undefined;
    if (foreign === undefined && (detector.literals.length > 0 ? hits === undefined : tier === 'names' && !names))
      continue;
    plain.length = 0;
    budget.left -= tier === 'names' ? text.length * nameSteps : (hits?.length ?? 0) >> 2;
    if (budget.left <= 0) return;
    if (hits !== undefined || foreign === undefined) detector.find(text, hits ?? nothing, context, plain);
    foreign?.(text, plain);
    if (plain.length > maxFindings) {
      budget.left = 0;
      return;
    }
    for (const finding of plain) found.push(withTier(finding, tier));
  }
  if (scanned === undefined) return;
  const { hints, hits } = scanned;
  if (
    hints.digits.length === 0 &&
    hints.ats.length === 0 &&
    hints.colons.length === 0 &&
    hints.macs.length === 0 &&
    hits[0] === undefined
  )
    return;
  plain.length = 0;
  findStructured(text, hints, hits[0], key, plain, budget, sureSecrets(found), places);
  if (plain.length === 0) return;
  for (const finding of plain) if (!isKept(text, finding)) found.push(withTier(finding, 'structured'));
}
const noContext: { readonly key?: string } = {};

/** Words of base64 and hex that hold something go out whole. Names are not looked for in them. */
function encoded(
  text: string,
  longs: readonly number[],
  policy: RedactionPolicy,
  budget: Budget,
  found: Found[],
  depth: number,
): boolean {
  for (let index = 0; index < longs.length; index += 2) {
    const start = longs[index] as number;
    const end = longs[index + 1] as number;
    budget.left -= 4 + (end - start) / 64;
    if (budget.left <= 0) return true;
    const whole = dottedKeyStart(text, start, end);
    if (whole >= 0) found.push({ start: whole, end, type: 'SECRET_KEY', rank: 84, score: 0.84, tier: 'secrets' });
    // Behind `0x`, behind a path, or the whole word.
    for (const from of [
      text.charCodeAt(start) === 48 && text.charCodeAt(start + 1) === 120 ? start + 2 : start,
      lastSlash(text, start, end - 16) + 1,
    ]) {
      if (from < start) continue;
      const decoded = decodeWord(text, from, end);
      if (decoded === undefined) continue;
      budget.left -= 8;
      const inner: Found[] = [];
      if (find(decoded, undefined, { ...policy, names: false }, budget, inner, depth + 1)) return true;
      const strong = inner
        .filter(({ score, tier }) => tier !== 'structured' || score >= 0.5)
        .sort((a, b) => b.rank - a.rank)[0];
      if (strong === undefined) continue;
      found.push({
        start: from === start + 2 ? start : from,
        end: end + (/^={1,2}/.exec(text.slice(end, end + 2))?.[0].length ?? 0),
        type: strong.type,
        rank: 50,
        score: strong.score,
        tier: 'encoded',
      });
      break;
    }
  }
  return false;
}

function lastSlash(text: string, from: number, to: number): number {
  let at = to;
  while (at >= from && text.charCodeAt(at) !== 47) at -= 1;
  return at >= from ? at : -1;
}

function ownPatterns(text: string, policy: RedactionPolicy, found: Found[]): void {
  for (const { type, pattern } of policy.own ?? [])
    for (const match of text.matchAll(pattern))
      if (match[0].length > 0)
        found.push({ start: match.index, end: match.index + match[0].length, type, rank: 70, score: 1, tier: 'own' });
}
