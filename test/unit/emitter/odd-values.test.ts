/** Values that an app gives and no record can hold: the event goes without them, and says so. */
import { describe, expect, test } from 'vitest';
import { createAssignmentTable } from '../../../services/assignment/index.ts';
import { createEmitter, createTestTripline, type EmitterOptions } from '../../../services/emitter/index.ts';
import type { InferenceInput, OutcomeInput } from '../../../services/emitter/event-input.ts';
import type { QueuedEvent } from '../../../services/emitter/event-queue.ts';
import type { RecordedEvent } from '../../../services/emitter/redact-events.ts';
import { PipelineError } from '../../../services/kernel/pipeline-error.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import type { InferenceEvent } from '../../../schemas/generated.ts';
import { aRevision } from '../../support/build.ts';

/** What JavaScript lets an app say, whatever our types allow. */
const recorded = (input: object) => {
  const tripline = createTestTripline();
  const id = tripline.record({ userId: 'u', modelServed: 'm', status: 'error', ...input } as InferenceInput);
  return { id, event: tripline.events()[0]?.event as InferenceEvent | undefined, stats: tripline.stats() };
};

describe('a number that cannot be used', () => {
  test.each<readonly [field: string, value: unknown, column: keyof InferenceEvent, cause: string]>([
    ['tokenIn', 412.5, 'token_in', 'a fraction, where a whole number belongs'],
    ['tokenOut', -1, 'token_out', 'below 0'],
    ['tokenCacheRead', Number.NaN, 'token_cache_read', 'no finite number'],
    ['tokenCacheWrite', '412', 'token_cache_write', 'a text, where a number belongs'],
    ['tokenReasoning', 2e12, 'token_reasoning', 'above 1000000000000'],
    ['costNanoUsd', '0.01', 'cost_nano_usd', 'a text, where a number belongs'],
    ['costNanoUsd', -2_000, 'cost_nano_usd', 'below 0'],
    ['latencyMs', -37, 'latency_ms', 'below 0'],
    ['ttftMs', Infinity, 'ttft_ms', 'no finite number'],
  ])('%s %j is unknown, named and counted; the call is recorded', (field, value, column, cause) => {
    const { id, event, stats } = recorded({ [field]: value });
    expect(event).toMatchObject({ event_id: id, status: 'error', [column]: null });
    expect(stats).toMatchObject({ failedCalls: 0, unusableValues: { [field]: 1 } });
    expect(stats.lastProblem).toBe(`record: ${field}: ${cause}; recorded without it`);
  });
  test('attempts, repairs and scores too', () => {
    const { event, stats } = recorded({ attempts: 1.5, schemaRepairs: -1, scores: { good: 0.5, bad: Number.NaN } });
    expect(event).toMatchObject({ attempts: 1, schema_repairs: 0, scores: { good: 0.5 } });
    expect(stats.unusableValues).toEqual({ attempts: 1, schemaRepairs: 1, 'scores.bad': 1 });
  });
  test('a cost keeps its fraction of a nano-dollar to itself', () =>
    expect(recorded({ costNanoUsd: 1234.4 })).toMatchObject({
      event: { cost_nano_usd: 1234, cost_status: 'priced' },
      stats: { unusableValues: {} },
    }));
});

describe('ids', () => {
  test('a number is its text, in a record, an outcome and an assignment', () => {
    const tripline = createTestTripline({ experiments: [aRevision()] });
    const arm = tripline.assign('exp-test', { unit: 10_007 as unknown as string });
    expect(arm).toMatchObject({ unitId: '10007', reason: 'SPLIT' });
    expect(arm).toEqual(tripline.assign('exp-test', { userId: 10_007 as unknown as string }));
    expect(arm).toEqual(tripline.assign('exp-test', { unit: '10007' }));
    tripline.record({ userId: 10_007, entity: { type: 'ticket', id: 99 } } as unknown as InferenceInput);
    tripline.outcome('bought', { userId: 10_007, value: 1 } as unknown as OutcomeInput);
    expect(tripline.events().map(({ event }) => event)).toMatchObject([
      { unit_id: '10007' },
      { units: { user_id: '10007' }, entity: { type: 'ticket', id: '99' } },
      { units: { user_id: '10007' } },
    ]);
    expect(tripline.stats().failedCalls).toBe(0);
  });
  test.each([
    ['userId', true, 'userId: true or false, where a text or a number belongs'],
    ['orgId', {}, 'orgId: an object, where a text or a number belongs'],
    ['sessionId', 2 ** 53, 'sessionId: a number too large or too small to be exact: write it as a text'],
  ])('%s %j: the call is not recorded, and the field is named', async (field, value, problem) => {
    const tripline = createTestTripline();
    expect(tripline.record({ [field]: value } as InferenceInput)).toBe('');
    expect(tripline.stats()).toMatchObject({ failedCalls: 1, queued: 0 });
    await expect.poll(() => tripline.stats().lastProblem, { timeout: 10_000 }).toBe(`record: ${problem}`);
  });
});

describe('when it happened', () => {
  const at = Date.UTC(2026, 2, 28, 23, 10);
  test.each<readonly [name: string, given: unknown]>([
    ['epoch milliseconds', at],
    ['with a fraction of one', at + 0.75],
    ['a Date', new Date(at)],
    ['RFC 3339', '2026-03-29T04:40:00+05:30'],
    ['without a zone: UTC', '2026-03-28 23:10:00'],
  ])('%s', (_name, given) => expect(recorded({ occurredAt: given }).event?.occurred_at).toBe(at));
  test.each([new Date('soon'), 'soon', '2500-01-01T00:00:00Z', Date.UTC(2500, 0), -1, Number.NaN, {}])(
    '%j is no time: the call is not recorded, and the field is named',
    async (given) => {
      const tripline = createTestTripline();
      expect(tripline.record({ userId: 'u', occurredAt: given as never })).toBe('');
      tripline.outcome('bought', { userId: 'u', value: 1, occurredAt: given as never });
      expect(tripline.stats()).toMatchObject({ failedCalls: 2, queued: 0 });
      await expect
        .poll(() => tripline.stats().lastProblem, { timeout: 10_000 })
        .toContain('outcome: occurredAt: no time');
    },
  );
});

test.each([['1'], [Number.NaN], [undefined], [1e12]])("an outcome's value %j is named", async (value) => {
  const tripline = createTestTripline();
  tripline.outcome('bought', { userId: 'u', value: value as never });
  expect(tripline.stats()).toMatchObject({ failedCalls: 1, queued: 0 });
  await expect.poll(() => tripline.stats().lastProblem, { timeout: 10_000 }).toMatch(/^outcome: value: /);
});
test('a text where none belongs is named by its path, and not told', async () => {
  const tripline = createTestTripline();
  expect(tripline.record({ userId: 'u', attributes: { plan: { secret: 'x' } } } as unknown as InferenceInput)).toBe('');
  await expect
    .poll(() => tripline.stats().lastProblem, { timeout: 10_000 })
    .toMatch(/^record: attributes\S* has the wrong/);
});

describe('an event too large for the broker', () => {
  const call = { tokenIn: 1_500, tokenOut: 0, latencyMs: 30_000, promptVersion: 'img' };
  const kB = (count: number, letter = 'x'): string => letter.repeat(count * 1_000);
  const kept = { status: 'error', token_in: 1_500, latency_ms: 30_000, prompt_version: 'img', units: { user_id: 'u' } };
  test.each<readonly [name: string, input: object, expected: object, leftOut: number]>([
    ['600 kB fit', { prompt: kB(600) }, { prompt: kB(600) }, 0],
    ['900 kB fit', { prompt: kB(900) }, { prompt: kB(900) }, 0],
    ['1.2 MB do not', { prompt: kB(1_200) }, { prompt: '[TOO_LARGE]' }, 1],
    ['20 MB neither', { prompt: kB(20_000), response: 'ok' }, { prompt: '[TOO_LARGE]', response: 'ok' }, 1],
    ['two of 600 kB: one goes', { prompt: kB(600), response: kB(610) }, { response: '[TOO_LARGE]' }, 1],
    ['two of 1.2 MB: both', { prompt: kB(1_200), response: kB(1_200) }, { response: '[TOO_LARGE]' }, 2],
    ['three bytes a letter', { prompt: kB(400, '語') }, { prompt: '[TOO_LARGE]' }, 1],
    [
      'many medium texts',
      { attributes: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`a${index}`, kB(30)])) },
      {},
      7,
    ],
    [
      'documents as they were retrieved',
      { retrieval: Array.from({ length: 12 }, () => ({ document_id: kB(100), score: null })) },
      {},
      3,
    ],
    [
      'a hundred thousand documents',
      { prompt: 'q', retrieval: Array.from({ length: 100_000 }, () => ({ document_id: 'documents/17', score: 0.5 })) },
      { prompt: 'q', retrieval: [] },
      1,
    ],
    ['metadata of small texts without end', { attributes: Object.fromEntries(manySmall()) }, { attributes: {} }, 1],
  ])('%s', (_name, input, expected, leftOut) => {
    const { id, event, stats } = recorded({ ...call, ...input });
    expect(event).toMatchObject({ ...kept, ...expected, event_id: id });
    expect(stats).toMatchObject({ dropped: 0, failedCalls: 0, textsLeftOut: leftOut });
  });
  function manySmall(): (readonly [string, string])[] {
    return Array.from({ length: 50_000 }, (_, index) => [`key-${index}`, 'a small value']);
  }
  test('arms and scores stay', () => {
    const tripline = createTestTripline({ experiments: [aRevision()] });
    const arm = tripline.assign('exp-test', { unit: 'u' });
    tripline.record({ arms: [arm], prompt: kB(1_200), scores: { grounded: 0.5 }, slices: { plan: 'pro' } });
    expect(tripline.events().at(-1)?.event).toMatchObject({
      exposures: [{ experiment_id: 'exp-test', variant: arm.variant }],
      scores: { grounded: 0.5 },
      slices: { plan: 'pro' },
    });
  });
  test('an outcome loses its attributes; an id of a megabyte cannot be left out, and is counted', () => {
    const tripline = createTestTripline();
    tripline.outcome('bought', { userId: 'u', value: 1, attributes: { note: kB(1_200) } });
    expect(tripline.events()[0]?.event).toMatchObject({ value: 1, attributes: { note: '[TOO_LARGE]' } });
    tripline.record({ userId: kB(1_200) });
    expect(tripline.stats()).toMatchObject({ textsLeftOut: 1, droppedBy: { too_large: 1 } });
  });
});

describe('a broker that takes less than was thought', () => {
  const registry = {
    register: async () => 0,
    schemaById: async () => undefined,
    subjects: async () => [],
    ping: async () => {},
  };
  const codec = createAvroCodec({ registry, clock: { now: () => 1 } });
  const sent: QueuedEvent[] = [];
  const takes = (maxBytes: number): Pick<EmitterOptions, 'sink'> => ({
    sink: {
      send: async (batch) => {
        if (batch.some(({ frame }) => frame.length > maxBytes)) throw new PipelineError('BROKER_REFUSED', 'too large');
        sent.push(...batch);
      },
      close: async () => {},
    },
  });
  test('the event goes without its texts, and those around it as they are', async () => {
    const tripline = createEmitter({
      service: 's',
      environment: 'e',
      clock: { now: () => 1 },
      encode: codec.encodeUnregistered,
      decode: (record, frame) => ({ record, value: codec.decodeOwn(record, frame) }) as RecordedEvent,
      experiments: { table: () => createAssignmentTable([]), stale: () => false, close: async () => {} },
      maxQueued: 100,
      maxBytes: 1 << 24,
      lingerMs: 0,
      ...takes(50_000),
    });
    for (const length of [10, 700_000, 20, 60_000, 30])
      tripline.record({ userId: `u-${length}`, status: 'error', tokenIn: length, prompt: 'x'.repeat(length) });
    expect(await tripline.flush({ timeoutMs: 15_000 })).toBe(true);
    const events = sent.map(({ frame }) => codec.decodeOwn('inference-event', frame));
    expect(events.map(({ token_in: tokens }) => tokens)).toEqual([10, 700_000, 20, 60_000, 30]);
    expect(events.map(({ prompt }) => prompt?.length)).toEqual([10, 11, 20, 11, 30]);
    expect(tripline.stats()).toMatchObject({ sent: 5, dropped: 0, textsLeftOut: 2, queued: 0, bytes: 0 });
  });
});
