/** "Did you mean": the key of an experiment file that a misspelt one was probably meant to be. */
import { experimentFileSchema } from './file-schema.ts';

/** Every key that the schema knows at any depth, in its order. */
function keysIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([name, value]) =>
    name === 'properties' && typeof value === 'object' && value !== null
      ? [...Object.keys(value), ...Object.values(value).flatMap(keysIn)]
      : keysIn(value),
  );
}
let known: readonly string[] | undefined;

/** Letters to insert, remove or exchange until `a` is `b` (Levenshtein). */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The nearest known key within two edits; undefined when none is near. */
export function nearestKey(key: string): string | undefined {
  known ??= [...new Set(keysIn(experimentFileSchema()))];
  return known
    .map((name) => ({ name, edits: editsBetween(key, name) }))
    .filter(({ edits }) => edits <= 2 && edits < key.length / 2)
    .sort((a, b) => a.edits - b.edits)[0]?.name;
}
