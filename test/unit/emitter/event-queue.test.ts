import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEventQueue, type QueuedEvent } from '../../../services/emitter/event-queue.ts';

const event = (name: string, bytes = 10): QueuedEvent => ({
  topic: 'inference.raw.v1',
  record: 'exposure',
  bucket: 0,
  key: name,
  frame: Buffer.alloc(bytes),
  traceparent: undefined,
  timestamp: 0,
  recordedAt: 0,
  isTimeGiven: false,
});

test('the queue stays within its bounds, keeps the newest, and loses nothing it counts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant('push' as const), fc.constant('take' as const), fc.constant('done' as const)), {
        maxLength: 200,
      }),
      (steps) => {
        const queue = createEventQueue(8, 3_000);
        let pushed = 0;
        let confirmed = 0;
        let inFlight: readonly QueuedEvent[] = [];
        for (const step of steps) {
          if (step === 'push') queue.push(event(String(pushed++)));
          else if (step === 'take') inFlight = queue.take(3);
          else {
            confirmed += inFlight.length;
            queue.done();
            inFlight = [];
          }
          expect(queue.length).toBeLessThanOrEqual(8);
          expect(queue.bytes).toBeLessThanOrEqual(3_000);
          expect(confirmed + queue.length + queue.dropped).toBe(pushed);
        }
      },
    ),
  );
});
test('an event larger than the whole queue is dropped alone', () => {
  const queue = createEventQueue(8, 1_000);
  queue.push(event('small'));
  queue.push(event('huge', 5_000));
  expect([queue.length, queue.dropped]).toEqual([1, 1]);
});
test('giving back keeps the order across the end of the ring', () => {
  const queue = createEventQueue(4, 1 << 20);
  for (const key of ['a', 'b', 'c']) queue.push(event(key, 1));
  queue.take(2);
  queue.done();
  for (const key of ['d', 'e', 'f']) queue.push(event(key, 1));
  expect([queue.oldest, queue.next]).toEqual([2, 6]);
  expect(queue.take(4).map(({ key }) => key)).toEqual(['c', 'd', 'e', 'f']);
  queue.giveBack(1);
  expect(queue.take(4).map(({ key }) => key)).toEqual(['c']);
  queue.done();
  expect(queue.take(4).map(({ key }) => key)).toEqual(['d', 'e', 'f']);
  expect([queue.oldest, queue.dropped]).toEqual([3, 0]);
});
