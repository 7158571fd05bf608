/** What an emitter tells of itself. */
import type { DropReason } from './event-queue.ts';

export type EmitterStats = {
  readonly queued: number;
  readonly bytes: number;
  readonly sent: number;
  /** recorded = sent + queued + dropped */
  readonly dropped: number;
  readonly droppedBy: Readonly<Record<DropReason, number>>;
  /** Calls that could not be recorded at all: a value of the wrong type, most often. */
  readonly failedCalls: number;
  /** Values that could not be used, by field: their events went without them. */
  readonly unusableValues: Readonly<Record<string, number>>;
  /** Texts left out of events that would have been too large for the broker. */
  readonly textsLeftOut: number;
  readonly sendErrors: number;
  /** What the emitter's own redaction took out, `TYPE tier` -> how many. Empty without it. */
  readonly redactions: Readonly<Record<string, number>>;
  /** Why the last send or call failed; absent when none has. Holds no event data. */
  readonly lastProblem?: string;
};
