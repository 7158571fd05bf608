/** A JSON value with every string leaf, object key and long number redacted. */
import type { RedactionPolicy } from './policy.ts';
import { type Redaction, redactText } from './redact-text.ts';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type RedactedValue = {
  readonly value: JsonValue;
  /** Findings by type. */
  readonly counts: Readonly<Record<string, number>>;
  /** Findings by type and tier, as `EMAIL structured`. */
  readonly tiers: Readonly<Record<string, number>>;
};

function counted(value: JsonValue, spans: Redaction['spans']): RedactedValue {
  const counts: Record<string, number> = {};
  const tiers: Record<string, number> = {};
  for (const { type, tier } of spans) {
    counts[type] = (counts[type] ?? 0) + 1;
    tiers[`${type} ${tier}`] = (tiers[`${type} ${tier}`] ?? 0) + 1;
  }
  return { value, counts, tiers };
}
const failed: RedactedValue = {
  value: '[REDACTION_FAILED]',
  counts: { REDACTION_FAILED: 1 },
  tiers: { 'REDACTION_FAILED budget': 1 },
};

/**
 * Strings that hold JSON are read as such, three levels deep. Fails closed: what cannot be walked (too deep, circular)
 * becomes `[REDACTION_FAILED]`, what is over budget `[TOO_MANY]`, and is counted as that.
 */
export function redactValue(value: JsonValue, policy: RedactionPolicy): RedactedValue {
  if (value === null || typeof value === 'boolean') return { value, counts: {}, tiers: {} };
  try {
    if (typeof value === 'string') {
      const { text, spans } = redactText(value, policy);
      return counted(text, spans);
    }
    const { text, spans } = redactText(JSON.stringify(typeof value === 'number' ? [value] : value), policy);
    if (spans.length === 0) return { value, counts: {}, tiers: {} };
    if (spans[0]?.tier === 'budget')
      return { ...counted(text, spans), ...(spans[0].type === 'TOO_MANY' && { value: '[TOO_MANY]' }) };
    const clean = JSON.parse(text) as JsonValue;
    return counted(typeof value === 'number' ? ((clean as readonly JsonValue[])[0] ?? null) : clean, spans);
  } catch {
    return failed;
  }
}

/**
 * Texts that belong together (deltas of one stream, joined with ''; messages of one conversation) redacted with what
 * spans them.
 */
export function redactJoined(
  texts: readonly string[],
  policy: RedactionPolicy,
  kind: 'delta' | 'message',
): readonly Redaction['text'][] {
  const { value } = redactValue(
    texts.map((text) => ({ [kind]: text })),
    policy,
  );
  return Array.isArray(value)
    ? value.map((item: JsonValue) => String((item as { readonly [key: string]: JsonValue })[kind]))
    : texts.map(() => String(value));
}
