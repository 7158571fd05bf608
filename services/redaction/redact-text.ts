/**
 * A text with every finding replaced: imitations of tokens are escaped, the text is searched (`find-in-text.ts`: JSON
 * by its leaves, plain text by `detect.ts`), overlaps are resolved, findings replaced. The result is searched in the
 * same way again, pass after pass, until nothing new is found. Fails closed: over budget or on an exception the text
 * goes out whole.
 */
import { maxFindings, type Search } from './detect.ts';
import { findInText, startsLikeJson } from './find-in-text.ts';
import type { Placed } from './finding.ts';
import type { RedactionPolicy } from './policy.ts';
import { type Redaction, type Replaced, replace } from './replace.ts';
import { resolve } from './resolve.ts';
import { isOurs, placeholder } from './tokens.ts';

export type { Redaction, Span } from './replace.ts';

export function redactText(text: string, policy: RedactionPolicy, key?: string): Redaction {
  if (text.length > policy.maxUnits) return dropped(text, 'TOO_LARGE');
  try {
    const escaped = escapeImitations(text, policy);
    if (escaped === undefined) return redactUntilStable(text, policy, key);
    const { text: clean, spans } = redactUntilStable(escaped.text, policy, key);
    const back = (at: number): number => at - escaped.inserted.filter((place) => place < at).length;
    return { text: clean, spans: spans.map((span) => ({ ...span, start: back(span.start), end: back(span.end) })) };
  } catch {
    return dropped(text, 'REDACTION_FAILED');
  }
}

/** JSON that goes out whole stays JSON: a string that says so. */
function dropped(text: string, type: 'TOO_LARGE' | 'TOO_MANY' | 'REDACTION_FAILED'): Redaction {
  if (text === '') return { text, spans: [] };
  return {
    text: startsLikeJson(text) ? `"[${type}]"` : `[${type}]`,
    spans: [{ start: 0, end: text.length, type, tier: 'budget', score: 1, token: `[${type}]` }],
  };
}

/**
 * An imitation of a token keeps its letters but is a token no more: `[?EMAIL:...]`. Before anything else, so that what
 * it holds is searched.
 */
function escapeImitations(
  text: string,
  policy: RedactionPolicy,
): { readonly text: string; readonly inserted: readonly number[] } | undefined {
  if (policy.tokens === undefined || !text.includes('[')) return undefined;
  const inserted: number[] = [];
  const clean = text.replaceAll(placeholder, (whole, ...rest) => {
    if (isOurs([whole, ...(rest.slice(0, 3) as string[])], policy)) return whole;
    inserted.push((rest[3] as number) + 1 + inserted.length);
    return `[?${whole.slice(1)}`;
  });
  return inserted.length === 0 ? undefined : { text: clean, inserted };
}

const maxPasses = 5;

/**
 * What was taken out had neighbours, and what is left reads differently: searched again until nothing more is found, so
 * that redacting twice is redacting once.
 */
function redactUntilStable(text: string, policy: RedactionPolicy, key: string | undefined): Redaction {
  const search: Search = { policy, budget: { left: policy.maxSteps ?? Number.POSITIVE_INFINITY } };
  const found: Placed[] = [];
  if (findInText(text, key, search, found) || found.length > maxFindings) return dropped(text, 'TOO_MANY');
  if (found.length === 0) return { text, spans: [] };
  let findings = resolve(text, found, policy);
  let clean = replace(text, findings, policy);
  for (let pass = 0; pass < maxPasses && clean.spans.length > 0; pass += 1) {
    const more: Placed[] = [];
    if (findInText(clean.text, key, search, more)) return dropped(text, 'TOO_MANY');
    const added = more.length === 0 ? [] : backToInput(resolve(clean.text, more, policy), findings, clean);
    if (added.length === 0) return { text: clean.text, spans: clean.spans };
    findings = [...findings, ...added].sort((one, other) => one.start - other.start);
    clean = replace(text, findings, policy);
  }
  // Not stable after so many passes: made to be so.
  return clean.spans.length === 0 ? clean : dropped(text, 'TOO_MANY');
}

/** Findings in the redacted text, as ranges of the input: they lie between replacements, which nothing cuts into. */
function backToInput(more: readonly Placed[], findings: readonly Placed[], { ends }: Replaced): Placed[] {
  const added: Placed[] = [];
  let index = -1;
  for (const finding of more) {
    while (index + 1 < ends.length && (ends[index + 1] as number) <= finding.start) index += 1;
    const shift = index < 0 ? 0 : (findings[index] as Placed).end - (ends[index] as number);
    const end = Math.min(finding.end + shift, findings[index + 1]?.start ?? Number.POSITIVE_INFINITY);
    if (finding.start + shift < end) added.push({ ...finding, start: finding.start + shift, end });
  }
  return added;
}
