/** Findings replaced: the redacted text, and a span for each. */
import { canonical } from './entity-types.ts';
import type { Placed, Tier } from './finding.ts';
import type { RedactionPolicy } from './policy.ts';
import { replacementOf } from './tokens.ts';

/**
 * Half-open range in UTF-16 units of the input. `token`: what stands there now; without keys `TYPE#n`, the same n for
 * the same value within the text.
 */
export type Span = {
  readonly start: number;
  readonly end: number;
  readonly type: string;
  readonly tier: Tier;
  readonly score: number;
  readonly token: string;
};
export type Redaction = { readonly text: string; readonly spans: readonly Span[] };
export type Replaced = Redaction & {
  /** One past each replacement, in the redacted text. */
  readonly ends: readonly number[];
};

/** No other finding has this type: however its value is written, it is nobody else's. Asked of short lists only. */
function isOnlyOne(findings: readonly Placed[], type: string): boolean {
  if (findings.length > 8) return false;
  let count = 0;
  for (const finding of findings) if (finding.type === type) count += 1;
  return count === 1;
}
/** Nobody writes a value of this length in two ways. */
const longValue = 1_024;

/** The same number for the same value within a text. */
function ordinalOf(type: string, value: string, findings: readonly Placed[], ordinals: Map<string, number>): number {
  if (findings.length === 1) return 1;
  const plain = value.length > longValue || isOnlyOne(findings, type) ? value : canonical(type, value);
  const name = `${type}\u001f${plain}`;
  const ordinal = ordinals.get(name) ?? ordinals.size + 1;
  ordinals.set(name, ordinal);
  return ordinal;
}

/** `findings`: apart and in order. */
export function replace(text: string, findings: readonly Placed[], policy: RedactionPolicy): Replaced {
  const spans: Span[] = [];
  const ends: number[] = [];
  const ordinals = new Map<string, number>();
  // Joined at the end: a text made of pieces is read through them, unit by unit.
  const pieces: string[] = [];
  let length = 0;
  let at = 0;
  for (const { start, end, type, tier, score, quote = '' } of findings) {
    const value = text.slice(start, end);
    const replacement = replacementOf(type, value, policy);
    const token = policy.tokens === undefined ? `${type}#${ordinalOf(type, value, findings, ordinals)}` : replacement;
    spans.push({ start, end, type, tier, score, token });
    pieces.push(text.slice(at, start), quote, replacement, quote);
    length += start - at + replacement.length + quote.length * 2;
    ends.push(length);
    at = end;
  }
  pieces.push(text.slice(at));
  return { text: pieces.join(''), spans, ends };
}
