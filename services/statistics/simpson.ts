/**
 * Simpson's reversal: the arms' overall difference points one way while most of a slice's values point the other way,
 * because the arms have different shares of those values. Kitagawa (1955), "Components of a difference between two
 * rates": with s the share of a value in an arm and R the ratio there,
 *
 *     R_B - R_A  =  sum (s_A + s_B)/2 (R_Bv - R_Av)  +  sum (s_Bv - s_Av) (R_Av + R_Bv)/2  =  within + mix
 *
 * A share is of the metric's denominator (units where it has none), which makes the sum exact.
 */
import type { MetricSpec } from '../kernel/experiment.ts';
import { momentsOfRatio } from './math/moments.ts';
import type { Score } from './math/score.ts';
import {
  compareArms,
  differenceOf,
  sideOfHarm,
  sliceAlpha,
  type SliceDifference,
  type SliceKind,
  type SliceSums,
} from './slices.ts';

export type MixShift = {
  readonly kind: SliceKind;
  readonly value: string;
  /** Shares of the denominator, and the units behind them. */
  readonly control: { readonly share: number; readonly units: number };
  readonly candidate: { readonly share: number; readonly units: number };
  /** What this value's shift adds to the overall difference, in the metric's own unit. */
  readonly adds: number;
};
export type Reversal = {
  readonly metric: string;
  readonly slice: string;
  /** Which way the overall difference points, by its estimate; the slices point the other way. */
  readonly overallPoints: 'worse' | 'better';
  readonly overall: SliceDifference;
  /** The same with both arms' shares made alike: the differences within the values, weighted. */
  readonly within: SliceDifference;
  readonly mix: number;
  /** Whether every value that can be compared points against the overall difference, and what share of weight does. */
  readonly every: boolean;
  readonly againstShare: number;
  /** All values, the one whose shift explains most first. */
  readonly shifts: readonly MixShift[];
};

type Stratum = MixShift & {
  readonly weight: number;
  /** Undefined: the value has fewer than 2 units in an arm, so nothing is compared within it. */
  readonly within: { readonly difference: number; readonly variance: number } | undefined;
};

function stratumOf(
  [a, b]: readonly [SliceSums | undefined, SliceSums | undefined],
  [totalA, totalB]: readonly [number, number],
  level: number,
): Stratum | undefined {
  const of = a ?? b;
  if (of === undefined || of.kind === 'all') return undefined;
  const share = (sums: SliceSums | undefined, total: number) => ({
    share: (sums?.sumX ?? 0) / total,
    units: sums?.units ?? 0,
  });
  const [control, candidate] = [share(a, totalA), share(b, totalB)];
  const weight = (control.share + candidate.share) / 2;
  if (!(weight > 0)) return undefined;
  const [ra, rb] = [a, b].map((sums) => (sums !== undefined && sums.sumX > 0 ? sums.sumY / sums.sumX : undefined));
  const mean = ((ra ?? rb ?? level) + (rb ?? ra ?? level)) / 2;
  const [ma, mb] = [a, b].map((sums) => (sums === undefined ? undefined : momentsOfRatio(sums)));
  return {
    kind: of.kind,
    value: of.value,
    control,
    candidate,
    weight,
    // Shifts sum to 0, so any level may be taken off: with the overall ratio, a value adds what it differs from it.
    adds: (candidate.share - control.share) * (mean - level),
    within:
      ma?.ok && mb?.ok
        ? { difference: mb.mean - ma.mean, variance: ma.variance / ma.units + mb.variance / mb.units }
        : undefined,
  };
}

/** One slice of one metric; undefined: no reversal, or chance would explain it. `alpha` of both intervals, each. */
function reversalOf(
  rows: readonly SliceSums[],
  score: Score,
  [control, candidate]: readonly [string, string],
  better: MetricSpec['better'],
  alpha: number,
): Omit<Reversal, 'metric' | 'slice'> | undefined {
  const total = (arm: string): number => rows.reduce((sum, row) => sum + (row.arm === arm ? row.sumX : 0), 0);
  const totals = [total(control), total(candidate)] as const;
  if (!(totals[0] > 0 && totals[1] > 0)) return undefined;
  const level = rows.reduce((sum, row) => sum + row.sumY, 0) / (totals[0] + totals[1]);
  const values = new Map(rows.map((row) => [JSON.stringify([row.kind, row.value]), row]));
  const find = (arm: string, { kind, value }: SliceSums): SliceSums | undefined =>
    rows.find((row) => row.arm === arm && row.kind === kind && row.value === value);
  const strata = [...values.values()].flatMap(
    (of) => stratumOf([find(control, of), find(candidate, of)], totals, level) ?? [],
  );
  const compared = strata.flatMap(({ weight, within }) => (within === undefined ? [] : [{ weight, ...within }]));
  const weight = compared.reduce((sum, stratum) => sum + stratum.weight, 0);
  const effect = compared.reduce((sum, stratum) => sum + stratum.weight * stratum.difference, 0);
  const against = compared.filter(({ difference }) => difference * score.effect < 0);
  const againstShare = against.reduce((sum, stratum) => sum + stratum.weight, 0) / weight;
  if (!(effect * score.effect < 0) || !(againstShare > 0.5)) return undefined;
  const variance = compared.reduce((sum, stratum) => sum + stratum.weight ** 2 * stratum.variance, 0);
  const overall = differenceOf(score, alpha);
  const within = differenceOf({ ...score, effect, variance: variance * score.weight ** 2 }, alpha);
  if (overall === undefined || within === undefined) return undefined;
  // Two signs that both may be chance differ half of the time.
  if ([overall, within].every((difference) => sideOfHarm(difference, better) === 'unclear')) return undefined;
  const mix = strata.reduce((sum, { adds }) => sum + adds, 0);
  const way = Math.sign(mix);
  return {
    overallPoints: score.effect > 0 === (better === 'lower') ? 'worse' : 'better',
    overall,
    within,
    mix,
    every: against.length === compared.length,
    againstShare,
    shifts: strata
      .map(({ weight: _weight, within: _within, ...shift }): MixShift => shift)
      .sort((one, other) => way * (other.adds - one.adds)),
  };
}

/**
 * Every reversal among the slices of one candidate: more than half of the compared weight points against the overall
 * difference, so does the difference within, and the interval of one of the two leaves 0 out (alpha shared by metrics
 * and slices, and by the two).
 */
export function findReversals(
  sums: readonly SliceSums[],
  metrics: readonly Pick<MetricSpec, 'id' | 'better'>[],
  control: string,
  candidate: string,
  alpha = sliceAlpha,
): readonly Reversal[] {
  const slices = [...new Set(sums.filter(({ kind }) => kind !== 'all').map(({ slice }) => slice))];
  const each = alpha / Math.max(1, 2 * slices.length * metrics.length);
  return metrics.flatMap(({ id: metric, better }) => {
    const rows = sums.filter((row) => row.metric === metric && (row.arm === control || row.arm === candidate));
    const whole = (arm: string): SliceSums | undefined => rows.find((row) => row.kind === 'all' && row.arm === arm);
    const compared = compareArms(whole(control), whole(candidate));
    if (!compared.ok) return [];
    return slices.flatMap((slice) => {
      const of = rows.filter((row) => row.kind !== 'all' && row.slice === slice);
      const reversal = reversalOf(of, compared.score, [control, candidate], better, each);
      return reversal === undefined ? [] : [{ metric, slice, ...reversal }];
    });
  });
}
