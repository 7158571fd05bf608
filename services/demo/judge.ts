/** Judges the end of the story: the rollback, and every total against a plain recount. Each problem is a sentence. */
import type { Decision } from '../kernel/decision.ts';
import type { ReplaySummary } from '../replay/summary.ts';
import type { Done } from './desks.ts';
import { brokenMetrics, changedPrompt, storyOnset } from './story.ts';

type Totals = ReplaySummary['totals'];

function rollbackProblems(rollback: Decision | undefined): string[] {
  if (rollback === undefined) return ['no rollback'];
  const { watermark = 0, testStart = '', metric } = rollback;
  const problems: string[] = [];
  // The watermark is the clock of the slowest partition; counting from the new prompt proves as much.
  if (watermark < storyOnset && !testStart.includes(changedPrompt))
    problems.push('the rollback came before the prompt changed');
  if (!brokenMetrics.includes(metric ?? '')) problems.push(`the rollback names ${metric}, which did not break`);
  return problems;
}

type Total = Totals[number];
const isSame = (got: Total, want: Total): boolean =>
  got.units === want.units && got.numerator === want.numerator && got.denominator === want.denominator;

function totalProblems(totals: Totals, expected: Totals): string[] {
  return expected.flatMap((want) => {
    const got = totals.find(({ arm, metric }) => arm === want.arm && metric === want.metric);
    if (got !== undefined && isSame(got, want)) return [];
    const folded = `folded ${got?.numerator}/${got?.denominator} of ${got?.units} units`;
    const recount = `the recount has ${want.numerator}/${want.denominator} of ${want.units}`;
    return [`${want.metric} of ${want.arm}: ${folded}, ${recount}`];
  });
}

export function judgeStory(end: {
  readonly rollback: Decision | undefined;
  readonly totals: Totals;
  /** Of a recount that shares no code with the joiner. */
  readonly expected: Totals;
  /** Aggregates in which the recount in SQL differs. */
  readonly differences: number;
  readonly done: readonly Done[];
}): string[] {
  const problems = [...rollbackProblems(end.rollback), ...totalProblems(end.totals, end.expected)];
  if (end.differences > 0) problems.push(`the SQL recount differs in ${end.differences} aggregates`);
  const lost = end.done.reduce((sum, { dropped, flushed }) => sum + dropped + (flushed ? 0 : 1), 0);
  if (lost > 0) problems.push(`the desks' emitters dropped ${lost} events`);
  return problems;
}
