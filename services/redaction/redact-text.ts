/**
 * A text, or JSON as text, with every finding replaced. Fails closed: over budget or on an exception the text goes out
 * whole.
 */
import { fieldType, isEmptyHanded, nameTypes } from './field-names.ts';
import { find, type Found, maxFindings } from './find.ts';
import type { Tier } from './detectors.ts';
import { type Leaf, jsonLeaves, readJsonString, streamLeaves } from './json-text.ts';
import { cutValues } from './joined.ts';
import type { RedactionPolicy } from './policy.ts';
import { type Placed, resolve } from './resolve.ts';
import type { Budget } from './structured/index.ts';
import { canonical, isOurs, placeholder, replacementOf } from './tokens.ts';

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

const overlapUnits = 4_096;
const maxNested = 3;

/** Pieces overlap; a piece speaks for what reaches into it, and what two of them see is one finding. */
function findInPieces(
  text: string,
  key: string | undefined,
  policy: RedactionPolicy,
  budget: Budget,
  out: Placed[],
): boolean {
  if (text.length <= policy.pieceUnits) return find(text, key, policy, budget, out);
  for (let from = 0; from < text.length; from += policy.pieceUnits) {
    const found: Found[] = [];
    // Two overlaps: one in front, so that what began before is not seen from its middle, and one behind.
    const start = Math.max(0, from - overlapUnits);
    if (find(text.slice(start, from + policy.pieceUnits + overlapUnits), key, policy, budget, found)) return true;
    for (const finding of found) {
      const at = finding.start + start;
      if (finding.end + start > from && at < from + policy.pieceUnits)
        out.push({ ...finding, start: at, end: finding.end + start });
    }
    if (out.length > maxFindings) return true;
  }
  return false;
}

/** An object or an array, as far as both ends tell. */
const looksLikeJson = /^\s{0,8}(?:\{\s{0,64}["}]|\[\s{0,64}[[{"\]\d\-tfn])[\s\S]*[}\]]\s*$/;
const startsLikeJson = (text: string): boolean => {
  const first = text.charCodeAt(0);
  return (first === 123 || first === 91 || first <= 32) && looksLikeJson.test(text);
};

function findIn(
  text: string,
  key: string | undefined,
  policy: RedactionPolicy,
  budget: Budget,
  out: Placed[],
  nested: number,
): boolean {
  if (nested <= maxNested && startsLikeJson(text)) {
    const leaves = jsonLeaves(text);
    if (leaves === 'too-deep') return true;
    if (leaves !== undefined && text.length <= 16_384 && serviceAccount.test(text)) {
      const start = text.length - text.trimStart().length;
      out.push({
        start,
        end: text.trimEnd().length,
        type: 'SECRET_PRIVATE_KEY',
        rank: 99,
        score: 1,
        tier: 'field',
        quote: '"',
      });
      return false;
    }
    if (leaves !== undefined) return findInLeaves(text, leaves, policy, budget, out, nested);
  }
  const lines = nested <= maxNested ? streamLeaves(text) : undefined;
  if (lines !== undefined) {
    // Leaf by leaf is dearer than text: it gets half of what is left, and what needs more is text like any other.
    const half = budget.left / 2;
    const share: Budget = { left: half };
    const found: Placed[] = [];
    const isTooMuch = findInLeaves(text, lines, policy, share, found, nested);
    if (Number.isFinite(half)) budget.left -= half - Math.max(0, share.left);
    if (!isTooMuch) {
      for (const finding of found) out.push(finding);
      return false;
    }
  }
  return findInPieces(text, key, policy, budget, out);
}

/** The file that a cloud gives a service: its ids open as much as its key does for whoever holds an older one. */
const serviceAccount = /^\s*\{(?=[^{}]*"type"\s?:\s?"service_account")[^{}]*"private_key"\s?:\s?"[^{}]*\}\s*$/;

/** A sibling key is one to go by when it names a secret or a number; it decides nothing alone. */
const isTellingKey = (name: string): boolean => {
  const type = fieldType(name);
  return type !== undefined && !nameTypes.has(type);
};

const longNumber = 12;
/** What a leaf costs before anything is looked at, in budget steps. */
const leafSteps = 0.2;
/** Streams cut anywhere: their pieces are read as one text. */
const isDelta = /(?:^|\.)(?:delta|deltas|chunk|chunks|partial|partial_json)(?:\.|$)/;

function findInLeaves(
  text: string,
  leaves: readonly Leaf[],
  policy: RedactionPolicy,
  budget: Budget,
  out: Placed[],
  nested: number,
): boolean {
  const read = leaves.map(({ isEscaped, start, end }) =>
    isEscaped ? readJsonString(text.slice(start, end)) : undefined,
  );
  const contentOf = (index: number): string =>
    read[index]?.text ?? text.slice((leaves[index] as Leaf).start, (leaves[index] as Leaf).end);
  const place = (index: number, finding: Placed): void => {
    const { start, end, kind } = leaves[index] as Leaf;
    if (kind === 'number') out.push({ ...finding, start, end, quote: '"' });
    else {
      const mapped = read[index];
      out.push({
        ...finding,
        start: start + (mapped ? (mapped.map[finding.start] as number) : finding.start),
        end: start + (mapped ? (mapped.mapEnd[finding.end - 1] as number) : finding.end),
        ...(finding.quote !== undefined && { quote: JSON.stringify(finding.quote).slice(1, -1) }),
      });
    }
  };
  const columns = new Map<string, number[]>();
  for (const [index, leaf] of leaves.entries()) {
    budget.left -= leafSteps;
    if (budget.left <= 0) return true;
    const content = contentOf(index);
    const decided = leaf.key === undefined ? undefined : fieldType(leaf.key);
    const goes =
      decided !== undefined &&
      (policy.names !== false || !nameTypes.has(decided)) &&
      leaf.kind !== 'key' &&
      !isEmptyHanded(decided, content, leaf.kind === 'number') &&
      !/^\s*(?:[[{]|$)/.test(content);
    if (goes && content.length <= 4_096) {
      place(index, { start: 0, end: content.length, type: decided, rank: 99, score: 1, tier: 'field' });
      continue;
    }
    if (leaf.kind === 'number' && content.length < longNumber) continue;
    const found: Placed[] = [];
    const sibling = leaf.siblingKey === undefined || !isTellingKey(leaf.siblingKey) ? undefined : leaf.siblingKey;
    if (
      findIn(
        content,
        sibling ?? leaf.key,
        leaf.kind === 'string' ? policy : { ...policy, names: false },
        budget,
        found,
        leaf.kind === 'string' ? nested + 1 : maxNested + 1,
      )
    )
      return true;
    for (const finding of found) place(index, finding);
    if (leaf.kind === 'string' && content.length <= 65_536) {
      const column = columns.get(leaf.column);
      if (column) column.push(index);
      else columns.set(leaf.column, [index]);
    }
  }
  const strings = leaves.flatMap(({ kind }, index) => (kind === 'string' ? [index] : []));
  for (const [name, column] of columns) {
    if (column.length < 2 || !isDelta.test(name)) continue;
    const whole = column.map(contentOf).join('');
    const found: Found[] = [];
    if (find(whole, undefined, policy, budget, found)) return true;
    let from = 0;
    for (const index of column) {
      const { length } = contentOf(index);
      for (const finding of found) {
        const start = Math.max(0, finding.start - from);
        const end = Math.min(length, finding.end - from);
        if (start < end) place(index, { ...finding, start, end });
      }
      from += length;
    }
  }
  const rows = [...columns.values()].filter((column) => column.length > 1);
  const seek = (joined: string): readonly Found[] => {
    const found: Found[] = [];
    find(joined, undefined, { ...policy, names: false }, budget, found);
    return found;
  };
  for (const column of [...rows, strings]) {
    for (const { type, score, parts } of cutValues(
      column.map((index) => ({ text: contentOf(index), index })),
      seek,
    ))
      for (const { index, start, end } of parts)
        place(index, { start, end, type, rank: 71, score, tier: 'structured' });
  }
  if (budget.left <= 0) return true;
  return false;
}

/** JSON that goes out whole stays JSON: a string that says so. */
export function dropped(text: string, type: 'TOO_LARGE' | 'TOO_MANY' | 'REDACTION_FAILED'): Redaction {
  if (text === '') return { text, spans: [] };
  return {
    text: startsLikeJson(text) ? `"[${type}]"` : `[${type}]`,
    spans: [{ start: 0, end: text.length, type, tier: 'budget', score: 1, token: `[${type}]` }],
  };
}

const maxPasses = 5;

type Replaced = Redaction & {
  /** One past each replacement, in the redacted text. */ readonly ends: readonly number[];
};

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

/**
 * An imitation of a token keeps its letters but is a token no more: `[?EMAIL:...]`. Before anything else, so that what
 * it holds is looked at.
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

export function redactText(text: string, policy: RedactionPolicy, key?: string): Redaction {
  if (text.length > policy.maxUnits) return dropped(text, 'TOO_LARGE');
  try {
    const escaped = escapeImitations(text, policy);
    if (escaped === undefined) return untilQuiet(text, policy, key);
    const { text: clean, spans } = untilQuiet(escaped.text, policy, key);
    const back = (at: number): number => at - escaped.inserted.filter((place) => place < at).length;
    return { text: clean, spans: spans.map((span) => ({ ...span, start: back(span.start), end: back(span.end) })) };
  } catch {
    return dropped(text, 'REDACTION_FAILED');
  }
}

/**
 * What was taken out had neighbours, and what is left reads differently: searched again until nothing more is found, so
 * that redacting twice is redacting once.
 */
function untilQuiet(text: string, policy: RedactionPolicy, key: string | undefined): Redaction {
  const budget: Budget = { left: policy.maxSteps ?? Number.POSITIVE_INFINITY };
  const found: Placed[] = [];
  if (findIn(text, key, policy, budget, found, 0) || found.length > maxFindings) return dropped(text, 'TOO_MANY');
  if (found.length === 0) return { text, spans: [] };
  let findings = resolve(text, found, policy);
  let clean = replace(text, findings, policy);
  for (let pass = 0; pass < maxPasses && clean.spans.length > 0; pass += 1) {
    const more: Placed[] = [];
    if (findIn(clean.text, key, policy, budget, more, 0)) return dropped(text, 'TOO_MANY');
    const added = more.length === 0 ? [] : backToInput(resolve(clean.text, more, policy), findings, clean);
    if (added.length === 0) return { text: clean.text, spans: clean.spans };
    findings = [...findings, ...added].sort((one, other) => one.start - other.start);
    clean = replace(text, findings, policy);
  }
  // Not quiet after so many passes: made to be so.
  return clean.spans.length === 0 ? clean : dropped(text, 'TOO_MANY');
}

/** No other finding has this type: however its value is written, it is nobody else's. Asked of short lists only. */
function isOnlyOne(findings: readonly Placed[], type: string): boolean {
  if (findings.length > 8) return false;
  let count = 0;
  for (const finding of findings) if (finding.type === type) count += 1;
  return count === 1;
}
/** Nobody writes a value of this length in two ways. */
const longValue = 1_024;

function replace(text: string, findings: readonly Placed[], policy: RedactionPolicy): Replaced {
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
    let token = replacement;
    if (policy.tokens === undefined) {
      let ordinal = 1;
      if (findings.length > 1) {
        const name = `${type}\u001f${value.length > longValue || isOnlyOne(findings, type) ? value : canonical(type, value)}`;
        ordinal = ordinals.get(name) ?? ordinals.size + 1;
        ordinals.set(name, ordinal);
      }
      token = `${type}#${ordinal}`;
    }
    spans.push({ start, end, type, tier, score, token });
    pieces.push(text.slice(at, start), quote, replacement, quote);
    length += start - at + replacement.length + quote.length * 2;
    ends.push(length);
    at = end;
  }
  pieces.push(text.slice(at));
  return { text: pieces.join(''), spans, ends };
}
