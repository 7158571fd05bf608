/**
 * Which findings stand: switches, thresholds and allowed shapes of the policy first, then the stronger one where two
 * overlap.
 */
import { gateOf } from './entity-types.ts';
import type { Placed } from './finding.ts';
import type { RedactionPolicy } from './policy.ts';
import { isOurs, placeholder } from './tokens.ts';

/** True for a few findings that do not overlap, which is the usual case. */
function areApart(found: readonly Placed[]): boolean {
  if (found.length > 8) return false;
  for (let index = 0; index < found.length; index += 1) {
    const { start, end } = found[index] as Placed;
    for (let other = index + 1; other < found.length; other += 1)
      if (start < (found[other] as Placed).end && (found[other] as Placed).start < end) return false;
  }
  return true;
}

/** Which units findings cover. Reused: a fresh one a text is what the collector would be busy with. */
let coverage = new Uint8Array(4_096);

/** Secrets and cards leave whatever an allow-list says: a shape may be wrong about them once. */
const isLasting = /^(?:SECRET|CREDIT_CARD)/;

/** Whether the policy lets a finding be one. */
const isTaken = ({ type, score, start, end }: Placed, text: string, policy: RedactionPolicy): boolean =>
  !policy.off?.includes(type) &&
  score >= (policy.thresholds?.[type] ?? gateOf(type)) &&
  (policy.allow === undefined ||
    isLasting.test(type) ||
    !policy.allow.some((shape) => shape.test(text.slice(start, end))));

/** Placeholders of ours, as findings that nothing overrules and that are not reported (`type` is empty). */
function placeholdersIn(text: string, policy: RedactionPolicy): readonly Placed[] {
  const ours: Placed[] = [];
  placeholder.lastIndex = 0;
  for (let match = placeholder.exec(text); match !== null; match = placeholder.exec(text)) {
    const start = match.index;
    const end = start + match[0].length;
    if (isOurs(match, policy)) ours.push({ start, end, type: '', rank: 101, score: 1, tier: 'budget' });
  }
  return ours;
}

/**
 * Findings of `text` that the policy lets stand, apart and in order: the higher rank wins, then the longer; what
 * remains of a weaker one next to it goes out too when it says anything.
 */
export function resolve(text: string, found: readonly Placed[], policy: RedactionPolicy): readonly Placed[] {
  const open = found.length === 0 ? found : found.filter((finding) => isTaken(finding, text, policy));
  const hasBrackets = text.includes('[');
  if (!hasBrackets && areApart(open)) return open.length > 1 ? [...open].sort((a, b) => a.start - b.start) : open;
  const all: Placed[] = hasBrackets ? [...open, ...placeholdersIn(text, policy)] : [...open];
  all.sort((a, b) => b.rank - a.rank || b.end - b.start - (a.end - a.start) || a.start - b.start);
  const taken: Placed[] = [];
  if (coverage.length < text.length) coverage = new Uint8Array(text.length * 2);
  const covered = coverage.subarray(0, text.length).fill(0);
  for (const finding of all) takeRest(text, finding, covered, taken);
  return taken.sort((a, b) => a.start - b.start);
}

/** Appends what no stronger finding covers of `finding`, and covers it. */
function takeRest(text: string, finding: Placed, covered: Uint8Array, taken: Placed[]): void {
  let { start, end } = finding;
  while (start < end && covered[start] === 1) start += 1;
  while (end > start && covered[end - 1] === 1) end -= 1;
  if (start >= end) return;
  const isCut = start !== finding.start || end !== finding.end;
  if (isCut && (finding.quote !== undefined || !/[\p{L}\p{N}]{3}/u.test(text.slice(start, end)))) return;
  // `@host` of an address whose user part was a secret names nobody.
  if (finding.type === 'EMAIL' && start > finding.start && text.charCodeAt(start) === 64) return;
  const inner = covered.indexOf(1, start);
  if (inner < 0 || inner >= end) {
    if (finding.type !== '') taken.push({ ...finding, start, end });
  } else if (finding.type !== '') takePieces(text, { ...finding, start, end }, covered, taken);
  covered.fill(1, start, end);
}

/** What stronger findings inside of `finding` leave of it. */
function takePieces(text: string, finding: Placed, covered: Uint8Array, taken: Placed[]): void {
  const { start, end } = finding;
  for (let at = start; at < end; ) {
    while (at < end && covered[at] === 1) at += 1;
    let to = at;
    while (to < end && covered[to] === 0) to += 1;
    if (to > at && /[\p{L}\p{N}]{2}/u.test(text.slice(at, to))) taken.push({ ...finding, start: at, end: to });
    at = to;
  }
}
