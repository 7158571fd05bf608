/**
 * The emitter: three calls that never throw, never block and never slow the app. Events are encoded at once, queued
 * within bounds, and sent by a loop of its own that waits for the broker for ever. What does not fit is dropped, oldest
 * first, and counted by reason.
 */
import { randomFillSync } from 'node:crypto';
import { type Assignment, type AssignmentTable, assign, type Subject } from '../assignment/index.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { Clock } from '../kernel/time.ts';
import type { RedactionPolicy } from '../redaction/index.ts';
import {
  describeExposure,
  describeInference,
  describeOutcome,
  type InferenceInput,
  type Origin,
  type OutcomeInput,
  readTraceparent,
} from './describe-event.ts';
import { createEventRedaction, type RecordedEvent } from './redact-events.ts';
import { createEventQueue, type QueuedEvent } from './event-queue.ts';
import type { EmitterStats } from './stats.ts';

/** Encodes to a frame whose schema id may still be open. */
export type EventEncoder = (record: QueuedEvent['record'], value: never) => Buffer;
/**
 * Resolves when every event of the batch is acknowledged. A rejection means: try the same batch again later; only
 * PipelineError BROKER_REFUSED means that some event of it can never be taken.
 */
export type EventSink = { send(batch: readonly QueuedEvent[]): Promise<void>; close(): Promise<void> };
export type ExperimentSource = { table(): AssignmentTable; stale(): boolean; close(): Promise<void> };

export type Emitter = {
  /** Local, microseconds. `unit` is the id of whatever the experiment is split by. */
  assign(
    experimentId: string,
    subject: Subject & { readonly unit?: string; readonly traceparent?: string },
  ): Assignment;
  /** The event's id: an outcome may name it later. Empty when the call could not be recorded (counted). */
  record(input: InferenceInput): string;
  outcome(kind: string, input: OutcomeInput): void;
  /** True when everything queued before the call was acknowledged within the time. */
  flush(options?: { readonly timeoutMs?: number }): Promise<boolean>;
  /** Sends what is queued, then lets go of the broker. Returns within twice the time even if the broker is away. */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
  stats(): EmitterStats;
};

export type EmitterOptions = {
  readonly service: string;
  readonly environment: string;
  readonly clock: Clock;
  readonly encode: EventEncoder;
  readonly sink: EventSink;
  readonly experiments: ExperimentSource;
  readonly forced?: Readonly<Record<string, string>>;
  readonly maxQueued: number;
  readonly maxBytes: number;
  /** Of one encoded event; brokers refuse batches above about 1 MiB unless told otherwise. */
  readonly maxEventBytes?: number;
  readonly lingerMs: number;
  /** W3C traceparent of the span that is active now, asked when a call gives none. */
  readonly traceContext?: () => string | undefined;
  /**
   * Present: texts are redacted here, before they leave the process. Ids stay raw: the redactor finds units by them and
   * makes pseudonyms. Redaction loads in the background; what is recorded meanwhile waits for it in the queue. A
   * promise that rejects: nothing leaves, and `stats().lastProblem` says why.
   */
  readonly redaction?: RedactionPolicy | Promise<RedactionPolicy>;
  /** Told in `stats().lastProblem` from the start: what is wrong with the settings. */
  readonly problem?: string;
};

const batchSize = 500;
/** One batch lands in one partition at worst, and must then still be one that brokers take. */
const batchBytes = 800_000;
/** Exposures already sent, by unit, experiment and phase: a busy unit is not told a thousand times. */
const rememberedExposures = 10_000;

const unknown = (experimentId: string): Assignment => ({
  experimentId,
  phase: 0,
  revision: 0,
  variant: 'control',
  config: {},
  reason: 'UNKNOWN',
  unitType: '',
  unitId: '',
  bucket: 0,
  configSha: '',
});
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 4_096);

/**
 * Tells `tell` a message, cleaned: a dependency may quote what it stumbled over. Redaction loads with the first one: an
 * app in which nothing goes wrong does not pay for it.
 */
function createProblemReport(tell: (problem: string) => void): (message: string, prefix?: string) => void {
  let clean: ((text: string) => string) | undefined;
  return (message, prefix = '') => {
    const told = (cleaner: (text: string) => string): void => tell(`${prefix}${cleaner(message).slice(0, 300)}`);
    if (clean !== undefined) return told(clean);
    tell(`${prefix}a problem whose text is being cleaned`);
    import('../redaction/messages.ts').then(
      ({ cleanMessage }) => {
        clean = cleanMessage;
        told(clean);
      },
      () => told(() => 'something that cannot be told, redaction did not load'),
    );
  };
}

export function createEmitter(options: EmitterOptions): Emitter {
  const { clock, experiments, sink, maxEventBytes = 1_000_000 } = options;
  const queue = createEventQueue(options.maxQueued, options.maxBytes);
  const exposed = new Set<string>();
  const redaction = createEventRedaction(options.redaction);
  let sent = 0;
  let failedCalls = 0;
  let sendErrors = 0;
  let lastProblem = options.problem;
  const report = createProblemReport((problem) => {
    lastProblem = problem;
  });
  let closing = false;
  const random = Buffer.alloc(8 * 256);
  let used = random.length;
  const origin = (): Origin => {
    if (used >= random.length) {
      randomFillSync(random);
      used = 0;
    }
    used += 8;
    return {
      service: options.service,
      environment: options.environment,
      now: clock.now(),
      random: random.subarray(used - 8, used),
    };
  };
  let wake: () => void = () => {};
  const encode = (event: RecordedEvent): Buffer => {
    const { record, value } = redaction.clean(event);
    return options.encode(record, value as never);
  };
  const push = (
    topic: QueuedEvent['topic'],
    event: RecordedEvent,
    bucket: number,
    key: string,
    traceparent: string | undefined,
    timestamp: number,
  ): void => {
    const held = redaction.isReady() ? undefined : structuredClone(event);
    const frame = held === undefined ? encode(event) : Buffer.from(JSON.stringify(held.value));
    if (closing) queue.drop('closed');
    else if (held === undefined && frame.length > maxEventBytes) queue.drop('too_large');
    else
      queue.push({
        topic,
        record: event.record,
        bucket,
        key,
        frame,
        ...(held && { held }),
        traceparent: readTraceparent(traceparent) && traceparent,
        timestamp,
      });
    wake();
  };
  /** An app's mistake (or ours) is counted, never thrown at the app. */
  const safely = <T>(call: string, fallback: T, run: () => T): T => {
    try {
      return run();
    } catch (error) {
      failedCalls += 1;
      // An encoder's message quotes the value it stumbled over, which may be a prompt: only messages of our own are
      // passed on.
      if (error instanceof RangeError) report(messageOf(error), `${call}: `);
      else lastProblem = `${call}: a value has the wrong type`;
      return fallback;
    }
  };
  /** Redaction has loaded: what was held for it is encoded at last. */
  const encodeHeld = ({ held: _, ...event }: QueuedEvent, held: RecordedEvent): QueuedEvent | undefined =>
    safely(event.record, undefined, () => {
      const frame = encode(held);
      if (frame.length <= maxEventBytes) return { ...event, frame };
      queue.drop('too_large');
      return undefined;
    });
  const traced = <I extends { readonly traceparent?: string }>(input: I): I => {
    const traceparent = input.traceparent ?? options.traceContext?.();
    return traceparent === undefined ? input : { ...input, traceparent };
  };

  type Flush = { readonly upTo: number; readonly droppedBefore: number; readonly resolve: (complete: boolean) => void };
  let flushes: Flush[] = [];
  const tellFlushes = (): void => {
    const reached = flushes.filter(({ upTo }) => queue.oldest >= upTo);
    if (reached.length === 0) return;
    flushes = flushes.filter(({ upTo }) => queue.oldest < upTo);
    for (const { resolve, droppedBefore } of reached) resolve(queue.dropped === droppedBefore);
  };

  /** Until it is enough, or the time is over. Keeps no process alive. */
  const nap = (timeMs: number | undefined, enough: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      if (enough()) return resolve();
      let timer: NodeJS.Timeout | undefined;
      const finish = (): void => {
        clearTimeout(timer);
        wake = () => {};
        resolve();
      };
      if (timeMs !== undefined) {
        timer = setTimeout(finish, timeMs);
        timer.unref();
      }
      wake = () => {
        if (enough()) finish();
      };
    });

  const loop = (async () => {
    let pauseMs = 50;
    for (;;) {
      tellFlushes();
      await nap(undefined, () => queue.length > 0 || closing);
      if (queue.length === 0) break;
      await nap(
        options.lingerMs,
        () => queue.length >= batchSize || queue.bytes >= batchBytes || flushes.length > 0 || closing,
      );
      let batch = queue.take(batchSize, batchBytes);
      try {
        if (batch.some(({ held }) => held !== undefined)) {
          await redaction.ready;
          batch = queue.encodeHeld(encodeHeld);
        }
        if (batch.length > 0) await sink.send(batch);
        queue.done();
        sent += batch.length;
        pauseMs = 50;
      } catch (error) {
        sendErrors += 1;
        report(messageOf(error));
        if (error instanceof PipelineError && error.code === 'BROKER_REFUSED') {
          // One event of it can never be taken: found by halving, so that the others are not lost with it.
          if (batch.length > 1) queue.giveBack(Math.ceil(batch.length / 2));
          else queue.refuse();
          continue;
        }
        if (closing) break;
        await nap(pauseMs, () => closing);
        pauseMs = Math.min(pauseMs * 2, 2_000);
      }
    }
    tellFlushes();
  })();

  const withUnit = (experimentId: string, subject: Subject & { readonly unit?: string }): Subject => {
    if (subject.unit === undefined) return subject;
    const unitType = experiments.table().revisions.get(experimentId)?.spec.unit ?? 'user';
    const field = { user: 'userId', org: 'orgId', session: 'sessionId', request: 'requestId' }[unitType];
    return field === undefined
      ? { ...subject, entity: { type: unitType.slice('entity:'.length), id: subject.unit } }
      : { ...subject, [field]: subject.unit };
  };

  const expose = (
    assignment: Assignment,
    subject: { readonly entity?: { readonly type: string; readonly id: string }; readonly traceparent?: string },
  ): void => {
    // An inference stands for the exposure of its unit. When every request is a unit, the inference is all there is to
    // say.
    if (assignment.phase === 0 || assignment.unitId === '' || assignment.unitType === 'request') return;
    const { experimentId, phase, variant, reason, unitId } = assignment;
    const key = `${experimentId}\u001f${phase}\u001f${variant}\u001f${reason}\u001f${unitId}`;
    if (exposed.has(key)) return;
    const from = origin();
    const { entity, traceparent } = traced(subject);
    const value = describeExposure(
      assignment,
      {
        ...(entity && { entity: { type: entity.type, id: entity.id } }),
        ...(traceparent !== undefined && { traceparent }),
      },
      from,
    );
    push(
      'inference.raw.v1',
      { record: 'exposure', value },
      assignment.bucket,
      assignment.unitId,
      traceparent,
      from.now,
    );
    const oldest = exposed.size >= rememberedExposures ? exposed.values().next().value : undefined;
    if (oldest !== undefined) exposed.delete(oldest);
    exposed.add(key);
  };

  const within = async (timeMs: number, work: Promise<unknown>): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, timeMs)))]);
    clearTimeout(timer);
  };

  return {
    // A unit whose exposure cannot be recorded gets control: what is not measured is not tried out.
    assign: (experimentId, subject) =>
      safely('assign', unknown(experimentId), () => {
        const assignment = assign(experiments.table(), experimentId, withUnit(experimentId, subject), {
          stale: experiments.stale(),
          ...(options.forced && { forced: options.forced }),
        });
        expose(assignment, subject);
        return assignment;
      }),
    record: (input) =>
      safely('record', '', () => {
        const from = origin();
        const complete = traced(input);
        const { event, bucket, key } = describeInference(complete, from);
        push(
          'inference.raw.v1',
          { record: 'inference-event', value: event },
          bucket,
          key,
          complete.traceparent,
          from.now,
        );
        return event.event_id;
      }),
    outcome: (kind, input) =>
      safely('outcome', undefined, () => {
        const from = origin();
        const complete = traced(input);
        const { event, bucket, key } = describeOutcome(kind, complete, from);
        const recorded = { record: 'outcome-event', value: event } as const;
        push('outcome.raw.v1', recorded, bucket, key, complete.traceparent, from.now);
      }),
    flush: ({ timeoutMs = 5_000 } = {}) =>
      new Promise<boolean>((resolve) => {
        if (queue.length === 0) return resolve(true);
        const flush: Flush = {
          upTo: queue.next,
          droppedBefore: queue.dropped,
          resolve: (complete) => {
            clearTimeout(timer);
            resolve(complete);
          },
        };
        const timer = setTimeout(() => {
          flushes = flushes.filter((other) => other !== flush);
          resolve(false);
        }, timeoutMs);
        flushes.push(flush);
        wake();
      }),
    close: async ({ timeoutMs = 5_000 } = {}) => {
      closing = true;
      wake();
      await within(timeoutMs, loop);
      await within(timeoutMs, Promise.allSettled([sink.close(), experiments.close()]));
    },
    stats: () => ({
      queued: queue.length,
      bytes: queue.bytes,
      sent,
      dropped: queue.dropped,
      droppedBy: queue.droppedBy,
      failedCalls,
      sendErrors,
      redactions: { ...redaction.counts },
      ...(lastProblem !== undefined && { lastProblem }),
    }),
  };
}
