/**
 * What a metric of an experiment file is worth per unit, as far as its baseline tells: a distribution with that mean
 * and standard deviation, and what a change makes of it.
 */
import type { MetricSpec } from '../kernel/experiment.ts';
import { lognormal, scaled, type ValueModel } from './values.ts';

/** A change of a metric's mean: relative to the baseline's, or absolute in the metric's own unit. */
export type Effect = { readonly metric: string; readonly relative: boolean; readonly size: number };

/** `cost=+20%`, `error_rate=0.01`; undefined for anything else. */
export function parseEffect(text: string): Effect | undefined {
  const match = /^([A-Za-z0-9][A-Za-z0-9_-]{0,62})=([+-]?\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?)(%?)$/.exec(text);
  const size = Number(match?.[2]) / (match?.[3] === '%' ? 100 : 1);
  return match?.[1] === undefined || !Number.isFinite(size)
    ? undefined
    : { metric: match[1], relative: match[3] === '%', size };
}

/** The declared harm, times `factor`, in the direction in which it hurts. */
export const declaredHarm = (metric: MetricSpec, factor = 1): Effect => ({
  metric: metric.id,
  relative: false,
  size: (metric.better === 'lower' ? 1 : -1) * metric.harm * factor,
});

const changedMean = ({ baseline }: MetricSpec, { relative, size }: Effect): number =>
  Math.max(0, relative ? baseline.mean * (1 + size) : baseline.mean + size);

/** `what` it is in words, for the output: a simulation says what it assumes. */
export type ArmModels = { readonly control: ValueModel; readonly candidate: ValueModel; readonly what: string };

export function armModels(
  metric: MetricSpec,
  effect: Effect = { metric: metric.id, relative: true, size: 0 },
): ArmModels {
  const {
    cap,
    baseline: { mean, sd },
  } = metric;
  const changed = changedMean(metric, effect);
  if (cap === 1 || mean === 0) {
    // A mean over several requests varies less than one yes or no: part of the units show the mean itself.
    const yes = cap === 1 ? Math.min(1, (sd * sd) / Math.max(mean * (1 - mean), 1e-12)) : 1;
    const rate = (average: number): ValueModel => {
      const share = Math.min(1, average / cap);
      return { atoms: [(1 - share) * yes, 1 - yes, share * yes], points: [0, share * cap, cap] };
    };
    return {
      control: rate(mean),
      candidate: rate(changed),
      what: yes > 0.995 ? 'yes or no' : `yes or no for ${Math.round(100 * yes)}% of entries, the mean for the others`,
    };
  }
  // ln X normal with E X = mean and SD X = sd.
  const sigma = Math.sqrt(Math.log1p((sd / mean) ** 2));
  const control = lognormal(Math.log(mean) - (sigma * sigma) / 2, sigma);
  return { control, candidate: scaled(control, changed / mean), what: `lognormal, sigma ${sigma.toFixed(2)}` };
}
