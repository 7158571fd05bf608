/** JSON by the line: newline-delimited JSON, and the data lines of server-sent events. */
import { jsonLeaves, type Leaf } from './json-text.ts';

const maxStreamLeaves = 4_000;
/** Lines that begin like JSON and are none, before a text counts as prose: code has as many. */
const maxMisses = 32;
const streamed = /^(?:(?:event|id|retry)?:[^\n]{0,200}\n|\s){0,8}(?:data:[ \t]?)?[{[]/;
/**
 * JSON by the line, alone or behind `data:` (NDJSON, server-sent events); whatever stands between such lines is one
 * text each. Undefined when fewer than two lines are JSON, or when there is more than can be looked at leaf by leaf:
 * that is text like any other.
 */
export function streamLeaves(text: string): readonly Leaf[] | undefined {
  if (!text.includes('\n') || !streamed.test(text)) return undefined;
  const leaves: Leaf[] = [];
  let lines = 0;
  let between = 0;
  let misses = 0;
  const plain = (end: number): void => {
    if (text.slice(between, end).trim() !== '')
      leaves.push({ kind: 'string', start: between, end, isEscaped: false, column: '' });
  };
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    const start = from + (/^data:[ \t]?/.exec(text.slice(from, from + 6))?.[0].length ?? 0);
    const found = /[{[]/.test(text[start] ?? '') ? jsonLeaves(text.slice(start, end)) : undefined;
    misses += found === undefined ? 1 : 0;
    if (found === 'too-deep' || leaves.length > maxStreamLeaves || misses > maxMisses + 8 * lines) return undefined;
    if (found !== undefined) {
      plain(from);
      for (const leaf of found) leaves.push({ ...leaf, start: leaf.start + start, end: leaf.end + start });
      lines += 1;
      between = end;
    }
    from = end + 1;
  }
  if (lines < 2) return undefined;
  plain(text.length);
  return leaves;
}
