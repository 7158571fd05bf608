/**
 * Arrivals as they would be if the hosts that recorded them had wrong clocks: every event says its host's time, and its
 * header what the emitter says. What is decided from them must be what is decided with true clocks.
 */
import type { ClockSkew } from '../../services/kernel/clock-skew.ts';
import type { Decision } from '../../services/kernel/decision.ts';
import type { Evaluation } from '../../services/kernel/evaluation.ts';
import type { ExperimentRevision } from '../../services/kernel/experiment.ts';
import { formatSentClock, sentClockHeader } from '../../services/kernel/sent-clock.ts';
import { createClockCounts, inBrokerTime, noteClock } from '../../services/redactor/event-clock.ts';
import type { Arrival } from '../../services/replay/scenario-lines.ts';
import { createMemoryPath } from './memory-path.ts';

/** Lead of the service's clock over the broker's at that moment, ms. */
export type SkewOf = (service: string, at: number) => number;
export type Played = {
  /** Action, reason, metric. */
  readonly decisions: readonly (readonly [string, string, string | undefined])[];
  /** After which arrival each decision was made. */
  readonly after: readonly number[];
  readonly last: Evaluation;
  readonly skews: ReadonlyMap<string, ClockSkew>;
};

/** Who recorded it: each arm's app runs on hosts of its own, outcomes come from a desk. */
const serviceOf = (arrival: Arrival): string => (arrival.kind === 'inference' ? `app-${arrival.variant}` : 'desk');

/** `corrected`: false leaves the emitter's header out, as emitters of before did. */
export function playWithSkew(
  revision: ExperimentRevision,
  arrivals: readonly Arrival[],
  options: { readonly skewOf: SkewOf; readonly lookEvery: number; readonly corrected?: boolean },
): Played {
  const { skewOf, lookEvery, corrected = true } = options;
  const path = createMemoryPath(2);
  path.apply(revision);
  const clocks = createClockCounts();
  const made: Decision[] = [];
  const after: number[] = [];
  const look = (at: number, sent: number): void => {
    path.tick(at);
    const decision = path.decide(revision.spec.id);
    if (decision === undefined) return;
    made.push(decision);
    after.push(sent);
  };
  let newest = revision.phaseStartedAt;
  for (const [index, arrival] of arrivals.entries()) {
    const { arrivedAt } = arrival;
    const service = serviceOf(arrival);
    const occurredAt = arrival.event.occurred_at;
    const recordedAt = occurredAt + skewOf(service, occurredAt);
    // The way to the broker takes up to a tenth of a second.
    const heldMs = Math.max(0, arrivedAt - occurredAt - ((index * 37) % 100));
    const headers = corrected ? { [sentClockHeader]: formatSentClock({ recordedAt, heldMs, isGiven: false }) } : {};
    const event = { ...arrival.event, occurred_at: recordedAt, ...(arrival.kind === 'inference' && { service }) };
    const clock = inBrokerTime(event, { timestamp: arrivedAt, headers });
    noteClock(clocks, service, arrivedAt, clock);
    path.receive(
      { record: arrival.kind === 'inference' ? 'inference-event' : 'outcome-event', event },
      arrivedAt,
      clock.skewMs,
    );
    newest = Math.max(newest, arrivedAt);
    if ((index + 1) % lookEvery !== 0) continue;
    look(newest, index + 1);
  }
  look(newest + 400 * 3_600_000, arrivals.length);
  return {
    decisions: made.map(({ action, reasonCode, metric }) => [action, reasonCode, metric]),
    after,
    last: path.look(revision.spec.id),
    skews: clocks.skews,
  };
}
