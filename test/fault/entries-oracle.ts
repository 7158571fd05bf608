/**
 * The oracle of entries: a plain recount of a unit log that shares no code with the fold, on purpose. A unit enters
 * where it has not entered and nothing of it is open; its entry closes when the clock has passed the window; a
 * restarted test counts each unit once, with its first entry since.
 */
import type { Observation, OutcomeSeen, UnitRecord } from '../../schemas/generated.ts';
import type { ExperimentSpec, MetricSpec } from '../../services/kernel/experiment.ts';
import { type Measure, scaleOf } from '../../services/kernel/measures.ts';

type Entry = {
  readonly segment: number;
  readonly start: number;
  numerator: number;
  denominator: number;
  /** Undefined: no call of it has said anything, or its denominator is 0. */
  value: number | undefined;
};
type Outcome = {
  readonly entity: string;
  readonly kind: string;
  readonly value: number | null;
  readonly at: number;
  readonly revision: number;
  readonly hop: number;
  readonly withdrawn: boolean;
};
type Unit = {
  readonly arm: string;
  crossed: boolean;
  /** Closed entries and the open one, by metric. */
  readonly entries: Entry[][];
  readonly open: (Entry | undefined)[];
  /** When each entity was first seen. */
  readonly first: Map<string, number>;
  readonly outcomes: Map<string, Outcome>;
};
export type TestStartSums = { readonly n: number; readonly s: number; readonly sv: number };

type Recount = {
  readonly spec: ExperimentSpec;
  readonly phaseStartedAt: number;
  readonly units: Map<string, Unit>;
  /** Ids of the inferences so far: a second delivery counts for nothing. */
  readonly seen: Set<string>;
  clock: number;
  segment: number;
  /** Periods of `testStartEveryMs` since the phase began. */
  period: number;
};

function amountOf(measure: Measure | undefined, body: Observation): number {
  if (measure?.of !== 'inference') return 0;
  if (measure.name === 'requests') return 1;
  return measure.name === 'errors' ? Number(body.status === 'error') : (body.cost_nano_usd ?? 0);
}

/** Within the window since the entity was first seen, and within that of the entry. */
const isInWindows = (at: number, first: number, start: number, windowMs: number): boolean =>
  at >= first && at <= first + windowMs && at >= start && at <= start + windowMs;

function outcomesOf(unit: Unit, measure: Measure | undefined, { start }: Entry, windowMs: number): number {
  if (measure?.of !== 'outcome') return 0;
  const counted = new Set<string>();
  let sum = 0;
  for (const { entity, kind, value, at, withdrawn } of unit.outcomes.values()) {
    const first = unit.first.get(entity);
    if (kind !== measure.kind || value === null || withdrawn) continue;
    if (first === undefined || !isInWindows(at, first, start, windowMs)) continue;
    if (measure.fold === 'any' && counted.has(entity)) continue;
    counted.add(entity);
    sum += measure.fold === 'sum' ? value : 1;
  }
  return sum;
}

function entryValue(unit: Unit, metric: MetricSpec, entry: Entry): number | undefined {
  const numerator =
    (entry.numerator + outcomesOf(unit, metric.numerator, entry, metric.windowMs)) / scaleOf(metric.numerator);
  const denominator = metric.denominator
    ? (entry.denominator + outcomesOf(unit, metric.denominator, entry, metric.windowMs)) / scaleOf(metric.denominator)
    : 1;
  return denominator === 0 ? undefined : numerator / denominator;
}

/** The last closed entry of each metric takes what came since. */
function resolve({ spec }: Recount, unit: Unit): void {
  for (const [index, metric] of spec.metrics.entries()) {
    const last = unit.entries[index]?.at(-1);
    if (last && !unit.crossed) last.value = entryValue(unit, metric, last);
  }
}

function closeEntries({ spec, clock }: Recount, unit: Unit): void {
  for (const [index, metric] of spec.metrics.entries()) {
    const open = unit.open[index];
    if (unit.crossed || open === undefined || open.start + metric.windowMs >= clock) continue;
    open.value = entryValue(unit, metric, open);
    unit.entries[index]?.push(open);
    unit.open[index] = undefined;
  }
}

/** Closes what the clock has passed; the first record of a new period begins a segment. */
function advance(recount: Recount, receivedAt: number): void {
  if (receivedAt <= recount.clock) return;
  recount.clock = receivedAt;
  for (const unit of recount.units.values()) closeEntries(recount, unit);
  const { testStartEveryMs } = recount.spec.analysis;
  const period = Math.max(0, Math.floor((receivedAt - recount.phaseStartedAt) / testStartEveryMs));
  if (period > recount.period) recount.segment += 1;
  recount.period = Math.max(recount.period, period);
}

const emptyUnit = ({ metrics }: ExperimentSpec, arm: string): Unit => ({
  arm,
  crossed: false,
  entries: metrics.map(() => []),
  open: metrics.map(() => undefined),
  first: new Map(),
  outcomes: new Map(),
});

/** A unit enters a metric that has nothing open and no entry of this segment; the call counts in what is open. */
function addToEntries({ spec, segment }: Recount, unit: Unit, call: Observation): void {
  const at = call.occurred_at;
  for (const [index, metric] of spec.metrics.entries()) {
    if (unit.open[index] === undefined && unit.entries[index]?.at(-1)?.segment !== segment)
      unit.open[index] = { segment, start: at, numerator: 0, denominator: 0, value: 0 };
    const open = unit.open[index];
    if (open === undefined || at < open.start - 5_000 || at > open.start + metric.windowMs) continue;
    open.numerator += amountOf(metric.numerator, call);
    open.denominator += amountOf(metric.denominator, call);
  }
}

function addInference(recount: Recount, call: Observation): void {
  const id = call.event_id.toString('hex');
  if (recount.seen.has(id)) return;
  recount.seen.add(id);
  const arm = call.exposures[0]?.variant ?? '';
  const key = call.unit.toString('hex');
  const unit = recount.units.get(key) ?? emptyUnit(recount.spec, arm);
  recount.units.set(key, unit);
  if (unit.arm !== arm) unit.crossed = true;
  if (!unit.crossed) addToEntries(recount, unit, call);
  const entity = call.entity?.toString('hex') ?? '';
  unit.first.set(entity, Math.min(unit.first.get(entity) ?? Infinity, call.occurred_at));
  resolve(recount, unit);
}

/** Of one revision that comes again because its ticket moved the latest move wins. */
const isNewer = (known: Outcome, { revision, hop }: OutcomeSeen): boolean =>
  known.revision > revision || (known.revision === revision && known.hop >= hop);

function addOutcome(recount: Recount, outcome: OutcomeSeen): void {
  const unit = recount.units.get(outcome.unit?.toString('hex') ?? '');
  if (unit === undefined) throw new Error('the linker forwarded an outcome to a unit before its inference');
  const entity = outcome.entity?.toString('hex') ?? '';
  const key = `${entity}/${outcome.outcome_id.toString('hex')}`;
  const known = unit.outcomes.get(key);
  if (known && isNewer(known, outcome)) return;
  const { kind, value, occurred_at: at, revision, hop, withdrawn } = outcome;
  unit.outcomes.set(key, { entity, kind, value, at, revision, hop, withdrawn });
  resolve(recount, unit);
}

/** Sums over the first entry of each unit since the segment; values as shares of the cap in 2^-32. */
function sumsSince(units: Iterable<Unit>, index: number, metric: MetricSpec, from: number): Map<string, TestStartSums> {
  const sums = new Map<string, TestStartSums>();
  for (const { arm, entries } of units) {
    const first = entries[index]?.find((entry) => entry.segment >= from);
    if (first === undefined) continue;
    const sum = sums.get(arm) ?? { n: 0, s: 0, sv: 0 };
    sums.set(arm, { ...sum, n: sum.n + 1 });
    if (first.value === undefined) continue;
    const floor = metric.floor ?? 0;
    const share = (Math.min(Math.max(first.value, floor), metric.cap) - floor) / (metric.cap - floor);
    sums.set(arm, {
      n: sum.n + 1,
      s: sum.s + Number(first.value !== 0),
      sv: sum.sv + Math.floor((metric.better === 'lower' ? share : 1 - share) * 2 ** 32),
    });
  }
  return sums;
}

/**
 * By `metric/arm/segment`: what the test started at that segment of the partition has counted. For inferences with one
 * exposure and one prompt.
 */
export function entriesOf(
  spec: ExperimentSpec,
  phaseStartedAt: number,
  log: readonly UnitRecord[],
): Map<string, TestStartSums> {
  const recount: Recount = {
    spec,
    phaseStartedAt,
    units: new Map(),
    seen: new Set(),
    clock: 0,
    segment: 0,
    period: 0,
  };
  for (const { received_at: receivedAt, body } of log) {
    advance(recount, receivedAt);
    if ('tripline.v1.Observation' in body) addInference(recount, body['tripline.v1.Observation']);
    else if ('tripline.v1.OutcomeSeen' in body) addOutcome(recount, body['tripline.v1.OutcomeSeen']);
  }
  const sums = new Map<string, TestStartSums>();
  for (const [index, metric] of spec.metrics.entries())
    for (let from = 0; from <= recount.segment; from += 1)
      for (const [arm, sum] of sumsSince(recount.units.values(), index, metric, from))
        sums.set(`${metric.id}/${arm}/${from}`, sum);
  return sums;
}
