/**
 * Header `tripline-clock` of a raw record: what the emitter's clock showed when it recorded the event, and how long ago
 * that was when it sent it, by a clock that nobody sets. With the time at which the broker took the record that is all
 * it takes to know when the event happened by the broker's clock, whatever the host's shows or jumps to meanwhile.
 */
import type { EpochMs } from './time.ts';

export const sentClockHeader = 'tripline-clock';

export type SentClock = {
  readonly recordedAt: EpochMs;
  readonly heldMs: number;
  /** The app said when it happened: an outcome's time is of somebody else's clock. */
  readonly isGiven: boolean;
};

export const formatSentClock = ({ recordedAt, heldMs, isGiven }: SentClock): string =>
  `${recordedAt} ${Math.max(0, Math.round(heldMs))}${isGiven ? ' given' : ''}`;

export function parseSentClock(text: string | undefined): SentClock | undefined {
  const [, recordedAt, heldMs, given] = /^(-?\d{1,15}) (\d{1,12})( given)?$/.exec(text ?? '') ?? [];
  return recordedAt === undefined || heldMs === undefined
    ? undefined
    : { recordedAt: Number(recordedAt), heldMs: Number(heldMs), isGiven: given !== undefined };
}
