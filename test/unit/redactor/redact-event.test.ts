import { expect, test } from 'vitest';
import { defaultPolicy } from '../../../services/redaction/index.ts';
import { createPseudonymizer } from '../../../services/redactor/pseudonym.ts';
import { redactExposure, redactInference, redactOutcome } from '../../../services/redactor/redact-event.ts';
import type { Exposure, InferenceEvent, OutcomeEvent } from '../../../schemas/generated.ts';
import { anInference, anOutcome } from '../../support/build.ts';

const context = {
  policy: { ...defaultPolicy, tokens: { kid: 'k', key: Buffer.alloc(32, 3) } },
  pseudonym: createPseudonymizer(Buffer.alloc(32, 9)),
};
const inference = (change: Parameters<typeof anInference>[0]) => anInference(change).event as InferenceEvent;
const outcome = (change: Parameters<typeof anOutcome>[0]) => anOutcome(change).event as OutcomeEvent;

test('nothing raw leaves: ids, texts, maps, lists', () => {
  const secret = 'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH';
  const event = inference({
    user: 'ada.lovelace',
    ticket: 'TICKET-4711',
    prompt: `mail ada@example.org key ${secret}`,
    response: 'call +49 30 1234 5678',
    attributes: { note: `token ${secret}`, password: 'hunter2!x' },
    slices: { who: 'ada@example.org' },
    error_type: `failed for ada@example.org`,
    tool_calls: [{ name: `lookup ${secret}`, allowed: false, ok: false, latency_ms: 1 }],
    retrieval: [{ document_id: 'mail-from-ada@example.org', score: 1 }],
  });
  const verdict = redactInference(event, 5, context);
  const text = JSON.stringify(verdict, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  );
  for (const raw of ['ada@example.org', secret, 'ada.lovelace', 'TICKET-4711', '1234 5678', 'hunter2!x'])
    expect(text).not.toContain(raw);
  expect(verdict.kind).toBe('forward');
  expect(verdict.kind === 'forward' && verdict.value.inference?.redactions).toMatchObject({ EMAIL: 4, PHONE: 1 });
});
test('a unit is the same pseudonym in exposures, inferences and outcomes, and another under another key', () => {
  const exposure: Exposure = {
    event_id: 'x',
    occurred_at: 1,
    trace_id: '',
    service: 's',
    environment: 'e',
    experiment_id: 'exp-test',
    phase: 1,
    variant: 'A',
    unit_type: 'user',
    unit_id: 'u1',
    entity: null,
    reason: 'SPLIT',
    config_sha: '',
    sdk: { name: 'n', version: 'v' },
  };
  const unitOf = (verdict: ReturnType<typeof redactExposure>): string => {
    const body = verdict.kind === 'forward' ? verdict.value.unit[0]?.record.body : undefined;
    return (Object.values(body ?? {})[0] as { unit: Buffer }).unit.toString('hex');
  };
  const other = { ...context, pseudonym: createPseudonymizer(Buffer.alloc(32, 8)) };
  expect(unitOf(redactInference(inference({ user: 'u1' }), 1, context))).toBe(
    unitOf(redactExposure(exposure, 1, context)),
  );
  expect(
    unitOf(
      redactOutcome(
        { ...outcome({}), entity: null, units: { user_id: 'u1', org_id: null, session_id: null } },
        1,
        context,
      ),
    ),
  ).toBe(unitOf(redactExposure(exposure, 1, context)));
  expect(unitOf(redactExposure(exposure, 1, other))).not.toBe(unitOf(redactExposure(exposure, 1, context)));
});
test.each<[string, Parameters<typeof anInference>[0], string]>([
  ['an id of 600 characters', { user: 'x'.repeat(600) }, 'longer than 512'],
  ['a time that is none', { at: -5 }, 'occurred_at'],
  ['a time after what the store holds', { at: Date.UTC(2500, 0) }, 'occurred_at'],
  ['negative tokens', { token_in: -1 }, 'token_in: below 0'],
  ['a fraction of a token', { token_cache_read: 1.5 }, 'token_cache_read: a fraction'],
  ['an absurd price', { cost_nano_usd: 9e12 }, 'cost'],
  ['a latency that is no number', { latency_ms: Number.NaN }, 'latency'],
  ['a score that is no number', { scores: { a: Infinity } }, 'scores'],
  [
    'an unknown unit type',
    { exposures: [{ experiment_id: 'e', phase: 1, variant: 'A', unit_type: 'planet', reason: 'SPLIT' }] },
    'unit_type',
  ],
])('parks %s without quoting it', (_name, change, word) => {
  const verdict = redactInference(inference(change ?? {}), 1, context);
  expect(verdict).toMatchObject({ kind: 'park', code: 'INVALID', message: expect.stringContaining(word) });
});
test.each([
  ['DISABLED', 0],
  ['FORCED', 0],
  ['SPLIT', 1],
  ['STALE', 1],
] as const)('reason %s gives %d observations: only chance counts', (reason, observations) => {
  const verdict = redactInference(
    inference({ exposures: [{ experiment_id: 'exp-test', phase: 1, variant: 'A', unit_type: 'user', reason }] }),
    1,
    context,
  );
  expect(verdict.kind === 'forward' && verdict.value.unit.length).toBe(observations);
});
test('an outcome that names nothing is parked, one that names a foreign inference too', () => {
  expect(redactOutcome({ ...outcome({}), entity: null }, 1, context).kind).toBe('park');
  expect(redactOutcome({ ...outcome({}), entity: null, inference_id: 'abc' }, 1, context).kind).toBe('park');
});
