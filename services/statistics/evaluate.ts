/**
 * One look: a pure function of the sums of one version vector. Each metric of each candidate is tested from every
 * restart; the strongest one, after its weights, is what rules compare with the bound. Beside them: SLOs, the sample
 * ratio, who came back, what control has taught so far.
 */
import type { Evaluation, MetricEvaluation, TestResult } from '../kernel/evaluation.ts';
import { emptyEntrySums, type Look } from '../kernel/evidence.ts';
import {
  allocationOf,
  candidatesOf,
  controlOf,
  familyWeight,
  harmAlphaOf,
  type MetricSpec,
} from '../kernel/experiment.ts';
import { isEventMeasure, scaleOf } from '../kernel/measures.ts';
import { indexCells, type RestartSums } from './cells.ts';
import { intervalOf } from './intervals.ts';
import { learnBaselines } from './learned.ts';
import { logEOfSums } from './math/e1.ts';
import { designRatios, designRatioWeights, logEOfFirstEvents } from './math/e2.ts';
import { logEOfRatio } from './math/e4.ts';
import { placeRestarts } from './restarts.ts';
import { evaluateSlo } from './slos.ts';
import { findSurvivors } from './survivors.ts';

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
  const sumsOf = indexCells(look, placeRestarts(look));
  const watermark = holding.length > 0 ? Math.min(...holding.map(({ clock }) => clock)) : undefined;
  const metrics = candidatesOf(spec).flatMap(({ id }) =>
    spec.metrics.map((metric) => evaluateMetric(look, metric, id, sumsOf(metric.id, id), watermark)),
  );
  return {
    experiment,
    versionVector: [...partitions].sort((a, b) => a.part - b.part).map(({ part, ver }) => ({ part, ver })),
    ...(watermark !== undefined && { watermark }),
    ...(partitions.length > 0 && { newestClock: Math.max(...partitions.map(({ clock }) => clock)) }),
    eventsFolded: partitions.reduce((sum, { events }) => sum + events, 0),
    crossovers: partitions.reduce((sum, { crossovers }) => sum + crossovers, 0),
    settled: partitions.length > 0 && partitions.every(({ revision }) => revision === experiment.revision),
    srm: { logE: ratio.ok ? ratio.logE : 0, counts },
    metrics,
    slos: spec.slos.map((slo) => evaluateSlo(spec, slo, sumsOf)),
    survivors: findSurvivors(spec, sumsOf),
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
  sums: readonly RestartSums[],
  watermark: number | undefined,
): MetricEvaluation {
  const { spec } = look.experiment;
  const control = controlOf(spec).id;
  const [phase] = sums;
  const whole = [phase?.control ?? emptyEntrySums(), phase?.candidate ?? emptyEntrySums()] as const;
  const ratio = scaleOf(metric.denominator) / scaleOf(metric.numerator);
  const arms = [control, candidate].map((arm, side) => {
    const cells = look.reports.filter((cell) => cell.arm === arm && cell.metric === metric.id);
    const numerator = cells.reduce((sum, cell) => sum + cell.numerator, 0n);
    const denominator = cells.reduce((sum, cell) => sum + cell.denominator, 0n);
    return {
      arm,
      units: cells.reduce((sum, cell) => sum + cell.units, 0),
      firstEvents: cells.reduce((sum, cell) => sum + cell.firstEvents, 0),
      numerator: String(numerator),
      denominator: String(denominator),
      entries: whole[side]?.n ?? 0,
      ...(denominator !== 0n && { estimate: (Number(numerator) / Number(denominator)) * ratio }),
    };
  });
  const logWeight = Math.log(familyWeight(spec, metric));
  const rare = usesFirstEvents(metric);
  let harm: TestResult | undefined;
  let win: TestResult | undefined;
  let reason: string | undefined;
  for (const { restart, control: a, candidate: b } of sums) {
    const firstEvents = restart.kind === 'whole' && rare;
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
      engine: firstEvents ? 'E2' : 'E1',
      restart,
      logE: outcome.logE,
      weightedLogE: logWeight + Math.log(restart.weight) + outcome.logE,
      control: a,
      candidate: b,
    };
    if (harm === undefined || result.weightedLogE > harm.weightedLogE) harm = result;
    if (restart.kind === 'whole' && a.n > 0 && b.n > 0) {
      const benefit = logEOfSums(a.win, b.win);
      if (benefit.ok)
        win = { engine: 'E1', restart, logE: benefit.logE, weightedLogE: benefit.logE, control: a, candidate: b };
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
