import { expect, test } from 'vitest';
import type { InferenceEvent, OutcomeEvent } from '../../../schemas/generated.ts';
import { defaultPolicy } from '../../../services/redaction/index.ts';
import {
  cleanId,
  cleanInferenceTexts,
  cleanName,
  cleanOutcomeTexts,
  createRedactionCounts,
} from '../../../services/redaction/records.ts';
import { anInference, anOutcome } from '../../support/build.ts';

const countsFor = () => createRedactionCounts(defaultPolicy);
const mail = 'ada@example.org';

/** Every string of a value with its path. */
function strings(value: unknown, path = ''): [path: string, text: string][] {
  if (typeof value === 'string') return [[path, value]];
  return value !== null && typeof value === 'object'
    ? Object.entries(value).flatMap(([key, item]) => [
        ...(key.includes('@') ? [[`${path} key`, key] as [string, string]] : []),
        ...strings(item, `${path}.${key}`),
      ])
    : [];
}

test('a value in any text field of an event is found in none afterwards; ids stay', () => {
  const { event } = anInference({
    prompt: mail,
    response: mail,
    attributes: { a: mail, [mail]: 'x' },
    slices: { s: mail },
    error_type: mail,
    finish_reasons: [mail],
    service: mail,
    environment: mail,
    operation: mail,
    provider: mail,
    model_requested: mail,
    model_served: mail,
    prompt_name: mail,
    prompt_version: mail,
    rag_index_version: mail,
    tool_set_version: mail,
    price_table_version: mail,
    guardrails: [{ name: mail, kind: mail, action: mail, score: 1 }],
    tool_calls: [{ name: mail, allowed: true, ok: true, latency_ms: 1 }],
    retrieval: [{ document_id: mail, score: 1 }],
    scores: { [mail]: 1 },
    exposures: [{ experiment_id: mail, phase: 1, variant: mail, unit_type: 'user', reason: 'SPLIT' }],
    user: mail,
    ticket: mail,
  }) as { event: InferenceEvent };
  const counts = countsFor();
  const left = strings(cleanInferenceTexts(event, counts))
    .filter(([, text]) => text.includes(mail))
    .map(([path]) => path);
  expect(left).toEqual(['.units.user_id', '.entity.id']);
  expect(counts.types['EMAIL']).toBeGreaterThanOrEqual(25);
  expect(counts.tiers['EMAIL structured']).toBe(counts.types['EMAIL']);
});
test('an outcome likewise', () => {
  const event = { ...(anOutcome({}).event as OutcomeEvent), kind: mail, source: mail, attributes: { note: mail } };
  expect(strings(cleanOutcomeTexts(event, countsFor())).filter(([, text]) => text.includes(mail))).toEqual([]);
});
test('names of models are called like people and stay; a sentence in their place is a text', () => {
  expect(cleanName('claude-3-opus', countsFor())).toBe('claude-3-opus');
  expect(cleanName('Claude Opus', countsFor())).toBe('Claude Opus');
  expect(cleanName('My name is Barbara Liskov and the order is late', countsFor())).not.toContain('Liskov');
});
test.each([
  ['a UUID', '0190b3c1-7a2b-7def-8abc-0123456789ab', '0190b3c1-7a2b-7def-8abc-0123456789ab'],
  ['an id of an app', 'order-4711', 'order-4711'],
  ['an address', mail, '[EMAIL]'],
])('of ids, %s', (_what, id, clean) => expect(cleanId(id, countsFor())).toBe(clean));
