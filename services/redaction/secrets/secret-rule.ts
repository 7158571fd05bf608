/**
 * What one kind of secret brings: the trigger literals that announce it, and a search of a bounded window around one of
 * them. `index.ts` merges all literals into one list, so a text is scanned once however many rules there are.
 */
import type { Finding } from '../finding.ts';

export type SecretRule = {
  /** Lower-case ASCII. */
  readonly literals: readonly string[];
  /**
   * Searches around the literal at `at` (`literal`: its index in `literals`), appends what it found, and answers the
   * index up to which later literals of this rule need no search of their own (`at` or less: none skipped). Reads at
   * most a few kilobytes, or a stretch it then skips, so that many literals stay linear in the text.
   */
  findAt(text: string, at: number, literal: number, out: Finding[]): number;
};

/** True at units that make up names, tokens and base64: A-Z a-z 0-9 and, with `extra`, those of its characters. */
export function alphabet(extra = ''): Uint8Array {
  const table = new Uint8Array(128);
  for (const char of `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${extra}`)
    table[char.charCodeAt(0)] = 1;
  return table;
}
export const letters = ((): Uint8Array => alphabet().map((on, unit) => (on === 1 && unit >= 65 ? 1 : 0)))();
export const alnum = alphabet();

/** One past the last unit from `from` on that is in `table`, at most `limit` units away. */
export function runEnd(text: string, from: number, table: Uint8Array, limit: number): number {
  const stop = Math.min(text.length, from + limit);
  let at = from;
  while (at < stop && table[text.charCodeAt(at)] === 1) at += 1;
  return at;
}

/** The first unit of the run of `table` that ends before `to`, at most `limit` units away. */
export function runStart(text: string, to: number, table: Uint8Array, limit: number): number {
  const stop = Math.max(0, to - limit);
  let at = to;
  while (at > stop && table[text.charCodeAt(at - 1)] === 1) at -= 1;
  return at;
}

/**
 * A token may begin here: at the start, after anything but a letter or digit, or after an escape (`\n`, `%3D`,
 * `\u003d`) whose last unit only looks like one.
 */
export function beginsToken(text: string, at: number): boolean {
  if (at === 0 || alnum[text.charCodeAt(at - 1)] !== 1) return true;
  if (text[at - 2] === '\\') return /[ntrbf]/.test(text[at - 1] ?? '');
  if (text[at - 3] === '%') return /^[0-9A-Fa-f]{2}$/.test(text.slice(at - 2, at));
  return text[at - 5] === 'u' && text[at - 6] === '\\' && /^[0-9A-Fa-f]{4}$/.test(text.slice(at - 4, at));
}
