/**
 * What a unit's calls and outcomes in one entry are worth, and what is not known of it. A value that is missing has no
 * number: it has the range in which it can lie. Harm is judged by what is known; a win must hold at the bad end of the
 * candidate's ranges and at the good end of control's (`services/statistics/README.md`, "What is not known").
 */
import type { MetricSpec } from './experiment.ts';
import { callRangeOf, isCount, type Measure, scaleOf } from './measures.ts';

/** Bits of `EntryCounts.reached`: how far a unit came within an entry. */
export const reached = {
  /** It called. */
  called: 1,
  /** One of its calls ended in an error or a timeout. */
  failed: 2,
  /** An app told of its exposure, which no call has followed yet. */
  exposed: 4,
  awaited: 8,
  /** An exposure that no call followed, though the unit called at another time. */
  skipped: 16,
} as const;

/** After an app told of an exposure. A call of the same visit may have been folded before it. */
export function exposedAgain(before: number): number {
  const first = (before & reached.exposed) === 0;
  if (first) return before | reached.exposed | ((before & reached.called) === 0 ? reached.awaited : 0);
  return before | reached.awaited | ((before & reached.awaited) === 0 ? 0 : reached.skipped);
}

/** After a call, with what it reached. */
export const calledNow = (before: number, call: number): number => (before & ~reached.awaited) | call;

/** What the fold counts of a unit, for one metric. Sums in whole numbers of the measures' scales. */
export type EntryCounts = {
  /** Over calls whose value is known, and outcomes. */
  readonly numerator: number;
  /** Over all calls whose denominator is known, and outcomes. Without a denominator it has no meaning. */
  readonly denominator: number;
  /** Calls that the metric counts, with and without a value. */
  readonly known: number;
  readonly unknown: number;
  readonly reached: number;
};

/** How a metric's values are made of counts; fixed for a phase. */
export type ValueRule = {
  /** From whole numbers to the metric's own unit. */
  readonly ratio: number;
  readonly hasDenominator: boolean;
  /** Without a call there is no value: a side counts calls. */
  readonly needsCalls: boolean;
  /** The denominator counts calls, unknown ones too. */
  readonly countsRequests: boolean;
  /** The denominator reads something of calls (tokens, money, checks): unknown calls leave it unknown. */
  readonly sumsCalls: boolean;
  /** Both sides of one call are known or neither: nothing has to stand in for unknown numerators. */
  readonly perCall: boolean;
  /**
   * The metric is of the calls that were checked: one that was not is counted as unknown, so that a candidate that
   * checks others than control is seen, but a share of the checked ones says nothing about it.
   */
  readonly isSampled: boolean;
  /** What an unknown call adds to the numerator, in whole numbers. */
  readonly least: number;
  readonly most: number;
  readonly floor: number;
  readonly cap: number;
  /** Mean denominator, in whole numbers of its scale: a unit with so many weighs 1. Absent: every unit weighs 1. */
  readonly denominator?: number;
};

const isOfCalls = (measure: Measure | undefined): boolean => measure?.of === 'inference';

export function valueRuleOf({ numerator, denominator, baseline, cap, floor = 0 }: MetricSpec): ValueRule {
  const range = numerator.of === 'inference' ? callRangeOf(numerator) : { least: 0, most: 0 };
  const usual = baseline.denominator ?? (denominator && isCount(denominator) ? scaleOf(denominator) : undefined);
  return {
    ratio: scaleOf(denominator) / scaleOf(numerator),
    hasDenominator: denominator !== undefined,
    needsCalls: isOfCalls(numerator) || isOfCalls(denominator),
    countsRequests: denominator?.of === 'inference' && denominator.name === 'requests',
    sumsCalls: denominator?.of === 'inference' && denominator.name !== 'requests',
    perCall: isOfCalls(numerator) && isOfCalls(denominator),
    isSampled: denominator?.of === 'inference' && denominator.name === 'schema_checked',
    ...range,
    floor,
    cap,
    ...(usual !== undefined && { denominator: usual }),
  };
}

export type EntryValue =
  /** Nothing for or against: a known denominator of 0. */
  | { readonly state: 'none' }
  /** No value at all: between `low` and `high` if there had been one. */
  | {
      readonly state: 'unknown';
      readonly reason: 'never called' | 'not measured';
      readonly low: number;
      readonly high: number;
      readonly weight: number;
    }
  /** `value`: of what is known. The whole lies between `low` and `high`, which are `value` when nothing is missing. */
  | {
      readonly state: 'known';
      readonly value: number;
      readonly low: number;
      readonly high: number;
      /** Of the known part and of the whole, as multiples of a usual unit's denominator; 1 without a denominator. */
      readonly knownWeight: number;
      readonly weight: number;
    };

/** In the metric's own unit; bounds lie within [floor, cap], `value` is as it is. */
export function entryValue(rule: ValueRule, counts: EntryCounts): EntryValue {
  const { floor, cap } = rule;
  const { known, numerator } = counts;
  const unknown = rule.isSampled ? 0 : counts.unknown;
  if (rule.needsCalls && (counts.reached & reached.called) === 0)
    return { state: 'unknown', reason: 'never called', low: floor, high: cap, weight: 1 };
  const denominator = rule.hasDenominator ? counts.denominator : 1;
  if (denominator === 0 && !rule.perCall && !(rule.sumsCalls && unknown > 0)) return { state: 'none' };
  const knownDenominator = rule.countsRequests ? denominator - unknown : denominator;
  const bounds = unknown > 0 ? boundsOf(rule, counts, denominator) : undefined;
  if (bounds && (known === 0 || knownDenominator === 0))
    return { state: 'unknown', reason: 'not measured', ...bounds, weight: weightOf(rule, denominator) };
  if (knownDenominator === 0) return { state: 'none' };
  // Where calls are summed, the unit's known calls stand for its unknown ones.
  const share = rule.perCall || unknown === 0 ? 1 : known / (known + unknown);
  const value = (numerator / knownDenominator) * (rule.sumsCalls ? share : 1 / share) * rule.ratio;
  const knownWeight = weightOf(rule, knownDenominator);
  const whole = { low: value, high: value, ...bounds, weight: weightOf(rule, denominator) };
  return { state: 'known', value, ...whole, knownWeight };
}

/** 1 where the denominator of the unknown calls is unknown itself and nothing else is there. */
const weightOf = ({ hasDenominator, denominator: usual }: ValueRule, denominator: number): number =>
  hasDenominator && usual !== undefined && denominator > 0 ? denominator / usual : 1;

/** Where the value of the whole lies when some of its calls have none. */
function boundsOf(
  rule: ValueRule,
  { numerator, unknown }: EntryCounts,
  denominator: number,
): { low: number; high: number } {
  const { floor, cap, ratio, least, most } = rule;
  // Where the denominator of the unknown calls is missing too, nothing is said but the range.
  if (rule.sumsCalls) return { low: floor, high: cap };
  const low = ((numerator + unknown * least) / denominator) * ratio;
  const high = ((numerator + unknown * most) / denominator) * ratio;
  return { low: Math.min(Math.max(low, floor), cap), high: Math.min(Math.max(high, floor), cap) };
}
