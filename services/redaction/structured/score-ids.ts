/**
 * What the evidence about a candidate identifier adds up to: shape and checksum, grouping, the words around, standing
 * alone in its field.
 */
import { tagOf } from '../entity-types.ts';
import { type Context, says } from './context.ts';
import type { IdRow } from './id-row.ts';

export type Evidence = {
  readonly compact: string;
  /** Sizes of the groups with the separators between; a single group has none. */
  readonly layout: string;
  readonly isGrouped: boolean;
  readonly isWhole: boolean;
  readonly context: Context;
};
/** Callers drop what is below 0.3 (`codes.ts`). */
const unseen = 0.299;

/**
 * 0..1 for one row; 0 when the shape is not this row's. A failed checksum leaves only what the words say: people
 * mistype their own numbers.
 */
export function scoreId(row: IdRow, { compact, layout, isGrouped, isWhole, context }: Evidence): number {
  if (!row.test.test(compact)) return 0;
  if (isGrouped && row.layout?.test(layout) !== true) return 0;
  const isNamed = says(context, row.id);
  // `user_id=`, `order id`: the id of a row in somebody's table is nobody's.
  const isKind = says(context, tagOf(row.type)) && !context.before.includes('thing');
  // Checksums are the dearest part: no need of one that could not lift the score to where anybody looks at it.
  if (!isNamed && !isKind && !isWhole && Math.max(row.sure, row.unsure ?? 0) + (isGrouped ? 0.2 : 0) < unseen) return 0;
  const isValid = row.check === undefined || row.check(compact);
  let score = isValid ? row.sure : (row.unsure ?? 0);
  const counts = isValid || row.unsure !== undefined;
  if (!counts && !isNamed) return 0;
  if (isGrouped && counts) score += 0.2;
  // Digits alone in a field are an id when a checksum or their grouping says so as well.
  if (isWhole && counts && row.sure > 0.22 && (row.check !== undefined || isGrouped || /[A-Z]/.test(compact)))
    score += 0.25;
  if (isNamed) score += 0.6;
  else if (isKind && counts) score += 0.35;
  if (!isNamed && !isKind && context.before.some((tag) => tag === 'not' || tag === 'version' || tag === 'thing'))
    score -= 0.45;
  return Math.min(1, score);
}
