import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createEmitterFromEnv, createTestTripline } from '../../../services/emitter/index.ts';
import { createPseudonymizer } from '../../../services/redactor/pseudonym.ts';
import { redactInference } from '../../../services/redactor/redact-event.ts';
import { parseTokenKeys } from '../../../services/redaction/config.ts';
import { defaultPolicy, type TokenKeys } from '../../../services/redaction/index.ts';
import type { InferenceEvent } from '../../../schemas/generated.ts';

const home = mkdtempSync(join(tmpdir(), 'tripline-emitter-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const keys = `k1:${'ab'.repeat(16)}`;
const call = {
  userId: 'ada@example.org',
  prompt: 'I am ada@example.org',
  attributes: { password: 'hunter2!Xy' },
  status: 'success' as const,
};

describe('with a policy', () => {
  const policy = { ...defaultPolicy, tokens: parseTokenKeys(keys) as TokenKeys };
  const tripline = createTestTripline({ redaction: policy });
  tripline.record(call);
  tripline.outcome('thumbs', { unit: 'u', value: 1, attributes: { comment: 'ada@example.org' } });
  const before = { events: tripline.events().length, queued: tripline.stats().queued };
  let event: InferenceEvent;
  let outcome: { readonly event: unknown } | undefined;
  beforeAll(async () => {
    expect(await tripline.flush()).toBe(true);
    const [first, second] = tripline.events();
    event = first?.event as InferenceEvent;
    outcome = second;
  });
  test('until redaction has loaded, events are held', () => {
    expect(before).toEqual({ events: 0, queued: 2 });
  });
  test('what cannot be encoded once it has loaded is counted, and the others leave', async () => {
    const other = createTestTripline({ redaction: policy });
    expect(other.record({ userId: 'u', latencyMs: 1, finishReasons: [7 as never] })).not.toBe('');
    other.record({ userId: 'v' });
    expect(await other.flush()).toBe(true);
    expect(other.events().length).toBe(1);
    expect(other.stats()).toMatchObject({ failedCalls: 1, sent: 1, dropped: 0, queued: 0, bytes: 0 });
  });
  test('texts leave the process redacted, ids as they are, and what went is counted', () => {
    expect(event).toMatchObject({
      units: { user_id: 'ada@example.org' },
      prompt: expect.stringMatching(/^I am \[EMAIL:k1:[0-9a-f]{16}\]$/),
      attributes: { password: expect.stringMatching(/^\[SECRET_GENERIC:l\d+\]$/) },
    });
    expect(JSON.stringify(outcome?.event)).not.toContain('ada@');
    expect(tripline.stats().redactions).toMatchObject({ 'EMAIL structured': 2, 'SECRET_GENERIC field': 1 });
  });
  test('the redactor behind it, with the same keys, leaves its tokens alone', () => {
    const verdict = redactInference(event, 1, { policy, pseudonym: createPseudonymizer(Buffer.alloc(32, 9)) });
    expect(verdict.kind === 'forward' && verdict.value.inference).toMatchObject({
      prompt: event.prompt,
      redactions: {},
    });
  });
});
test("without one, texts are the redactor's business", () => {
  const tripline = createTestTripline();
  tripline.record(call);
  expect(tripline.events()[0]?.event).toMatchObject({ prompt: call.prompt });
  expect(tripline.stats().redactions).toEqual({});
});

describe('by environment', () => {
  const sink = join(home, 'events.ndjson');
  test('TRIPLINE_EMITTER_REDACT=on, keys from a file', async () => {
    writeFileSync(join(home, 'keys'), keys);
    const emitter = createEmitterFromEnv({
      TRIPLINE_SINK: `file:${sink}`,
      TRIPLINE_EMITTER_REDACT: 'on',
      TRIPLINE_TOKEN_KEYS_FILE: join(home, 'keys'),
    });
    emitter.record(call);
    expect(await emitter.flush()).toBe(true);
    await emitter.close();
    const line = readFileSync(sink, 'utf8');
    expect(line).toMatch(/I am \[EMAIL:k1:/);
    expect(line).not.toContain('I am ada@');
  });
  test('a policy that cannot be read: nothing leaves, the app goes on, stats say why', async () => {
    const raw = join(home, 'raw.ndjson');
    const emitter = createEmitterFromEnv({
      TRIPLINE_SINK: `file:${raw}`,
      TRIPLINE_EMITTER_REDACT: 'on',
      TRIPLINE_REDACTION_POLICY: join(home, 'none.json'),
    });
    emitter.record(call);
    expect(await emitter.flush({ timeoutMs: 50 })).toBe(false);
    expect(emitter.stats().lastProblem).toContain('cannot be read');
    await emitter.close({ timeoutMs: 50 });
    expect(() => readFileSync(raw)).toThrow('ENOENT');
  });
});
test('what an outcome is called is not quoted back', async () => {
  const tripline = createTestTripline();
  tripline.outcome('from ada@example.org', { value: 1 });
  expect(tripline.stats().lastProblem).toBe('outcome: a problem whose text is being cleaned');
  const cleaned = 'outcome: from [EMAIL] names no entity, unit or inferenceId';
  await vi.waitFor(() => expect(tripline.stats().lastProblem).toBe(cleaned), 10_000);
});
