/**
 * The emitter: three calls that never throw, never block and never slow the app. Events are encoded at once, queued within bounds, and sent by a
 * loop of its own that waits for the broker for ever. What does not fit is dropped, oldest first, and counted.
 */
import { randomFillSync } from 'node:crypto';
import { type Assignment, type AssignmentTable, assign, type Subject } from '../assignment/index.ts';
import type { Clock } from '../kernel/time.ts';
import { type InferenceInput, type OutcomeInput, type Origin, describeExposure, describeInference, describeOutcome } from './describe-event.ts';
import { createEventQueue, type QueuedEvent } from './event-queue.ts';

/** Encodes to a frame whose schema id may still be open. */
export type EventEncoder = (record: QueuedEvent['record'], value: never) => Buffer;
export type EventSink = { send(batch: readonly QueuedEvent[]): Promise<void>; close(): Promise<void> };
export type ExperimentSource = { table(): AssignmentTable; stale(): boolean; close(): Promise<void> };

export type EmitterStats = { readonly queued: number; readonly bytes: number; readonly sent: number; readonly dropped: number; readonly failedCalls: number; readonly sendErrors: number };
export type Emitter = {
  assign(experimentId: string, subject: Subject & { readonly unit?: string; readonly traceparent?: string }): Assignment;
  /** The event's id: an outcome may name it later. Empty when the call could not be recorded (counted). */
  record(input: InferenceInput): string;
  outcome(kind: string, input: OutcomeInput): void;
  /** True when everything queued before the call was acknowledged within the time. */
  flush(options?: { readonly timeoutMs?: number }): Promise<boolean>;
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
  readonly lingerMs: number;
};

const batchSize = 500;
/** Exposures already sent, by unit, experiment and phase: a busy unit is not told a thousand times. */
const rememberedExposures = 10_000;

export function createEmitter(options: EmitterOptions): Emitter {
  const { clock, experiments, sink } = options;
  const queue = createEventQueue(options.maxQueued, options.maxBytes);
  const exposed = new Set<string>();
  let sent = 0;
  let failedCalls = 0;
  let sendErrors = 0;
  let closing = false;
  const random = Buffer.alloc(8 * 256);
  let used = random.length;
  const origin = (): Origin => {
    if (used >= random.length) {
      randomFillSync(random);
      used = 0;
    }
    used += 8;
    return { service: options.service, environment: options.environment, now: clock.now(), random: random.subarray(used - 8, used) };
  };
  let wake: () => void = () => {};
  const idle: (() => void)[] = [];
  const push = (topic: QueuedEvent['topic'], record: QueuedEvent['record'], value: unknown, bucket: number, key: string, traceparent: string | undefined, timestamp: number): void => {
    queue.push({ topic, record, bucket, key, frame: options.encode(record, value as never), traceparent, timestamp });
    if (queue.length === 1 || queue.length >= batchSize) wake();
  };
  /** An app's mistake (or ours) is counted, never thrown at the app. */
  const safely = <T>(fallback: T, run: () => T): T => {
    try {
      return run();
    } catch {
      failedCalls += 1;
      return fallback;
    }
  };

  const loop = (async () => {
    let pauseMs = 50;
    while (!(closing && queue.length === 0)) {
      if (queue.length === 0) {
        for (const resolve of idle.splice(0)) resolve();
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (closing) resolve();
        });
      }
      if (queue.length < batchSize && !closing) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, options.lingerMs);
          timer.unref();
          wake = () => {
            if (queue.length < batchSize && !closing) return;
            clearTimeout(timer);
            resolve();
          };
        });
      }
      const batch = queue.take(batchSize);
      if (batch.length === 0) continue;
      try {
        const { length } = batch;
        await sink.send(batch);
        queue.done();
        sent += length;
        pauseMs = 50;
      } catch {
        sendErrors += 1;
        if (closing) return;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, pauseMs);
          timer.unref();
        });
        pauseMs = Math.min(pauseMs * 2, 2_000);
      }
    }
    for (const resolve of idle.splice(0)) resolve();
  })();

  const withUnit = (experimentId: string, subject: Subject & { readonly unit?: string }): Subject => {
    if (subject.unit === undefined) return subject;
    const unitType = experiments.table().get(experimentId)?.spec.unit ?? 'user';
    const field = { user: 'userId', org: 'orgId', session: 'sessionId', request: 'requestId' }[unitType];
    return field === undefined ? { ...subject, entity: { type: unitType.slice('entity:'.length), id: subject.unit } } : { ...subject, [field]: subject.unit };
  };

  return {
    assign: (experimentId, subject) =>
      safely<Assignment>({ experimentId, phase: 0, revision: 0, variant: 'control', config: {}, reason: 'UNKNOWN', unitType: '', unitId: '', bucket: 0, configSha: '' }, () => {
        const assignment = assign(experiments.table(), experimentId, withUnit(experimentId, subject), { stale: experiments.stale(), ...(options.forced && { forced: options.forced }) });
        const key = `${assignment.experimentId}\u001f${assignment.phase}\u001f${assignment.variant}\u001f${assignment.reason}\u001f${assignment.unitId}`;
        if (assignment.phase > 0 && assignment.unitId !== '' && !exposed.has(key)) {
          if (exposed.size >= rememberedExposures) exposed.clear();
          exposed.add(key);
          const from = origin();
          const exposure = describeExposure(assignment, { ...(subject.entity && { entity: { type: subject.entity.type, id: subject.entity.id } }), ...(subject.traceparent !== undefined && { traceparent: subject.traceparent }) }, from);
          push('inference.raw.v1', 'exposure', exposure, assignment.bucket, assignment.unitId, subject.traceparent, from.now);
        }
        return assignment;
      }),
    record: (input) =>
      safely('', () => {
        const from = origin();
        const { event, bucket, key } = describeInference(input, from);
        push('inference.raw.v1', 'inference-event', event, bucket, key, input.traceparent, from.now);
        return event.event_id;
      }),
    outcome: (kind, input) =>
      safely(undefined, () => {
        const from = origin();
        const { event, bucket, key } = describeOutcome(kind, input, from);
        push('outcome.raw.v1', 'outcome-event', event, bucket, key, input.traceparent, from.now);
      }),
    flush: ({ timeoutMs = 5_000 } = {}) =>
      new Promise<boolean>((resolve) => {
        if (queue.length === 0) return resolve(true);
        const timer = setTimeout(() => resolve(false), timeoutMs);
        idle.push(() => {
          clearTimeout(timer);
          resolve(true);
        });
        wake();
      }),
    close: async ({ timeoutMs = 5_000 } = {}) => {
      closing = true;
      wake();
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([loop, new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)))]);
      clearTimeout(timer);
      await Promise.all([sink.close(), experiments.close()]);
    },
    stats: () => ({ queued: queue.length, bytes: queue.bytes, sent, dropped: queue.dropped, failedCalls, sendErrors }),
  };
}
