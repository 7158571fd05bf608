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
  /** When it was recorded, ms of a clock that nobody sets. */
  readonly recordedAt: number;
  /** The app said when it happened, of something that it did not do itself. */
  readonly isTimeGiven: boolean;
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
  /** In the place of the one event in flight. */
  replace(event: QueuedEvent): void;
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

/** Bookkeeping of one queued event next to its frame, bytes: measured roughly, so that the bound is one of memory. */
const overhead = 256;

type State = {
  readonly maxCount: number;
  readonly maxBytes: number;
  /** Waiting events, from `head` on; the rest is empty. */
  readonly ring: (QueuedEvent | undefined)[];
  head: number;
  waiting: number;
  inFlight: QueuedEvent[];
  /** Position of the first event in flight. */
  inFlightFrom: number;
  next: number;
  bytes: number;
  readonly droppedBy: Record<DropReason, number>;
};

const sizeOf = (event: QueuedEvent): number => event.frame.length + overhead;

const isFullFor = ({ waiting, inFlight, maxCount, bytes, maxBytes }: State, size: number): boolean =>
  waiting + inFlight.length >= maxCount || bytes + size > maxBytes;

/** waiting -> out of the ring. */
function shift(state: State): QueuedEvent | undefined {
  const event = state.ring[state.head];
  state.ring[state.head] = undefined;
  state.head = (state.head + 1) % state.maxCount;
  state.waiting -= 1;
  return event;
}

function push(state: State, event: QueuedEvent): void {
  const { droppedBy } = state;
  const size = sizeOf(event);
  // One that cannot fit even when everything waiting makes room must not cost the others their places.
  if (size > state.maxBytes) {
    droppedBy.too_large += 1;
    return;
  }
  while (state.waiting > 0 && isFullFor(state, size)) {
    const oldest = shift(state);
    if (oldest) state.bytes -= sizeOf(oldest);
    droppedBy.queue_full += 1;
  }
  if (isFullFor(state, size)) {
    droppedBy.queue_full += 1;
    return;
  }
  state.ring[(state.head + state.waiting) % state.maxCount] = event;
  state.waiting += 1;
  state.next += 1;
  state.bytes += size;
}

/** waiting -> in flight. */
function take(state: State, count: number, limit: number): readonly QueuedEvent[] {
  const { inFlight, ring } = state;
  if (inFlight.length > 0) return inFlight;
  state.inFlightFrom = state.next - state.waiting;
  let taken = 0;
  while (inFlight.length < count && state.waiting > 0) {
    taken += ring[state.head]?.frame.length ?? 0;
    if (taken > limit && inFlight.length > 0) break;
    const event = shift(state);
    if (event) inFlight.push(event);
  }
  return inFlight;
}

function encodeHeld(state: State, encode: Parameters<EventQueue['encodeHeld']>[0]): readonly QueuedEvent[] {
  state.inFlight = state.inFlight.flatMap((event) => {
    if (event.held === undefined) return [event];
    const encoded = encode(event, event.held);
    state.bytes += (encoded === undefined ? 0 : sizeOf(encoded)) - sizeOf(event);
    return encoded === undefined ? [] : [encoded];
  });
  return state.inFlight;
}

/** in flight -> gone. */
function settle(state: State): void {
  for (const event of state.inFlight) state.bytes -= sizeOf(event);
  state.inFlight = [];
}

/** in flight -> waiting, in their old places. There is room: what is in flight counts against the bound too. */
function giveBack(state: State, keep: number): void {
  for (const event of state.inFlight.splice(keep).reverse()) {
    state.head = (state.head - 1 + state.maxCount) % state.maxCount;
    state.ring[state.head] = event;
    state.waiting += 1;
  }
}

export function createEventQueue(maxCount: number, maxBytes: number): EventQueue {
  const droppedBy = { queue_full: 0, too_large: 0, refused: 0, closed: 0 };
  const state: State = {
    maxCount,
    maxBytes,
    ring: new Array(maxCount),
    head: 0,
    waiting: 0,
    inFlight: [],
    inFlightFrom: 0,
    next: 0,
    bytes: 0,
    droppedBy,
  };
  return {
    push: (event) => push(state, event),
    take: (count, limit = Infinity) => take(state, count, limit),
    encodeHeld: (encode) => encodeHeld(state, encode),
    replace: (event) => {
      settle(state);
      state.inFlight = [event];
      state.bytes += sizeOf(event);
    },
    done: () => settle(state),
    giveBack: (keep) => giveBack(state, keep),
    refuse: () => {
      droppedBy.refused += state.inFlight.length;
      settle(state);
    },
    drop: (reason) => {
      droppedBy[reason] += 1;
    },
    get length() {
      return state.waiting + state.inFlight.length;
    },
    get bytes() {
      return state.bytes;
    },
    get dropped() {
      return droppedBy.queue_full + droppedBy.too_large + droppedBy.refused + droppedBy.closed;
    },
    get droppedBy() {
      return { ...droppedBy };
    },
    get next() {
      return state.next;
    },
    get oldest() {
      return state.inFlight.length > 0 ? state.inFlightFrom : state.next - state.waiting;
    },
  };
}
