/** What an emitter is made of, and what an app calls. */
import type { Assignment, AssignmentTable, Subject } from '../assignment/index.ts';
import type { Clock } from '../kernel/time.ts';
import type { RedactionPolicy } from '../redaction/index.ts';
import type { AliasInput, InferenceInput, OutcomeInput } from './event-input.ts';
import type { QueuedEvent } from './event-queue.ts';
import type { EventSink } from './event-sender.ts';
import type { RecordedEvent } from './redact-events.ts';
import type { EmitterStats } from './stats.ts';

/** Encodes to a frame whose schema id may still be open. */
export type EventEncoder = (record: QueuedEvent['record'], value: never) => Buffer;
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
  /**
   * These ids are one unit: a visitor's session and the user who signs in. Wanted by experiments with a fallback unit
   * where no other call carries both ids.
   */
  alias(names: AliasInput): void;
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
  /** Milliseconds of a clock that nobody sets; the sink reads the same. Absent: `clock`, in both. */
  readonly steady?: Clock;
  readonly encode: EventEncoder;
  /** The event of a frame. With it, one that the broker refuses as too large is tried again without its texts. */
  readonly decode?: (record: QueuedEvent['record'], frame: Buffer) => RecordedEvent;
  readonly sink: EventSink;
  readonly experiments: ExperimentSource;
  readonly forced?: Readonly<Record<string, string>>;
  readonly maxQueued: number;
  readonly maxBytes: number;
  /**
   * Of one encoded event; brokers refuse batches above about 1 MiB unless told otherwise. A larger one loses its texts.
   */
  readonly maxEventBytes?: number;
  readonly lingerMs: number;
  /** Hears of every event as it leaves: cleaned and, where it was too large, shortened. */
  readonly onEncoded?: (event: RecordedEvent) => void;
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
