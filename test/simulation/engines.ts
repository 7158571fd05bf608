/** The product's exact engines as watchers of a walk: their bets, weights and bounds come from the product. */
import { betDesignOf, betWeights } from '../../services/kernel/bets.ts';
import type { ExperimentSpec, MetricSpec } from '../../services/kernel/experiment.ts';
import { bettingTable, firstEventTable, rowOf } from '../../services/simulation/bets.ts';
import {
  addToAll,
  addToLater,
  createMixture,
  type FactorTable,
  openTestStart,
} from '../../services/simulation/mixture.ts';
import { momentsOf, type ValueModel } from '../../services/simulation/values.ts';
import {
  designRatios,
  designRatioWeights,
  slotWeight,
  srmConcentrations,
  wholePhaseWeight,
} from '../../services/statistics/index.ts';
import type { Revision, Visit, Watcher } from './walk.ts';

export const alpha = 0.05;

/** A metric designed from a baseline's distribution; `harm` relative to its capped mean. */
export function metricFor(model: ValueModel, cap: number, harm: number): MetricSpec {
  const { mean, variance } = momentsOf(model, cap);
  return {
    id: 'metric',
    role: 'guardrail',
    numerator: { of: 'inference', name: 'errors' },
    denominator: { of: 'inference', name: 'requests' },
    better: 'lower',
    windowMs: 3_600_000,
    harm: harm * mean,
    baseline: { mean, sd: Math.sqrt(variance) },
    cap,
    margin: 0,
  };
}

/** An experiment with one candidate that gets this share, frozen bets for each revision. */
export function specFor(metric: MetricSpec, share: number): ExperimentSpec {
  return {
    id: 'simulated',
    unit: 'user',
    salt: 'simulated',
    arms: [
      { id: 'A', role: 'control', weight: 1 - share, config: {} },
      { id: 'B', role: 'candidate', weight: share, config: {} },
    ],
    analysis: {
      alphaHarm: alpha,
      alphaWin: alpha,
      alphaSrm: 0.001,
      alphaSlo: 0.01,
      fwer: false,
      testStartEveryMs: 21_600_000,
      horizonMs: 1_209_600_000,
      minRunMs: 0,
      freshnessMs: 300_000,
    },
    metrics: [metric],
    slos: [],
    health: { srm: 'pause', crossovers: 'exclude' },
  };
}

export type Tables = {
  readonly harm: FactorTable;
  readonly win: FactorTable;
  readonly firstHarm: FactorTable;
  readonly firstWin: FactorTable;
  readonly ratioWeights: readonly number[];
  readonly pointsPerArm: number;
  readonly segments: number;
  readonly shares: readonly number[];
};

export function tablesFor(metric: MetricSpec, revisions: readonly Revision[], segments: number): Tables {
  const bets = revisions.map(({ share, control, candidate }) => ({
    design: betDesignOf(specFor(metric, share), metric, 'B'),
    pointsA: control.points,
    pointsB: candidate.points,
  }));
  const ratios = designRatios(1 + metric.harm / metric.baseline.mean);
  const shares = revisions.map(({ share }) => share);
  return {
    harm: bettingTable(bets, metric, 'harm'),
    win: bettingTable(bets, metric, 'win'),
    firstHarm: firstEventTable(shares, ratios, 'harm'),
    firstWin: firstEventTable(shares, ratios, 'win'),
    ratioWeights: designRatioWeights,
    pointsPerArm: revisions[0]?.control.points.length ?? 0,
    segments,
    shares,
  };
}

/** Log weight of the test start at a segment. */
export type TestStartPrior = (segment: number) => number;
/** The product's weights for a plan of so many segments. */
export const unionPrior =
  (segments: number): TestStartPrior =>
  (segment) =>
    Math.log(segment === 0 ? wholePhaseWeight : slotWeight(segment, segments));

/**
 * Betting from every test start that has a prior; a unit enters a segment once. `everyVisit`: counts each visit as a
 * unit (broken).
 */
export function watchBetting(
  tables: Tables,
  prior: TestStartPrior,
  options: { side?: 'harm' | 'win'; level?: number; everyVisit?: boolean } = {},
): Watcher {
  const mixture = createMixture(betWeights, Math.log(1 / (options.level ?? alpha)), tables.segments);
  const table = tables[options.side ?? 'harm'];
  const { pointsPerArm } = tables;
  const testStartOf = new Int32Array(tables.segments + 1);
  return {
    open: (segment) => {
      const logPrior = prior(segment);
      if (logPrior > -Infinity) openTestStart(mixture, logPrior);
      testStartOf[segment + 1] = mixture.testStarts;
    },
    see: (visit: Visit) => {
      if (visit.last === visit.segment && !options.everyVisit) return false;
      const row = rowOf(pointsPerArm, visit.revision, visit.isCandidate, visit.point);
      if (visit.last < 0 || options.everyVisit) addToAll(mixture, table, row);
      else addToLater(mixture, table, row, testStartOf[visit.last + 1] as number);
      return mixture.fired;
    },
  };
}

/** The whole phase alone, with all of alpha. */
export const wholeOnly: TestStartPrior = (segment) => (segment === 0 ? 0 : -Infinity);

/**
 * First events, whole phase, all of alpha, on first events. `everyEvent`: on every event (broken when units come back).
 */
export function watchFirstEvent(
  tables: Tables,
  options: { side?: 'harm' | 'win'; everyEvent?: boolean } = {},
): Watcher {
  const mixture = createMixture(tables.ratioWeights, Math.log(1 / alpha), 1);
  openTestStart(mixture, 0);
  const table = options.side === 'win' ? tables.firstWin : tables.firstHarm;
  return {
    see: (visit: Visit) => {
      if (!(options.everyEvent ? visit.isEvent : visit.isFirstEvent)) return false;
      addToAll(mixture, table, visit.revision * 2 + (visit.isCandidate ? 1 : 0));
      return mixture.fired;
    },
  };
}

/**
 * The sample ratio on first exposures: each concentration's Bayes factor multiplies by (k share + n_arm) / ((k + n)
 * share), per revision.
 */
export function watchSampleRatio(shares: readonly number[], level: number): Watcher {
  const factors = srmConcentrations.map(() => 1);
  const counts = shares.map(() => [0, 0]);
  return {
    see: (visit: Visit) => {
      if (visit.last >= 0) return false;
      const count = counts[visit.revision] as number[];
      const arm = visit.isCandidate ? 1 : 0;
      const share = visit.isCandidate ? (shares[visit.revision] as number) : 1 - (shares[visit.revision] as number);
      const mine = count[arm] as number;
      const all = (count[0] as number) + (count[1] as number);
      let sum = 0;
      for (let index = 0; index < factors.length; index += 1) {
        const k = srmConcentrations[index] as number;
        const factor = ((factors[index] as number) * (k * share + mine)) / ((k + all) * share);
        factors[index] = factor;
        sum += factor;
      }
      count[arm] = mine + 1;
      return sum >= factors.length / level;
    },
  };
}
