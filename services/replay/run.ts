/** One run of a replay: what it sends, and how it brings all of it to a look. */
import type { Decision } from '../kernel/decision.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import { candidatesOf, type ExperimentSpec } from '../kernel/experiment.ts';
import type { Clock, EpochMs } from '../kernel/time.ts';
import type { Addresses } from '../pipeline/connect.ts';
import { type Pipeline, startPipeline } from '../pipeline/start.ts';
import type { RedactionPolicy } from '../redaction/index.ts';
import type { OutgoingRecord } from '../runtime/log.ts';
import { ticksEverywhere } from '../runtime/ticks.ts';
import { topicName } from '../runtime/topics.ts';
import { createProgress, type Progress } from './progress.ts';
import type { OddSummary } from './park-lines.ts';
import type { Arrivals } from './read-arrivals.ts';
import type { Arrival } from './scenario-lines.ts';
import { inferenceRecord, outcomeRecord } from './to-records.ts';

export type ReplayOptions = Addresses & {
  readonly run: string;
  readonly spec: ExperimentSpec;
  readonly configSha: string;
  readonly eventsFile: string;
  readonly outcomesFile?: string;
  readonly partitions: number;
  /** Record decisions and go on sending; else candidate traffic stops when a decision is obeyed. */
  readonly observe: boolean;
  /** Lines between looks in lockstep; 0: not in lockstep. */
  readonly lookEvery: number;
  /** Times faster than the lines' own clock; Infinity: as fast as it is folded. */
  readonly speed: number;
  readonly pseudonymKey: Uint8Array;
  readonly redaction?: RedactionPolicy;
  readonly clock: Clock;
  readonly onProgress?: (progress: {
    readonly sent: number;
    readonly lines: number;
    readonly at: EpochMs;
    readonly evaluation: Evaluation | undefined;
  }) => void;
  /** Told before anything is sent, when there is anything to tell; `lines`: of all that was read. */
  readonly onUnused?: (unused: OddSummary, lines: number) => void;
  readonly onDecision?: (decision: Decision) => void;
  readonly onPath?: (path: Pipeline) => void;
};

export type Run = {
  readonly options: ReplayOptions;
  readonly prefix: string;
  readonly database: string;
  readonly read: Arrivals;
  readonly isLockstep: boolean;
  readonly pipeline: Pipeline;
  readonly progress: Progress;
  /** The event-time clock: what the lines have carried so far. */
  readonly clock: { now: EpochMs };
  /** `topic/partition` -> next offset of what was sent. */
  readonly sentTo: Map<string, number>;
  readonly sentEvents: Set<string>;
  readonly candidates: ReadonlySet<string>;
  /** Lines of a candidate that nobody would have been given any more. */
  skipped: number;
};

export async function openRun(options: ReplayOptions, read: Arrivals): Promise<Run> {
  const prefix = `tripline-replay-${options.run}`;
  const database = `tripline_replay_${options.run}`;
  const isLockstep = options.lookEvery > 0;
  const clock = { now: read.first.arrivedAt };
  const pipeline = await startPipeline({
    ...options,
    prefix,
    database,
    eventTime: true,
    eventClock: { now: () => clock.now },
    flushMs: isLockstep ? 20 : 250,
    lookMs: isLockstep ? 0 : 100,
    idleTickMs: 0,
    bot: !options.observe,
    ...(options.onDecision && { onDecision: options.onDecision }),
  });
  return {
    options,
    prefix,
    database,
    read,
    isLockstep,
    pipeline,
    progress: createProgress(pipeline, prefix, isLockstep ? 4 : 20),
    clock,
    sentTo: new Map(),
    sentEvents: new Set(),
    candidates: new Set(candidatesOf(options.spec).map(({ id }) => id)),
    skipped: 0,
  };
}

const advanceTo = (run: Run, at: EpochMs): void => {
  run.clock.now = Math.max(run.clock.now, at);
};

function isStopped({ pipeline, options }: Run): boolean {
  const status = pipeline.bot?.experiments().get(options.spec.id)?.status;
  return status === 'rolled_back' || status === 'stopped';
}

export async function send(run: Run, chunk: readonly Arrival[]): Promise<void> {
  const { pipeline, prefix } = run;
  const target = { prefix, partitions: run.options.partitions, codec: pipeline.codec };
  const outgoing: OutgoingRecord[] = [];
  for (const arrival of chunk) {
    advanceTo(run, arrival.arrivedAt);
    if (arrival.kind === 'outcome') outgoing.push(outcomeRecord(target, arrival));
    // The app asks before each call: after a rollback nobody is given the candidate any more.
    else if (isStopped(run) && run.candidates.has(arrival.variant)) run.skipped += 1;
    else {
      run.sentEvents.add(arrival.event.event_id);
      outgoing.push(inferenceRecord(target, arrival));
    }
  }
  for (const [at, next] of await pipeline.producer.send(outgoing)) run.sentTo.set(at, next);
}

/** The redactor has taken all that was sent. */
export const isConsumed = ({ sentTo, pipeline }: Run): boolean =>
  [...sentTo].every(([at, next]) => {
    const slash = at.lastIndexOf('/');
    return (pipeline.redactor.position(at.slice(0, slash), Number(at.slice(slash + 1))) ?? 0) >= next;
  });

/** Everything sent is folded; where the unit log ends. */
async function folded(run: Run): Promise<readonly number[]> {
  const { progress, pipeline } = run;
  await progress.until(() => isConsumed(run));
  await progress.caughtUp('entity.v1', pipeline.linker);
  return progress.caughtUp('unit.v1', pipeline.joiner);
}

export async function tick(run: Run, at: EpochMs): Promise<void> {
  advanceTo(run, at);
  const { codec, producer } = run.pipeline;
  await producer.send(ticksEverywhere(codec, topicName(run.prefix, 'unit.v1'), run.options.partitions, at));
}

/**
 * Everything sent is folded, a tick has carried the clock everywhere, statistics has looked at all of it, and the bot
 * has obeyed what it decided.
 */
export async function lookNow(run: Run, at: EpochMs): Promise<void> {
  const { pipeline, progress } = run;
  const { statistics, bot } = pipeline;
  await folded(run);
  await tick(run, at);
  const ends = await folded(run);
  if (run.isLockstep) await statistics.look();
  await progress.lookedAt(ends);
  if (bot) await progress.caughtUp('control.v1', bot);
  await statistics.upToDate();
}
