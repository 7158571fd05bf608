/**
 * The event-time clock of a partition is the broker's. Records of events carry the time at which the broker took the
 * raw event; ticks and adoptions are written by processes that say what their own host's clock shows, which may be
 * wrong by hours. The log's own time of a message (LogAppendTime) bounds all of them: nothing in a message is later
 * than the message. In a replay the log keeps the times that it is given (CreateTime), and the bound changes nothing.
 */
import type { UnitRecord } from '../../schemas/generated.ts';
import type { EpochMs } from '../kernel/time.ts';

/** To be called on what a message of the unit log holds, before anything reads it. */
export function boundByLog(records: readonly UnitRecord[], appendedAt: EpochMs): readonly UnitRecord[] {
  for (const record of records) if (record.received_at > appendedAt) record.received_at = appendedAt;
  return records;
}

export type LogClock = { saw(appendedAt: EpochMs): void; now(): EpochMs };

/**
 * The broker's time as a reader knows it: its host's clock plus the largest lead of a message over it. A host that is
 * slow learns so from the first message it reads; one that is fast is held by `boundByLog`.
 */
export function createLogClock(host: { now(): EpochMs }): LogClock {
  let leadMs = 0;
  return {
    saw: (appendedAt) => {
      leadMs = Math.max(leadMs, appendedAt - host.now());
    },
    now: () => host.now() + leadMs,
  };
}
