/** What the parts of the number detector share: its task, and the words around the candidate that is judged. */
import type { Task } from '../detector.ts';
import { type Context, contextAt } from './context.ts';

export type NumberTask = Pick<Task, 'text' | 'key' | 'budget' | 'out'> & {
  /** Words around the candidate, once somebody asked; whoever goes on to the next one forgets them. */
  around: Context | undefined;
};

/** Reading the words around a candidate is dearer than reading its digits, in budget steps. */
const contextSteps = 3;

export function contextIn(task: Pick<Task, 'text' | 'key' | 'budget'>, start: number, end: number): Context {
  task.budget.left -= contextSteps;
  return contextAt(task.text, start, end, task.key);
}
export function contextOf(task: NumberTask, start: number, end: number): Context {
  if (task.around === undefined) task.around = contextIn(task, start, end);
  return task.around;
}
