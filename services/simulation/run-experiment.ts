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
import { addToAll, addToLater, gridLength, openTestStart } from './mixture.ts';
import { mix32, type Random } from './random.ts';
import { pointOf, type Sampler } from './values.ts';
import { beginRun, endOf, gapOf, notEntered, type Room, type Run, type RunResult } from './run-state.ts';

export function runExperiment(prepared: PreparedExperiment, random: Random, seed: number, room: Room): RunResult {
  const run = beginRun(prepared, random, seed, room);
  const { horizonMs } = prepared.plan.spec.analysis;
  for (;;) {
    run.t += run.gapMs;
    climb(run);
    const { best } = run;
    if (best !== undefined && run.t >= best.atMs) return endOf(run, 'rollback', best.atMs, best);
    if (run.t >= horizonMs)
      return best !== undefined && best.atMs < horizonMs
        ? endOf(run, 'rollback', best.atMs, best)
        : endOf(run, 'horizon', horizonMs);
    if (openSlots(run) === 'won') return endOf(run, 'promote', run.t);
    if (run.steps[run.step] !== 0) visit(run);
  }
}

/** The ramp's next step, when its hold and its units are over. */
function climb(run: Run): void {
  const { ramp } = run.prepared.plan.spec;
  if (ramp === undefined || run.step + 1 >= run.steps.length) return;
  if (run.t - run.stepStartedMs < ramp.holdMs || run.count < ramp.minUnits) return;
  run.step += 1;
  run.stepStartedMs = run.t;
  run.gapMs = gapOf(run.prepared, run.steps[run.step]);
}

/** A test start for every slot that begins; a win is looked for when one does. */
function openSlots(run: Run): 'won' | 'going on' {
  const { plan, metrics, logSlotWeights } = run.prepared;
  const { testStartEveryMs, minRunMs } = plan.spec.analysis;
  while (run.t >= run.nextSlotMs) {
    run.slot += 1;
    run.nextSlotMs = (run.slot + 1) * testStartEveryMs;
    const mayWin = run.slot > 0 && plan.only === undefined && run.t >= minRunMs;
    if (mayWin && isWon(run.prepared)) return 'won';
    const logSlotWeight = logSlotWeights[run.slot] as number;
    // The whole phase of a rare metric belongs to first events: the betting test from slot 0 is kept out of the union.
    for (const { testStarts, first, logMetricWeight } of metrics)
      openTestStart(testStarts, run.slot === 0 && first ? -Infinity : logMetricWeight + logSlotWeight);
  }
  return 'going on';
}

function visit(run: Run): void {
  const { metrics, plan } = run.prepared;
  run.visits += 1;
  const unit = drawUnit(run);
  enterWindows(run, unit);
  const revision = run.t >= plan.effectFromMs ? 1 : 0;
  let rare = 1;
  for (let at = 0; at < metrics.length; at += 1) {
    const metric = metrics[at] as PreparedMetric;
    const bit = metric.first ? 1 << rare : 0;
    if (metric.first) rare += 1;
    seeMetric(run, metric, at, unit, revision, bit);
  }
}

/** A new unit, or one that comes back: those who came early come often. */
function drawUnit(run: Run): number {
  const { random, count, flags, entered, isNew } = run;
  const isFirst = count === 0 || (count < run.prepared.maxUnits && random.next() < run.newBelow);
  if (!isFirst) {
    const place = random.next() / 2 ** 32;
    return Math.floor(place * place * count);
  }
  flags[count] = random.next() < run.candidateBelow ? 1 : 0;
  const windows = isNew.length;
  for (let window = 0; window < windows; window += 1) entered[count * windows + window] = -1;
  run.count += 1;
  return count;
}

/** Which windows the unit enters with this visit: one a segment, and only when its last entry has closed. */
function enterWindows(run: Run, unit: number): void {
  const { t, slot, entered, isNew, before } = run;
  const { windowsMs, plan } = run.prepared;
  const { testStartEveryMs } = plan.spec.analysis;
  const windows = windowsMs.length;
  for (let window = 0; window < windows; window += 1) {
    const last = entered[unit * windows + window] as number;
    isNew[window] = last < 0 ? 1 : 0;
    const lastSlot = last < 0 ? -1 : Math.floor(last / testStartEveryMs);
    const enters = lastSlot < slot && (last < 0 || t - last >= (windowsMs[window] as number));
    before[window] = enters ? lastSlot : notEntered;
    if (enters) entered[unit * windows + window] = t;
  }
}

/** One metric of a visit. `bit`: where the unit's flags say that its first rare event was seen, 0 for other metrics. */
function seeMetric(run: Run, metric: PreparedMetric, at: number, unit: number, revision: number, bit: number): void {
  const { flags, before, isNew, sameBelow } = run;
  const { testStarts, firstEvents } = metric;
  const known = flags[unit] as number;
  const isCandidate = (known & 1) === 1;
  const entersFrom = before[metric.window] as number;
  const awaitsEvent = bit !== 0 && (known & bit) === 0;
  if (entersFrom === notEntered && !awaitsEvent) return;
  if (testStarts.fired || firstEvents.fired) return;
  // One number decides both whether the unit repeats itself and, stretched back to its whole range, what a fresh visit
  // is worth.
  let draw = run.random.next();
  draw =
    draw < sameBelow ? mix32(run.seed ^ Math.imul(unit * 31 + at + 1, 0x9e3779b1)) : (draw - sameBelow) * run.stretch;
  const point = pointOf(metric.samplers[revision * 2 + (isCandidate ? 1 : 0)] as Sampler, draw);
  const row = rowOf(metric.points, revision, isCandidate, point);
  if (awaitsEvent && metric.events[row] === 1) {
    flags[unit] = known | bit;
    addToAll(firstEvents, metric.first as NonNullable<typeof metric.first>, isCandidate ? 1 : 0);
  }
  if (entersFrom !== notEntered) {
    if (isNew[metric.window] === 1) {
      addToAll(testStarts, metric.harm, row);
      if (run.prepared.plan.only === undefined && metric.metric.role !== 'signal') addWin(metric, row);
    } else addToLater(testStarts, metric.harm, row, entersFrom + 1);
  }
  if (testStarts.fired || firstEvents.fired) noteCrossing(run, metric);
}

/** The metric has reached its bound: a signal pauses, anything else ends the phase when its entry closes. */
function noteCrossing(run: Run, { testStarts, firstEvents, metric, index }: PreparedMetric): void {
  const atMs = run.t + (firstEvents.fired ? 0 : metric.windowMs);
  if (metric.role === 'signal' && run.prepared.plan.only === undefined) {
    if (run.pausedMs < 0 || atMs < run.pausedMs) run.pausedMs = atMs;
  } else if (run.best === undefined || atMs < run.best.atMs)
    run.best = { atMs, metric: index, slot: firstEvents.fired ? 0 : testStarts.firedBy };
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
