/**
 * One text, straight through: what its field's name says, scan for literals, folding, the detectors in their order,
 * the same once more for what escapes and encoded words hold (two levels deep), and the policy's own patterns.
 * Positions are those of the text that was given; all of it under a budget.
 */
import { type Budget, noHits, type Task } from './detector.ts';
import { areOfNames, detectors, foreignScanner, hintBits, scanner, wantedHints } from './detectors.ts';
import { gateOf } from './entity-types.ts';
import { type Finding, type Found, withTier } from './finding.ts';
import { foldText, type Mapped } from './fold-text.ts';
import { isKept } from './kept-shapes.ts';
import type { RedactionPolicy } from './policy.ts';
import { dottedKeyStart, findInField, unlistedKeyStart } from './secrets/index.ts';
import { type Hints, noHints, type Scanned } from './trigger-literals.ts';
import { decodeWord, unescapeText } from './unescape.ts';

const maxDepth = 2;
/** What a unit of text costs before anything is found in it, in budget steps: scan, folding and maps. */
const unitSteps = 1 / 64;
/** More findings than this in one text is an attack or a dump: it goes out whole. */
export const maxFindings = 20_000;

/** What is the same for a text and for all that is inside of it. */
export type Search = { readonly policy: RedactionPolicy; readonly budget: Budget };

/** Appends to `out`. Answers true when this is too much: the caller drops the text. */
export function detect(text: string, key: string | undefined, search: Search, out: Found[], depth = 0): boolean {
  const { policy, budget } = search;
  const withNames = policy.names !== false && depth === 0;
  budget.left -= text.length * unitSteps;
  // What a field's name says needs no literal in the text.
  if (key !== undefined && depth === 0) for (const one of findInField(text, key)) out.push(withTier(one, 'secrets'));
  let scanned = scanner()(text);
  if (scanned === undefined && !withNames) return false;
  const folded = scanned?.hints.nonAscii === true ? foldText(text) : undefined;
  const base = folded?.text ?? text;
  if (folded) scanned = scanner()(base);
  const found: Found[] = [];
  runDetectors(base, text, scanned, key, withNames, budget, found);
  if (scanned !== undefined && depth < maxDepth) {
    if (scanned.hints.escapes && detectEscaped(base, key, search, found, depth)) return true;
    if (scanned.hints.longs.length > 0 && detectEncoded(base, scanned.hints.longs, search, found, depth)) return true;
  }
  if (policy.own) ownPatterns(base, policy, found);
  for (const finding of found) out.push(folded ? mapped(finding, folded) : finding);
  return budget.left <= 0;
}

function mapped(finding: Found, { map, mapEnd }: Mapped): Found {
  return { ...finding, start: map[finding.start] as number, end: mapEnd[finding.end - 1] as number };
}

const hintsIn = ({ digits, ats, colons, macs }: Hints): number =>
  (digits.length > 0 ? hintBits.digits : 0) |
  (ats.length > 0 ? hintBits.ats : 0) |
  (colons.length > 0 ? hintBits.colons : 0) |
  (macs.length > 0 ? hintBits.macs : 0);

function runDetectors(
  text: string,
  given: string,
  scanned: Scanned | undefined,
  key: string | undefined,
  withNames: boolean,
  budget: Budget,
  found: Found[],
): void {
  const hints: Hints = scanned?.hints ?? noHints;
  const foreign = hints.nonAscii ? foreignScanner()(text) : undefined;
  const out: Finding[] = [];
  const seen = hintsIn(hints);
  const task = { text, key, hints, hits: noHits, foreignHits: noHits, budget, found, out } satisfies Task;
  for (let index = 0; index < detectors.length; index += 1) {
    if (!withNames && areOfNames[index] === true) continue;
    const detector = detectors[index] as (typeof detectors)[number];
    task.hits = scanned?.hits[index] ?? noHits;
    task.foreignHits = foreign?.[index] ?? noHits;
    const isHit = task.hits.length > 0 || task.foreignHits.length > 0 || (seen & (wantedHints[index] as number)) !== 0;
    if (!isHit && detector.wants?.(given) !== true) continue;
    detector.find(task);
    if (out.length > maxFindings) budget.left = 0;
    if (budget.left <= 0) return;
    for (const finding of out)
      if (detector.tier !== 'structured' || !isKept(text, finding)) found.push(withTier(finding, detector.tier));
    out.length = 0;
  }
}

function detectEscaped(text: string, key: string | undefined, search: Search, found: Found[], depth: number): boolean {
  const plain = unescapeText(text);
  if (!plain) return false;
  const inner: Found[] = [];
  if (detect(plain.text, key, search, inner, depth + 1)) return true;
  for (const finding of inner) found.push(mapped(finding, plain));
  return false;
}

/** Words of base64 and hex that hold something go out whole. `longs`: start and end, in turns. */
function detectEncoded(text: string, longs: readonly number[], search: Search, found: Found[], depth: number): boolean {
  const { budget } = search;
  for (let index = 0; index < longs.length; index += 2) {
    const start = longs[index] as number;
    const end = longs[index + 1] as number;
    budget.left -= 4 + (end - start) / 64;
    if (budget.left <= 0) return true;
    const dotted = dottedKeyStart(text, start, end);
    const whole = dotted >= 0 ? dotted : unlistedKeyStart(text, start, end);
    if (whole >= 0) found.push({ start: whole, end, type: 'SECRET_KEY', rank: 84, score: 0.84, tier: 'secrets' });
    for (const from of wordStarts(text, start, end)) {
      const decoded = decodeWord(text, from, end);
      if (decoded === undefined) continue;
      budget.left -= 8;
      const inner: Found[] = [];
      if (detect(decoded, undefined, search, inner, depth + 1)) return true;
      const strong = strongest(inner);
      if (strong === undefined) continue;
      const padding = /^={1,2}/.exec(text.slice(end, end + 2))?.[0].length ?? 0;
      const { type, score } = strong;
      found.push({
        start: from === start + 2 ? start : from,
        end: end + padding,
        type,
        rank: 50,
        score,
        tier: 'encoded',
      });
      break;
    }
  }
  return false;
}

/** An encoded word begins behind `0x` or is whole; or it begins behind a path's last slash, or the text does. */
function wordStarts(text: string, start: number, end: number): readonly number[] {
  const first = text.charCodeAt(start) === 48 && text.charCodeAt(start + 1) === 120 ? start + 2 : start;
  let slash = end - 16;
  while (slash >= start && text.charCodeAt(slash) !== 47) slash -= 1;
  if (slash >= start) return [first, slash + 1];
  return start === 0 ? [first, 0] : [first];
}

/** The most trusted of what is sure enough. */
const strongest = (found: readonly Found[]): Found | undefined =>
  found
    .filter(({ score, type, tier }) => tier !== 'structured' || score >= gateOf(type))
    .sort((a, b) => b.rank - a.rank)[0];

function ownPatterns(text: string, policy: RedactionPolicy, found: Found[]): void {
  for (const { type, pattern } of policy.own ?? [])
    for (const match of text.matchAll(pattern))
      if (match[0].length > 0)
        found.push({ start: match.index, end: match.index + match[0].length, type, rank: 70, score: 1, tier: 'own' });
}
