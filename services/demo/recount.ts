/**
 * The oracle: a plain recount of what was emitted, in the words of `services/joiner/README.md`. It shares no code with
 * the joiner, on purpose: one loop over the lines a measure.
 */
import type { ExperimentSpec } from '../kernel/experiment.ts';
import { type Measure, scaleOf } from '../kernel/measures.ts';
import { parseTime } from '../kernel/time.ts';
import type { InferenceLine, OutcomeLine } from '../replay/scenario-lines.ts';

export type RecountedTotal = {
  readonly arm: string;
  readonly metric: string;
  readonly units: number;
  readonly numerator: number;
  readonly denominator: number;
};

/** Lines of one experiment whose unit is the user. Numbers in the metrics' own units. */
export function recountLines(
  spec: ExperimentSpec,
  events: readonly InferenceLine[],
  outcomes: readonly OutcomeLine[],
): RecountedTotal[] {
  const distinct = new Map<string, InferenceLine>();
  for (const event of events) if (!distinct.has(event.event_id)) distinct.set(event.event_id, event);
  const latest = new Map<string, OutcomeLine>();
  for (const outcome of outcomes)
    if ((latest.get(outcome.outcome_id)?.revision ?? 0) < (outcome.revision ?? 1))
      latest.set(outcome.outcome_id, outcome);
  const tickets = new Map<string, { arm: string; first: number }>();
  for (const event of distinct.values()) {
    const known = tickets.get(event.ticket_id ?? '');
    const at = parseTime(event.occurred_at) ?? Number.NaN;
    if (known === undefined || at < known.first) tickets.set(event.ticket_id ?? '', { arm: event.variant, first: at });
  }
  const ofEvent = (name: string, event: InferenceLine): number => {
    switch (name) {
      case 'requests':
        return 1;
      case 'refusals':
        return event.status === 'refusal' ? 1 : 0;
      case 'errors':
        return event.status === 'error' ? 1 : 0;
      case 'cost_nano_usd':
        return Math.round((event.cost_usd_est ?? 0) * 1e9);
      case 'latency_ms':
        return event.latency_ms ?? 0;
      default:
        throw new RangeError(`the recount knows no measure ${name}`);
    }
  };
  const measured = (measure: Measure, arm: string, windowMs: number): number => {
    let sum = 0;
    if (measure.of === 'inference') {
      for (const event of distinct.values()) if (event.variant === arm) sum += ofEvent(measure.name, event);
      return sum;
    }
    const counted = new Set<string>();
    for (const outcome of latest.values()) {
      const ticket = tickets.get(outcome.entity_id);
      if (outcome.kind !== measure.kind || outcome.value === null || ticket?.arm !== arm) continue;
      const age = (parseTime(outcome.occurred_at) ?? Number.NaN) - ticket.first;
      if (age < 0 || age > windowMs) continue;
      if (measure.fold === 'any' && counted.has(outcome.entity_id)) continue;
      counted.add(outcome.entity_id);
      sum += measure.fold === 'sum' ? Math.round(outcome.value * scaleOf(measure)) / scaleOf(measure) : 1;
    }
    return sum;
  };
  return spec.metrics.flatMap((metric) =>
    spec.arms.map(({ id: arm }) => {
      const units = new Set(
        [...distinct.values()].filter((event) => event.variant === arm).map(({ user_id: user }) => user),
      ).size;
      return {
        arm,
        metric: metric.id,
        units,
        numerator: measured(metric.numerator, arm, metric.windowMs),
        denominator: metric.denominator ? measured(metric.denominator, arm, metric.windowMs) : units,
      };
    }),
  );
}
