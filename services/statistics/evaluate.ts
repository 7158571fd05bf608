/**
 * One look: a pure function of the sums of one version vector. Each metric of each candidate is tested from every test
 * start; the strongest one, after its weights, is what rules compare with the bound. With them: SLOs, the sample ratio,
 * the attrition check, what control has taught so far.
 */
import type { ArmTotals, Evaluation, MetricEvaluation, MissingEvaluation, TestResult } from '../kernel/evaluation.ts';
import { emptyTestSums, type Look } from '../kernel/evidence.ts';
import {
  allocationOf,
  candidatesOf,
  controlOf,
  type ExperimentSpec,
  harmAlphaOf,
  type MetricSpec,
  metricWeight,
  winAlphaOf,
} from '../kernel/experiment.ts';
import { ownValue } from '../kernel/bets.ts';
import { valueRuleOf } from '../kernel/entry-value.ts';
import { isEventMeasure } from '../kernel/measures.ts';
import { agreementOf, harmAgreement, meanOf, totalsAgreement } from './agreement.ts';
import { indexAggregates, type TestStartSums } from './aggregates.ts';
import { armTotals } from './arm-totals.ts';
import { checkAttrition } from './attrition.ts';
import { intervalOf } from './intervals.ts';
import { learnBaselines } from './learned.ts';
import { logEOfSums } from './math/betting.ts';
import { designRatios, designRatioWeights, logEOfFirstEvents } from './math/first-event.ts';
import { logEOfRatio } from './math/sample-ratio.ts';
import { cannotMeasure, differsInMissing } from './measurable.ts';
import { evaluateMissing } from './missing.ts';
import { clocksOf, quietOf, silentArms } from './recent-calls.ts';
import { evaluateSlo } from './slos.ts';
import { placeTestStarts } from './test-starts.ts';

/**
 * The first-event test replaces betting for the whole phase when events are this rare: it needs no closed entries and
 * no exposure counts.
 */
const rareBelow = 0.02;

export function usesFirstEvents({ numerator, denominator, better, cap, margin, baseline }: MetricSpec): boolean {
  const isPerRequest = denominator?.of === 'inference' && denominator.name === 'requests';
  const isPlainHarm = better === 'lower' && cap === 1 && margin === 0;
  const isRare = baseline.mean > 0 && baseline.mean < rareBelow;
  return isEventMeasure(numerator) && isPerRequest && isPlainHarm && isRare;
}

export function evaluate(look: Look): Evaluation {
  const { experiment, partitions } = look;
  const { spec } = experiment;
  const holding = partitions.filter(({ assigned }) => Object.values(assigned).some((units) => units > 0));
  const counts: Record<string, number> = Object.fromEntries(spec.arms.map(({ id }) => [id, 0]));
  for (const { assigned } of partitions)
    for (const [arm, units] of Object.entries(assigned))
      counts[arm] = (Object.hasOwn(counts, arm) ? (counts[arm] ?? 0) : 0) + units;
  const weightSum = spec.arms.reduce((sum, { weight }) => sum + weight, 0);
  const ratio = logEOfRatio([
    { counts: spec.arms.map(({ id }) => counts[id] ?? 0), shares: spec.arms.map(({ weight }) => weight / weightSum) },
  ]);
  const sumsOf = indexAggregates(look, placeTestStarts(look));
  const watermark = holding.length > 0 ? Math.min(...holding.map(({ clock }) => clock)) : undefined;
  const missing = evaluateMissing(spec, sumsOf);
  const metrics = candidatesOf(spec).flatMap(({ id }) => {
    const lost = missing.filter(({ candidate }) => candidate === id);
    return spec.metrics.map((metric) => evaluateMetric(look, metric, id, sumsOf(metric.id, id), watermark, lost));
  });
  const crossovers = partitions.reduce((sum, partition) => sum + partition.crossovers, 0);
  const aliases = partitions.reduce((sum, { aliasCrossovers = 0 }) => sum + aliasCrossovers, 0);
  return {
    experiment,
    versionVector: [...partitions]
      .sort((a, b) => a.partitionId - b.partitionId)
      .map(({ partitionId, position }) => ({ partitionId, position })),
    ...(watermark !== undefined && { watermark }),
    ...(partitions.length > 0 && { newestClock: Math.max(...partitions.map(({ clock }) => clock)) }),
    eventsFolded: partitions.reduce((sum, { events }) => sum + events, 0),
    crossovers,
    crossoverReasons: { arms: crossovers - aliases, alias: aliases },
    settled: partitions.length > 0 && partitions.every(({ revision }) => revision === experiment.revision),
    srm: { logE: ratio.ok ? ratio.logE : 0, counts },
    metrics,
    slos: spec.slos.map((slo) => evaluateSlo(spec, slo, sumsOf)),
    missing,
    quiet: quietOf(look),
    ...clocksOf(look),
    attrition: checkAttrition(spec, sumsOf),
    silent: silentArms(look),
    ...(spec.learning && { learned: learnBaselines(look, watermark) }),
  };
}

/** Known values outside floor and cap beyond this share are said. */
const mostClipped = 0.05;

function evaluateMetric(
  look: Look,
  metric: MetricSpec,
  candidate: string,
  sums: readonly TestStartSums[],
  watermark: number | undefined,
  missing: readonly MissingEvaluation[],
): MetricEvaluation {
  const { spec } = look.experiment;
  const [phase] = sums;
  const whole = [phase?.control ?? emptyTestSums(), phase?.candidate ?? emptyTestSums()] as const;
  const arms = [
    armTotals(look, metric, controlOf(spec).id, whole[0]),
    armTotals(look, metric, candidate, whole[1]),
  ] as const;
  const { harm, contradicted, reason } = strongestHarm(
    spec,
    metric,
    candidate,
    arms,
    sums,
    differsInMissing(metric, valueRuleOf(metric).needsCalls, missing),
  );
  const win = winOf(metric, phase, arms);
  const threshold = Math.log(1 / harmAlphaOf(spec));
  const isBad = harm !== undefined && harm.weightedLogE >= threshold;
  const blind = cannotMeasure(look, metric, arms, missing);
  const contradiction = contradictionOf(contradicted >= threshold, win, winBoundOf(spec, metric));
  const clipped = arms.find(({ known, below, above }) => below + above > mostClipped * known);
  const why = blind ?? (harm === undefined ? (reason ?? 'nothing seen yet') : undefined);
  return {
    metric: metric.id,
    candidate,
    role: metric.role,
    arms,
    ...(harm && { harm }),
    ...(win && { win }),
    ...(contradiction && { contradiction }),
    ...(clipped && { clipped: clippedReason(metric, clipped) }),
    ...intervalOf(look, metric, candidate, whole, watermark),
    status: isBad ? 'bad' : blind !== undefined ? 'cannot_measure' : harm === undefined ? 'unknown' : 'fine',
    ...(!isBad && why !== undefined && { reason: why }),
  };
}

const clippedReason = ({ floor = 0, cap }: MetricSpec, { arm, known, below, above }: ArmTotals): string =>
  `${(100 * (below + above)) / known > 10 ? 'many' : 'some'} of ${arm}'s values lie outside [${floor}, ${cap}] ` +
  `(${below} below, ${above} above, of ${known}): the metric is decided on its bulk; declare floor and cap`;

const winBoundOf = (spec: ExperimentSpec, { role }: MetricSpec): number =>
  Math.log(1 / (role === 'goal' ? winAlphaOf(spec) : spec.analysis.alphaWin));

function contradictionOf(
  harmContradicted: boolean,
  win: TestResult | undefined,
  bound: number,
): MetricEvaluation['contradiction'] {
  if (harmContradicted) return 'harm';
  return win !== undefined && win.logE >= bound && win.agreement === 'contradicts' ? 'win' : undefined;
}

/** First events of both arms since the phase began, against the declared harm as a ratio of rates. */
function firstEventOutcome(spec: ExperimentSpec, metric: MetricSpec, candidate: string, arms: readonly ArmTotals[]) {
  return logEOfFirstEvents({
    side: 'harm',
    ratios: designRatios(1 + metric.harm / metric.baseline.mean),
    weights: designRatioWeights,
    epochs: [
      {
        allocation: allocationOf(spec, candidate),
        eventsA: arms[0]?.firstEvents ?? 0,
        eventsB: arms[1]?.firstEvents ?? 0,
      },
    ],
  });
}

type StrongestHarm = {
  readonly harm: TestResult | undefined;
  /** The largest weighted log e of a test whose means say the opposite; -Infinity: none. */
  readonly contradicted: number;
  readonly reason: string | undefined;
};

/** The harm test with the largest weighted log e over all test starts; without one, the first reason why. */
function strongestHarm(
  spec: ExperimentSpec,
  metric: MetricSpec,
  candidate: string,
  arms: readonly ArmTotals[],
  sums: readonly TestStartSums[],
  missingDiffers: boolean,
): StrongestHarm {
  const logWeight = Math.log(metricWeight(spec, metric));
  const rare = usesFirstEvents(metric);
  let harm: TestResult | undefined;
  let reason: string | undefined;
  let contradicted = -Infinity;
  for (const { testStart, control, candidate: tested } of sums) {
    const firstEvents = testStart.kind === 'whole' && rare;
    const seen = firstEvents ? arms.every(({ units }) => units > 0) : control.known > 0 && tested.known > 0;
    if (!seen) {
      reason ??= firstEvents ? 'no units in both arms yet' : 'no closed entries in both arms yet';
      continue;
    }
    const outcome = firstEvents
      ? firstEventOutcome(spec, metric, candidate, arms)
      : logEOfSums(control.harm, tested.harm);
    if (!outcome.ok) {
      reason ??= outcome.reason;
      continue;
    }
    const { logE } = outcome;
    const weightedLogE = logWeight + Math.log(testStart.weight) + logE;
    const agreement = harmAgreement(metric, firstEvents ? arms : undefined, control, tested, missingDiffers);
    const engine = firstEvents ? 'first-event' : 'betting';
    const mean = testStart.kind === 'whole' ? undefined : meanOf(tested);
    const estimate = mean === undefined ? {} : { estimate: ownValue(metric, mean) };
    const evidence = { engine, testStart, logE, weightedLogE, agreement } as const;
    const found: TestResult = { ...evidence, ...estimate, control, candidate: tested };
    // Evidence below 1 need not agree: it says that nothing is wrong.
    if (agreement === 'agrees' || logE <= 0) {
      if (weightedLogE > (harm?.weightedLogE ?? -Infinity)) harm = found;
    } else if (agreement === 'contradicts') contradicted = Math.max(contradicted, weightedLogE);
    if (agreement === 'unclear')
      reason ??= missingDiffers
        ? 'the arms differ in what is missing, and no difference is clear whatever that may be'
        : 'the arms contribute unequally, and no difference is clear yet';
  }
  return { harm, contradicted, reason };
}

/** The win test: the whole phase alone, with all of its alpha. Both the entries and the totals must agree with it. */
function winOf(
  metric: MetricSpec,
  phase: TestStartSums | undefined,
  arms: readonly ArmTotals[],
): TestResult | undefined {
  if (phase === undefined || phase.control.known === 0 || phase.candidate.known === 0) return undefined;
  const { testStart, control, candidate } = phase;
  const benefit = logEOfSums(control.win, candidate.win);
  if (!benefit.ok) return undefined;
  const { logE } = benefit;
  const entries = agreementOf('win', metric, control, candidate);
  const agreement = entries === 'agrees' ? totalsAgreement('win', metric, arms) : entries;
  return { engine: 'betting', testStart, logE, weightedLogE: logE, agreement, control, candidate };
}
