import type { MetricEvaluation } from '../kernel/evaluation.ts';
import { type ExperimentSpec, familyWeight } from '../kernel/experiment.ts';

/**
 * The metrics that are harmed, strongest first: Holm's step-down on e-values. A metric is named while its e, times its weight among those not named yet,
 * reaches 1 / alpha (Holm 1979; Vovk & Wang 2021 for e-values). The family-wise error of all that are named is alpha, whatever the dependence.
 * `metrics`: one family of one candidate. Metrics without a test keep their share: it is never handed on.
 */
export function eHolm(spec: ExperimentSpec, metrics: readonly MetricEvaluation[], alpha: number): MetricEvaluation[] {
  const strongestFirst = metrics.filter(({ harm }) => harm !== undefined).sort((a, b) => (b.harm?.weightedLogE ?? 0) - (a.harm?.weightedLogE ?? 0) || (a.metric < b.metric ? -1 : 1));
  const bound = Math.log(1 / alpha);
  const named: MetricEvaluation[] = [];
  let left = 1;
  for (const metric of strongestFirst) {
    // Weights are inside `weightedLogE` for a whole family; with less of it left each weighs more.
    if ((metric.harm?.weightedLogE ?? -Infinity) - Math.log(left) < bound) break;
    named.push(metric);
    left = Math.max(left - familyWeight(spec, metric), Number.EPSILON);
  }
  return named;
}
