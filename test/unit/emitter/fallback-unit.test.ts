/**
 * A visitor comes with a session and signs in. With `fallback_unit: session` the session decides before and after, so
 * nobody sees another arm; the process remembers which user a session was, for calls that have the user alone.
 */
import { describe, expect, test } from 'vitest';
import type { Exposure, InferenceEvent, OutcomeEvent } from '../../../schemas/generated.ts';
import { createAliasMemory } from '../../../services/emitter/alias-memory.ts';
import { createTestTripline } from '../../../services/emitter/index.ts';
import { anExperimentFile, aRevision } from '../../support/build.ts';

const file = anExperimentFile({ extra: '  fallback_unit: session\n' });
const withFallback = aRevision({}, file);
const visitors = Array.from({ length: 1_000 }, (_, index) => ({ sessionId: `s-${index}`, userId: `u-${index}` }));
const app = (...experiments: (typeof withFallback)[]) =>
  createTestTripline({ experiments: experiments.length > 0 ? experiments : [withFallback] });
type App = ReturnType<typeof app>;
const armOf = (tripline: App, subject: Parameters<App['assign']>[1]): string =>
  tripline.assign('exp-test', subject).variant;

describe('nobody moves', () => {
  test('at sign-in, of 1,000 visitors', () => {
    const tripline = app();
    const moved = visitors.filter(
      ({ sessionId, userId }) => armOf(tripline, { sessionId }) !== armOf(tripline, { sessionId, userId }),
    );
    expect(moved).toEqual([]);
  });
  test('at sign-in, also where another process served the pages before it', () => {
    const [before, after] = [app(), app()];
    const moved = visitors.filter(
      ({ sessionId, userId }) => armOf(before, { sessionId }) !== armOf(after, { sessionId, userId }),
    );
    expect(moved).toEqual([]);
  });
  test.each<[string, (tripline: App, names: { sessionId: string; userId: string }) => void]>([
    ['assign', (tripline, names) => void tripline.assign('exp-test', names)],
    [
      'record',
      (tripline, { sessionId, userId }) =>
        void tripline.record({ arms: [tripline.assign('exp-test', { sessionId })], userId }),
    ],
    ['alias', (tripline, names) => tripline.alias(names)],
  ])('afterwards with the user alone, in the process where `%s` had both ids', (_call, signIn) => {
    const tripline = app();
    const moved = visitors.filter((names) => {
      const before = armOf(tripline, { sessionId: names.sessionId });
      signIn(tripline, names);
      return armOf(tripline, { userId: names.userId }) !== before || armOf(tripline, { unit: names.userId }) !== before;
    });
    expect(moved).toEqual([]);
  });
  test('when signed in from the start: the session decides on every page of it', () => {
    const tripline = app();
    const moved = visitors.filter((names) => {
      const arms = new Set([names, names, { userId: names.userId }].map((subject) => armOf(tripline, subject)));
      return arms.size > 1;
    });
    expect(moved).toEqual([]);
  });
  test('at sign-out, and at sign-in on a second device or in a second session', () => {
    const tripline = app();
    const moved = visitors.filter(({ sessionId, userId }) => {
      const first = [{ sessionId }, { sessionId, userId }, { sessionId }].map((subject) => armOf(tripline, subject));
      const other = `phone-${sessionId}`;
      const second = [{ sessionId: other }, { sessionId: other, userId }, { userId }].map((subject) =>
        armOf(tripline, subject),
      );
      return new Set(first).size > 1 || new Set(second).size > 1;
    });
    expect(moved).toEqual([]);
  });
});

test('without a fallback unit the unit alone decides, as it did', () => {
  const tripline = app(aRevision());
  expect(tripline.assign('exp-test', { sessionId: 's-1' })).toMatchObject({ reason: 'UNKNOWN', unitType: 'user' });
  expect(tripline.assign('exp-test', { sessionId: 's-1', userId: 'u-1' })).not.toHaveProperty('primary');
  tripline.outcome('ticket_resolved', { userId: 'u-1', value: 1 });
  const events = tripline.events().map(({ event }) => JSON.stringify(event));
  expect(events.filter((event) => event.includes('primary_'))).toEqual([]);
});

test('an id that is an empty text is none', () => {
  const tripline = app();
  expect(tripline.assign('exp-test', { sessionId: '', userId: 'u-1' })).toMatchObject({ unitId: 'u-1' });
  expect(tripline.assign('exp-test', { sessionId: '', userId: '' })).toMatchObject({ reason: 'UNKNOWN', unitId: '' });
});

test('exposures and inferences name the session as the unit, and the user as what it became', () => {
  const tripline = app();
  const arm = tripline.assign('exp-test', { sessionId: 's-1' });
  tripline.assign('exp-test', { sessionId: 's-1', userId: 'u-1' });
  tripline.record({ arms: [arm], userId: 'u-1' });
  const [anonymous, signedIn, inference] = tripline.events().map(({ event }) => event);
  expect(anonymous as Exposure).toMatchObject({ unit_type: 'session', unit_id: 's-1', primary_id: null });
  expect(signedIn as Exposure).toMatchObject({ unit_id: 's-1', primary_type: 'user', primary_id: 'u-1' });
  expect(inference as InferenceEvent).toMatchObject({
    units: { user_id: 'u-1', session_id: 's-1' },
    exposures: [{ unit_type: 'session', primary_type: 'user' }],
  });
});

describe('an alias', () => {
  const told = (tripline: App) => tripline.events().map(({ event }) => (event as Exposure).reason);
  test('of a unit that was exposed here is an exposure with both names', () => {
    const tripline = app();
    tripline.assign('exp-test', { sessionId: 's-1' });
    tripline.alias({ sessionId: 's-1', userId: 'u-1' });
    tripline.alias({ sessionId: 's-1', userId: 'u-1' });
    expect(told(tripline)).toEqual(['SPLIT', 'SPLIT']);
  });
  test('of any other says only that the names are one', () => {
    const tripline = app();
    tripline.alias({ sessionId: 's-1', userId: 'u-1' });
    expect(told(tripline)).toEqual(['UNKNOWN']);
    expect(tripline.events()[0]?.event as Exposure).toMatchObject({ unit_id: 's-1', primary_id: 'u-1' });
  });
  test('is nothing to experiments without a fallback unit, and with one id a failed call', () => {
    const tripline = app(aRevision());
    tripline.alias({ sessionId: 's-1', userId: 'u-1' });
    expect(tripline.events()).toEqual([]);
    tripline.alias({ userId: 'u-1' });
    expect(tripline.stats().failedCalls).toBe(1);
  });
});

test('an outcome that names the user alone says that there may be an earlier name', () => {
  const tripline = app();
  tripline.outcome('ticket_resolved', { userId: 'u-1', value: 1 });
  tripline.outcome('ticket_resolved', { userId: 'u-1', sessionId: 's-1', value: 1 });
  tripline.outcome('ticket_resolved', { userId: 'u-1', entity: { type: 'ticket', id: 'T' }, value: 1 });
  expect(tripline.events().map(({ event }) => (event as OutcomeEvent).primary_types)).toEqual([
    ['user'],
    undefined,
    undefined,
  ]);
});

test('the memory of names is bounded: the one used longest ago goes', () => {
  const memory = createAliasMemory(2);
  const pair = { primary: 'user', fallback: 'session' };
  for (const name of ['1', '2']) memory.learn(pair, { userId: `u${name}`, sessionId: `s${name}` });
  expect(memory.recall(pair, { userId: 'u1' })).toEqual({ userId: 'u1', sessionId: 's1' });
  memory.learn(pair, { userId: 'u3', sessionId: 's3' });
  expect(memory.recall(pair, { userId: 'u2' })).toEqual({ userId: 'u2' });
  expect(memory.recall(pair, { userId: 'u1' })).toEqual({ userId: 'u1', sessionId: 's1' });
  expect(memory.recall(pair, { userId: 'u1', sessionId: 's9' })).toEqual({ userId: 'u1', sessionId: 's9' });
});
