/**
 * One run of a prepared experiment, visit by visit, to its rollback, its promotion or its horizon. A unit enters a
 * metric as in the joiner: with its first visit of a segment, when its last entry has closed; an entry counts when its
 * window ends, and the phase ends with the earliest decision.
 */
import { winAlphaOf } from '../kernel/experiment.ts';
import { betWeights } from '../kernel/bets.ts';
import { logSumExp } from '../statistics/index.ts';
import { rowOf } from './bets.ts';
import type { PreparedExperiment, PreparedMetric } from './experiment.ts';
import { addToAll, addToLater, gridLength, type Mixture, openTestStart, resetMixture } from './mixture.ts';
import { mix32, type Random } from './random.ts';
import { pointOf, type Sampler } from './values.ts';

export type RunEnd = 'rollback' | 'promote' | 'horizon';
export type RunResult = {
  readonly end: RunEnd;
  /** Milliseconds after the phase's start; the horizon when nothing was decided. */
  readonly atMs: number;
  /** Index of the deciding metric in the file, -1 for none. */
  readonly metric: number;
  /** Slot from which the deciding test counted, 0 for the whole phase, -1 for none. */
  readonly slot: number;
  readonly units: number;
  readonly visits: number;
  /** When a signal passed its bound first; -1 for never. A signal pauses, it ends nothing. */
  readonly pausedMs: number;
};

/**
 * Room for the units of a run, kept from one to the next. `flags`: bit 0 the arm, bit k the k-th rare metric's first
 * event.
 */
export type Room = { readonly flags: Int32Array; readonly entered: Float64Array };
export const roomFor = ({ maxUnits, windowsMs }: PreparedExperiment): Room => ({
  flags: new Int32Array(maxUnits),
  entered: new Float64Array(maxUnits * windowsMs.length),
});

const testStartsFrom = (mixture: Mixture): number => (mixture.fired ? mixture.firedBy : -1);

export function runExperiment(
  prepared: PreparedExperiment,
  random: Random,
  seed: number,
  { flags, entered }: Room,
): RunResult {
  const { plan, metrics, windowsMs, allocation, visitsPerMs, maxUnits, logSlotWeights } = prepared;
  const { spec, traffic, effectFromMs, only } = plan;
  const { horizonMs, testStartEveryMs } = spec.analysis;
  const windows = windowsMs.length;
  const isNew = new Uint8Array(windows);
  /** Slot of the entry before, for windows that are entered by this visit; -2 where it is not entered. */
  const before = new Int32Array(windows);
  const candidateBelow = allocation * 2 ** 32;
  const newBelow = 2 ** 32 / traffic.visitsPerUnit;
  const sameBelow = traffic.sameAgain * 2 ** 32;
  const stretch = traffic.sameAgain < 1 ? 1 / (1 - traffic.sameAgain) : 0;
  for (const { testStarts, firstEvents, wins, first, logMetricWeight } of metrics) {
    resetMixture(testStarts);
    resetMixture(firstEvents);
    wins.fill(0);
    if (first) openTestStart(firstEvents, logMetricWeight + (logSlotWeights[0] as number));
  }
  const { ramp } = spec;
  const steps = ramp?.coverage ?? [100];
  /** Between two visits; nobody comes at coverage 0. */
  const gapAt = (at: number): number =>
    (steps[at] ?? 0) > 0 ? 100 / ((steps[at] as number) * visitsPerMs) : testStartEveryMs;
  let gapMs = gapAt(0);
  let [step, stepStartedMs] = [0, 0];
  let [t, slot, nextSlotMs, count, visits] = [0, -1, 0, 0, 0];
  let best: { atMs: number; metric: number; slot: number } | undefined;
  let pausedMs = -1;
  const result = (end: RunEnd, atMs: number, metric = -1, from = -1): RunResult => ({
    end,
    atMs,
    metric,
    slot: from,
    units: count,
    visits,
    pausedMs,
  });

  for (;;) {
    t += gapMs;
    if (ramp && step + 1 < steps.length && t - stepStartedMs >= ramp.holdMs && count >= ramp.minUnits) {
      step += 1;
      stepStartedMs = t;
      gapMs = gapAt(step);
    }
    if (best !== undefined && t >= best.atMs) return result('rollback', best.atMs, best.metric, best.slot);
    if (t >= horizonMs)
      return best !== undefined && best.atMs < horizonMs
        ? result('rollback', best.atMs, best.metric, best.slot)
        : result('horizon', horizonMs);
    while (t >= nextSlotMs) {
      slot += 1;
      nextSlotMs = (slot + 1) * testStartEveryMs;
      if (slot > 0 && only === undefined && t >= spec.analysis.minRunMs && isWon(prepared)) return result('promote', t);
      // The whole phase of a rare metric belongs to E2: E1's test from slot 0 is kept out of the union.
      for (const { testStarts, first, logMetricWeight } of metrics)
        openTestStart(testStarts, slot === 0 && first ? -Infinity : logMetricWeight + (logSlotWeights[slot] as number));
    }
    if (steps[step] === 0) continue;

    visits += 1;
    let unit = count;
    if (count === 0 || (count < maxUnits && random.next() < newBelow)) {
      flags[unit] = random.next() < candidateBelow ? 1 : 0;
      for (let window = 0; window < windows; window += 1) entered[unit * windows + window] = -1;
      count += 1;
    } else {
      const place = random.next() / 2 ** 32;
      unit = Math.floor(place * place * count);
    }
    for (let window = 0; window < windows; window += 1) {
      const last = entered[unit * windows + window] as number;
      isNew[window] = last < 0 ? 1 : 0;
      const lastSlot = last < 0 ? -1 : Math.floor(last / testStartEveryMs);
      const enters = lastSlot < slot && (last < 0 || t - last >= (windowsMs[window] as number));
      before[window] = enters ? lastSlot : -2;
      if (enters) entered[unit * windows + window] = t;
    }
    const known = flags[unit] as number;
    const isCandidate = (known & 1) === 1;
    const revision = t >= effectFromMs ? 1 : 0;
    let rare = 1;
    for (let at = 0; at < metrics.length; at += 1) {
      const metric = metrics[at] as PreparedMetric;
      const bit = metric.first ? 1 << rare : 0;
      if (metric.first) rare += 1;
      const entersFrom = before[metric.window] as number;
      const awaitsEvent = bit !== 0 && (known & bit) === 0;
      if (entersFrom === -2 && !awaitsEvent) continue;
      if (metric.testStarts.fired || metric.firstEvents.fired) continue;
      // One number decides both whether the unit repeats itself and, stretched back to its whole range, what a fresh
      // visit is worth.
      let draw = random.next();
      draw = draw < sameBelow ? mix32(seed ^ Math.imul(unit * 31 + at + 1, 0x9e3779b1)) : (draw - sameBelow) * stretch;
      const point = pointOf(metric.samplers[revision * 2 + (isCandidate ? 1 : 0)] as Sampler, draw);
      const row = rowOf(metric.points, revision, isCandidate, point);
      if (awaitsEvent && metric.events[row] === 1) {
        flags[unit] = (flags[unit] as number) | bit;
        addToAll(metric.firstEvents, metric.first as NonNullable<typeof metric.first>, isCandidate ? 1 : 0);
      }
      if (entersFrom !== -2) {
        if (isNew[metric.window] === 1) {
          addToAll(metric.testStarts, metric.harm, row);
          if (only === undefined && metric.metric.role !== 'signal') addWin(metric, row);
        } else addToLater(metric.testStarts, metric.harm, row, entersFrom + 1);
      }
      if (!metric.testStarts.fired && !metric.firstEvents.fired) continue;
      const atMs = t + (metric.firstEvents.fired ? 0 : metric.metric.windowMs);
      if (metric.metric.role === 'signal' && only === undefined) {
        if (pausedMs < 0 || atMs < pausedMs) pausedMs = atMs;
      } else if (best === undefined || atMs < best.atMs)
        best = { atMs, metric: metric.index, slot: metric.firstEvents.fired ? 0 : testStartsFrom(metric.testStarts) };
    }
  }
}

function addWin({ wins, win: { logs } }: PreparedMetric, row: number): void {
  const at = row * gridLength;
  for (let j = 0; j < gridLength; j += 1) wins[j] = (wins[j] as number) + (logs[at + j] as number);
}

/**
 * `control/rules.ts`, rule win: a goal past its bound, every guardrail non-inferior. Looked at when a segment begins.
 */
function isWon({ plan: { spec }, metrics }: PreparedExperiment): boolean {
  const logE = ({ wins }: PreparedMetric): number =>
    logSumExp(betWeights.map((weight, j) => Math.log(weight) + (wins[j] as number)));
  const bounds = { goal: Math.log(1 / winAlphaOf(spec)), guardrail: Math.log(1 / spec.analysis.alphaWin) };
  const passes =
    (role: keyof typeof bounds) =>
    (metric: PreparedMetric): boolean =>
      logE(metric) >= bounds[role];
  const withRole = (role: keyof typeof bounds): readonly PreparedMetric[] =>
    metrics.filter(({ metric }) => metric.role === role);
  return withRole('goal').some(passes('goal')) && withRole('guardrail').every(passes('guardrail'));
}
