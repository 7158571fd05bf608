/**
 * One arm against its own limit, from every test start: a unit's value lies in [0, 1] (capped, harm upwards), its share
 * of being bad.
 */
import type { SloEvaluation } from '../kernel/evaluation.ts';
import { fixedPoint, scaledValue } from '../kernel/bets.ts';
import { candidatesOf, controlOf, type ExperimentSpec, type SloSpec } from '../kernel/experiment.ts';
import type { SumsOf } from './aggregates.ts';
import { logEOfShares } from './math/slo.ts';

/** Control's sums are the same with any candidate: the first is taken. */
export function evaluateSlo(spec: ExperimentSpec, slo: SloSpec, sumsOf: SumsOf): SloEvaluation {
  const base = { id: slo.id, arm: slo.arm, metric: slo.metric, action: slo.action };
  const metric = spec.metrics.find(({ id }) => id === slo.metric);
  const isControl = slo.arm === controlOf(spec).id;
  const candidate = isControl ? candidatesOf(spec)[0]?.id : slo.arm;
  if (metric === undefined || candidate === undefined)
    return { ...base, status: 'unknown', killed: false, reason: 'the arm or the metric is not part of this phase' };
  const side = isControl ? 'control' : 'candidate';
  const limit = scaledValue(metric, slo.worseThan);
  const threshold = Math.log(1 / (spec.analysis.alphaSlo - (slo.hardKill?.alpha ?? 0)));
  let test: NonNullable<SloEvaluation['test']> | undefined;
  let reason = 'no closed entries yet';
  let killed = false;
  for (const { testStart, [side]: sums } of sumsOf(metric.id, candidate)) {
    if (sums.known === 0) continue;
    const bad = sums.sv / fixedPoint;
    // The event "so many of the first n" contains "so many while at most n have closed": order does not matter, and the
    // spent alpha holds.
    if (testStart.kind === 'whole' && slo.hardKill !== undefined)
      killed = sums.known <= slo.hardKill.of && Math.round(bad) >= slo.hardKill.fail;
    const found = logEOfShares({ bad: Math.min(bad, sums.known), units: sums.known, limit });
    if (!found.ok) {
      reason = found.reason;
      continue;
    }
    const weightedLogE = Math.log(testStart.weight) + found.logE;
    if (test === undefined || weightedLogE > test.weightedLogE)
      test = { testStart, units: sums.known, bad, logE: found.logE, weightedLogE, threshold };
  }
  if (test === undefined) return { ...base, status: 'unknown', killed, reason };
  return { ...base, status: killed || test.weightedLogE >= threshold ? 'bad' : 'fine', killed, test };
}
