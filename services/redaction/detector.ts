/**
 * What a detector says it found: half-open range in UTF-16 units of the text it was given, type, and trust against
 * overlapping others (0..100, higher wins; ties: longer wins).
 */
export type Finding = { readonly start: number; readonly end: number; readonly type: string; readonly rank: number };
/**
 * Where a detector's trigger literals occur (case-insensitive ASCII), as numbers in turns: index of the literal, place;
 * by their ends, the longest first.
 */
export type LiteralHits = readonly number[];
/**
 * `literals`: lower-case ASCII, found in one scan of the text for all detectors. `find` reads only bounded windows
 * around hits (linear in the text), and appends to `out`. `text` has been folded (digits, dashes, spaces, NFKC)
 * already. `context.key` is the JSON key name above the leaf, lower case, when there is one.
 */
export type Detector = {
  readonly name: string;
  readonly literals: readonly string[];
  find(text: string, hits: LiteralHits, context: { readonly key?: string }, out: Finding[]): void;
  /** Also asked about texts that hold units beyond ASCII, which no literal can. Linear, and a scan of its own. */
  findForeign?(text: string, out: Finding[]): void;
};
