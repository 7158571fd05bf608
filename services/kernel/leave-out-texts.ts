/**
 * A record that is too large for the log loses its longest texts, never itself: what was measured, for whom and under
 * which arm, stays. In the place of a text stands what redaction writes there when a text is too long for it.
 */
export const leftOut = '[TOO_LARGE]';

/** Shorter ones are names and codes: leaving them out would save little and lose much. */
const leastLength = 256;

type Place = { readonly length: number; readonly put: () => void };

/** Texts in `holder[key]`, however deep; keys of maps stay. */
function textsIn(holder: Record<string | number, unknown>, key: string | number): Place[] {
  const value = holder[key];
  if (typeof value === 'string')
    return value.length < leastLength
      ? []
      : [
          {
            length: Buffer.byteLength(value),
            put: () => {
              holder[key] = leftOut;
            },
          },
        ];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  const inner = value as Record<string | number, unknown>;
  return Object.keys(inner).flatMap((name) => textsIn(inner, name));
}

/** Lists and maps that hold so much that no single text is to blame, emptied whole. */
function emptied(value: unknown): unknown {
  if (Array.isArray(value)) return [];
  return typeof value === 'object' && value !== null ? {} : value;
}

/**
 * A copy that `sizeOf` finds small enough, and how many texts or lists it lost; undefined when even without them it is
 * too large. `fields` may lose texts, the longest first; no other does.
 */
export function leaveOutTexts<R extends object>(
  record: R,
  fields: readonly (keyof R & string)[],
  sizeOf: (record: R) => number,
  maxBytes: number,
): { readonly record: R; readonly leftOut: number } | undefined {
  const short = structuredClone(record) as R & Record<string, unknown>;
  const places = fields.flatMap((field) => textsIn(short, field)).sort((a, b) => b.length - a.length);
  let over = sizeOf(short) - maxBytes;
  let gone = 0;
  for (const { length, put } of places) {
    if (over <= 0) break;
    put();
    over -= length - leftOut.length;
    gone += 1;
  }
  over = sizeOf(short) - maxBytes;
  const weights = fields.map((field) => ({ field, bytes: JSON.stringify(short[field] ?? null).length }));
  for (const { field } of weights.sort((a, b) => b.bytes - a.bytes)) {
    if (over <= 0) break;
    (short as Record<string, unknown>)[field] = emptied(short[field]);
    over = sizeOf(short) - maxBytes;
    gone += 1;
  }
  return over <= 0 ? { record: short, leftOut: gone } : undefined;
}

/** What an inference may lose; ids, arms, numbers and the status it may not. */
export const inferenceTexts = [
  'prompt',
  'response',
  'attributes',
  'retrieval',
  'error_type',
  'finish_reasons',
  'slices',
  'tool_calls',
  'guardrails',
  'scores',
  'prompt_name',
] as const;
export const outcomeTexts = ['attributes'] as const;
