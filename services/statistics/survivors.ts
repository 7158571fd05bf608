/**
 * Who came back? If the candidate was worse before a restart and its users left, those who enter afterwards differ by
 * arm, and a harm test of the restart may be about them. Two signs, from the same sums: the mirror test (control worse
 * than the candidate, metrics without a margin) and the sample ratio of those who entered since (E4). Design, E6. They
 * label a rollback, they never hold it back.
 */
import type { Survivors } from '../kernel/evaluation.ts';
import { allocationOf, candidatesOf, type ExperimentSpec, familyWeight } from '../kernel/experiment.ts';
import type { SumsOf } from './cells.ts';
import { logEOfSums } from './math/e1.ts';
import { logEOfRatio } from './math/e4.ts';

export function findSurvivors(spec: ExperimentSpec, sumsOf: SumsOf): Survivors[] {
  const since = (metric: string, candidate: string) =>
    sumsOf(metric, candidate).filter(({ restart }) => restart.kind !== 'whole');
  const mirrorBound = Math.log(1 / spec.analysis.alphaHarm);
  const returnBound = Math.log(1 / spec.analysis.alphaSrm);
  // Entries of the shortest window close first: they count who came back soonest.
  const counted = [...spec.metrics].sort((a, b) => a.windowMs - b.windowMs)[0];
  return candidatesOf(spec).flatMap(({ id }): Survivors[] => {
    let mirror: Survivors['mirror'];
    let returns: Survivors['returns'];
    for (const metric of spec.metrics.filter(({ margin }) => margin === 0)) {
      const logWeight = Math.log(familyWeight(spec, metric));
      for (const { restart, control, candidate } of since(metric.id, id)) {
        const found = logEOfSums(control.win, candidate.win);
        const weightedLogE = found.ok ? logWeight + Math.log(restart.weight) + found.logE : -Infinity;
        if (weightedLogE >= mirrorBound && weightedLogE > (mirror?.weightedLogE ?? -Infinity))
          mirror = { metric: metric.id, restart: restart.label, weightedLogE };
      }
    }
    const q = allocationOf(spec, id);
    for (const { restart, control, candidate } of counted ? since(counted.id, id) : []) {
      const found = logEOfRatio([{ counts: [control.n, candidate.n], shares: [1 - q, q] }]);
      if (found.ok && found.logE >= returnBound && found.logE > (returns?.logE ?? -Infinity))
        returns = { restart: restart.label, logE: found.logE };
    }
    return mirror || returns ? [{ candidate: id, ...(mirror && { mirror }), ...(returns && { returns }) }] : [];
  });
}
