/** What an arm's metric aggregates say, over all partitions; the estimate in the metric's own unit. */
import { valueRuleOf } from '../kernel/entry-value.ts';
import type { ArmTotals } from '../kernel/evaluation.ts';
import type { Look, TestSums } from '../kernel/evidence.ts';
import type { MetricSpec } from '../kernel/experiment.ts';

type Counted = Pick<ArmTotals, 'units' | 'knownCalls' | 'unknownCalls'>;

/**
 * Of what is known. Without a denominator, known calls stand for unknown ones. Undefined: nothing is known, or the
 * denominator is 0.
 */
function estimateOf(
  metric: MetricSpec,
  { units, knownCalls, unknownCalls }: Counted,
  sums: { readonly numerator: number; readonly denominator: number },
): number | undefined {
  const rule = valueRuleOf(metric);
  if (rule.needsCalls && knownCalls === 0) return undefined;
  const scale = rule.perCall || unknownCalls === 0 ? 1 : (knownCalls + unknownCalls) / knownCalls;
  const whole = rule.hasDenominator ? sums.denominator : units;
  const denominator = rule.countsRequests ? whole - unknownCalls : whole;
  if (denominator === 0) return undefined;
  return (sums.numerator / denominator) * (rule.sumsCalls ? 1 / scale : scale) * rule.ratio;
}

export function armTotals(look: Look, metric: MetricSpec, arm: string, whole: TestSums): ArmTotals {
  const aggregates = look.metricAggregates.filter(
    (aggregate) => aggregate.arm === arm && aggregate.metric === metric.id,
  );
  const add = (read: (aggregate: (typeof aggregates)[number]) => bigint | number): bigint =>
    aggregates.reduce((sum, aggregate) => sum + BigInt(read(aggregate)), 0n);
  const [numerator, denominator] = [add((held) => held.numerator), add((held) => held.denominator)];
  const counted = {
    units: Number(add(({ units }) => units)),
    knownCalls: Number(add(({ knownCalls }) => knownCalls)),
    unknownCalls: Number(add(({ unknownCalls }) => unknownCalls)),
  };
  const estimate = estimateOf(metric, counted, { numerator: Number(numerator), denominator: Number(denominator) });
  const { n, known, none, incomplete, uncalled, skipped, unanswered, below, above } = whole;
  return {
    arm,
    ...counted,
    incompleteUnits: Number(add(({ incompleteUnits }) => incompleteUnits)),
    firstEvents: Number(add(({ firstEvents }) => firstEvents)),
    numerator: String(numerator),
    denominator: String(denominator),
    entries: n,
    known,
    unknown: n - known - none,
    none,
    incomplete,
    uncalled,
    skipped,
    unanswered,
    below,
    above,
    ...(estimate !== undefined && { estimate }),
  };
}
