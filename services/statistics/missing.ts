/**
 * Missing data is watched like any harm, without being declared: of the units that were exposed, how many never called,
 * did not call after each exposure, have a call that failed, a call whose value is not known, nothing in the
 * denominator. One-sided against the candidate, from every test start, by first events: under the null no unit is lost
 * in the candidate that would not be lost in control, so the arm of each lost unit is a draw with the declared
 * probability.
 */
import type { FunnelStep, MissingEvaluation } from '../kernel/evaluation.ts';
import type { TestSums } from '../kernel/evidence.ts';
import {
  allocationOf,
  candidatesOf,
  controlOf,
  type ExperimentSpec,
  type MetricSpec,
  missingAlphaOf,
} from '../kernel/experiment.ts';
import { valueRuleOf } from '../kernel/entry-value.ts';
import type { Measure } from '../kernel/measures.ts';
import type { SumsOf, TestStartSums } from './aggregates.ts';
import { logEOfFirstEvents } from './math/first-event.ts';

/** Shares of lost units, as multiples of control's: from a fifth more to losses that control does not have. */
const ratios = [1.2, 1.5, 2, 3, 6, 15, 50];
const weights = [0.05, 0.1, 0.15, 0.2, 0.2, 0.15, 0.15];

/** An e-value from which the arms are taken to differ, though nothing is done yet: nobody is promoted on it. */
const suspicion = 20;

const missingOf: Readonly<Record<FunnelStep, (sums: TestSums) => number>> = {
  called: ({ uncalled }) => uncalled,
  'called again': ({ uncalled, skipped }) => uncalled + skipped,
  answered: ({ unanswered }) => unanswered,
  measured: ({ incomplete }) => incomplete,
  resolved: ({ none }) => none,
};

const failures: ReadonlySet<string> = new Set(['errors', 'timeouts', 'successes']);
const countsFailures = (measure: Measure): boolean => measure.of === 'inference' && failures.has(measure.name);

/** What is watched, and what is done about it. */
type Watch = { readonly step: FunnelStep; readonly metric: MetricSpec; readonly action: MissingEvaluation['action'] };

/** Entries of the longest window that calls have: a call that comes late is not lost. */
const counting = (metrics: readonly MetricSpec[]): MetricSpec | undefined => {
  const ofCalls = metrics.filter((metric) => metric.role !== 'signal' && valueRuleOf(metric).needsCalls);
  const byWindow = [...(ofCalls.length > 0 ? ofCalls : metrics)].sort((a, b) => a.windowMs - b.windowMs);
  return ofCalls.length > 0 ? byWindow.at(-1) : byWindow[0];
};

const countsEveryCall = (denominator: Measure): boolean =>
  denominator.of === 'inference' && denominator.name === 'requests' && denominator.where === undefined;

/** Fewer outcomes are an effect of the candidate; calls that leave the denominator hide what they are worth. */
const resolvedOf = (metric: MetricSpec): Watch => ({
  step: 'resolved',
  metric,
  action: metric.denominator?.of === 'outcome' || metric.role === 'signal' ? 'none' : 'pause',
});

function watchesOf({ metrics }: ExperimentSpec): Watch[] {
  const metric = counting(metrics);
  // A file that says how many errors are too many has the last word on them.
  const isDeclared = metrics.some(({ role, numerator }) => role !== 'signal' && countsFailures(numerator));
  return [
    ...(metric ? [{ step: 'called', metric, action: 'rollback' } as const] : []),
    ...(metric ? [{ step: 'called again', metric, action: 'rollback' } as const] : []),
    ...(metric ? [{ step: 'answered', metric, action: isDeclared ? 'none' : 'rollback' } as const] : []),
    ...metrics
      .filter((one) => valueRuleOf(one).needsCalls)
      .map((one): Watch => ({ step: 'measured', metric: one, action: one.role === 'signal' ? 'none' : 'pause' })),
    ...metrics.filter(({ denominator }) => denominator !== undefined && !countsEveryCall(denominator)).map(resolvedOf),
  ];
}

/** A test before it is held against its bound. */
type Found = Omit<NonNullable<MissingEvaluation['test']>, 'threshold'>;

function strongestOf(
  step: FunnelStep,
  q: number,
  sums: readonly TestStartSums[],
  side: 'harm' | 'win',
): Found | undefined {
  let strongest: Found | undefined;
  for (const { testStart, control, candidate } of sums) {
    const found = logEOfFirstEvents({
      side,
      ratios,
      weights,
      epochs: [{ allocation: q, eventsA: missingOf[step](control), eventsB: missingOf[step](candidate) }],
    });
    if (!found.ok) continue;
    const weightedLogE = Math.log(testStart.weight) + found.logE;
    if (strongest === undefined || weightedLogE > strongest.weightedLogE)
      strongest = { testStart, logE: found.logE, weightedLogE };
  }
  return strongest;
}

function evaluateWatch(spec: ExperimentSpec, candidate: string, watch: Watch, sumsOf: SumsOf): MissingEvaluation {
  const { step, metric, action } = watch;
  const sums = sumsOf(metric.id, candidate);
  const [whole] = sums;
  const armOf = (arm: string, held: TestSums | undefined) => ({
    arm,
    entries: held?.n ?? 0,
    missing: held ? missingOf[step](held) : 0,
  });
  const arms = [armOf(controlOf(spec).id, whole?.control), armOf(candidate, whole?.candidate)];
  const base = { candidate, step, metric: metric.id, action, arms };
  if (arms.some(({ entries }) => entries === 0)) return { ...base, status: 'unknown', differs: false };
  const q = allocationOf(spec, candidate);
  const threshold = Math.log(1 / missingAlphaOf(spec));
  const [worse, better] = [strongestOf(step, q, sums, 'harm'), strongestOf(step, q, sums, 'win')];
  const reach = Math.log(suspicion);
  const differs = [worse, better].some((test) => (test?.weightedLogE ?? -Infinity) >= reach);
  if (worse === undefined) return { ...base, status: 'unknown', differs };
  const status = worse.weightedLogE >= threshold ? 'bad' : worse.weightedLogE >= reach ? 'suspected' : 'fine';
  return { ...base, status, differs, test: { ...worse, threshold } };
}

/** One for each candidate, step and, where it is a metric's own, metric. */
export const evaluateMissing = (spec: ExperimentSpec, sumsOf: SumsOf): MissingEvaluation[] =>
  candidatesOf(spec).flatMap(({ id }) => watchesOf(spec).map((watch) => evaluateWatch(spec, id, watch, sumsOf)));
