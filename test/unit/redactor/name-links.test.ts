/** An event with both names of a unit: counted under the one that decided, linked under the other. */
import { expect, test } from 'vitest';
import type { EntityRecord, Exposure, InferenceEvent, OutcomeEvent } from '../../../schemas/generated.ts';
import { bucketOf } from '../../../services/kernel/ids.ts';
import type { Verdict } from '../../../services/kernel/verdict.ts';
import { defaultPolicy } from '../../../services/redaction/index.ts';
import { createPseudonymizer } from '../../../services/redactor/pseudonym.ts';
import {
  type RedactedEvent,
  redactExposure,
  redactInference,
  redactOutcome,
} from '../../../services/redactor/redact-event.ts';
import { anInference, anOutcome } from '../../support/build.ts';
import { readExamples } from '../../support/examples.ts';

const pseudonym = createPseudonymizer(Buffer.alloc(32, 7));
const context = { policy: defaultPolicy, pseudonym };
const forwarded = (verdict: Verdict<RedactedEvent>): RedactedEvent => {
  if (verdict.kind !== 'forward') throw new Error(JSON.stringify(verdict));
  return verdict.value;
};
const linkOf = ({ entity }: RedactedEvent) => {
  const body: EntityRecord['body'] | undefined = entity[0]?.record.body;
  return body && 'tripline.v1.Link' in body ? body['tripline.v1.Link'] : undefined;
};
const theLink = (unit: Buffer, bucket: number, exposed: boolean) =>
  expect.objectContaining({ entity: pseudonym('user', 'u'), unit, bucket, phase_key: 'exp-test/1', exposed });
const sessionLink = (exposed: boolean) => theLink(pseudonym('session', 's'), bucketOf('session', 's'), exposed);

const exposure = (change: Partial<Exposure> = {}): Exposure => ({
  ...(readExamples('exposure')[0]?.value as Exposure),
  experiment_id: 'exp-test',
  phase: 1,
  entity: null,
  unit_type: 'session',
  unit_id: 's',
  primary_type: 'user',
  primary_id: 'u',
  ...change,
});
const inference = (unitType: string, session: string | null, user: string | null): InferenceEvent => {
  const arrival = anInference({ units: { user_id: user, org_id: null, session_id: session } });
  if (arrival.kind !== 'inference') throw new Error('no inference');
  const exposures = arrival.event.exposures.map((one) => ({ ...one, unit_type: unitType, primary_type: 'user' }));
  return { ...arrival.event, exposures };
};
const outcome = (change: Partial<OutcomeEvent>): OutcomeEvent => {
  const arrival = anOutcome({ units: { user_id: 'u', org_id: null, session_id: null }, entity: null, ...change });
  if (arrival.kind !== 'outcome') throw new Error('no outcome');
  return arrival.event;
};

test('an exposure with both names', () => {
  const value = forwarded(redactExposure(exposure(), 5, context));
  expect(value.unit.map(({ bucket }) => bucket)).toEqual([bucketOf('session', 's')]);
  expect(value.entity.map(({ bucket }) => bucket)).toEqual([bucketOf('user', 'u')]);
  expect(linkOf(value)).toEqual(sessionLink(true));
});
test('an alias exposes nobody', () => {
  const value = forwarded(redactExposure(exposure({ reason: 'UNKNOWN' }), 5, context));
  expect([value.unit, linkOf(value)]).toEqual([[], sessionLink(false)]);
});
test.each<[string, Partial<Exposure>, string]>([
  ['unknown without another name', { reason: 'UNKNOWN', primary_id: null }, 'drop'],
  ['not randomised', { reason: 'FORCED' }, 'drop'],
  ['another type than a unit can have', { primary_type: 'ada@example.org' }, 'park'],
  ['an id of an empty text', { primary_id: '' }, 'park'],
])('an exposure that is %s: %s', (_name, change, kind) =>
  expect(redactExposure(exposure(change), 5, context).kind).toBe(kind),
);
test('an inference with both names is observed once, under the one that decided', () => {
  const value = forwarded(redactInference(inference('session', 's', 'u'), 5, context));
  expect(value.unit.map(({ bucket }) => bucket)).toEqual([bucketOf('session', 's')]);
  expect(linkOf(value)).toEqual(sessionLink(true));
});
test('the user alone is linked under its own name, so that it can be told', () => {
  const value = forwarded(redactInference(inference('user', null, 'u'), 5, context));
  expect(linkOf(value)).toEqual(theLink(pseudonym('user', 'u'), bucketOf('user', 'u'), true));
});
test('a session alone has nothing to be linked to', () =>
  expect(forwarded(redactInference(inference('session', 's', null), 5, context)).entity).toEqual([]));
test('an outcome of a user goes to the user, and to where the first name is known', () => {
  const value = forwarded(redactOutcome(outcome({ primary_types: ['user', 'session', 'x'] }), 5, context));
  expect(value.unit).toHaveLength(1);
  expect(value.entity).toEqual([expect.objectContaining({ bucket: bucketOf('user', 'u') })]);
  expect(forwarded(redactOutcome(outcome({}), 5, context)).entity).toEqual([]);
});
test('whoever is erased is linked to nobody', () => {
  const shredded = { policy: defaultPolicy, pseudonym: createPseudonymizer(Buffer.alloc(32, 7)) };
  shredded.pseudonym.drop([{ kind: 'user', id: 'u' }]);
  expect(redactExposure(exposure(), 5, shredded)).toMatchObject({ kind: 'drop', reason: 'erased' });
  expect(redactInference(inference('session', 's', 'u'), 5, shredded).kind).toBe('drop');
});
