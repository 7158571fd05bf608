/** What is drawn for one unit: calls that are missing, denominators that differ between the arms, margins. */
import { reached, type EntryCounts } from '../../services/kernel/entry-value.ts';
import type { MetricSpec } from '../../services/kernel/experiment.ts';
import { scaleOf } from '../../services/kernel/measures.ts';
import type { Uniform, UnitModel } from './entry-walk.ts';

const both = reached.called;
export const called = (counts: Omit<EntryCounts, 'reached'>): EntryCounts => ({ ...counts, reached: both });
const neverCalled: EntryCounts = { numerator: 0, denominator: 0, known: 0, unknown: 0, reached: 0 };

const normal = (uniform: Uniform): number =>
  Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
const poisson = (uniform: Uniform, mean: number): number => {
  let [count, product] = [0, uniform()];
  for (const limit = Math.exp(-mean); product > limit; product *= uniform()) count += 1;
  return count;
};

/** A call's value, bad when it is high. Costs are lognormal with mean 1 and sigma 0.8, in thousandths. */
export type CallKind = 'rate 10%' | 'cost';
const costSigma = 0.8;
const drawCall = (kind: CallKind, factor: number, uniform: Uniform): number =>
  kind === 'cost'
    ? Math.round(1_000 * factor * Math.exp(costSigma * normal(uniform) - costSigma ** 2 / 2))
    : Number(uniform() < 0.1 * factor);
const isBad = (kind: CallKind, value: number): boolean => (kind === 'cost' ? value > 2_000 : value > 0);
/** P(bad); of costs 1 - Phi((ln 2 + 0.32)/0.8). */
const badShare: Readonly<Record<CallKind, number>> = { 'rate 10%': 0.1, cost: 0.1027 };

export const callMetric = (kind: CallKind, better: 'lower' | 'higher' = 'lower'): MetricSpec => {
  const cost = { mean: 1_000, sd: 1_000 * Math.sqrt(Math.exp(costSigma ** 2) - 1) };
  const baseline = kind === 'cost' ? cost : { mean: 0.1, sd: 0.3 };
  return {
    id: kind,
    role: 'guardrail',
    numerator: { of: 'inference', name: kind === 'cost' ? 'cost_nano_usd' : 'errors' },
    denominator: { of: 'inference', name: 'requests' },
    better,
    windowMs: 3_600_000,
    harm: 0.2 * baseline.mean,
    baseline,
    cap: kind === 'cost' ? 6_000 : 1,
    margin: 0,
  };
};

/** `not called`: units with a bad call crash before the first; `crashed`: any unit does. */
export type Mechanism = 'at random' | 'by outcome' | 'by time' | 'not called' | 'crashed';
export type MissingCell = {
  readonly mechanism: Mechanism;
  /** Share of calls that have no value. */
  readonly rate: number;
  readonly kind: CallKind;
  /** Calls of a unit. */
  readonly calls: number;
  readonly q: number;
  /** In both arms alike, or in the candidate alone. */
  readonly where: 'both' | 'candidate';
  /** The candidate's values, times. */
  readonly factor?: number;
};

/** Does this call have no value? Unconditionally so for `rate` of all calls, as far as its mechanism allows. */
function isMissing({ mechanism, rate, kind }: MissingCell, value: number, at: number, uniform: Uniform): boolean {
  if (mechanism === 'by outcome') return isBad(kind, value) && uniform() < Math.min(1, rate / badShare[kind]);
  if (mechanism === 'by time') return at >= 0.5 && uniform() < Math.min(1, 2 * rate);
  return uniform() < rate;
}

/** With `not called` a unit whose calls are bad crashes before the first of them. */
export const missingUnits =
  (cell: MissingCell): UnitModel =>
  (uniform, isCandidate, at) => {
    const loses = cell.where === 'both' || isCandidate;
    if (cell.mechanism === 'crashed' && loses && uniform() < cell.rate) return neverCalled;
    const counts = { numerator: 0, denominator: 0, known: 0, unknown: 0 };
    for (let call = 0; call < cell.calls; call += 1) {
      const value = drawCall(cell.kind, isCandidate ? (cell.factor ?? 1) : 1, uniform);
      if (loses && cell.mechanism === 'not called') {
        if (isBad(cell.kind, value) && uniform() < Math.min(1, cell.rate / badShare[cell.kind])) return neverCalled;
      } else if (loses && cell.mechanism !== 'crashed' && isMissing(cell, value, at, uniform)) {
        counts.unknown += 1;
        counts.denominator += 1;
        continue;
      }
      counts.known += 1;
      counts.denominator += 1;
      counts.numerator += value;
    }
    return called(counts);
  };

export type RatioCell = {
  /** The candidate's mean denominator over control's. */
  readonly denominators: number;
  /** Of what it depends who has more: on nothing, on the unit's own rate, on how many it has anyway. */
  readonly correlated: 'no' | 'rate' | 'size';
  readonly kind: 'rate 10%' | 'rate 40%' | 'cost';
  /** The declared baseline over the true one. */
  readonly baseline: number;
  /** The candidate's ratio over control's. */
  readonly factor?: number;
};

const ratioOf = ({ kind }: RatioCell): number => (kind === 'rate 10%' ? 0.1 : kind === 'rate 40%' ? 0.4 : 1);
/** Tickets of a control unit, on average. */
const usual = 2;

export function ratioMetric(cell: RatioCell): MetricSpec {
  const isCost = cell.kind === 'cost';
  const mean = ratioOf(cell);
  const sd = isCost ? Math.sqrt(Math.exp(costSigma ** 2) - 1) : Math.sqrt(mean * (1 - mean));
  return {
    id: cell.kind,
    role: 'guardrail',
    numerator: { of: 'outcome', fold: isCost ? 'sum' : 'any', kind: 'bad' },
    denominator: { of: 'outcome', fold: 'any', kind: 'resolved' },
    better: 'lower',
    windowMs: 3_600_000,
    harm: 0.2 * mean,
    baseline: { mean: mean * cell.baseline, sd },
    cap: isCost ? 6 : 1,
    margin: 0,
  };
}

/**
 * A unit with a rate of its own around the mean (heavier users have half as much again), and tickets of which the
 * candidate sees fewer or more: of every unit, of those with a high rate alone, or of those with many. The ratio of the
 * arm's sums is the same in both arms, times `factor`: what selection does to it is taken out again.
 */
export function ratioUnits(cell: RatioCell): UnitModel {
  const mean = ratioOf(cell);
  const levels = [0.6, 1.4];
  const seen = (level: number, size: number): number => {
    const extra = cell.denominators;
    if (cell.correlated === 'no') return extra;
    const chosen = cell.correlated === 'rate' ? level > 1 : size > usual;
    return chosen ? extra : 1;
  };
  const selection = selectionOf(cell, seen, levels);
  const scale = scaleOf(ratioMetric(cell).numerator);
  return (uniform, isCandidate) => {
    const level = levels[uniform() < 0.5 ? 0 : 1] ?? 1;
    const size = poisson(uniform, usual);
    const tickets = isCandidate ? ticketsOf(size, seen(level, size), uniform) : size;
    const rate = (mean * level * (isCandidate ? (cell.factor ?? 1) / selection.candidate : 1)) / selection.control;
    let numerator = 0;
    for (let ticket = 0; ticket < tickets; ticket += 1)
      numerator +=
        cell.kind === 'cost'
          ? rate * Math.exp(costSigma * normal(uniform) - costSigma ** 2 / 2)
          : Number(uniform() < rate);
    return called({ numerator: numerator * scale, denominator: tickets, known: 0, unknown: 0 });
  };
}

/** Each ticket is kept with a share below 1; with one above, as many again are added on average. */
function ticketsOf(size: number, factor: number, uniform: Uniform): number {
  if (factor >= 1) return size + poisson(uniform, size * (factor - 1));
  let kept = 0;
  for (let ticket = 0; ticket < size; ticket += 1) if (uniform() < factor) kept += 1;
  return kept;
}

/** Mean level of a ticket, in control and (relative to it) in the candidate: exact sums over levels and sizes. */
function selectionOf(
  cell: RatioCell,
  seen: (level: number, size: number) => number,
  levels: readonly number[],
): { readonly control: number; readonly candidate: number } {
  let [plain, kept, keptLevels] = [0, 0, 0];
  let probability = Math.exp(-usual);
  for (let size = 0; size < 40; size += 1) {
    if (size > 0) probability *= usual / size;
    for (const level of levels) {
      const tickets = (size * probability) / levels.length;
      plain += tickets * level;
      kept += tickets * seen(level, size);
      keptLevels += tickets * seen(level, size) * level;
    }
  }
  const control = plain / usual;
  return { control, candidate: cell.correlated === 'no' ? 1 : keptLevels / kept / control };
}

/** Half of the users buy (+40); the others cost `credit` when they are given one (a refund), else nothing. */
export const marginUnits =
  (credit: number, share: number): UnitModel =>
  (uniform, isCandidate) => {
    const buys = uniform() < 0.5;
    const refunded = !buys && uniform() < (isCandidate ? share : 0);
    return called({ numerator: (buys ? 40 : refunded ? -credit : 0) * 1e6, denominator: 0, known: 0, unknown: 0 });
  };

export const marginMetric = (floor: number): MetricSpec => ({
  id: 'margin',
  role: 'guardrail',
  numerator: { of: 'outcome', fold: 'sum', kind: 'margin' },
  better: 'higher',
  windowMs: 3_600_000,
  harm: 4,
  baseline: { mean: 20, sd: 20 },
  cap: 60,
  floor,
  margin: 0,
});

/** Control resolves 90% of its tickets and 40% of those come back; the candidate 40% and 60%. */
export const reversalUnits: UnitModel = (uniform, isCandidate) => {
  const resolved = uniform() < (isCandidate ? 0.4 : 0.9);
  const reopened = resolved && uniform() < (isCandidate ? 0.6 : 0.4);
  return called({ numerator: Number(reopened), denominator: Number(resolved), known: 0, unknown: 0 });
};

export const reversalMetric: MetricSpec = {
  id: 'reopen_rate',
  role: 'goal',
  numerator: { of: 'outcome', fold: 'any', kind: 'reopened' },
  denominator: { of: 'outcome', fold: 'any', kind: 'resolved' },
  better: 'lower',
  windowMs: 6 * 3_600_000,
  harm: 0.1,
  baseline: { mean: 0.36, sd: 0.48 },
  cap: 1,
  margin: 0,
};
