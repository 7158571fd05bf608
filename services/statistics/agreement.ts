/**
 * Does a test's evidence agree with the means that people would print? Betting is valid for any centre as long as both
 * arms contribute alike. Where one arm's denominators are larger, or its values missing more often, weights even that
 * out (`services/statistics/README.md`, "Ratios"), but a wrong baseline still moves the first entries: then the
 * difference itself has to be clear, by an interval that knows no centre and holds at every look.
 */
import { fixedPoint, valueRange } from '../kernel/bets.ts';
import { weightPoint } from '../kernel/entry-sums.ts';
import { valueRuleOf } from '../kernel/entry-value.ts';
import type { Agreement, ArmTotals } from '../kernel/evaluation.ts';
import type { TestSums } from '../kernel/evidence.ts';
import type { MetricSpec } from '../kernel/experiment.ts';
import { type Moments, momentsOfMean, momentsOfRatio } from './math/moments.ts';
import { effectInterval, stratifiedScore } from './math/score.ts';

/** Two-sided, for people. */
export const intervalAlpha = 0.05;
/** Equivalent pairs at which the interval is narrowest; 500 to 2,500 for rollback. */
export const intervalTuning = { pairs: 1_500 };

/** Contributions of the arms that differ by less are alike. */
const alike = { share: 0.05, standardErrors: 4 };
/** Entries with a say, of each arm, before anything is said of how a ratio's arms contribute: nobody wins on fewer. */
const fewest = 50;
/** Else the difference itself is clear when one side of its interval is, at 5%; tuned for rollbacks. */
const clear = { alpha: 0.1, pairs: 500 };

/** Units weigh what their denominators are. */
const isWeighted = ({ known, w, ww }: TestSums): boolean => w !== known * weightPoint || ww !== known * weightPoint;

/** Moments of the entries' known values in [0, 1], harm upwards; of a ratio, those of the ratio of sums. */
export function momentsOf(sums: TestSums): Moments {
  const { known, sv, svv, w, wx, ww, wwx, wwxx } = sums;
  if (!isWeighted(sums)) return momentsOfMean({ units: known, sum: sv / fixedPoint, sumSquares: svv / fixedPoint });
  const [sumX, sumY, sumXX, sumXY, sumYY] = [w, wx, ww, wwx, wwxx].map((sum) => sum / weightPoint);
  return momentsOfRatio({
    units: known,
    sumX: sumX ?? 0,
    sumY: sumY ?? 0,
    sumXX: sumXX ?? 0,
    sumXY: sumXY ?? 0,
    sumYY: sumYY ?? 0,
  });
}

/** Mean of the known values in [0, 1], harm upwards; undefined where none is known. */
export function meanOf(sums: TestSums): number | undefined {
  if (sums.known === 0) return undefined;
  return isWeighted(sums) ? sums.wx / sums.w : sums.sv / fixedPoint / sums.known;
}

/** What an entry contributes on average, with the variance of that average. */
function contributionOf({ n, w, ww }: TestSums): { readonly mean: number; readonly variance: number } {
  const mean = w / weightPoint / n;
  return { mean, variance: Math.max(0, ww / weightPoint / n - mean * mean) / n };
}

/** The arms contribute alike, or as differently as chance does: then no baseline can move the evidence. */
function contributeAlike(control: TestSums, candidate: TestSums): boolean {
  const [a, b] = [contributionOf(control), contributionOf(candidate)];
  const apart = Math.abs(a.mean - b.mean);
  return (
    apart <= alike.share * Math.max(a.mean, b.mean) ||
    apart <= alike.standardErrors * Math.sqrt(a.variance + b.variance)
  );
}

/** `side`: what the evidence says of the candidate; its tolerance counts in both. */
export function agreementOf(
  side: 'harm' | 'win',
  metric: MetricSpec,
  control: TestSums,
  candidate: TestSums,
): Agreement {
  const [a, b] = [meanOf(control), meanOf(candidate)];
  if (a === undefined || b === undefined) return 'unclear';
  const tolerance = metric.margin / valueRange(metric);
  const towards = side === 'harm' ? 1 : -1;
  if (towards * (b - a - tolerance) <= 0) return 'contradicts';
  const isFew = Math.min(control.known, candidate.known) < fewest;
  if (side === 'win' && isFew && (isWeighted(control) || isWeighted(candidate) || control.none + candidate.none > 0))
    return 'unclear';
  if (contributeAlike(control, candidate)) return 'agrees';
  return isClear(side, metric, momentsOf(control), momentsOf(candidate));
}

/** One side of the difference's always-valid interval lies beyond the tolerance. */
function isClear(side: 'harm' | 'win', metric: MetricSpec, control: Moments, candidate: Moments): Agreement {
  if (!control.ok || !candidate.ok) return 'unclear';
  const tolerance = metric.margin / valueRange(metric);
  const score = stratifiedScore([{ control, candidate }]);
  const interval = score.ok ? effectInterval(score, 'absolute', clear.alpha, clear) : score;
  if (!interval.ok) return 'unclear';
  return (side === 'harm' ? interval.lower > tolerance : interval.upper < tolerance) ? 'agrees' : 'unclear';
}

/**
 * The arms' sums as they would be if every value that is not known spoke for the candidate: its own at the good end,
 * control's at the bad one. An entry of which a part is not known may be worth nothing, or everything.
 */
function sparing(sums: TestSums, isCandidate: boolean, needsCalls: boolean): Moments {
  const { n, known, none, incomplete, uncalled } = sums;
  const unknown = Math.max(0, n - known - none);
  const partly = Math.min(known, Math.max(0, incomplete - (unknown - (needsCalls ? uncalled : 0))));
  const of = momentsOf(sums);
  if (!of.ok || known === 0) return of;
  const { mean, variance } = of;
  const sum = mean * known;
  const sumSquares = variance * (known - 1) + known * mean * mean;
  const units = known + unknown;
  const moved = isCandidate ? Math.max(0, sum - partly) : Math.min(units, sum + partly + unknown);
  const movedSquares = isCandidate
    ? Math.max(moved * (moved / units), sumSquares - partly)
    : sumSquares + partly + unknown;
  return momentsOfMean({ units, sum: moved, sumSquares: movedSquares });
}

/** Where the arms differ in what is not known: harm that could be made by it is not clear. */
export function harmDespiteMissing(metric: MetricSpec, control: TestSums, candidate: TestSums): Agreement {
  const { needsCalls } = valueRuleOf(metric);
  return isClear('harm', metric, sparing(control, false, needsCalls), sparing(candidate, true, needsCalls));
}

/** What the totals say, harm upwards; first events need no closed entries. */
export function totalsAgreement(side: 'harm' | 'win', metric: MetricSpec, arms: readonly ArmTotals[]): Agreement {
  const [a, b] = arms.map(({ estimate }) => estimate);
  if (a === undefined || b === undefined) return 'unclear';
  const difference = (metric.better === 'lower' ? b - a : a - b) - metric.margin;
  return (side === 'harm' ? difference > 0 : difference < 0) ? 'agrees' : 'contradicts';
}

/** The totals where they are asked, then the entries once any are known in both arms: the first that objects. */
export function harmAgreement(
  metric: MetricSpec,
  arms: readonly ArmTotals[] | undefined,
  control: TestSums,
  candidate: TestSums,
  missingDiffers = false,
): Agreement {
  const totals = arms && totalsAgreement('harm', metric, arms);
  if (totals !== undefined && (totals !== 'agrees' || control.known === 0 || candidate.known === 0)) return totals;
  const found = agreementOf('harm', metric, control, candidate);
  return found === 'agrees' && missingDiffers ? harmDespiteMissing(metric, control, candidate) : found;
}
