/**
 * The oracle of totals: a plain recount of what was sent that shares no code with the fold, on purpose. The oracle of
 * entries is `entries-oracle.ts`.
 */
import type { ExperimentSpec } from '../../services/kernel/experiment.ts';
import type { Measure } from '../../services/kernel/measures.ts';
import type { Arrival } from '../../services/replay/scenario-lines.ts';

export type Total = { readonly units: number; readonly numerator: number; readonly denominator: number };

/**
 * By `metric/arm`, in whole numbers of the measures' scale. One experiment, whose unit is the user and whose policy
 * leaves crossovers out.
 */
export function totalsOf(spec: ExperimentSpec, arrivals: readonly Arrival[]): Map<string, Total> {
  const calls = [
    ...new Map(
      [...arrivals]
        .reverse()
        .flatMap((arrival) => (arrival.kind === 'inference' ? [[arrival.event.event_id, arrival.event] as const] : [])),
    ).values(),
  ];
  const outcomes = new Map<string, Extract<Arrival, { kind: 'outcome' }>['event']>();
  for (const arrival of arrivals)
    if (arrival.kind === 'outcome' && (outcomes.get(arrival.event.outcome_id)?.revision ?? 0) < arrival.event.revision)
      outcomes.set(arrival.event.outcome_id, arrival.event);
  const arms = new Map<string, Set<string>>();
  const tickets = new Map<string, { user: string; first: number }>();
  for (const {
    units: { user_id: user },
    exposures,
    entity,
    occurred_at: at,
  } of calls) {
    arms.set(user ?? '', (arms.get(user ?? '') ?? new Set()).add(exposures[0]?.variant ?? ''));
    if (entity && at < (tickets.get(entity.id)?.first ?? Infinity))
      tickets.set(entity.id, { user: user ?? '', first: at });
  }
  const armOf = (user: string): string | undefined =>
    arms.get(user)?.size === 1 ? [...(arms.get(user) ?? [])][0] : undefined;
  const measured = (measure: Measure, arm: string, windowMs: number): number => {
    let sum = 0;
    if (measure.of === 'inference') {
      for (const call of calls)
        if (armOf(call.units.user_id ?? '') === arm)
          sum +=
            measure.name === 'requests'
              ? 1
              : measure.name === 'errors'
                ? Number(call.status === 'error')
                : (call.cost_nano_usd ?? 0);
      return sum;
    }
    const counted = new Set<string>();
    for (const { kind, value, entity, occurred_at: at } of outcomes.values()) {
      const ticket = tickets.get(entity?.id ?? '');
      if (
        kind !== measure.kind ||
        value === null ||
        ticket === undefined ||
        armOf(ticket.user) !== arm ||
        at < ticket.first ||
        at > ticket.first + windowMs
      )
        continue;
      if (measure.fold === 'any' && counted.has(entity?.id ?? '')) continue;
      counted.add(entity?.id ?? '');
      sum += measure.fold === 'sum' ? Math.round(value * 1e6) : 1;
    }
    return sum;
  };
  return new Map(
    spec.metrics.flatMap((metric) =>
      spec.arms.map(({ id: arm }) => {
        const units = [...arms.keys()].filter((user) => armOf(user) === arm).length;
        return [
          `${metric.id}/${arm}`,
          {
            units,
            numerator: measured(metric.numerator, arm, metric.windowMs),
            denominator: metric.denominator ? measured(metric.denominator, arm, metric.windowMs) : units,
          },
        ] as const;
      }),
    ),
  );
}
