/** Uuids, trace contexts and moments: shapes that stay, and that no structured finding may cut into. */
import type { Finding } from './finding.ts';
import { pattern } from './pattern.ts';

const keptShapes = pattern('gi')`
    \b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b
    |\b00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b
    |\b(?:19|20)\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?
  `;

const nearShape = 30;
/** Two dashes are near, as in every one of these shapes whatever part of it a finding cuts into. */
function hasDashes(text: string, start: number, end: number): boolean {
  const to = Math.min(text.length, end + nearShape);
  let dashes = 0;
  for (let at = Math.max(0, start - nearShape); at < to && dashes < 2; at += 1)
    if (text.charCodeAt(at) === 45) dashes += 1;
  return dashes > 1;
}

/** Longer than twice any of the shapes: what is cut off at a window's edge does not reach the finding. */
const shapeReach = 128;
/** It cuts into a shape that is kept. An address that has one inside goes out all the same. */
export function isKept(text: string, { start, end, type }: Finding): boolean {
  if (type === 'DATE_OF_BIRTH' || !hasDashes(text, start, end)) return false;
  const from = Math.max(0, start - shapeReach);
  const window = text.slice(from, end + shapeReach);
  // Not matchAll: it copies the pattern each time, which takes longer than the search.
  keptShapes.lastIndex = 0;
  for (let match = keptShapes.exec(window); match !== null; match = keptShapes.exec(window)) {
    const at = from + match.index;
    const to = at + match[0].length;
    if (at < end && start < to && !(start <= at && end >= to && type === 'EMAIL')) return true;
  }
  return false;
}
