import { eHolm } from '../kernel/e-holm.ts';
import type { MetricEvaluation } from '../kernel/evaluation.ts';
import { type ExperimentSpec, metricWeight } from '../kernel/experiment.ts';

/**
 * The metrics that are harmed, strongest first, named by e-Holm on weights of the whole family. `metrics`: of one
 * family of one candidate; those without a test keep their share: it is never handed on.
 */
export function breachingMetrics(
  spec: ExperimentSpec,
  metrics: readonly MetricEvaluation[],
  alpha: number,
): MetricEvaluation[] {
  const tested = metrics.flatMap((metric) =>
    metric.harm === undefined ? [] : [{ metric, log: metric.harm.weightedLogE, weight: metricWeight(spec, metric) }],
  );
  const untested =
    spec.metrics
      .filter(({ role }) => (role === 'signal') === (metrics[0]?.role === 'signal'))
      .reduce((sum, metric) => sum + metricWeight(spec, metric), 0) -
    tested.reduce((sum, { weight }) => sum + weight, 0);
  // A hypothesis of e = 0 stands for the rest of the family: it never falls.
  const found = eHolm(
    [...tested.map(({ log, weight }) => log - Math.log(weight)), -Infinity],
    [...tested.map(({ weight }) => weight), Math.max(0, untested)],
    alpha,
  );
  if (!found.ok) return [];
  return tested
    .filter((_, at) => found.rejected[at])
    .sort((a, b) => b.log - a.log || (a.metric.metric < b.metric.metric ? -1 : 1))
    .map(({ metric }) => metric);
}
