import { expect, test, vi } from 'vitest';
import { createAssignmentTable } from '../../../services/assignment/index.ts';
import {
  createEmitter,
  createTestTripline,
  type EmitterOptions,
  type EventSink,
} from '../../../services/emitter/index.ts';
import { PipelineError } from '../../../services/kernel/pipeline-error.ts';
import { anExperimentFile, aRevision } from '../../support/build.ts';

type Held = { readonly keys: readonly string[]; readonly done: () => void; readonly fail: (error: Error) => void };
/** A sink whose sends are settled by hand. `next` resolves with the send that is open, now or later. */
function handSink(): { sink: EventSink; next: () => Promise<Held> } {
  const open: Held[] = [];
  let tell: (() => void) | undefined;
  return {
    sink: {
      send: (batch) =>
        new Promise((resolve, reject) => {
          open.push({ keys: batch.map(({ key }) => key), done: resolve, fail: reject });
          tell?.();
        }),
      close: async () => {},
    },
    next: async () => {
      if (open.length === 0) await new Promise<void>((resolve) => (tell = resolve));
      const [held] = open.splice(0, 1);
      if (!held) throw new Error('told without a send');
      return held;
    },
  };
}
const emitterOn = (sink: EventSink, change: Partial<EmitterOptions> = {}) =>
  createEmitter({
    service: 's',
    environment: 'e',
    clock: { now: () => 1 },
    encode: () => Buffer.alloc(100),
    sink,
    experiments: { table: () => createAssignmentTable([aRevision()]), stale: () => false, close: async () => {} },
    maxQueued: 100,
    maxBytes: 1 << 20,
    lingerMs: 0,
    ...change,
  });

test('a failed batch is sent again as it was, before anything newer', async () => {
  const { sink, next } = handSink();
  const tripline = emitterOn(sink);
  tripline.record({ userId: 'a' });
  const first = await next();
  tripline.record({ userId: 'b' });
  first.fail(new Error('away'));
  const again = await next();
  expect(again.keys).toEqual(first.keys);
  again.done();
  const second = await next();
  expect(second.keys).toEqual(['b']);
  second.done();
  expect(await tripline.flush()).toBe(true);
  expect(tripline.stats()).toMatchObject({ sent: 2, sendErrors: 1, queued: 0, bytes: 0 });
  await vi.waitFor(() => expect(tripline.stats().lastProblem).toBe('away'), 10_000); // redaction loads and cleans it
});

test('flush waits for what was queued before it, not for what comes after', async () => {
  const { sink, next } = handSink();
  const tripline = emitterOn(sink);
  tripline.record({ userId: 'a' });
  const first = await next();
  const flushed = tripline.flush();
  tripline.record({ userId: 'b' });
  first.done();
  expect(await flushed).toBe(true);
  expect(tripline.stats()).toMatchObject({ sent: 1, queued: 1 });
});

test('flush is false when something queued before it was dropped instead', async () => {
  const { sink, next } = handSink();
  const tripline = emitterOn(sink, { maxQueued: 2 });
  tripline.record({ userId: 'a' });
  const first = await next();
  tripline.record({ userId: 'b' });
  const flushed = tripline.flush();
  tripline.record({ userId: 'c' }); // takes the place of b
  first.done();
  (await next()).done();
  expect(await flushed).toBe(false);
  expect(tripline.stats().droppedBy).toEqual({ queue_full: 1, too_large: 0, refused: 0, closed: 0 });
});

test.each([1, 2, 7, 64, 100])(
  'one event of %i that the broker refuses is dropped alone, the others keep their order',
  async (count) => {
    const arrived: string[] = [];
    const bad = `u${Math.floor(count / 3)}`;
    const tripline = emitterOn({
      send: async (batch) => {
        if (batch.some(({ key }) => key === bad)) throw new PipelineError('BROKER_REFUSED', 'too large');
        arrived.push(...batch.map(({ key }) => key));
      },
      close: async () => {},
    });
    const users = Array.from({ length: count }, (_, index) => `u${index}`);
    for (const userId of users) tripline.record({ userId });
    expect(await tripline.flush()).toBe(false);
    expect(arrived).toEqual(users.filter((user) => user !== bad));
    expect(tripline.stats()).toMatchObject({ sent: count - 1, queued: 0, bytes: 0, droppedBy: { refused: 1 } });
  },
);

test('a batch is bounded in bytes, so that brokers take it', async () => {
  const sizes: number[] = [];
  const tripline = emitterOn(
    {
      send: async (batch) => void sizes.push(batch.reduce((sum, { frame }) => sum + frame.length, 0)),
      close: async () => {},
    },
    { encode: () => Buffer.alloc(300_000), maxBytes: 1 << 26 },
  );
  for (let index = 0; index < 10; index += 1) tripline.record({ userId: 'u' });
  expect(await tripline.flush()).toBe(true);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(800_000);
  expect(tripline.stats().sent).toBe(10);
});

test('close comes back while a send hangs, and what is recorded afterwards is counted', async () => {
  const { sink, next } = handSink();
  const tripline = emitterOn({ ...sink, close: () => new Promise(() => {}) });
  tripline.record({ userId: 'a' });
  await next();
  await tripline.close({ timeoutMs: 20 });
  tripline.record({ userId: 'b' });
  expect(tripline.stats()).toMatchObject({ queued: 1, sent: 0, dropped: 1, droppedBy: { closed: 1 } });
});

test('a unit whose exposure cannot be recorded keeps getting control', () => {
  const broken = emitterOn(handSink().sink, {
    encode: () => {
      throw new Error('secret prompt');
    },
    forced: { 'exp-test': 'B' },
  });
  expect([1, 2, 3].map(() => broken.assign('exp-test', { userId: 'u' }).variant)).toEqual([
    'control',
    'control',
    'control',
  ]);
  expect(broken.stats().lastProblem).toBe('assign: a value has the wrong type');
});

test('the trace of a call: given, else the active one, else none; what is malformed goes nowhere', () => {
  const given = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const active = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
  const traces: unknown[] = [];
  let context: string | undefined = active;
  const tripline = emitterOn(handSink().sink, {
    traceContext: () => context,
    encode: (_record, value) => {
      traces.push((value as { trace_id: string }).trace_id);
      return Buffer.alloc(1);
    },
  });
  tripline.record({ userId: 'u', traceparent: given });
  tripline.record({ userId: 'u' });
  context = undefined;
  tripline.record({ userId: 'u' });
  for (const odd of [
    '',
    'x',
    `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
    `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    `${given}-more`,
  ])
    tripline.record({ userId: 'u', traceparent: odd });
  expect(traces).toEqual(['a'.repeat(32), 'c'.repeat(32), '', '', '', '', '', '']);
});

test('an arm names the unit: an inference that gives nothing else is still about somebody', () => {
  const file = (unit: string) => anExperimentFile().replace('unit: user', `unit: ${unit}`);
  for (const [unit, expected] of [
    ['user', { units: { user_id: 'x' } }],
    ['org', { units: { org_id: 'x' } }],
    ['session', { units: { session_id: 'x' } }],
    ['entity:ticket', { entity: { type: 'ticket', id: 'x' } }],
  ] as const) {
    const tripline = createTestTripline({ experiments: [aRevision({}, file(unit))] });
    const arm = tripline.assign('exp-test', { unit: 'x' });
    tripline.record({ arms: [arm] });
    tripline.outcome('thumbs', { arms: [arm], value: 1 });
    const [, inference, outcome] = tripline.events();
    expect(inference?.event).toMatchObject(expected);
    expect(outcome?.event).toMatchObject(expected);
    tripline.outcome('thumbs', { arms: [arm], entity: { type: 'case', id: 'y' }, value: 1 });
    expect(tripline.events()[3]?.event).toMatchObject({ entity: { type: 'case', id: 'y' }, units: null });
  }
});

test('when every request is a unit, the inference is its own exposure', () => {
  const tripline = createTestTripline({
    experiments: [aRevision({}, anExperimentFile().replace('unit: user', 'unit: request'))],
  });
  const arm = tripline.assign('exp-test', { requestId: 'r1' });
  expect(arm.reason).toBe('SPLIT');
  tripline.record({ arms: [arm] });
  expect(tripline.events().map(({ record }) => record)).toEqual(['inference-event']);
});

test('the test double refuses what production would refuse', async () => {
  const tripline = createTestTripline();
  expect(tripline.record({ userId: 'u', prompt: 42 as never })).toBe('');
  tripline.outcome('thumbs', { value: 1 });
  expect(tripline.events()).toEqual([]);
  expect(tripline.stats().failedCalls).toBe(2);
  await vi.waitFor(
    () => expect(tripline.stats().lastProblem).toBe('outcome: thumbs names no entity, unit or inferenceId'),
    10_000,
  );
});

test('exposures are told once per unit, and the memory of them is bounded, oldest first', () => {
  const tripline = createTestTripline({ experiments: [aRevision()] });
  for (let index = 0; index < 10_001; index += 1) tripline.assign('exp-test', { userId: `u${index}` });
  const told = tripline.events().length;
  tripline.assign('exp-test', { userId: 'u10000' });
  tripline.assign('exp-test', { userId: 'u5000' });
  expect(tripline.events().length).toBe(told);
  tripline.assign('exp-test', { userId: 'u0' }); // long forgotten
  expect(tripline.events().length).toBe(told + 1);
});
