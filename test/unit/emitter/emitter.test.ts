import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEmitter, createTestTripline } from '../../../services/emitter/index.ts';
import { createEventQueue, type QueuedEvent } from '../../../services/emitter/event-queue.ts';
import { readInferenceId, bucketOf } from '../../../services/kernel/ids.ts';
import type { InferenceEvent } from '../../../schemas/generated.ts';
import { aRevision } from '../../support/build.ts';

const event = (name: string, bytes = 10): QueuedEvent => ({
  topic: 'inference.raw.v1',
  record: 'exposure',
  bucket: 0,
  key: name,
  frame: Buffer.alloc(bytes),
  traceparent: undefined,
  timestamp: 0,
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
test('events are complete: unknown is null with a status, ids carry the bucket, exposures name what was assigned', async () => {
  const tripline = createTestTripline({ experiments: [aRevision()] });
  const arm = tripline.assign('exp-test', { unit: 'u1' });
  tripline.assign('exp-test', { unit: 'u1' });
  const id = tripline.record({ arms: [arm], userId: 'u1', status: 'success' });
  tripline.outcome('ticket_reopened', { inferenceId: id, value: 1 });
  const [exposure, inference, outcome] = tripline.events();
  expect(tripline.events().length).toBe(3);
  expect(exposure).toMatchObject({ record: 'exposure', event: { unit_id: 'u1', reason: 'SPLIT' } });
  expect(inference?.event as InferenceEvent).toMatchObject({
    cost_nano_usd: null,
    cost_status: 'unpriced',
    token_source: 'unknown',
    exposures: [{ experiment_id: 'exp-test', variant: arm.variant }],
  });
  expect(readInferenceId(id)?.bucket).toBe(bucketOf('user', 'u1'));
  expect(outcome).toMatchObject({ record: 'outcome-event', event: { inference_id: id } });
  expect(await tripline.flush()).toBe(true);
});
test('nothing is ever thrown at the app: what cannot be recorded is counted', () => {
  const broken = createEmitter({
    service: 's',
    environment: 'e',
    clock: { now: () => 0 },
    encode: () => {
      throw new Error('no');
    },
    sink: { send: async () => {}, close: async () => {} },
    experiments: {
      table: () => {
        throw new Error('no');
      },
      stale: () => false,
      close: async () => {},
    },
    maxQueued: 1,
    maxBytes: 1_000,
    lingerMs: 0,
  });
  expect(broken.record({ userId: 'u' })).toBe('');
  expect(broken.assign('x', { userId: 'u' })).toMatchObject({ variant: 'control', reason: 'UNKNOWN' });
  broken.outcome('k', { value: 1, userId: 'u' });
  expect(broken.stats().failedCalls).toBe(3);
});
