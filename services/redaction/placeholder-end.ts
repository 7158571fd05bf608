/** Placeholders in a text, read unit by unit: in the hottest loops there are, every bracket is asked about. */

/**
 * The unit at `at`, 0 beyond the text's ends. `charCodeAt` answers NaN there, and a function that has seen one looks at
 * every later unit several times as slowly: so not in hot ones.
 */
export const unitAt = (text: string, at: number): number => (at >= 0 && at < text.length ? text.charCodeAt(at) : 0);

const longestType = 31;
const placeholderTail = /(?::l\d{1,4}|:[a-z0-9-]{1,16}:[0-9a-f]{16})\]/y;

/**
 * End of the placeholder that opens at `at`: `[TYPE]`, `[TYPE:l16]`, `[TYPE:kid:16 hex]`; or -1. By hand up to the
 * type's end, since most brackets open no type.
 */
export function placeholderEnd(text: string, at: number): number {
  let end = at + 1;
  let code = unitAt(text, end);
  if (!(code >= 65 && code <= 90)) return -1;
  const stop = Math.min(text.length, at + 2 + longestType);
  for (end += 1; end < stop; end += 1) {
    code = text.charCodeAt(end);
    if (!((code >= 65 && code <= 90) || code === 95)) break;
  }
  if (end === stop || end < at + 3) return -1;
  if (code === 93) return end + 1;
  if (code !== 58) return -1;
  placeholderTail.lastIndex = end;
  return placeholderTail.test(text) ? placeholderTail.lastIndex : -1;
}
