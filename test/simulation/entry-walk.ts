/**
 * A phase of closed entries: each unit is drawn, counted as the joiner counts it and judged as statistics judges it, by
 * the product's own functions. What a unit is (`UnitModel`) decides what is simulated: values that are missing,
 * denominators that differ, values below zero.
 */
import { betDesignOf, betWeights, fixedPoint } from '../../services/kernel/bets.ts';
import { addEntry, evenScales, scalesOf } from '../../services/kernel/entry-sums.ts';
import { entryValue, type EntryCounts, valueRuleOf } from '../../services/kernel/entry-value.ts';
import { emptyTestSums, type TestSums } from '../../services/kernel/evidence.ts';
import type { ExperimentSpec, MetricSpec } from '../../services/kernel/experiment.ts';
import { createRandom, seedOf } from '../../services/simulation/random.ts';
import { agreementOf } from '../../services/statistics/agreement.ts';
import { logEOfSums } from '../../services/statistics/math/betting.ts';
import { evaluateMissing } from '../../services/statistics/missing.ts';
import { alpha, specFor } from './engines.ts';

/** Whole number in [0, 2^32) to a share in [0, 1). */
export type Uniform = () => number;
/** One unit's entry. `at`: its place in the phase, in [0, 1). */
export type UnitModel = (uniform: Uniform, isCandidate: boolean, at: number) => EntryCounts;

export type EntryPlan = {
  readonly metric: MetricSpec;
  /** Share of the candidate. */
  readonly q: number;
  readonly units: number;
  readonly draw: UnitModel;
  /** Ends a run at the first alarm of harm. */
  readonly untilHarm?: boolean;
  /** Looks for lost calls as well, and ends a run when they are found. */
  readonly untilLost?: boolean;
};

/** Units until the first alarm; 0: none. */
export type EntryRun = {
  readonly harm: number;
  readonly win: number;
  /** Units of the candidate until calls were found to be lost; 0: never. */
  readonly lost: number;
  readonly sums: readonly [control: TestSums, candidate: TestSums];
};

const bound = Math.log(1 / alpha);
const testStart = { kind: 'whole', label: 'whole phase', index: 0, weight: 0.375 } as const;
/** Units between two looks at what is missing. */
const missingEvery = 20;

/** A look at every unit, with all of alpha. */
export function walkEntries(plan: EntryPlan, seed: number): EntryRun {
  const { metric, q, units, draw, untilHarm = false, untilLost = false } = plan;
  const random = createRandom(seed);
  const uniform: Uniform = () => random.next() / 2 ** 32;
  const spec = specFor(metric, q);
  const rule = valueRuleOf(metric);
  const design = betDesignOf(spec, metric, 'B');
  const sums = [emptyTestSums(), emptyTestSums()] as const;
  const [control, candidate] = sums;
  const found = { harm: 0, win: 0, lost: 0 };
  for (let unit = 1; unit <= units; unit += 1) {
    const isCandidate = uniform() < q;
    const counts = draw(uniform, isCandidate, (unit - 1) / units);
    const scales = isCandidate ? scalesOf(control, candidate) : evenScales;
    const entry = { counts, value: entryValue(rule, counts), scales };
    addEntry(sums[isCandidate ? 1 : 0], metric, design, isCandidate, entry, 1);
    if (found.harm === 0 && isShown('harm', metric, sums)) found.harm = unit;
    if (found.win === 0 && isShown('win', metric, sums)) found.win = unit;
    if (untilLost && unit % missingEvery === 0 && isLost(spec, sums)) found.lost = candidate.n;
    if ((untilHarm && found.harm > 0) || found.lost > 0) break;
  }
  return { ...found, sums };
}

const logWeights = betWeights.map(Math.log);
/** A mixture is at most its largest part times how many there are. */
const mayReach = (side: 'harm' | 'win', [control, candidate]: EntryRun['sums']): boolean =>
  logWeights.some(
    (weight, j) =>
      weight + ((control[side][j] ?? 0) + (candidate[side][j] ?? 0)) / fixedPoint + Math.log(logWeights.length) >=
      bound,
  );

function isShown(side: 'harm' | 'win', metric: MetricSpec, sums: EntryRun['sums']): boolean {
  if (!mayReach(side, sums)) return false;
  const [control, candidate] = sums;
  const found = logEOfSums(control[side], candidate[side]);
  return found.ok && found.logE >= bound && agreementOf(side, metric, control, candidate) === 'agrees';
}

const isLost = (spec: ExperimentSpec, [control, candidate]: EntryRun['sums']): boolean =>
  evaluateMissing(spec, () => [{ testStart, control, candidate }]).some(
    ({ step, status }) => step === 'called' && status === 'bad',
  );

/** Runs `from` to `to` of a plan, each with a stream of its own. */
export const runsOf = (plan: EntryPlan, path: readonly number[], from: number, to: number): EntryRun[] =>
  Array.from({ length: to - from }, (_, index) => walkEntries(plan, seedOf(...path, from + index)));
