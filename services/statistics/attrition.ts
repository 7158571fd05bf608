/**
 * The attrition check: who came back? If the candidate was worse before a test start and its users left, those who
 * enter afterwards differ by arm, and a harm test from there may be about them. Two signs, from the same sums: the
 * reverse test (control worse than the candidate, metrics without a margin) and the sample ratio of those who entered
 * since. They label a rollback, they never hold it back.
 */
import type { Attrition } from '../kernel/evaluation.ts';
import { allocationOf, candidatesOf, type ExperimentSpec, metricWeight } from '../kernel/experiment.ts';
import type { SumsOf } from './aggregates.ts';
import { logEOfSums } from './math/betting.ts';
import { logEOfRatio } from './math/sample-ratio.ts';

export function checkAttrition(spec: ExperimentSpec, sumsOf: SumsOf): Attrition[] {
  const since = (metric: string, candidate: string) =>
    sumsOf(metric, candidate).filter(({ testStart }) => testStart.kind !== 'whole');
  const reverseBound = Math.log(1 / spec.analysis.alphaHarm);
  const returnBound = Math.log(1 / spec.analysis.alphaSrm);
  // Entries of the shortest window close first: they count who came back soonest.
  const counted = [...spec.metrics].sort((a, b) => a.windowMs - b.windowMs)[0];
  return candidatesOf(spec).flatMap(({ id }): Attrition[] => {
    let reverse: Attrition['reverse'];
    let returns: Attrition['returns'];
    for (const metric of spec.metrics.filter(({ margin }) => margin === 0)) {
      const logWeight = Math.log(metricWeight(spec, metric));
      for (const { testStart, control, candidate } of since(metric.id, id)) {
        const found = logEOfSums(control.win, candidate.win);
        const weightedLogE = found.ok ? logWeight + Math.log(testStart.weight) + found.logE : -Infinity;
        if (weightedLogE >= reverseBound && weightedLogE > (reverse?.weightedLogE ?? -Infinity))
          reverse = { metric: metric.id, testStart: testStart.label, weightedLogE };
      }
    }
    const q = allocationOf(spec, id);
    for (const { testStart, control, candidate } of counted ? since(counted.id, id) : []) {
      const found = logEOfRatio([{ counts: [control.n, candidate.n], shares: [1 - q, q] }]);
      if (found.ok && found.logE >= returnBound && found.logE > (returns?.logE ?? -Infinity))
        returns = { testStart: testStart.label, logE: found.logE };
    }
    return reverse || returns ? [{ candidate: id, ...(reverse && { reverse }), ...(returns && { returns }) }] : [];
  });
}
