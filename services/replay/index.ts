/**
 * Replays an experiment's events and outcomes through the pipeline, in an environment of its own (topics and database
 * by run), at the times that the lines carry. In lockstep every chunk is folded and looked at before the next is sent,
 * so the events to a decision are exact and repeatable.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { Pipeline } from '../pipeline/start.ts';
import { total } from '../runtime/stage.ts';
import { applyAndAwait } from './apply.ts';
import { parkLines, summarizeOdd } from './park-lines.ts';
import { readArrivals } from './read-arrivals.ts';
import type { Arrival } from './scenario-lines.ts';
import { isConsumed, lookNow, openRun, type ReplayOptions, type Run, send, tick } from './run.ts';
import {
  endOf,
  pipelineSummary,
  recountDifferences,
  type ReplaySummary,
  totalsOf,
  unlinkedOutcomes,
} from './summary.ts';

export type { ReplayOptions } from './run.ts';
export { tellOddLine } from './read-arrivals.ts';
export type { ReplaySummary } from './summary.ts';

/**
 * Lines sent and not yet folded when nothing paces the replay: bounds memory, and how far outcomes run ahead of their
 * events.
 */
const maxInFlight = 2_000;
/** Lines sent together when no look comes between them. */
const chunkLines = 500;

async function applyExperiment({ options, prefix, read, pipeline, progress }: Run): Promise<void> {
  const { spec, configSha } = options;
  const { log, codec, producer } = pipeline;
  const reason = `replay of ${spec.id}`;
  await applyAndAwait(
    { prefix, log, producer, codec, bot: pipeline.bot, progress },
    { spec, configSha, author: 'replay', reason },
    read.first.arrivedAt,
  );
}

/** Not before its time, when the replay goes at a multiple of the lines' own clock. */
async function pace({ options, read, pipeline }: Run, startedAt: EpochMs, newest: EpochMs): Promise<void> {
  if (!Number.isFinite(options.speed)) return;
  const due = startedAt + (newest - read.first.arrivedAt) / options.speed;
  const earlyMs = due - options.clock.now();
  if (earlyMs > 0) await Promise.race([wait(earlyMs), pipeline.failed]);
}

async function sendAll(run: Run): Promise<void> {
  const { options, read, pipeline, progress, isLockstep } = run;
  const { arrivals } = read;
  const chunkSize = isLockstep ? options.lookEvery : chunkLines;
  const startedAt = options.clock.now();
  for (let from = 0; from < arrivals.length; from += chunkSize) {
    const chunk = arrivals.slice(from, from + chunkSize);
    const newest = chunk.at(-1)?.arrivedAt ?? run.clock.now;
    await pace(run, startedAt, newest);
    await send(run, chunk);
    if (isLockstep) await lookNow(run, newest);
    else if (from % maxInFlight === 0) {
      await progress.until(() => isConsumed(run));
      await tick(run, newest);
    }
    const evaluation = pipeline.statistics.latest(options.spec.id);
    options.onProgress?.({ sent: from + chunk.length, lines: arrivals.length, at: newest, evaluation });
  }
}

/** Past the last line the clock goes on until every window has closed. */
async function closeWindows(run: Run): Promise<void> {
  const longest = Math.max(...run.options.spec.metrics.map(({ windowMs }) => windowMs));
  await lookNow(run, run.read.last.arrivedAt + longest + 1);
  await lookNow(run, run.read.last.arrivedAt + longest + 2);
}

const lateOutcomes = ({ joiner }: Pipeline, experiment: string): number =>
  [...joiner.states().values()].reduce(
    (sum, { experiments }) => sum + (experiments.get(experiment)?.lateOutcomes ?? 0),
    0,
  );

async function summarize(run: Run, began: EpochMs): Promise<ReplaySummary> {
  const { options, read, pipeline, prefix, database } = run;
  const { spec } = options;
  const evaluation = pipeline.statistics.latest(spec.id);
  if (evaluation === undefined) throw new PipelineError('STATE_CORRUPT', `no look at ${spec.id} ever happened`);
  const { decisions, acks, recount } = pipelineSummary(pipeline, await recountDifferences(pipeline));
  const oddOf = (wanted: Arrival['kind']): number => read.odd.filter(({ kind }) => kind === wanted).length;
  return {
    experiment: spec.id,
    ended: endOf(pipeline.statistics.decisions()),
    wall_s: (options.clock.now() - began) / 1000,
    events: {
      read: read.events,
      unique: run.sentEvents.size,
      folded: evaluation.eventsFolded,
      parked: total(pipeline.redactor.counts.parked) + oddOf('inference'),
      skipped: run.skipped,
      texts_left_out: read.textsLeftOut,
    },
    outcomes: {
      read: read.outcomes,
      linked: pipeline.linker.forwarded(),
      unlinked: unlinkedOutcomes(pipeline),
      late: lateOutcomes(pipeline, spec.id),
      parked: oddOf('outcome'),
    },
    unused: summarizeOdd(read.odd),
    totals: totalsOf(evaluation, spec),
    crossovers: evaluation.crossoverReasons,
    decisions,
    acks,
    recount,
    run: { prefix, database },
  };
}

export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  const began = options.clock.now();
  const { eventsFile, outcomesFile, spec } = options;
  const read = await readArrivals({
    eventsFile,
    ...(outcomesFile !== undefined && { outcomesFile }),
    unitType: spec.unit,
    ...(spec.fallbackUnit !== undefined && { fallbackType: spec.fallbackUnit }),
  });
  if (read.odd.length > 0) options.onUnused?.(summarizeOdd(read.odd), read.events + read.outcomes);
  const run = await openRun(options, read);
  try {
    options.onPath?.(run.pipeline);
    await parkLines({ prefix: run.prefix, producer: run.pipeline.producer, now: began }, read.odd);
    await applyExperiment(run);
    await sendAll(run);
    await closeWindows(run);
    return await summarize(run, began);
  } finally {
    await run.pipeline.close();
  }
}
