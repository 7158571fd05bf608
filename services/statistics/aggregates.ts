/**
 * A look's test aggregates as the sums of each test start, by metric and candidate: made once a look, read by every
 * test.
 */
import type { TestStart } from '../kernel/evaluation.ts';
import type { TestAggregate, TestSums, Look } from '../kernel/evidence.ts';
import { controlOf } from '../kernel/experiment.ts';
import { type PlacedTestStart, segmentCounts, suffixesOf, sumsFrom } from './test-starts.ts';

/** Entries of both arms since a test start, as bets of one candidate against control. */
export type TestStartSums = { readonly testStart: TestStart; readonly control: TestSums; readonly candidate: TestSums };
/** One for each test start, the whole phase first. Nobody may change them: they are the same objects at every call. */
export type SumsOf = (metric: string, candidate: string) => readonly TestStartSums[];

export function indexAggregates(look: Look, testStarts: readonly PlacedTestStart[]): SumsOf {
  const control = controlOf(look.experiment.spec).id;
  const segments = segmentCounts(look);
  const keyOf = (metric: string, candidate: string): string => `${metric}\u001f${candidate}`;
  const groups = new Map<string, { readonly control: TestAggregate[]; readonly candidate: TestAggregate[] }>();
  for (const aggregate of look.entries) {
    const key = keyOf(aggregate.metric, aggregate.candidate);
    const group = groups.get(key) ?? { control: [], candidate: [] };
    group[aggregate.arm === control ? 'control' : 'candidate'].push(aggregate);
    groups.set(key, group);
  }
  const made = new Map<string, readonly TestStartSums[]>();
  return (metric, candidate) => {
    const key = keyOf(metric, candidate);
    const known = made.get(key);
    if (known) return known;
    const group = groups.get(key);
    const [a, b] = [suffixesOf(group?.control ?? [], segments), suffixesOf(group?.candidate ?? [], segments)];
    const fresh = testStarts.map(
      ({ testStart, from }): TestStartSums => ({ testStart, control: sumsFrom(a, from), candidate: sumsFrom(b, from) }),
    );
    made.set(key, fresh);
    return fresh;
  };
}
