/**
 * What the detectors of one text share: the text, its budget, what was found, and the words around the candidate that
 * is being looked at.
 */
import { type Context, contextAt } from './context-words.ts';
import type { ScoredFinding } from './index.ts';

/** What is left of a text's budget, in steps: one is about what reading a candidate's digits costs. */
export type Budget = { left: number };
export type Task = {
  readonly text: string;
  readonly key: string | undefined;
  readonly out: ScoredFinding[];
  readonly budget: Budget /** Words around the candidate, once somebody asked; whoever goes on to the next one forgets them. */;
  around: Context | undefined;
};

/** A view of the words around a candidate is dearer than reading its digits, in steps. */
const contextCost = 3;

export function contextIn(task: Task, start: number, end: number): Context {
  task.budget.left -= contextCost;
  return contextAt(task.text, start, end, task.key);
}
export function contextOf(task: Task, start: number, end: number): Context {
  if (task.around === undefined) task.around = contextIn(task, start, end);
  return task.around;
}
