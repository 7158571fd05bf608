/**
 * Plays the story through the pipeline and judges the end: rollback after the onset, on a metric that really broke,
 * totals equal to the oracle's.
 */
import type { EpochMs } from '../kernel/time.ts';
import { type Pipeline, startPipeline } from '../pipeline/start.ts';
import { applyAndAwait } from '../replay/apply.ts';
import { createProgress, type Progress } from '../replay/progress.ts';
import { ticksEverywhere } from '../runtime/ticks.ts';
import { topicName } from '../runtime/topics.ts';
import type { DeskMessage } from './desk.ts';
import { type Desks, startDesks } from './desks.ts';
import { storyEnd, storyExperimentId, storyStart } from './story.ts';
import { summarize } from './summarize.ts';
import { afterDecision, type DemoOptions, type DemoResult, readStory, type Telling } from './telling.ts';

export type { DemoEvent, DemoResult } from './telling.ts';

/** Story milliseconds per wall millisecond: two hours a second. */
const speed = 7_200;
const partitions = 4;
const callsPerHour = 130;

function openPipeline(telling: Telling): Promise<Pipeline> {
  const { options } = telling;
  const { clock, onEvent } = options;
  const storyNow = (): EpochMs => Math.round(storyStart + Math.max(0, clock.now() - telling.startAt) * speed);
  return startPipeline({
    ...options,
    partitions,
    eventTime: true,
    eventClock: { now: storyNow },
    flushMs: 150,
    lookMs: 60,
    idleTickMs: 0,
    bot: true,
    onDecision: (decision) => {
      if (decision.action === 'rollback') telling.decidedAt ??= clock.now();
      onEvent({ kind: 'decision', decision });
    },
    // The answer to the file that begins the story is no news.
    onAck: ({ control_offset, new_coverage: coverage }) => {
      if (control_offset !== 0) onEvent({ kind: 'ack', coverage, afterMs: afterDecision(telling, clock.now()) });
    },
  });
}

/** Turns what desks say into events for whoever watches. */
function createWatcher(telling: Telling, pipeline: Pipeline): (message: DeskMessage) => void {
  const { clock, onEvent } = telling.options;
  const calls = new Map<number, number>();
  let previous = { at: telling.startAt, calls: 0 };
  const tellProgress = (storyNow: EpochMs): void => {
    const sum = [...calls.values()].reduce((all, number) => all + number, 0);
    const now = clock.now();
    if (now - previous.at < 900) return;
    const perSecond = ((sum - previous.calls) * 1000) / (now - previous.at);
    const evaluation = pipeline.statistics.latest(storyExperimentId);
    onEvent({ kind: 'progress', storyNow, calls: sum, perSecond, evaluation });
    previous = { at: now, calls: sum };
  };
  return (message) => {
    if (message.kind === 'switched')
      onEvent({ kind: 'switched', app: message.app, afterMs: afterDecision(telling, message.at) });
    if (message.kind !== 'progress') return;
    calls.set(message.app, message.calls);
    if (message.app === 0) tellProgress(message.storyNow);
  };
}

async function openDesks(telling: Telling, pipeline: Pipeline): Promise<Desks> {
  const { options, spec, sha } = telling;
  const { prefix, clock } = options;
  const { log, codec, producer } = pipeline;
  await applyAndAwait(
    { prefix, log, producer, codec, bot: pipeline.bot, progress: createProgress(pipeline, prefix, 15) },
    { spec, configSha: sha, author: 'demo', reason: 'the story begins' },
    storyStart,
  );
  telling.startAt = clock.now() + 1_200; // the desks' processes are up by then
  return startDesks(
    options.home,
    {
      seed: options.seed,
      brokers: options.brokers,
      registryUrl: options.registryUrl,
      prefix,
      speed,
      startAt: telling.startAt,
      perHour: callsPerHour,
    },
    { now: clock.now, onMessage: createWatcher(telling, pipeline) },
  );
}

async function drained(progress: Progress, pipeline: Pipeline): Promise<void> {
  await progress.caughtUp('inference.raw.v1', pipeline.redactor);
  await progress.caughtUp('outcome.raw.v1', pipeline.redactor);
  await progress.caughtUp('entity.v1', pipeline.linker);
  await progress.caughtUp('unit.v1', pipeline.joiner);
}

/** Everything emitted is folded; then the clock is carried past every window, and all of it is looked at. */
async function bringToEnd({ options }: Telling, pipeline: Pipeline): Promise<void> {
  const { log, codec, producer, sink } = pipeline;
  const unitLog = topicName(options.prefix, 'unit.v1');
  const progress = createProgress(pipeline, options.prefix, 15);
  await drained(progress, pipeline);
  const at = storyEnd + 13 * 3_600_000;
  await producer.send(ticksEverywhere(codec, unitLog, partitions, at));
  await drained(progress, pipeline);
  await progress.lookedAt(await log.endOffsets(unitLog));
  await progress.caughtUp('inference.v1', sink);
  await progress.caughtUp('outcome.v1', sink);
}

/** Undefined when it was interrupted. */
export async function runDemo(options: DemoOptions): Promise<DemoResult | undefined> {
  const telling = readStory(options);
  const pipeline = await openPipeline(telling);
  let desks: Desks | undefined;
  try {
    desks = await openDesks(telling, pipeline);
    const stopped = options.interrupted?.then(() => 'stopped' as const);
    const ends = [desks.finished, pipeline.failed, ...(stopped === undefined ? [] : [stopped])];
    if ((await Promise.race(ends)) === 'stopped') return undefined;
    await bringToEnd(telling, pipeline);
    const result = await summarize(telling, pipeline, desks);
    options.onFinished?.(result);
    if (options.keep !== undefined) await Promise.race([options.keep, pipeline.failed]);
    return result;
  } finally {
    await desks?.kill();
    await pipeline.close();
  }
}
