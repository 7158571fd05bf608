/**
 * What a look says to people: candidate minus control with an interval that holds at all looks at once, and whether a
 * win is still likely. Asymptotic: it never rolls back or promotes; futility and ramp steps may use it once its
 * gates have passed.
 */
import { valueRange } from '../kernel/bets.ts';
import type { Interval, MetricEvaluation } from '../kernel/evaluation.ts';
import type { TestSums, Look } from '../kernel/evidence.ts';
import { allocationOf, type MetricSpec, winAlphaOf } from '../kernel/experiment.ts';
import { intervalAlpha, intervalTuning as tuning, momentsOf } from './agreement.ts';
import { logNormalCdf } from './math/normal.ts';
import { mixtureRho, normalMixtureBound } from './math/normal-mixture.ts';
import { effectInterval, type Score, scoreGates, stratifiedScore } from './math/score.ts';

/**
 * `whole`: sums of the whole phase, control then candidate. `watermark`: how far the phase has come, for the
 * conditional power.
 */
export function intervalOf(
  look: Look,
  metric: MetricSpec,
  candidate: string,
  whole: readonly [TestSums, TestSums],
  watermark: number | undefined,
): Pick<MetricEvaluation, 'interval' | 'conditionalPower'> {
  const refuse = (reason: string): { readonly interval: Interval } => ({ interval: { ok: false, reason } });
  const [a, b] = whole.map(momentsOf);
  if (!a?.ok) return refuse(`control: ${a?.reason ?? 'no entries'}`);
  if (!b?.ok) return refuse(`candidate: ${b?.reason ?? 'no entries'}`);
  const score = stratifiedScore([{ control: a, candidate: b }]);
  if (!score.ok) return refuse(score.reason);
  const absolute = effectInterval(score, 'absolute', intervalAlpha, tuning);
  if (!absolute.ok) return refuse(absolute.reason);
  const { spec } = look.experiment;
  const gate = gateOf(metric, allocationOf(spec, candidate), whole);
  // Back to the metric's own unit and direction: x was divided by cap, and turned round where higher is better.
  const flip = metric.better === 'higher';
  const own = ({ effect, lower, upper }: { effect: number; lower: number; upper: number }, scale: number) => ({
    estimate: (flip ? -effect : effect) * scale,
    lower: (flip ? -upper : lower) * scale,
    upper: (flip ? -lower : upper) * scale,
  });
  // The relative effect divides by control's mean in the metric's own direction; turned round, the delta method would
  // divide by 1 - x.
  const relative =
    flip || (metric.floor ?? 0) !== 0 ? undefined : effectInterval(score, 'relative', intervalAlpha, tuning);
  const interval: Interval = {
    ok: true,
    engine: 'asymptotic',
    alpha: intervalAlpha,
    ...own({ effect: score.effect, lower: absolute.lower, upper: absolute.upper }, valueRange(metric)),
    ...(relative?.ok &&
      score.relative && {
        relative: { estimate: score.relative.effect, lower: relative.lower, upper: relative.upper },
      }),
    ...(gate !== undefined && { gate }),
  };
  const power = gate === undefined ? conditionalPower(look, metric, score, watermark) : undefined;
  return { interval, ...(power !== undefined && { conditionalPower: power }) };
}

/**
 * The first gate of `math/score.ts` that is not passed. The skewness of a value in [0, cap] is at most (cap - mean)/sd;
 * turned round, mean/sd.
 */
function gateOf(
  metric: MetricSpec,
  allocation: number,
  [control, candidate]: readonly [TestSums, TestSums],
): string | undefined {
  const {
    cap,
    floor = 0,
    baseline: { mean, sd },
  } = metric;
  const arm = ({ known, s }: TestSums) => ({ units: known, events: s });
  const kind = cap === 1 && metric.denominator !== undefined ? 'rate' : 'mean';
  const gates = scoreGates({
    kind,
    side: 'either',
    control: arm(control),
    candidate: arm(candidate),
    allocation,
    skewness: (metric.better === 'lower' ? cap - mean : mean - floor) / sd,
  });
  return gates.ok ? undefined : gates.reason;
}

/**
 * Chance that a one-sided mixture at the goal's share of alpha_win has been reached at the horizon, if from now on the
 * benefit is `worthwhile` and traffic stays as it was: T_N = T_n + d (N - n) + sqrt(N - n) Z on the clock of equivalent
 * pairs, against the bound at N. Non-binding futility costs no error.
 */
function conditionalPower(
  { experiment: { spec, phaseStartedAt } }: Look,
  metric: MetricSpec,
  score: Score,
  watermark: number | undefined,
): number | undefined {
  if (metric.worthwhile === undefined || watermark === undefined) return undefined;
  const age = watermark - phaseStartedAt;
  const { horizonMs } = spec.analysis;
  if (!(age > 0 && age < horizonMs)) return undefined;
  const pairs = score.pairs * (horizonMs / age);
  const alpha = winAlphaOf(spec);
  const tuned = mixtureRho(tuning.pairs, alpha, 'one');
  const bound = tuned.ok ? normalMixtureBound(pairs, alpha, tuned.rho, 'one') : tuned;
  if (!bound.ok) return undefined;
  const standardError = Math.sqrt(score.variance) / score.weight;
  const drift = metric.worthwhile / valueRange(metric) / (standardError * Math.sqrt(score.pairs));
  // Harm points upwards: a benefit is a negative z.
  const now = -score.z * Math.sqrt(score.pairs);
  const left = pairs - score.pairs;
  return Math.exp(logNormalCdf((now + drift * left - bound.bound) / Math.sqrt(left)));
}
