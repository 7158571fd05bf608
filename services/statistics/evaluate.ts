/**
 * One look: a pure function of the sums of one version vector. Each metric of each candidate is tested from every
 * restart; the strongest one, after its weights, is what rules compare with the bound. Beside them: SLOs, the sample
 * ratio, who came back, what control has taught so far.
 */
import type { Evaluation, MetricEvaluation, TestResult } from '../kernel/evaluation.ts';
import { emptyTestSums, type Look } from '../kernel/evidence.ts';
import {
  allocationOf,
  candidatesOf,
  controlOf,
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

/** E2 replaces E1 for the whole phase when events are this rare: it needs no closed entries and no exposure counts. */
const rareBelow = 0.02;

export const usesFirstEvents = ({ numerator, denominator, better, cap, margin, baseline }: MetricSpec): boolean =>
  isEventMeasure(numerator) &&
  denominator?.of === 'inference' &&
  denominator.name === 'requests' &&
  better === 'lower' &&
  cap === 1 &&
  margin === 0 &&
  baseline.mean > 0 &&
  baseline.mean < rareBelow;

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
  return {
    experiment,
    versionVector: [...partitions]
      .sort((a, b) => a.partitionId - b.partitionId)
      .map(({ partitionId, position }) => ({ partitionId, position })),
    ...(watermark !== undefined && { watermark }),
    ...(partitions.length > 0 && { newestClock: Math.max(...partitions.map(({ clock }) => clock)) }),
    eventsFolded: partitions.reduce((sum, { events }) => sum + events, 0),
    crossovers: partitions.reduce((sum, { crossovers }) => sum + crossovers, 0),
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
  const control = controlOf(spec).id;
  const [phase] = sums;
  const whole = [phase?.control ?? emptyTestSums(), phase?.candidate ?? emptyTestSums()] as const;
  const ratio = scaleOf(metric.denominator) / scaleOf(metric.numerator);
  const arms = [control, candidate].map((arm, side) => {
    const testAggregates = look.metricAggregates.filter(
      (aggregate) => aggregate.arm === arm && aggregate.metric === metric.id,
    );
    const numerator = testAggregates.reduce((sum, aggregate) => sum + aggregate.numerator, 0n);
    const denominator = testAggregates.reduce((sum, aggregate) => sum + aggregate.denominator, 0n);
    return {
      arm,
      units: testAggregates.reduce((sum, aggregate) => sum + aggregate.units, 0),
      firstEvents: testAggregates.reduce((sum, aggregate) => sum + aggregate.firstEvents, 0),
      numerator: String(numerator),
      denominator: String(denominator),
      entries: whole[side]?.n ?? 0,
      ...(denominator !== 0n && { estimate: (Number(numerator) / Number(denominator)) * ratio }),
    };
  });
  const logWeight = Math.log(metricWeight(spec, metric));
  const rare = usesFirstEvents(metric);
  let harm: TestResult | undefined;
  let win: TestResult | undefined;
  let reason: string | undefined;
  for (const { testStart, control: a, candidate: b } of sums) {
    const firstEvents = testStart.kind === 'whole' && rare;
    const seen = firstEvents ? arms.every(({ units }) => units > 0) : a.n > 0 && b.n > 0;
    if (!seen) {
      reason ??= firstEvents ? 'no units in both arms yet' : 'no closed entries in both arms yet';
      continue;
    }
    const outcome = firstEvents
      ? logEOfFirstEvents({
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
        })
      : logEOfSums(a.harm, b.harm);
    if (!outcome.ok) {
      reason ??= outcome.reason;
      continue;
    }
    const result: TestResult = {
      engine: firstEvents ? 'first-event' : 'betting',
      testStart,
      logE: outcome.logE,
      weightedLogE: logWeight + Math.log(testStart.weight) + outcome.logE,
      control: a,
      candidate: b,
    };
    if (harm === undefined || result.weightedLogE > harm.weightedLogE) harm = result;
    if (testStart.kind === 'whole' && a.n > 0 && b.n > 0) {
      const benefit = logEOfSums(a.win, b.win);
      if (benefit.ok)
        win = {
          engine: 'betting',
          testStart,
          logE: benefit.logE,
          weightedLogE: benefit.logE,
          control: a,
          candidate: b,
        };
    }
  }
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
