/**
 * When an event happened by the broker's clock, which is everybody's. An emitter says in a header what its own clock
 * showed and for how long it held the event; what the broker's showed stands on the record. The difference is the
 * host's skew, but for the way to the broker: that can only make a host look slower than it is, so every lead is
 * corrected and a lag only when it is longer than a send takes. What is still in the future is set to the time of
 * arrival.
 */
import { type EpochMs, isTime } from '../kernel/time.ts';
import { parseSentClock, sentClockHeader } from '../kernel/sent-clock.ts';

/** A send that is repeated inside the client takes that long at most, nearly always. */
const sendMs = 30_000;
/** Clocks that are kept by NTP differ by less. */
const toleranceMs = 5_000;

export type EventTime = {
  readonly occurredAt: EpochMs;
  /** How far the host's clock was ahead of the broker's, ms; absent: the emitter did not say. */
  readonly skewMs?: number;
  /** It would have happened after it arrived. */
  readonly isClamped: boolean;
};

export function eventTimeOf(
  occurredAt: EpochMs,
  { timestamp: takenAt, headers }: { readonly timestamp: EpochMs; readonly headers: Readonly<Record<string, string>> },
): EventTime {
  if (!isTime(occurredAt)) return { occurredAt, isClamped: false };
  const sent = parseSentClock(headers[sentClockHeader]);
  // In a replay or a demo the log keeps the producer's own time: there is no other clock to hold it against.
  const isOfLog = sent !== undefined && sent.recordedAt !== takenAt;
  const skewMs = isOfLog ? sent.recordedAt + sent.heldMs - takenAt : undefined;
  const isWrong = skewMs !== undefined && !sent?.isGiven && (skewMs > 0 || skewMs < -sendMs);
  const corrected = isWrong ? occurredAt - skewMs : occurredAt;
  const isClamped = corrected > takenAt + toleranceMs;
  return { occurredAt: isClamped ? takenAt : corrected, isClamped, ...(skewMs !== undefined && { skewMs }) };
}
