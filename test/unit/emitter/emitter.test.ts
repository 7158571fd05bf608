import { expect, test } from 'vitest';
import { createEmitter, createTestTripline } from '../../../services/emitter/index.ts';
import { readInferenceId, bucketOf } from '../../../services/kernel/ids.ts';
import type { InferenceEvent } from '../../../schemas/generated.ts';
import { aRevision } from '../../support/build.ts';

test('events are complete: unknown is null with a status, ids carry the bucket, exposures name the arm', async () => {
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
test('an arm named three times is one exposure', () => {
  const tripline = createTestTripline({ experiments: [aRevision()] });
  const arm = tripline.assign('exp-test', { unit: 'u1' });
  tripline.record({ arms: [arm, arm, arm], userId: 'u1', status: 'success' });
  const inference = tripline.events().find(({ record }) => record === 'inference-event');
  expect(inference?.event).toMatchObject({ exposures: [{ experiment_id: 'exp-test' }] });
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
