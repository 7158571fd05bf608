/**
 * The emitter: three calls that never throw, never block and never slow the app. Events are encoded at once, queued
 * within bounds (`event-queue`), and sent by a loop of its own that waits for the broker for ever (`event-sender`).
 * What does not fit is dropped, oldest first, and counted by reason.
 */
import { type Assignment, assign, unknownAssignment } from '../assignment/index.ts';
import { type AliasMemory, createAliasMemory } from './alias-memory.ts';
import {
  describeExposure,
  describeInference,
  describeOutcome,
  type Origin,
  readTraceparent,
} from './describe-event.ts';
import type { Emitter, EmitterOptions } from './emitter-options.ts';
import type { AliasInput, InferenceInput, OutcomeInput } from './event-input.ts';
import { createEventQueue, type EventQueue, type QueuedEvent } from './event-queue.ts';
import { createEventSender, type EventSender, flushSender, runSender } from './event-sender.ts';
import { createExposureMemory, type ExposureMemory } from './exposures.ts';
import { learnNames, nameUnit, namedTwice, pairsOf, type SplitSubject } from './name-units.ts';
import { createOrigin } from './origin.ts';
import { idsAsText, type Note } from './read-values.ts';
import { createProblemReport, type ProblemReport } from './problem-report.ts';
import { createEventRedaction, type EventRedaction, type RecordedEvent } from './redact-events.ts';
import { encodeWithin, shortenQueued } from './shorten-event.ts';
import type { EmitterStats } from './stats.ts';

export type { Emitter, EmitterOptions, EventEncoder, ExperimentSource } from './emitter-options.ts';
export type { EventSink } from './event-sender.ts';

/** What the three calls work on. */
type Recorder = {
  readonly options: EmitterOptions;
  readonly maxEventBytes: number;
  readonly queue: EventQueue;
  readonly redaction: EventRedaction;
  readonly problems: ProblemReport;
  readonly exposures: ExposureMemory;
  readonly aliases: AliasMemory;
  readonly sender: EventSender;
  /** Service, environment, time and chance of one event. */
  readonly origin: () => Origin;
  failedCalls: number;
  readonly unusableValues: Record<string, number>;
  textsLeftOut: number;
};

/** An app's mistake (or ours) is counted, never thrown at the app. */
function safely<T>(recorder: Recorder, call: string, fallback: T, run: () => T): T {
  try {
    return run();
  } catch (error) {
    recorder.failedCalls += 1;
    // Somebody else's message may quote the value it stumbled over, which may be a prompt: only ours are passed on,
    // which name the field.
    if (error instanceof RangeError) recorder.problems.report(error, `${call}: `);
    else recorder.problems.say(`${call}: a value has the wrong type`);
    return fallback;
  }
}

function encode(recorder: Recorder, event: RecordedEvent): Buffer {
  const { redaction, options, maxEventBytes } = recorder;
  const { frame, textsLeftOut, event: told } = encodeWithin(options.encode, redaction.clean(event), maxEventBytes);
  recorder.textsLeftOut += textsLeftOut;
  options.onEncoded?.(told);
  return frame;
}

/** The event goes without the value, which is counted by its field. */
const noteOf =
  ({ unusableValues, problems }: Recorder, call: string): Note =>
  (field, cause) => {
    unusableValues[field] = (unusableValues[field] ?? 0) + 1;
    problems.say(`${call}: ${field}: ${cause}; recorded without it`);
  };

type Route = Pick<QueuedEvent, 'bucket' | 'key' | 'traceparent'> & {
  readonly from: Origin;
  readonly isTimeGiven?: boolean;
};

/** Queued as a frame; while redaction loads, as it was recorded. */
function push(
  recorder: Recorder,
  topic: QueuedEvent['topic'],
  event: RecordedEvent,
  { bucket, key, traceparent, from, isTimeGiven = false }: Route,
): void {
  const { queue, redaction, sender } = recorder;
  const held = redaction.isReady() ? undefined : structuredClone(event);
  const frame = held === undefined ? encode(recorder, event) : Buffer.from(JSON.stringify(held.value));
  if (sender.phase === 'closing') queue.drop('closed');
  else if (held === undefined && frame.length > recorder.maxEventBytes) queue.drop('too_large');
  else
    queue.push({
      topic,
      record: event.record,
      bucket,
      key,
      frame,
      ...(held && { held }),
      traceparent: readTraceparent(traceparent) && traceparent,
      timestamp: from.now,
      recordedAt: from.elapsed,
      isTimeGiven,
    });
  sender.wake();
}

/** Redaction has loaded: what was held for it is encoded at last. */
function encodeHeld(recorder: Recorder, { held: _, ...event }: QueuedEvent, held: RecordedEvent) {
  return safely(recorder, event.record, undefined, () => {
    const frame = encode(recorder, held);
    if (frame.length <= recorder.maxEventBytes) return { ...event, frame };
    recorder.queue.drop('too_large');
    return undefined;
  });
}

function traced<I extends { readonly traceparent?: string }>({ options }: Recorder, input: I): I {
  const traceparent = input.traceparent ?? options.traceContext?.();
  return traceparent === undefined ? input : { ...input, traceparent };
}

function expose(recorder: Recorder, assignment: Assignment, subject: SplitSubject): void {
  const untold = recorder.exposures.untold(assignment);
  if (untold === undefined) return;
  const from = recorder.origin();
  const { entity, traceparent } = traced(recorder, subject);
  const about = {
    ...(entity && { entity: { type: entity.type, id: entity.id } }),
    ...(traceparent !== undefined && { traceparent }),
  };
  const value = describeExposure(assignment, about, from);
  const { bucket, unitId: key } = assignment;
  push(recorder, 'inference.raw.v1', { record: 'exposure', value }, { bucket, key, traceparent, from });
  recorder.exposures.told(untold);
}

function assignAndExpose(recorder: Recorder, experimentId: string, subject: SplitSubject): Assignment {
  const { experiments, forced } = recorder.options;
  const table = experiments.table();
  const named = nameUnit(recorder.aliases, table.revisions.get(experimentId)?.spec, subject);
  const assignment = assign(table, experimentId, named, { stale: experiments.stale(), ...(forced && { forced }) });
  expose(recorder, assignment, subject);
  return assignment;
}

function tellAlias(recorder: Recorder, names: AliasInput): void {
  const { experiments, forced } = recorder.options;
  const options = { stale: experiments.stale(), ...(forced && { forced }) };
  const { aliases, exposures } = recorder;
  for (const assignment of namedTwice(aliases, experiments.table(), names, options))
    expose(recorder, exposures.hasTold(assignment) ? assignment : { ...assignment, reason: 'UNKNOWN' }, names);
}

function recordInference(recorder: Recorder, input: InferenceInput): string {
  const from = recorder.origin();
  const complete = traced(recorder, input);
  const { event, bucket, key } = describeInference(complete, from, noteOf(recorder, 'record'));
  learnNames(recorder.aliases, input.arms, event.units);
  const route = { bucket, key, traceparent: complete.traceparent, from };
  push(recorder, 'inference.raw.v1', { record: 'inference-event', value: event }, route);
  return event.event_id;
}

function recordOutcome(recorder: Recorder, kind: string, input: OutcomeInput): void {
  const from = recorder.origin();
  const complete = traced(recorder, input);
  const { event, bucket, key } = describeOutcome(kind, complete, from, pairsOf(recorder.options.experiments.table()));
  const { traceparent } = complete;
  push(
    recorder,
    'outcome.raw.v1',
    { record: 'outcome-event', value: event },
    { bucket, key, traceparent, from, isTimeGiven: (complete.occurredAt ?? null) !== null },
  );
}

async function within(timeMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, timeMs)))]);
  clearTimeout(timer);
}

function statsOf({ queue, sender, redaction, problems, ...counts }: Recorder): EmitterStats {
  return {
    queued: queue.length,
    bytes: queue.bytes,
    sent: sender.sent,
    dropped: queue.dropped,
    droppedBy: queue.droppedBy,
    failedCalls: counts.failedCalls,
    unusableValues: { ...counts.unusableValues },
    textsLeftOut: counts.textsLeftOut,
    sendErrors: sender.sendErrors,
    redactions: { ...redaction.counts },
    ...(problems.last !== undefined && { lastProblem: problems.last }),
  };
}

export function createEmitter(options: EmitterOptions): Emitter {
  const { sink, experiments, lingerMs } = options;
  const queue = createEventQueue(options.maxQueued, options.maxBytes);
  const redaction = createEventRedaction(options.redaction);
  const problems = createProblemReport(options.problem);
  const sender = createEventSender({
    queue,
    sink,
    problems,
    redaction,
    lingerMs,
    encodeHeld: (event, held) => encodeHeld(recorder, event, held),
    shorten: (event) => shortenQueued(recorder, event),
  });
  const recorder: Recorder = {
    options,
    maxEventBytes: options.maxEventBytes ?? 1_000_000,
    queue,
    redaction,
    problems,
    exposures: createExposureMemory(),
    aliases: createAliasMemory(),
    sender,
    origin: createOrigin(options),
    failedCalls: 0,
    unusableValues: {},
    textsLeftOut: 0,
  };
  const loop = runSender(sender);
  return {
    // A unit whose exposure cannot be recorded gets control: what is not measured is not tried out.
    assign: (experimentId, subject) =>
      safely(recorder, 'assign', unknownAssignment(experimentId), () =>
        assignAndExpose(recorder, experimentId, idsAsText(subject)),
      ),
    record: (input) => safely(recorder, 'record', '', () => recordInference(recorder, input)),
    outcome: (kind, input) => safely(recorder, 'outcome', undefined, () => recordOutcome(recorder, kind, input)),
    alias: (names) => safely(recorder, 'alias', undefined, () => tellAlias(recorder, idsAsText(names))),
    flush: ({ timeoutMs = 5_000 } = {}) => flushSender(sender, timeoutMs),
    close: async ({ timeoutMs = 5_000 } = {}) => {
      sender.phase = 'closing';
      sender.wake();
      await within(timeoutMs, loop);
      await within(timeoutMs, Promise.allSettled([sink.close(), experiments.close()]));
    },
    stats: () => statsOf(recorder),
  };
}
