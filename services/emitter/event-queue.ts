/** A bounded queue by count and bytes that drops its oldest when full: the newest say most about now, and the app never waits. */
export type QueuedEvent = { readonly topic: 'inference.raw.v1' | 'outcome.raw.v1'; readonly record: 'inference-event' | 'exposure' | 'outcome-event'; readonly bucket: number; readonly key: string; readonly frame: Buffer; readonly traceparent: string | undefined; readonly timestamp: number };

export type EventQueue = {
  push(event: QueuedEvent): void;
  /** Up to `count` from the front; they stay queued, and come again with the next `take`, until `done`. */
  take(count: number): readonly QueuedEvent[];
  done(): void;
  readonly length: number;
  readonly bytes: number;
  readonly dropped: number;
};

/** Bookkeeping of one queued event beside its frame, bytes: measured roughly, so that the bound is one of memory. */
const overhead = 256;

export function createEventQueue(maxCount: number, maxBytes: number): EventQueue {
  // A ring: dropping the oldest costs the same whatever is queued. What is being sent stands outside it and is never dropped.
  const ring: (QueuedEvent | undefined)[] = new Array(maxCount);
  let head = 0;
  let waiting = 0;
  let inFlight: QueuedEvent[] = [];
  let bytes = 0;
  let dropped = 0;
  const size = (event: QueuedEvent): number => event.frame.length + overhead;
  const shift = (): QueuedEvent | undefined => {
    const event = ring[head];
    ring[head] = undefined;
    head = (head + 1) % maxCount;
    waiting -= 1;
    return event;
  };
  return {
    push: (event) => {
      const full = (): boolean => waiting + inFlight.length >= maxCount || bytes + size(event) > maxBytes;
      while (waiting > 0 && size(event) <= maxBytes && full()) {
        const oldest = shift();
        if (oldest) bytes -= size(oldest);
        dropped += 1;
      }
      if (full()) {
        dropped += 1;
        return;
      }
      ring[(head + waiting) % maxCount] = event;
      waiting += 1;
      bytes += size(event);
    },
    take: (count) => {
      while (inFlight.length < count && waiting > 0) {
        const event = shift();
        if (event) inFlight.push(event);
      }
      return inFlight;
    },
    done: () => {
      for (const event of inFlight) bytes -= size(event);
      inFlight = [];
    },
    get length() {
      return waiting + inFlight.length;
    },
    get bytes() {
      return bytes;
    },
    get dropped() {
      return dropped;
    },
  };
}
