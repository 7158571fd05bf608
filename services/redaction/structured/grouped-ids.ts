/** Identifiers of digits only, from a group of a chain on: by country's rule, as an SSN, or by the words before. */
import type { Finding } from '../finding.ts';
import { type Chain, type Group, isWhole, joinGroups, standsAloneOrGlued } from './chain.ts';
import { least, maxCompact, rankOf } from './codes.ts';
import { nameBefore, says } from './context.ts';
import { documentType } from './documents.ts';
import { numericIds } from './id-numbers.ts';
import { contextOf, type NumberTask } from './number-task.ts';
import { type Evidence, scoreId } from './score-ids.ts';

/** Separators that join: what stands on both sides is one value. */
export const tight = /^[-./_:·*]$/;

/** SSA never issues area 000, 666 or 900-999, group 00, serial 0000. */
const ssn = /^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/;
/** How likely nine digits in such groups are an SSN. */
const ssnLayouts: Readonly<Record<string, number>> = {
  '3-2-4': 0.8,
  '3 2 4': 0.65,
  '3.2.4': 0.65,
  '3/2/4': 0.5,
  '3-2 4': 0.65,
  '3 2-4': 0.65,
  '9': 0.05,
  '3-6': 0.35,
  '5-4': 0.35,
};

/** What stands right before or behind makes the digits a piece of a longer value, an amount or a file's name. */
function isPieceOfMore(text: string, start: number, end: number, layout: string): boolean {
  const behind = text.charCodeAt(end);
  // A comma before a letter is a list's or a table's; before a digit it may be the number's own, unless the number
  // has hyphens. `.Ok` is a sentence that goes on.
  if ((behind === 45 || behind === 46 || behind === 58) && /^[-:]\w|^\.(?![A-Z][a-z])\w/.test(text.slice(end, end + 3)))
    return true;
  if (behind === 44 && !layout.includes('-') && /^,\d/.test(text.slice(end, end + 2))) return true;
  return (
    start > 0 &&
    /[$€£.@/\\-]/.test(text[start - 1] as string) &&
    /[\w.]/.test(text[start - 2] ?? '') &&
    !text.startsWith('...', start - 3)
  );
}

export function findGroupedIds(task: NumberTask, chain: Chain, a: number): void {
  const { text, budget } = task;
  const { groups, separators } = chain;
  const { start } = groups[a] as Group;
  let layout = '';
  for (let b = a; b < groups.length && b - a < 9; b += 1) {
    const { start: from, end } = groups[b] as Group;
    if (b > a) layout += (separators[b - 1] as string).trim() || ' ';
    layout += String(end - from);
    const compact = joinGroups(text, chain, a, b, maxCompact);
    if (compact === undefined) return;
    if (compact.length < 6 || (b + 1 < groups.length && tight.test(separators[b] as string))) continue;
    if (!standsAloneOrGlued(text, start, end) || isPieceOfMore(text, start, end, layout)) continue;
    budget.left -= 4;
    const context = contextOf(task, start, end);
    findIds(task, start, end, b - a + 1, {
      compact,
      layout,
      isGrouped: b > a,
      isWhole: isWhole(text, start, end),
      context,
    });
  }
}

/** `words`: in how many groups the number is written. */
function findIds(task: NumberTask, start: number, end: number, words: number, evidence: Evidence): void {
  const { text, out } = task;
  const { compact, layout, context } = evidence;
  let best = bestOfRows(start, end, words, evidence);
  const social = ssnScore(task, start, words, evidence);
  if (social >= least) {
    const score = Math.min(1, social);
    out.push({ start, end, type: 'US_SSN', rank: Math.round(46 + 16 * score), score });
  }
  if (best === undefined || (best.score ?? 0) < 0.5) {
    const document = documentType(compact, layout, words, context, () => nameBefore(text, start, task.key));
    if (document !== undefined && document.score > (best?.score ?? 0))
      best = { start, end, type: document.type, rank: rankOf(document.score), score: document.score };
  }
  if (best) out.push(best);
}

function bestOfRows(start: number, end: number, words: number, evidence: Evidence): Finding | undefined {
  const { compact, isWhole: isAlone, context } = evidence;
  const rows = numericIds().get(compact.length);
  if (rows === undefined) return undefined;
  // Seconds since 1970 between 2014 and 2033 look like every ten-digit id there is.
  const isMoment = words === 1 && /^1[4-9]\d{8}(?:\d{3})?$/.test(compact) && !isAlone;
  let best: Finding | undefined;
  for (const row of rows) {
    const score = scoreId(row, evidence) - (isMoment && !says(context, row.id) ? 0.4 : 0);
    if (score >= least && score > (best?.score ?? 0)) best = { start, end, type: row.type, rank: rankOf(score), score };
  }
  return best;
}

/** 0 when the digits are none. */
function ssnScore(task: NumberTask, start: number, words: number, { compact, layout, context }: Evidence): number {
  if (compact.length !== 9) return 0;
  const base = ssnLayouts[layout] ?? spacedSsn(layout);
  if (base === undefined || !ssn.test(compact)) return 0;
  const isNamed = says(context, 'ssn');
  const named = isNamed ? 0.6 : says(context, 'id') ? 0.2 : 0;
  // Of grouped digits only their own name says that they are none.
  const denials = words > 1 ? nameBefore(task.text, start, task.key) : context.before;
  return base + named - (denials.includes('not') && !isNamed ? 0.4 : 0);
}

/** Every digit by itself. */
function spacedSsn(layout: string): number | undefined {
  if (!/^1 1 1[ -]1 1[ -]1 1 1 1$/.test(layout)) return undefined;
  return layout.includes('-') ? 0.6 : 0.1;
}
