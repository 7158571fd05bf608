/**
 * The oracle: plain recounts that share no code with the fold, on purpose. Totals from what was sent; entries from a
 * unit log, one loop in the words of the architecture (3): a unit enters where it has not entered and nothing of it is
 * open, its entry closes when the clock has passed the window, a restarted test counts each unit once, with its first
 * entry since.
 */
import type { UnitRecord } from '../../schemas/generated.ts';
import type { ExperimentSpec, MetricSpec } from '../../services/kernel/experiment.ts';
import { type Measure, scaleOf } from '../../services/kernel/measures.ts';
import type { Arrival } from '../../services/replay/scenario-lines.ts';

type Total = { readonly units: number; readonly numerator: number; readonly denominator: number };

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

type Entry = {
  readonly segment: number;
  readonly start: number;
  numerator: number;
  denominator: number;
  value: number;
};
type Unit = {
  readonly arm: string;
  crossed: boolean;
  readonly entries: Entry[][];
  readonly open: (Entry | undefined)[];
  readonly first: Map<string, number>;
  readonly outcomes: Map<
    string,
    {
      entity: string;
      kind: string;
      value: number | null;
      at: number;
      revision: number;
      hop: number;
      withdrawn: boolean;
    }
  >;
};
export type TestStartSums = { readonly n: number; readonly s: number; readonly sv: number };

/**
 * By `metric/arm/segment`: what the test restarted at that segment of the partition has counted. For inferences with
 * one exposure and one prompt.
 */
export function entriesOf(
  spec: ExperimentSpec,
  phaseStartedAt: number,
  log: readonly UnitRecord[],
): Map<string, TestStartSums> {
  const units = new Map<string, Unit>();
  const seen = new Set<string>();
  let clock = 0;
  let segment = 0;
  let slot = 0;
  const amount = (measure: Measure | undefined, body: { status: string; cost_nano_usd: number | null }): number => {
    if (measure?.of !== 'inference') return 0;
    return measure.name === 'requests'
      ? 1
      : measure.name === 'errors'
        ? Number(body.status === 'error')
        : (body.cost_nano_usd ?? 0);
  };
  const outcomesOf = (unit: Unit, measure: Measure | undefined, { start }: Entry, windowMs: number): number => {
    if (measure?.of !== 'outcome') return 0;
    const counted = new Set<string>();
    let sum = 0;
    for (const { entity, kind, value, at, withdrawn } of unit.outcomes.values()) {
      const first = unit.first.get(entity);
      if (
        kind !== measure.kind ||
        value === null ||
        withdrawn ||
        first === undefined ||
        at < first ||
        at > first + windowMs ||
        at < start ||
        at > start + windowMs
      )
        continue;
      if (measure.fold === 'any' && counted.has(entity)) continue;
      counted.add(entity);
      sum += measure.fold === 'sum' ? value : 1;
    }
    return sum;
  };
  const value = (unit: Unit, metric: MetricSpec, entry: Entry): number => {
    const numerator =
      (entry.numerator + outcomesOf(unit, metric.numerator, entry, metric.windowMs)) / scaleOf(metric.numerator);
    const denominator = metric.denominator
      ? (entry.denominator + outcomesOf(unit, metric.denominator, entry, metric.windowMs)) / scaleOf(metric.denominator)
      : 1;
    return denominator === 0 ? 0 : numerator / denominator;
  };
  const settle = (unit: Unit): void =>
    spec.metrics.forEach((metric, index) => {
      const last = unit.entries[index]?.at(-1);
      if (last && !unit.crossed) last.value = value(unit, metric, last);
    });
  for (const { received_at: receivedAt, body } of log) {
    if (receivedAt > clock) {
      clock = receivedAt;
      for (const unit of units.values())
        spec.metrics.forEach((metric, index) => {
          const open = unit.open[index];
          if (unit.crossed || open === undefined || open.start + metric.windowMs >= clock) return;
          open.value = value(unit, metric, open);
          unit.entries[index]?.push(open);
          unit.open[index] = undefined;
        });
      const now = Math.max(0, Math.floor((clock - phaseStartedAt) / spec.analysis.testStartEveryMs));
      if (now > slot) segment += 1;
      slot = Math.max(slot, now);
    }
    if ('tripline.v1.Observation' in body) {
      const call = body['tripline.v1.Observation'];
      const id = call.event_id.toString('hex');
      if (seen.has(id)) continue;
      seen.add(id);
      const arm = call.exposures[0]?.variant ?? '';
      const key = call.unit.toString('hex');
      const unit = units.get(key) ?? {
        arm,
        crossed: false,
        entries: spec.metrics.map(() => []),
        open: spec.metrics.map(() => undefined),
        first: new Map(),
        outcomes: new Map(),
      };
      units.set(key, unit);
      if (unit.arm !== arm) unit.crossed = true;
      const entity = call.entity?.toString('hex') ?? '';
      const at = call.occurred_at;
      if (!unit.crossed)
        spec.metrics.forEach((metric, index) => {
          if (unit.open[index] === undefined && unit.entries[index]?.at(-1)?.segment !== segment)
            unit.open[index] = { segment, start: at, numerator: 0, denominator: 0, value: 0 };
          const open = unit.open[index];
          if (open === undefined || at < open.start || at > open.start + metric.windowMs) return;
          open.numerator += amount(metric.numerator, call);
          open.denominator += amount(metric.denominator, call);
        });
      unit.first.set(entity, Math.min(unit.first.get(entity) ?? Infinity, at));
      settle(unit);
    } else if ('tripline.v1.OutcomeSeen' in body) {
      const outcome = body['tripline.v1.OutcomeSeen'];
      const key = outcome.unit?.toString('hex') ?? '';
      const unit = units.get(key);
      if (unit === undefined) throw new Error('the linker forwarded an outcome to a unit before its inference');
      const entity = outcome.entity?.toString('hex') ?? '';
      const at = `${entity}/${outcome.outcome_id.toString('hex')}`;
      const known = unit.outcomes.get(at);
      if (
        known &&
        (known.revision > outcome.revision || (known.revision === outcome.revision && known.hop >= outcome.hop))
      )
        continue;
      unit.outcomes.set(at, {
        entity,
        kind: outcome.kind,
        value: outcome.value,
        at: outcome.occurred_at,
        revision: outcome.revision,
        hop: outcome.hop,
        withdrawn: outcome.withdrawn,
      });
      settle(unit);
    }
  }
  const sums = new Map<string, { n: number; s: number; sv: number }>();
  spec.metrics.forEach((metric, index) => {
    for (const { arm, entries } of units.values())
      for (let from = 0; from <= segment; from += 1) {
        const first = entries[index]?.find((entry) => entry.segment >= from);
        if (first === undefined) continue;
        const key = `${metric.id}/${arm}/${from}`;
        const sum = sums.get(key) ?? { n: 0, s: 0, sv: 0 };
        const share = Math.min(Math.max(first.value, 0), metric.cap) / metric.cap;
        sums.set(key, {
          n: sum.n + 1,
          s: sum.s + Number(first.value > 0),
          sv: sum.sv + Math.floor((metric.better === 'lower' ? share : 1 - share) * 2 ** 32),
        });
      }
  });
  return sums;
}
