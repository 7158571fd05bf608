/**
 * Which findings stand: switches, thresholds and allowed shapes of the policy first, then the stronger one where two
 * overlap.
 */
import type { Found } from './find.ts';
import type { RedactionPolicy } from './policy.ts';
import { isOurs, placeholder } from './tokens.ts';

/** `quote`: the replacement becomes a JSON string, in quotes that are escaped as often as the text around is. */
export type Placed = Found & { readonly quote?: string };

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
const unshakable = /^(?:SECRET|CREDIT_CARD)/;

/**
 * Findings of `text` that the policy lets stand, apart and in order: the higher rank wins, then the longer; what
 * remains of a weaker one next to it goes out too when it says anything.
 */
export function resolve(text: string, found: readonly Placed[], policy: RedactionPolicy): readonly Placed[] {
  const open =
    found.length === 0
      ? found
      : found.filter(
          ({ type, score, start, end, tier }) =>
            !policy.off?.includes(type) &&
            score >= (policy.thresholds?.[type] ?? (tier === 'structured' ? 0.5 : 0)) &&
            (policy.allow === undefined ||
              unshakable.test(type) ||
              !policy.allow.some((shape) => shape.test(text.slice(start, end)))),
        );
  if (!text.includes('[') && areApart(open))
    return open.length > 1 ? [...open].sort((a, b) => a.start - b.start) : open;
  const all: Placed[] = [...open];
  placeholder.lastIndex = 0;
  for (let match = text.includes('[') ? placeholder.exec(text) : null; match !== null; match = placeholder.exec(text))
    if (isOurs(match, policy))
      all.push({
        start: match.index,
        end: match.index + match[0].length,
        type: '',
        rank: 101,
        score: 1,
        tier: 'budget',
      });
  all.sort((a, b) => b.rank - a.rank || b.end - b.start - (a.end - a.start) || a.start - b.start);
  const taken: Placed[] = [];
  if (coverage.length < text.length) coverage = new Uint8Array(text.length * 2);
  const covered = coverage.subarray(0, text.length).fill(0);
  for (const finding of all) {
    let { start, end } = finding;
    while (start < end && covered[start] === 1) start += 1;
    while (end > start && covered[end - 1] === 1) end -= 1;
    if (start >= end) continue;
    // What remains of a finding next to a stronger one is redacted too when it says anything.
    if (
      (start !== finding.start || end !== finding.end) &&
      (finding.quote !== undefined || !/[\p{L}\p{N}]{3}/u.test(text.slice(start, end)))
    )
      continue;
    // `@host` of an address whose user part was a secret names nobody.
    if (finding.type === 'EMAIL' && start > finding.start && text.charCodeAt(start) === 64) continue;
    const inner = covered.indexOf(1, start);
    if (inner >= 0 && inner < end) {
      for (let at = start; at < end; ) {
        while (at < end && covered[at] === 1) at += 1;
        let to = at;
        while (to < end && covered[to] === 0) to += 1;
        if (to > at && finding.type !== '' && /[\p{L}\p{N}]{2}/u.test(text.slice(at, to)))
          taken.push({ ...finding, start: at, end: to });
        at = to;
      }
    } else if (finding.type !== '') taken.push({ ...finding, start, end });
    covered.fill(1, start, end);
  }
  return taken.sort((a, b) => a.start - b.start);
}
