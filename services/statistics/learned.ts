/**
 * Baselines from control alone, before any candidate has run. They set centre, variance and cap of the
 * bets: a wrong one costs speed, never validity, because none of it comes from the arms of the run itself.
 */
import type { Evaluation } from '../kernel/evaluation.ts';
import type { Look } from '../kernel/evidence.ts';
import { valueRuleOf } from '../kernel/entry-value.ts';
import { type Baseline, controlOf } from '../kernel/experiment.ts';
import { mostUnknown } from './measurable.ts';
import { scaleOf } from '../kernel/measures.ts';
import type { EpochMs } from '../kernel/time.ts';

/** Control units that a baseline rests on, at least. */
export const learningUnits = 500;

/**
 * Mean: ratio of sums over units. Standard deviation of a unit's value by the delta method: that of (y - R x) / mean x.
 * A share without an event yet is half an event. `watermark`: units must have had their longest window, or late
 * outcomes would be missed.
 */
export function learnBaselines(look: Look, watermark: EpochMs | undefined): NonNullable<Evaluation['learned']> {
  const { spec, phaseStartedAt } = look.experiment;
  const control = controlOf(spec).id;
  const baselines: Record<string, Baseline> = {};
  let fewest = Infinity;
  for (const { id } of spec.learning?.metrics ?? []) {
    const metric = spec.metrics.find((known) => known.id === id);
    if (metric === undefined) continue;
    const testAggregates = look.metricAggregates.filter(
      (aggregate) => aggregate.metric === id && aggregate.arm === control,
    );
    const sum = (read: (aggregate: (typeof testAggregates)[number]) => bigint | number): number =>
      Number(testAggregates.reduce((total, aggregate) => total + BigInt(read(aggregate)), 0n));
    const units = sum(({ units: number }) => number);
    fewest = Math.min(fewest, units);
    if (units < learningUnits) continue;
    const [y, yy] = [sum(({ numerator }) => numerator), sum(({ numerator2 }) => numerator2)];
    const [x, xx, xy] = metric.denominator
      ? [sum(({ denominator }) => denominator), sum(({ denominator2 }) => denominator2), sum(({ product }) => product)]
      : [units, units, y];
    const [given, missing] = [sum(({ knownCalls }) => knownCalls), sum(({ unknownCalls }) => unknownCalls)];
    if (missing > mostUnknown * (given + missing))
      return { ok: false, reason: `${id}: ${missing} of control's ${given + missing} calls have no value` };
    // Calls without a value count in no mean.
    const { countsRequests } = valueRuleOf(metric);
    const known = countsRequests ? x - missing : x;
    if (!(known > 0))
      return {
        ok: false,
        reason: `${id}: its denominator is 0, or nothing of it is known, for every control unit so far`,
      };
    const ratio = y / known;
    const ownUnit = scaleOf(metric.denominator) / scaleOf(metric.numerator);
    const spread = Math.sqrt(Math.max(0, yy - 2 * ratio * xy + ratio * ratio * xx) / (units - 1)) / (x / units);
    const isRate = metric.cap === 1 && y === 0;
    const mean = isRate ? 0.5 / units : ratio * ownUnit;
    const sd = isRate ? Math.sqrt(mean * (1 - mean)) : spread * ownUnit;
    baselines[id] = { mean, sd, ...(metric.denominator && { denominator: x / units }) };
  }
  if (fewest < learningUnits) return { ok: false, reason: `${fewest} of ${learningUnits} control units` };
  const longest = Math.max(...spec.metrics.map(({ windowMs }) => windowMs));
  if (watermark === undefined || watermark - phaseStartedAt <= longest)
    return { ok: false, reason: 'the longest window has not passed yet' };
  return { ok: true, units: fewest, baselines };
}
