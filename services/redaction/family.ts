/**
 * What a family of patterns says it found: half-open range in UTF-16 units of the text it was given, type, and trust
 * against overlapping others (0..100, higher wins; ties: longer wins).
 */
export type Finding = { readonly start: number; readonly end: number; readonly type: string; readonly rank: number };
/**
 * Where literals of `Family.anchors` occur (case-insensitive ASCII), as numbers in turns: index of the literal, place;
 * by their ends, the longest first.
 */
export type AnchorHits = readonly number[];
/**
 * One family of detectors. `anchors`: lower-case ASCII literals, found in one pass over the text for all families;
 * `find` is called only when the family has hits or `wants(text)` is absent/true, looks only at bounded windows around
 * hits (linear in the text), and appends to `out`. `text` has been folded (digits, dashes, spaces, NFKC) already.
 * `context.key` is the JSON key name above the leaf, lower case, when there is one.
 */
export type Family = {
  readonly name: string;
  readonly anchors: readonly string[];
  find(text: string, hits: AnchorHits, context: { readonly key?: string }, out: Finding[]): void;
  /** Also asked about texts that hold units beyond ASCII, which no anchor can. Linear, and a pass of its own. */
  findForeign?(text: string, out: Finding[]): void;
};
