/** What a chain of digit groups holds, from each group on: an IP address, a card, a phone number, identifiers. */
import { cardFrom } from './cards.ts';
import type { Chain, Group } from './chain.ts';
import { least, rankOf } from './codes.ts';
import { nameBefore, says } from './context.ts';
import { findGroupedIds, tight } from './grouped-ids.ts';
import { ipv4From } from './network.ts';
import { contextOf, type NumberTask } from './number-task.ts';
import { isInsideCode, phoneFrom } from './phones.ts';

export function findInChain(task: NumberTask, chain: Chain): void {
  const { text, budget } = task;
  const { groups, separators } = chain;
  let total = 0;
  for (let index = 0; index < groups.length; index += 1)
    total += (groups[index] as Group).end - (groups[index] as Group).start;
  if (total < 4) return;
  task.around = undefined;
  let phoneUntil = -1;
  if (isInsideCode(text, (groups[0] as Group).start)) return;
  for (let a = 0; a < groups.length; a += 1) {
    budget.left -= total >= 7 ? 4 : 1;
    const last = ipOrCard(task, chain, a, total);
    if (last >= 0) {
      a = last;
      task.around = undefined;
      continue;
    }
    if (total < 6) continue;
    if (a > phoneUntil && total >= 7) phoneUntil = Math.max(phoneUntil, findPhone(task, chain, a));
    if (a > 0 && tight.test(separators[a - 1] as string)) continue;
    findGroupedIds(task, chain, a);
  }
}

/** What leaves no group for anything else. Answers its last group, or -1. */
function ipOrCard(task: NumberTask, chain: Chain, a: number, total: number): number {
  const { text, out } = task;
  const { groups, separators } = chain;
  const ip = separators[a] === undefined ? -1 : ipv4From(task, chain, a);
  if (ip >= 0) return ip;
  const card = total >= 12 ? cardFrom(text, chain, a) : -1;
  if (card < 0) return -1;
  const { start } = groups[a] as Group;
  const { end } = groups[card] as Group;
  const isDoubtful =
    card === a && nameBefore(text, start, task.key).includes('not') && !says(contextOf(task, start, end), 'card');
  out.push({ start, end, type: 'CREDIT_CARD', rank: 72, score: isDoubtful ? 0.4 : 0.95 });
  return isDoubtful ? -1 : card;
}

/** Answers the last group of a phone number that is likely one, else -1. */
function findPhone(task: NumberTask, chain: Chain, a: number): number {
  const { out } = task;
  const phone = phoneFrom(task, chain, a);
  if (phone === undefined) return -1;
  const { start, end, last } = phone;
  // Where one phone number is written down, a second one is likely.
  const score = Math.min(1, phone.score + (out.some(({ type }) => type === 'PHONE') ? 0.12 : 0));
  if (score >= least) out.push({ start, end, type: 'PHONE', rank: rankOf(score), score });
  return score >= 0.5 ? last : -1;
}
