/**
 * A unit under two names counts once, from its first exposure. What an app's emitter records goes through redactor,
 * linker and joiner, in one process or in several that know nothing of each other.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTestTripline } from '../../../services/emitter/index.ts';
import { anExperimentFile, aRevision, hour, monday } from '../../support/build.ts';
import { aProcess, metrics, play, type Recorded, revision } from '../../support/fallback-scene.ts';
import { createMemoryPath } from '../../support/memory-path.ts';

const none = { arms: 0, alias: 0 };

test('signing in within a session is one unit, with all that it did', () => {
  const web = aProcess();
  const recorded: Recorded = [];
  for (const [minute, names] of [
    { sessionId: 's' },
    { sessionId: 's', userId: 'u' },
    { userId: 'u' },
    { sessionId: 's' },
  ].entries()) {
    web.call(names);
    recorded.push(...web.at(minute));
  }
  expect(play(recorded)).toMatchObject({ units: 1, requests: 4, crossoverReasons: none, assigned: 1 });
});

describe('another process that has the user alone does not know the session', () => {
  const web = aProcess();
  web.call({ sessionId: 's' });
  const anonymous = web.at(0);
  web.call({ sessionId: 's', userId: 'u' });
  const signedIn = web.at(1);
  const office = aProcess();
  office.call({ userId: 'u' });
  const byUser = office.at(2);

  test('what it shows counts nowhere, and is a crossover that says why', () =>
    expect(play([...anonymous, ...signedIn, ...byUser])).toMatchObject({
      units: 1,
      requests: 2,
      crossoverReasons: { arms: 0, alias: 1 },
    }));
  test('also when it is recorded first', () =>
    expect(play([...byUser, ...anonymous, ...signedIn])).toMatchObject({
      units: 1,
      requests: 2,
      crossoverReasons: { arms: 0, alias: 1 },
    }));
  test('and also under crossovers: first, which is about arms', () => {
    const first = { ...revision.spec, health: { ...revision.spec.health, crossovers: 'first' as const } };
    const path = createMemoryPath(4);
    path.apply({ ...revision, spec: first });
    for (const each of [...anonymous, ...signedIn, ...byUser]) path.receive(each, each.at);
    expect(path.look('exp-test').crossoverReasons).toEqual({ arms: 0, alias: 1 });
  });
  test('a user who was seen alone before counts as such, and the session is the crossover', () => {
    const earlier = aProcess();
    earlier.call({ userId: 'u' });
    const before = earlier.at(-60);
    expect(play([...before, ...anonymous, ...signedIn])).toMatchObject({
      units: 1,
      requests: 1,
      crossoverReasons: { arms: 0, alias: 1 },
    });
  });
  test('an alias says it where no call has both ids', () => {
    const login = aProcess();
    login.tripline.alias({ sessionId: 's', userId: 'u' });
    const alias = login.at(1);
    expect(play([...anonymous, ...byUser])).toMatchObject({ units: 2, crossoverReasons: none });
    expect(play([...anonymous, ...alias, ...byUser])).toMatchObject({
      units: 1,
      crossoverReasons: { arms: 0, alias: 1 },
    });
  });
});

test('an alias in the process that exposed the session keeps the session as the unit', () => {
  const web = aProcess();
  web.call({ sessionId: 's' });
  web.tripline.alias({ sessionId: 's', userId: 'u' });
  const recorded = web.at(0);
  const office = aProcess();
  office.call({ userId: 'u' });
  office.call({ userId: 'u' });
  expect(play([...recorded, ...office.at(1)])).toMatchObject({
    units: 1,
    requests: 1,
    crossoverReasons: { arms: 0, alias: 1 },
  });
});

test('an alias alone exposes nobody', () => {
  const login = aProcess();
  login.tripline.alias({ sessionId: 's', userId: 'u' });
  expect(play(login.at(0))).toMatchObject({ units: 0, assigned: 0, crossoverReasons: none });
});

test('two sessions of one user, or two devices: the first counts, the second is a crossover', () => {
  const [phone, laptop] = [aProcess(), aProcess()];
  phone.call({ sessionId: 'phone' });
  phone.call({ sessionId: 'phone', userId: 'u' });
  laptop.call({ sessionId: 'laptop' });
  laptop.call({ sessionId: 'laptop', userId: 'u' });
  laptop.call({ sessionId: 'laptop', userId: 'u' });
  expect(play([...phone.at(0), ...laptop.at(1)])).toMatchObject({
    units: 1,
    requests: 2,
    crossoverReasons: { arms: 0, alias: 1 },
    // Both were drawn: the sample ratio asks whether the draw was fair.
    assigned: 2,
  });
});

test('one session of two users is one unit: nobody can tell which of them it was', () => {
  const web = aProcess();
  for (const userId of ['u', 'v']) web.call({ sessionId: 's', userId });
  expect(play(web.at(0))).toMatchObject({ units: 1, requests: 2, crossoverReasons: none });
});

describe('an outcome that names the user alone', () => {
  const web = aProcess();
  const signIn = () => {
    web.call({ sessionId: 's' });
    web.call({ sessionId: 's', userId: 'u' });
    return web.at(0);
  };
  const office = aProcess();
  office.tripline.outcome('ticket_resolved', { userId: 'u', value: 1, outcomeId: 'o' });
  const outcome = office.at(90);

  test('counts for the session that the user was, whichever comes first', () => {
    const signedIn = signIn();
    expect(play([...signedIn, ...outcome])).toMatchObject({ units: 1, solved: 1 });
    expect(play([...outcome, ...signedIn])).toMatchObject({ units: 1, solved: 1 });
    expect(play([...signedIn, ...outcome, ...outcome])).toMatchObject({ units: 1, solved: 1 });
  });
  test('is nothing to an experiment whose unit is the session itself', () => {
    const file = anExperimentFile({ metrics })
      .replace('exp-test', 'exp-session')
      .replace('unit: user', 'unit: session');
    const bySession = aRevision({}, file);
    const both = aProcess(bySession);
    const arms = ['exp-test', 'exp-session'].map((id) => both.tripline.assign(id, { sessionId: 's', userId: 'u' }));
    both.tripline.record({ arms });
    const played = play([...both.at(0), ...outcome], [bySession]);
    expect(played).toMatchObject({ units: 1, solved: 1 });
    const solved = played.path.look('exp-session').metrics.find(({ metric }) => metric === 'solved');
    expect(solved?.arms.map(({ numerator }) => numerator)).toEqual(['0', '0']);
  });
});

test('a session that shows two arms is still a crossover for that reason', () => {
  const [one, other] = ['A', 'B'].map((arm) =>
    createTestTripline({ experiments: [revision], forced: { 'exp-test': arm } }),
  );
  const recorded = [one, other].flatMap((tripline) => {
    const arm = tripline?.assign('exp-test', { sessionId: 's' });
    if (tripline && arm) tripline.record({ arms: [{ ...arm, reason: 'SPLIT' }] });
    return (tripline?.events() ?? []).map((each) => ({ ...each, at: monday, event: each.event as never }));
  });
  expect(play(recorded)).toMatchObject({ units: 0, crossoverReasons: { arms: 1, alias: 0 } });
});

test('in the next phase the first name is found anew', () => {
  const [first, second] = [aProcess(), aProcess()];
  first.call({ sessionId: 's1', userId: 'u' });
  second.call({ sessionId: 's2', userId: 'u' });
  const next = { ...revision, revision: 2, phase: 2, phaseStartedAt: monday + hour, appliedAt: monday + hour };
  const path = createMemoryPath(4);
  path.apply(revision);
  for (const each of [...first.at(0), ...second.at(1)]) path.receive(each, each.at);
  path.apply(next);
  const later = createTestTripline({ experiments: [next] });
  later.record({ arms: [later.assign('exp-test', { sessionId: 's2', userId: 'u' })] });
  for (const each of later.events())
    path.receive({ ...each, event: { ...(each.event as object), occurred_at: monday + 2 * hour } }, monday + 2 * hour);
  const { metrics: found, crossoverReasons } = path.look('exp-test');
  expect(found[0]?.arms.reduce((sum, { units }) => sum + units, 0)).toBe(1);
  expect(crossoverReasons).toEqual(none);
});

describe('whatever the order', () => {
  const someNames = fc.record({
    process: fc.integer({ min: 0, max: 2 }),
    user: fc.integer({ min: 0, max: 2 }),
    session: fc.integer({ min: 0, max: 1 }),
    how: fc.constantFrom('session', 'both', 'both', 'user', 'alias'),
    minute: fc.integer({ min: 0, max: 50 }),
  });
  test('of the names of a unit at most one counts, and exactly one where calls carried them', () => {
    fc.assert(
      fc.property(fc.array(someNames, { minLength: 1, maxLength: 14 }), fc.infiniteStream(fc.nat()), (steps, keys) => {
        const processes = [aProcess(), aProcess(), aProcess()];
        const recorded: Recorded = [];
        const linked = new Map<string, Set<string>>();
        const seen = new Set<string>();
        for (const { process, user, session, how, minute } of steps) {
          const app = processes[process] as ReturnType<typeof aProcess>;
          // A session of one user: devices are shared in a test of its own.
          const [userId, sessionId] = [`u${user}`, `u${user}s${session}`];
          if (how === 'alias') app.tripline.alias({ userId, sessionId });
          else app.call(how === 'session' ? { sessionId } : how === 'user' ? { userId } : { userId, sessionId });
          const now = app.at(minute);
          recorded.push(...now);
          if (how === 'session') seen.add(sessionId);
          else linked.set(userId, new Set([...(linked.get(userId) ?? []), ...(how === 'user' ? [] : [sessionId])]));
        }
        const order = [...keys.take(recorded.length)];
        const shuffled = recorded
          .map((each, index) => ({ each, key: order[index] ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ each }) => each);
        const { path, units } = play(shuffled);
        // What is not linked to a user stands for itself.
        const loose = [...seen].filter((sessionId) => ![...linked.values()].some((names) => names.has(sessionId)));
        expect(units).toBeLessThanOrEqual(linked.size + loose.length);
        if (steps.every(({ how }) => how !== 'alias')) expect(units).toBe(linked.size + loose.length);
        expect(path.look('exp-test').crossoverReasons.arms).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
