/**
 * One look: a pure function of the sums of one version vector. Each metric of each candidate is tested from every test
 * start; the strongest one, after its weights, is what rules compare with the bound. With them: SLOs, the sample ratio,
 * the attrition check, what control has taught so far.
 */
import type { Evaluation, MetricEvaluation, TestResult } from '../kernel/evaluation.ts';
import { emptyTestSums, type Look, type TestSums } from '../kernel/evidence.ts';
import {
  allocationOf,
  candidatesOf,
  controlOf,
  type ExperimentSpec,
  metricWeight,
  harmAlphaOf,
  type MetricSpec,
} from '../kernel/experiment.ts';
import { isEventMeasure, scaleOf } from '../kernel/measures.ts';
import { indexAggregates, type TestStartSums } from './aggregates.ts';
import { intervalOf } from './intervals.ts';
import { learnBaselines } from './learned.ts';
import { logEOfSums } from './math/betting.ts';
import { designRatios, designRatioWeights, logEOfFirstEvents } from './math/first-event.ts';
import { logEOfRatio } from './math/sample-ratio.ts';
import { placeTestStarts } from './test-starts.ts';
import { evaluateSlo } from './slos.ts';
import { checkAttrition } from './attrition.ts';

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
    for (const [arm, units] of Object.entries(assigned)) counts[arm] = (counts[arm] ?? 0) + units;
  const weightSum = spec.arms.reduce((sum, { weight }) => sum + weight, 0);
  const ratio = logEOfRatio([
    { counts: spec.arms.map(({ id }) => counts[id] ?? 0), shares: spec.arms.map(({ weight }) => weight / weightSum) },
  ]);
  const sumsOf = indexAggregates(look, placeTestStarts(look));
  const watermark = holding.length > 0 ? Math.min(...holding.map(({ clock }) => clock)) : undefined;
  const metrics = candidatesOf(spec).flatMap(({ id }) =>
    spec.metrics.map((metric) => evaluateMetric(look, metric, id, sumsOf(metric.id, id), watermark)),
  );
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
    attrition: checkAttrition(spec, sumsOf),
    silent: silentArms(look),
    ...(spec.learning && { learned: learnBaselines(look, watermark) }),
  };
}

/**
 * Arms without an inference for longer than `health.no_traffic`, while another has had one: traffic flows, but not
 * there.
 */
function silentArms({ experiment: { spec, phaseStartedAt }, partitions }: Look): string[] {
  const { noTrafficMs } = spec.health;
  if (noTrafficMs === undefined) return [];
  const latest = spec.arms.map(({ id }) =>
    Math.max(phaseStartedAt, ...partitions.map(({ lastSeenAt }) => lastSeenAt?.[id] ?? 0)),
  );
  const newest = Math.max(...latest);
  return spec.arms.filter((_, arm) => newest - (latest[arm] ?? 0) > noTrafficMs).map(({ id }) => id);
}

function evaluateMetric(
  look: Look,
  metric: MetricSpec,
  candidate: string,
  sums: readonly TestStartSums[],
  watermark: number | undefined,
): MetricEvaluation {
  const { spec } = look.experiment;
  const [phase] = sums;
  const whole = [phase?.control ?? emptyTestSums(), phase?.candidate ?? emptyTestSums()] as const;
  const arms = [controlOf(spec).id, candidate].map((arm, side) => armTotals(look, metric, arm, whole[side]));
  const { harm, reason } = strongestHarm(spec, metric, candidate, arms, sums);
  const win = winOf(phase);
  const threshold = Math.log(1 / harmAlphaOf(spec));
  const status = harm === undefined ? 'unknown' : harm.weightedLogE >= threshold ? 'bad' : 'fine';
  return {
    metric: metric.id,
    candidate,
    role: metric.role,
    arms,
    ...(harm && { harm }),
    ...(win && { win }),
    ...intervalOf(look, metric, candidate, whole, watermark),
    status,
    ...(harm === undefined && { reason: reason ?? 'nothing seen yet' }),
  };
}

type ArmTotals = MetricEvaluation['arms'][number];

/** What an arm's metric aggregates say, over all partitions; the estimate in the metric's own unit. */
function armTotals(look: Look, metric: MetricSpec, arm: string, whole: TestSums | undefined): ArmTotals {
  const aggregates = look.metricAggregates.filter(
    (aggregate) => aggregate.arm === arm && aggregate.metric === metric.id,
  );
  const numerator = aggregates.reduce((sum, aggregate) => sum + aggregate.numerator, 0n);
  const denominator = aggregates.reduce((sum, aggregate) => sum + aggregate.denominator, 0n);
  const ratio = scaleOf(metric.denominator) / scaleOf(metric.numerator);
  return {
    arm,
    units: aggregates.reduce((sum, { units }) => sum + units, 0),
    firstEvents: aggregates.reduce((sum, { firstEvents }) => sum + firstEvents, 0),
    numerator: String(numerator),
    denominator: String(denominator),
    entries: whole?.n ?? 0,
    ...(denominator !== 0n && { estimate: (Number(numerator) / Number(denominator)) * ratio }),
  };
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

/** The harm test with the largest weighted log e over all test starts; without one, the first reason why. */
function strongestHarm(
  spec: ExperimentSpec,
  metric: MetricSpec,
  candidate: string,
  arms: readonly ArmTotals[],
  sums: readonly TestStartSums[],
): { readonly harm: TestResult | undefined; readonly reason: string | undefined } {
  const logWeight = Math.log(metricWeight(spec, metric));
  const rare = usesFirstEvents(metric);
  let harm: TestResult | undefined;
  let reason: string | undefined;
  for (const { testStart, control, candidate: tested } of sums) {
    const firstEvents = testStart.kind === 'whole' && rare;
    const seen = firstEvents ? arms.every(({ units }) => units > 0) : control.n > 0 && tested.n > 0;
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
    const weightedLogE = logWeight + Math.log(testStart.weight) + outcome.logE;
    if (harm !== undefined && weightedLogE <= harm.weightedLogE) continue;
    const engine = firstEvents ? 'first-event' : 'betting';
    harm = { engine, testStart, logE: outcome.logE, weightedLogE, control, candidate: tested };
  }
  return { harm, reason };
}

/** The win test: the whole phase alone, with all of its alpha. */
function winOf(phase: TestStartSums | undefined): TestResult | undefined {
  if (phase === undefined || phase.control.n === 0 || phase.candidate.n === 0) return undefined;
  const { testStart, control, candidate } = phase;
  const benefit = logEOfSums(control.win, candidate.win);
  if (!benefit.ok) return undefined;
  return { engine: 'betting', testStart, logE: benefit.logE, weightedLogE: benefit.logE, control, candidate };
}
