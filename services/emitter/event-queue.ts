/**
 * A bounded queue by count and bytes that drops its oldest when full: the newest say most about now, and the app never
 * waits. An event is waiting (in a ring, so that dropping the oldest costs the same whatever is queued), then in flight
 * (never dropped to make room, and the same batch until `done`, `giveBack` or `refuse`), then gone.
 */
import type { RecordedEvent } from './redact-events.ts';

export type QueuedEvent = {
  readonly topic: 'inference.raw.v1' | 'outcome.raw.v1';
  readonly record: 'inference-event' | 'exposure' | 'outcome-event';
  readonly bucket: number;
  readonly key: string;
  readonly frame: Buffer;
  /** Waits for redaction: `frame` then has about the size that it will have, and is not what is sent. */
  readonly held?: RecordedEvent;
  readonly traceparent: string | undefined;
  readonly timestamp: number;
};

export type DropReason = 'queue_full' | 'too_large' | 'refused' | 'closed';

export type EventQueue = {
  push(event: QueuedEvent): void;
  /**
   * Up to `count` events and about `maxBytes` from the front, at least one if there is one; the same again until they
   * are settled.
   */
  take(count: number, maxBytes?: number): readonly QueuedEvent[];
  /** Puts what `encode` makes of each held event in flight in its place; without a result it is gone. */
  encodeHeld(encode: (event: QueuedEvent, held: RecordedEvent) => QueuedEvent | undefined): readonly QueuedEvent[];
  done(): void;
  /** Only the first `keep` stay in flight, the others wait again at the front. */
  giveBack(keep: number): void;
  /** What is in flight can never be sent: dropped. */
  refuse(): void;
  /** Counts an event that never entered. */
  drop(reason: DropReason): void;
  readonly length: number;
  readonly bytes: number;
  readonly dropped: number;
  readonly droppedBy: Readonly<Record<DropReason, number>>;
  /** Position that the next event gets; every event below `oldest` has been sent or dropped. */
  readonly next: number;
  readonly oldest: number;
};

/** Bookkeeping of one queued event beside its frame, bytes: measured roughly, so that the bound is one of memory. */
const overhead = 256;

export function createEventQueue(maxCount: number, maxBytes: number): EventQueue {
  const ring: (QueuedEvent | undefined)[] = new Array(maxCount);
  let head = 0;
  let waiting = 0;
  let inFlight: QueuedEvent[] = [];
  let inFlightFrom = 0;
  let next = 0;
  let bytes = 0;
  const droppedBy: Record<DropReason, number> = { queue_full: 0, too_large: 0, refused: 0, closed: 0 };
  const size = (event: QueuedEvent): number => event.frame.length + overhead;
  const shift = (): QueuedEvent | undefined => {
    const event = ring[head];
    ring[head] = undefined;
    head = (head + 1) % maxCount;
    waiting -= 1;
    return event;
  };
  const settle = (): void => {
    for (const event of inFlight) bytes -= size(event);
    inFlight = [];
  };
  return {
    push: (event) => {
      const full = (): boolean => waiting + inFlight.length >= maxCount || bytes + size(event) > maxBytes;
      // One that cannot fit even when everything waiting makes room must not cost the others their places.
      if (size(event) > maxBytes) {
        droppedBy.too_large += 1;
        return;
      }
      while (waiting > 0 && full()) {
        const oldest = shift();
        if (oldest) bytes -= size(oldest);
        droppedBy.queue_full += 1;
      }
      if (full()) {
        droppedBy.queue_full += 1;
        return;
      }
      ring[(head + waiting) % maxCount] = event;
      waiting += 1;
      next += 1;
      bytes += size(event);
    },
    take: (count, limit = Infinity) => {
      if (inFlight.length > 0) return inFlight;
      inFlightFrom = next - waiting;
      let taken = 0;
      while (inFlight.length < count && waiting > 0) {
        taken += ring[head]?.frame.length ?? 0;
        if (taken > limit && inFlight.length > 0) break;
        const event = shift();
        if (event) inFlight.push(event);
      }
      return inFlight;
    },
    encodeHeld: (encode) => {
      inFlight = inFlight.flatMap((event) => {
        if (event.held === undefined) return [event];
        const encoded = encode(event, event.held);
        bytes += (encoded === undefined ? 0 : size(encoded)) - size(event);
        return encoded === undefined ? [] : [encoded];
      });
      return inFlight;
    },
    done: settle,
    giveBack: (keep) => {
      // There is room: what is in flight counts against the bound too.
      for (const event of inFlight.splice(keep).reverse()) {
        head = (head - 1 + maxCount) % maxCount;
        ring[head] = event;
        waiting += 1;
      }
    },
    refuse: () => {
      droppedBy.refused += inFlight.length;
      settle();
    },
    drop: (reason) => {
      droppedBy[reason] += 1;
    },
    get length() {
      return waiting + inFlight.length;
    },
    get bytes() {
      return bytes;
    },
    get dropped() {
      return droppedBy.queue_full + droppedBy.too_large + droppedBy.refused + droppedBy.closed;
    },
    get droppedBy() {
      return { ...droppedBy };
    },
    get next() {
      return next;
    },
    get oldest() {
      return inFlight.length > 0 ? inFlightFrom : next - waiting;
    },
  };
}
