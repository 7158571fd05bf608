/** What a unit's closed entry adds to the sums that tests read. The joiner folds with it, simulations too. */
import { addBetLogs, type BetDesign, fixedPoint, scaledValue } from './bets.ts';
import { type EntryValue, reached, type EntryCounts } from './entry-value.ts';
import type { TestSums } from './evidence.ts';
import type { MetricSpec } from './experiment.ts';

/** Weights, their squares and scales are kept in multiples of this. */
export const weightPoint = 2 ** 20;

/** The bet whose limit the weights of the moments keep to: the one at the design effect. */
const designBet = 2;

/**
 * By how much a candidate's weights are multiplied so that both arms contribute alike, fixed before the entry is seen.
 * In multiples of 2^-20.
 */
export type Scales = { readonly harm: number; readonly win: number };
export const evenScales: Scales = { harm: weightPoint, win: weightPoint };

/** What an arm's entries contributed so far: how many there were, and their weights in tests of harm and win. */
export type Contributions = Pick<TestSums, 'n' | 'w' | 'bound'>;

/** So many entries of the average weight are added to each arm: few entries say little of what it contributes. */
const imagined = 25;
/** Scales beyond are not taken: the arms are too unlike to be compared by weighting. */
const mostScale = 4;

/**
 * Scales for the candidate's next entries: control's mean contribution over the candidate's, from closed entries alone.
 * Where one arm's denominators are larger, or its values missing more often, evidence is then still about the means and
 * not about how many there are of them (`services/statistics/README.md`, "Ratios").
 */
export const scalesOf = (control: Contributions, candidate: Contributions): Scales => ({
  harm: evenScale(control.n, control.w, candidate.n, candidate.w),
  win: evenScale(control.n, control.bound, candidate.n, candidate.bound),
});

/** The sums of one part of a divided partition may be negative: nothing is known of these. */
function evenScale(unitsA: number, sumA: number, unitsB: number, sumB: number): number {
  const [a, b] = [Math.max(0, sumA), Math.max(0, sumB)];
  const average = (a + b) / Math.max(1, unitsA + unitsB);
  if (average === 0) return weightPoint;
  const meanA = (a + imagined * average) / (Math.max(0, unitsA) + imagined);
  const meanB = (b + imagined * average) / (Math.max(0, unitsB) + imagined);
  return Math.round(Math.min(Math.max(meanA / meanB, 1 / mostScale), mostScale) * weightPoint);
}

/** A closed entry: what was counted, what that is worth, and the scales of its weight. */
export type ClosedEntry = { readonly counts: EntryCounts; readonly value: EntryValue; readonly scales: Scales };

/**
 * Adds an entry to one arm's sums against one candidate, or takes it back (`sign` -1). Harm bets on what is known; a
 * value that is not known at all bets on nothing. A win bets on the end of the range that is worst for the candidate
 * and best for control.
 */
export function addEntry(
  sums: TestSums,
  metric: MetricSpec,
  design: BetDesign,
  isCandidate: boolean,
  { counts, value, scales }: ClosedEntry,
  sign: 1 | -1,
): void {
  sums.n += sign;
  if (counts.unknown > 0) sums.incomplete += sign;
  if ((counts.reached & reached.called) === 0) sums.uncalled += sign;
  else if ((counts.reached & (reached.skipped | reached.awaited)) > 0) sums.skipped += sign;
  if ((counts.reached & reached.failed) > 0) sums.unanswered += sign;
  if (value.state === 'none') {
    sums.none += sign;
    return;
  }
  const low = scaledValue(metric, value.low);
  const high = value.high === value.low ? low : scaledValue(metric, value.high);
  // `better: higher` turns the ends round.
  const towardsHarm = isCandidate ? Math.max(low, high) : Math.min(low, high);
  const scale = isCandidate ? scales.win / weightPoint : 1;
  addBetLogs(sums.win, design, 'win', isCandidate, towardsHarm, value.weight * scale, sign);
  sums.bound += sign * Math.floor(Math.min(value.weight, design.mostWeight.win[designBet] ?? 1) * weightPoint);
  if (value.state === 'known') addKnown(sums, metric, design, isCandidate, value, scales.harm, sign);
}

function addKnown(
  sums: TestSums,
  metric: MetricSpec,
  design: BetDesign,
  isCandidate: boolean,
  { value, knownWeight }: Extract<EntryValue, { state: 'known' }>,
  scale: number,
  sign: 1 | -1,
): void {
  const x = scaledValue(metric, value);
  sums.known += sign;
  if (value !== 0) sums.s += sign;
  if (value < (metric.floor ?? 0)) sums.below += sign;
  if (value > metric.cap) sums.above += sign;
  sums.sv += sign * Math.floor(x * fixedPoint);
  sums.svv += sign * Math.floor(x * x * fixedPoint);
  const scaled = isCandidate ? knownWeight * (scale / weightPoint) : knownWeight;
  addBetLogs(sums.harm, design, 'harm', isCandidate, x, scaled, sign);
  const w = Math.min(knownWeight, design.mostWeight.harm[designBet] ?? 1);
  sums.w += sign * Math.floor(w * weightPoint);
  sums.wx += sign * Math.floor(w * x * weightPoint);
  sums.ww += sign * Math.floor(w * w * weightPoint);
  sums.wwx += sign * Math.floor(w * w * x * weightPoint);
  sums.wwxx += sign * Math.floor(w * w * x * x * weightPoint);
}
