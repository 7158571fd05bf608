/** The redactor's view of everybody's clocks: corrects an event's time before anything reads it, and keeps count. */
import type { Exposure, InferenceEvent, OutcomeEvent } from '../../schemas/generated.ts';
import { type ClockSkew, noteSkew } from '../kernel/clock-skew.ts';
import { cleanName, createRedactionCounts } from '../redaction/records.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { RedactorContext } from './event-ids.ts';
import { eventTimeOf } from './event-time.ts';

type Arrived = { readonly timestamp: EpochMs; readonly headers: Readonly<Record<string, string>> };
type AnyEvent =
  | { readonly record: 'inference-event'; readonly value: InferenceEvent }
  | { readonly record: 'exposure'; readonly value: Exposure }
  | { readonly record: 'outcome-event'; readonly value: OutcomeEvent };

export type ClockCounts = {
  readonly skews: Map<string, ClockSkew>;
  /** Events that would have happened after they arrived, by service. */
  readonly clamped: Map<string, number>;
};
export const createClockCounts = (): ClockCounts => ({ skews: new Map(), clamped: new Map() });

/** Services that events were clamped of are told apart up to here. */
const maxServices = 256;

/**
 * Sets the event's time to the broker's clock. The lead of its host's, for those who read what comes of it; undefined:
 * its emitter did not say.
 */
export function inBrokerTime(
  event: { occurred_at: EpochMs },
  source: Arrived,
): { skewMs: number | undefined; isClamped: boolean } {
  const { occurredAt, skewMs, isClamped } = eventTimeOf(event.occurred_at, source);
  event.occurred_at = occurredAt;
  return { skewMs, isClamped };
}

/** The service that an event names, as others may read it. Apps have few of them. */
function createServiceNames({ policy }: RedactorContext): (event: AnyEvent) => string {
  const known = new Map<string, string>();
  return ({ record, value }) => {
    const service = record === 'outcome-event' ? value.source : value.service;
    const clean = known.get(service) ?? cleanName(service, createRedactionCounts(policy));
    if (known.size < maxServices) known.set(service, clean);
    return clean;
  };
}

/** `service`: by its clean name. */
export function noteClock(
  { skews, clamped }: ClockCounts,
  service: string,
  at: EpochMs,
  { skewMs, isClamped }: ReturnType<typeof inBrokerTime>,
): void {
  if (skewMs !== undefined) noteSkew(skews, service, skewMs, at);
  if (isClamped && (clamped.has(service) || clamped.size < maxServices))
    clamped.set(service, (clamped.get(service) ?? 0) + 1);
}

export function createEventClock(context: RedactorContext) {
  const clocks = createClockCounts();
  const cleanService = createServiceNames(context);
  return {
    clocks,
    /** Sets the event's time to the broker's clock; the lead of its host's, if its emitter said what that showed. */
    correctTime: (event: AnyEvent, source: Arrived): number | undefined => {
      const clock = inBrokerTime(event.value, source);
      if (clock.skewMs !== undefined || clock.isClamped)
        noteClock(clocks, cleanService(event), source.timestamp, clock);
      return clock.skewMs;
    },
  };
}
