/**
 * Who came back? If the candidate was worse before a restart and its users left, those who enter afterwards differ by arm, and a harm test of the restart may be
 * about them. Two signs, from the same sums: the mirror test (control worse than the candidate, metrics without a margin) and the sample ratio of
 * those who entered since (E4). Design, E6. They label a rollback, they never hold it back.
 */
import type { Survivors } from '../kernel/evaluation.ts';
import { allocationOf, candidatesOf, type ExperimentSpec, familyWeight } from '../kernel/experiment.ts';
import type { CandidateCells } from './cells.ts';
import { logEOfSums } from './math/e1.ts';
import { logEOfRatio } from './math/e4.ts';
import { type PlacedRestart, sumsFrom } from './restarts.ts';

export function findSurvivors(spec: ExperimentSpec, restarts: readonly PlacedRestart[], cellsOf: (metric: string, candidate: string) => CandidateCells): Survivors[] {
  const since = restarts.filter(({ restart }) => restart.kind !== 'whole');
  const mirrorBound = Math.log(1 / spec.analysis.alphaHarm);
  const returnBound = Math.log(1 / spec.analysis.alphaSrm);
  // Entries of the shortest window close first: they count who came back soonest.
  const counted = [...spec.metrics].sort((a, b) => a.windowMs - b.windowMs)[0];
  return candidatesOf(spec).flatMap(({ id }): Survivors[] => {
    let mirror: Survivors['mirror'];
    let returns: Survivors['returns'];
    for (const metric of spec.metrics.filter(({ margin }) => margin === 0)) {
      const cells = cellsOf(metric.id, id);
      const logWeight = Math.log(familyWeight(spec, metric));
      for (const { restart, from } of since) {
        const found = logEOfSums(sumsFrom(cells.control, from).win, sumsFrom(cells.candidate, from).win);
        const weightedLogE = found.ok ? logWeight + Math.log(restart.weight) + found.logE : -Infinity;
        if (weightedLogE >= mirrorBound && weightedLogE > (mirror?.weightedLogE ?? -Infinity)) mirror = { metric: metric.id, restart: restart.label, weightedLogE };
      }
    }
    const q = allocationOf(spec, id);
    const cells = counted && cellsOf(counted.id, id);
    for (const { restart, from } of cells ? since : []) {
      const found = logEOfRatio([{ counts: [sumsFrom(cells?.control ?? new Map(), from).n, sumsFrom(cells?.candidate ?? new Map(), from).n], shares: [1 - q, q] }]);
      if (found.ok && found.logE >= returnBound && found.logE > (returns?.logE ?? -Infinity)) returns = { restart: restart.label, logE: found.logE };
    }
    return mirror || returns ? [{ candidate: id, ...(mirror && { mirror }), ...(returns && { returns }) }] : [];
  });
}
