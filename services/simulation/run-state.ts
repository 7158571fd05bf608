/** What a simulated run carries from visit to visit, and what is left of it at its end. */
import type { PreparedExperiment } from './experiment.ts';
import { openTestStart, resetMixture } from './mixture.ts';
import type { Random } from './random.ts';

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

/** The earliest crossing so far, of a metric that may end the phase. */
export type Crossing = { readonly atMs: number; readonly metric: number; readonly slot: number };

/** A run as it goes: what was drawn and decided so far. One object, changed in place. */
export type Run = {
  readonly prepared: PreparedExperiment;
  readonly random: Random;
  readonly seed: number;
  readonly flags: Int32Array;
  readonly entered: Float64Array;
  /** Per window, of the visit at hand: whether it is the unit's first. */
  readonly isNew: Uint8Array;
  /** Per window: the slot of the entry before, -1 without one; `notEntered` where this visit enters nothing. */
  readonly before: Int32Array;
  /** Draws below these are a candidate, a new unit, a repetition of the unit's own value. */
  readonly candidateBelow: number;
  readonly newBelow: number;
  readonly sameBelow: number;
  /** Stretches a draw that repeats nothing back to the whole range. */
  readonly stretch: number;
  readonly steps: readonly number[];
  t: number;
  /** Between two visits; nobody comes at coverage 0. */
  gapMs: number;
  step: number;
  stepStartedMs: number;
  slot: number;
  nextSlotMs: number;
  count: number;
  visits: number;
  best: Crossing | undefined;
  pausedMs: number;
};
export const notEntered = -2;

export const gapOf = ({ plan, visitsPerMs }: PreparedExperiment, coverage = 0): number =>
  coverage > 0 ? 100 / (coverage * visitsPerMs) : plan.spec.analysis.testStartEveryMs;

export function beginRun(prepared: PreparedExperiment, random: Random, seed: number, room: Room): Run {
  const { plan, metrics, windowsMs, allocation, logSlotWeights } = prepared;
  const { spec, traffic } = plan;
  for (const { testStarts, firstEvents, wins, first, logMetricWeight } of metrics) {
    resetMixture(testStarts);
    resetMixture(firstEvents);
    wins.fill(0);
    if (first) openTestStart(firstEvents, logMetricWeight + (logSlotWeights[0] as number));
  }
  const steps = spec.ramp?.coverage ?? [100];
  return {
    prepared,
    random,
    seed,
    flags: room.flags,
    entered: room.entered,
    isNew: new Uint8Array(windowsMs.length),
    before: new Int32Array(windowsMs.length),
    candidateBelow: allocation * 2 ** 32,
    newBelow: 2 ** 32 / traffic.visitsPerUnit,
    sameBelow: traffic.sameAgain * 2 ** 32,
    stretch: traffic.sameAgain < 1 ? 1 / (1 - traffic.sameAgain) : 0,
    steps,
    t: 0,
    gapMs: gapOf(prepared, steps[0]),
    step: 0,
    stepStartedMs: 0,
    slot: -1,
    nextSlotMs: 0,
    count: 0,
    visits: 0,
    best: undefined,
    pausedMs: -1,
  };
}

export const endOf = ({ count, visits, pausedMs }: Run, end: RunEnd, atMs: number, by?: Crossing): RunResult => ({
  end,
  atMs,
  metric: by?.metric ?? -1,
  slot: by?.slot ?? -1,
  units: count,
  visits,
  pausedMs,
});
