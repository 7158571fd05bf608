/**
 * One look: a pure function of the sums of one version vector. Each metric of each candidate is tested from every restart; the strongest one, after
 * its weights, is what rules compare with the bound. Weights: guardrails 2, goals 1, normalised per candidate; signals a family of their own.
 */
import { addEntrySums, type EntryCell, type EntrySums, emptyEntrySums, type FingerprintMark, type Look, type SegmentMark } from '../kernel/evidence.ts';
import type { Evaluation, MetricEvaluation, Restart, TestResult } from '../kernel/evaluation.ts';
import { allocationOf, candidatesOf, controlOf, type ExperimentSpec, type MetricSpec } from '../kernel/experiment.ts';
import { isEventMeasure, scaleOf } from '../kernel/measures.ts';
import { logEOfSums } from './math/e1.ts';
import { designRatios, designRatioWeights, logEOfFirstEvents } from './math/e2.ts';
import { logEOfRatio } from './math/e4.ts';
import { fingerprintWeight, slotWeight, suffixSums, wholePhaseWeight } from './math/e6.ts';

/** E2 replaces E1 for the whole phase when events are this rare: it needs no closed entries and no exposure counts. */
const rareBelow = 0.02;

/** A restart with the segment at which it begins in each partition; partitions that have not reached it contribute nothing. */
type PlacedRestart = { readonly restart: Restart; readonly from: ReadonlyMap<number, number> };

const dimensionOrder: Readonly<Record<FingerprintMark['dimension'], number>> = { prompt_version: 0, model_served: 1, rag_index_version: 2, tool_set_version: 3 };

export function placeRestarts(look: Look): PlacedRestart[] {
  const byPart = new Map<number, SegmentMark[]>();
  for (const segment of look.segments) byPart.set(segment.part, [...(byPart.get(segment.part) ?? []), segment]);
  for (const segments of byPart.values()) segments.sort((a, b) => a.ordinal - b.ordinal);
  const placed: PlacedRestart[] = [{ restart: { kind: 'whole', label: 'whole phase', index: 0, weight: wholePhaseWeight }, from: new Map([...byPart.keys()].map((part) => [part, 0])) }];
  const { restartEveryMs, horizonMs } = look.experiment.spec.analysis;
  const planned = Math.max(1, horizonMs / restartEveryMs);
  const slots = new Set(look.segments.filter(({ reason }) => reason === 'schedule').map(({ slot }) => slot));
  for (const slot of [...slots].sort((a, b) => a - b)) {
    const from = new Map<number, number>();
    for (const [part, segments] of byPart) {
      const first = segments.find((segment) => segment.slot >= slot);
      if (first) from.set(part, first.ordinal);
    }
    placed.push({ restart: { kind: 'schedule', label: `schedule ${slot}`, index: slot, weight: slotWeight(slot, planned) }, from });
  }
  return [...placed, ...placeFingerprints(look.fingerprints)];
}

/** Values that an arm showed for the first time on one record are one fingerprint; what any partition saw as baseline is baseline. */
function placeFingerprints(marks: readonly FingerprintMark[]): PlacedRestart[] {
  const values = new Map<string, FingerprintMark[]>();
  for (const mark of marks) {
    const key = `${mark.arm}\u001f${mark.dimension}\u001f${mark.value}`;
    values.set(key, [...(values.get(key) ?? []), mark]);
  }
  const fresh = [...values.values()].filter((sightings) => !sightings.some(({ baseline }) => baseline));
  const compare = (a: FingerprintMark, b: FingerprintMark): number =>
    a.firstSeenAt - b.firstSeenAt || (a.arm < b.arm ? -1 : a.arm > b.arm ? 1 : 0) || dimensionOrder[a.dimension] - dimensionOrder[b.dimension] || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0) || a.part - b.part;
  const ordered = fresh.map((sightings) => ({ first: [...sightings].sort(compare)[0] as FingerprintMark, sightings })).sort((a, b) => compare(a.first, b.first));
  const groups: { first: FingerprintMark; members: (typeof ordered)[number][] }[] = [];
  for (const entry of ordered) {
    const same = groups.find(({ first }) => first.firstSeenAt === entry.first.firstSeenAt && first.arm === entry.first.arm && first.part === entry.first.part && first.segment === entry.first.segment);
    if (same) same.members.push(entry);
    else groups.push({ first: entry.first, members: [entry] });
  }
  return groups.map(({ members }, index) => {
    const from = new Map<number, number>();
    for (const { part, segment } of members.flatMap(({ sightings }) => sightings)) from.set(part, Math.min(from.get(part) ?? Infinity, segment));
    const shown = members.map(({ first: { dimension, value } }) => `${dimension}=${value}`).join(', ');
    return { restart: { kind: 'fingerprint', label: `fingerprint ${shown}`, index: index + 1, weight: fingerprintWeight(index + 1) }, from };
  });
}

/** Sums of both arms from a restart on. */
function sumsFrom(cells: ReadonlyMap<number, readonly EntrySums[]>, from: ReadonlyMap<number, number>): EntrySums {
  const total = emptyEntrySums();
  for (const [part, segment] of from) {
    const suffix = cells.get(part)?.[segment];
    if (suffix) addEntrySums(total, suffix);
  }
  return total;
}

/** Suffix sums per partition of one candidate's bets, one arm, one metric. */
function suffixesOf(entries: readonly EntryCell[], segments: ReadonlyMap<number, number>): Map<number, readonly EntrySums[]> {
  const differences = new Map<number, (EntrySums | undefined)[]>();
  for (const { part, segment, sums } of entries) {
    const list = differences.get(part) ?? new Array<EntrySums | undefined>(segments.get(part) ?? segment + 1).fill(undefined);
    const known = list[segment];
    if (known) addEntrySums(known, sums);
    else list[segment] = { ...sums, harm: [...sums.harm], win: [...sums.win] };
    differences.set(part, list);
  }
  return new Map([...differences].map(([part, list]) => [part, suffixSums(list)]));
}

const usesFirstEvents = (metric: MetricSpec): boolean =>
  isEventMeasure(metric.numerator) && metric.denominator?.of === 'inference' && metric.denominator.name === 'requests' && metric.better === 'lower' && metric.cap === 1 && metric.margin === 0 && metric.baseline.mean > 0 && metric.baseline.mean < rareBelow;

export function evaluate(look: Look): Evaluation {
  const { experiment, partitions } = look;
  const { spec } = experiment;
  const holding = partitions.filter(({ assigned }) => Object.values(assigned).some((units) => units > 0));
  const counts: Record<string, number> = Object.fromEntries(spec.arms.map(({ id }) => [id, 0]));
  for (const { assigned } of partitions) for (const [arm, units] of Object.entries(assigned)) counts[arm] = (counts[arm] ?? 0) + units;
  const weightSum = spec.arms.reduce((sum, { weight }) => sum + weight, 0);
  const ratio = logEOfRatio([{ counts: spec.arms.map(({ id }) => counts[id] ?? 0), shares: spec.arms.map(({ weight }) => weight / weightSum) }]);
  const restarts = placeRestarts(look);
  const segmentCount = new Map<number, number>();
  for (const { part, ordinal } of look.segments) segmentCount.set(part, Math.max(segmentCount.get(part) ?? 0, ordinal + 1));
  const metrics = candidatesOf(spec).flatMap(({ id }) => spec.metrics.map((metric) => evaluateMetric(look, metric, id, restarts, segmentCount)));
  return {
    experiment,
    versionVector: [...partitions].sort((a, b) => a.part - b.part).map(({ part, ver }) => ({ part, ver })),
    ...(holding.length > 0 && { watermark: Math.min(...holding.map(({ clock }) => clock)) }),
    ...(partitions.length > 0 && { newestClock: Math.max(...partitions.map(({ clock }) => clock)) }),
    eventsFolded: partitions.reduce((sum, { events }) => sum + events, 0),
    crossovers: partitions.reduce((sum, { crossovers }) => sum + crossovers, 0),
    settled: partitions.length > 0 && partitions.every(({ revision }) => revision === experiment.revision),
    srm: { logE: ratio.ok ? ratio.logE : 0, counts },
    metrics,
  };
}

/** Share of the family's error that a metric may spend. */
export function familyWeight(spec: ExperimentSpec, metric: MetricSpec): number {
  const weightOf = ({ role }: MetricSpec): number => (role === 'guardrail' ? 2 : 1);
  const family = spec.metrics.filter(({ role }) => (role === 'signal') === (metric.role === 'signal'));
  return weightOf(metric) / family.reduce((sum, member) => sum + weightOf(member), 0);
}

function evaluateMetric(look: Look, metric: MetricSpec, candidate: string, restarts: readonly PlacedRestart[], segments: ReadonlyMap<number, number>): MetricEvaluation {
  const { spec } = look.experiment;
  const control = controlOf(spec).id;
  const mine = look.entries.filter((cell) => cell.metric === metric.id && cell.candidate === candidate);
  const controlCells = suffixesOf(mine.filter(({ arm }) => arm === control), segments);
  const candidateCells = suffixesOf(mine.filter(({ arm }) => arm === candidate), segments);
  const ratio = scaleOf(metric.denominator) / scaleOf(metric.numerator);
  const arms = [control, candidate].map((arm) => {
    const cells = look.reports.filter((cell) => cell.arm === arm && cell.metric === metric.id);
    const numerator = cells.reduce((sum, cell) => sum + cell.numerator, 0n);
    const denominator = cells.reduce((sum, cell) => sum + cell.denominator, 0n);
    const whole = sumsFrom(arm === control ? controlCells : candidateCells, restarts[0]?.from ?? new Map());
    return {
      arm, units: cells.reduce((sum, cell) => sum + cell.units, 0), firstEvents: cells.reduce((sum, cell) => sum + cell.firstEvents, 0),
      numerator: String(numerator), denominator: String(denominator), entries: whole.n,
      ...(denominator !== 0n && { estimate: (Number(numerator) / Number(denominator)) * ratio }),
    };
  });
  const logWeight = Math.log(familyWeight(spec, metric));
  const rare = usesFirstEvents(metric);
  let harm: TestResult | undefined;
  let win: TestResult | undefined;
  let reason: string | undefined;
  for (const { restart, from } of restarts) {
    const a = sumsFrom(controlCells, from);
    const b = sumsFrom(candidateCells, from);
    const firstEvents = restart.kind === 'whole' && rare;
    const seen = firstEvents ? arms.every(({ units }) => units > 0) : a.n > 0 && b.n > 0;
    if (!seen) {
      reason ??= firstEvents ? 'no units in both arms yet' : 'no closed entries in both arms yet';
      continue;
    }
    const outcome = firstEvents
      ? logEOfFirstEvents({
          side: 'harm', ratios: designRatios(1 + metric.harm / metric.baseline.mean), weights: designRatioWeights,
          epochs: [{ allocation: allocationOf(spec, candidate), eventsA: arms[0]?.firstEvents ?? 0, eventsB: arms[1]?.firstEvents ?? 0 }],
        })
      : logEOfSums(a.harm, b.harm);
    if (!outcome.ok) {
      reason ??= outcome.reason;
      continue;
    }
    const result: TestResult = { engine: firstEvents ? 'E2' : 'E1', restart, logE: outcome.logE, weightedLogE: logWeight + Math.log(restart.weight) + outcome.logE, control: a, candidate: b };
    if (harm === undefined || result.weightedLogE > harm.weightedLogE) harm = result;
    if (restart.kind === 'whole' && a.n > 0 && b.n > 0) {
      const benefit = logEOfSums(a.win, b.win);
      if (benefit.ok) win = { engine: 'E1', restart, logE: benefit.logE, weightedLogE: benefit.logE, control: a, candidate: b };
    }
  }
  const threshold = Math.log(1 / spec.analysis.alphaHarm);
  const status = harm === undefined ? 'unknown' : harm.weightedLogE >= threshold ? 'bad' : 'fine';
  return { metric: metric.id, candidate, role: metric.role, arms, ...(harm && { harm }), ...(win && { win }), status, ...(harm === undefined && { reason: reason ?? 'nothing seen yet' }) };
}
