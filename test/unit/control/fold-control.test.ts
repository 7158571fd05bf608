import { describe, expect, test } from 'vitest';
import {
  type ControlRecord,
  type ControlTable,
  decide,
  foldControl,
  mergeCheckpoint,
  personsDecision,
  type PersonsOrder,
  type Seen,
  whateverRuns,
} from '../../../services/control/index.ts';
import type { Decision } from '../../../services/kernel/decision.ts';
import {
  aMetric,
  anApplication,
  anEvaluation,
  anExperimentFile,
  aRevision,
  hour,
  monday,
} from '../../support/build.ts';

const id = 'exp-test';
/** Records as the log has them: an hour apart. */
function fold(...records: readonly ControlRecord[]) {
  let table: ControlTable = new Map();
  const answers = records.map((record, offset) => {
    const folded = foldControl(table, record, offset, monday + offset * hour);
    table = folded.table;
    return folded.answer;
  });
  return { table, answers, now: table.get(id)?.revision, codes: answers.map(({ code }) => code) };
}
let orders = 0;
const order = (action: PersonsOrder['action'], seen: Seen = whateverRuns(id), candidate?: string): ControlRecord => {
  orders += 1;
  const given = { action, actor: 'ana', reason: `INC-${orders}`, ...(candidate !== undefined && { candidate }) };
  return { kind: 'decision', decision: personsDecision(seen, given, monday) };
};
const seen = (revision: number, phase = 1): Seen => ({ experimentId: id, phase, revision, configSha: '' });
const engine = (change: Partial<Decision>): ControlRecord => ({
  kind: 'decision',
  decision: {
    ...personsDecision(seen(1), { action: 'rollback', actor: 'engine', reason: JSON.stringify(change) }, monday),
    ...change,
  },
});
let files = 0;
const applied = (file = anExperimentFile()): ControlRecord => {
  files += 1;
  return anApplication(file, `file-${files}`);
};
const otherDesign = anExperimentFile().replace('weight: 50 }', 'weight: 60 }');
const ramped = anExperimentFile({ extra: '  ramp: { coverage: [5, 50, 100], hold: 6h, min_units: 10 }\n' });

describe('row 1: what two people or engines say at once', () => {
  test('a kill is obeyed whatever else was said in the same moment, and each is answered', () => {
    const [kill, pause] = [order('rollback'), engine({ action: 'pause' })];
    expect(fold(applied(), pause, kill).now?.status).toBe('rolled_back');
    expect(fold(applied(), kill, pause)).toMatchObject({
      now: { status: 'rolled_back' },
      codes: ['applied', 'applied', 'another-revision'],
    });
  });
  test('two processes of statistics that find the same harm stop it once; both are answered', () => {
    const { answers, now } = fold(applied(), engine({ decisionId: 'a' }), engine({ decisionId: 'b' }));
    expect(answers.map(({ result }) => result)).toEqual(['applied', 'applied', 'superseded']);
    expect(now?.revision).toBe(2);
  });
  test('the same decision said again is answered, and changes nothing that came after it', () => {
    const pause = order('pause');
    const { codes, now } = fold(applied(), pause, order('resume', seen(2)), pause);
    expect([codes, now?.status]).toEqual([['applied', 'applied', 'applied', 'already-answered'], 'running']);
  });
  test('OVER is what the table says, not what was published', () => {
    const look = anEvaluation({ metrics: [aMetric({ log: 9 })] });
    const first = decide(look, [], { revision: aRevision(), offset: 1 });
    expect(first.decision).toMatchObject({ action: 'rollback', controlOffset: 1 });
    // Published, and nothing of it in the fold: harm is still harm.
    expect(decide(look, [], { revision: aRevision(), offset: 1 }).state).toBe('HARM');
    const over = aRevision({ status: 'rolled_back', revision: 2, coverage: 0 });
    expect(decide(look, [], { revision: over, offset: 2 }).state).toBe('OVER');
  });
});

describe('row 2: a decision of a phase that a reader has not heard of', () => {
  test('whoever reads the log hears of the phase first: it is obeyed', () => {
    const { now } = fold(applied(), applied(otherDesign), engine({ phase: 2, revision: 2 }));
    expect(now).toMatchObject({ phase: 2, status: 'rolled_back', revision: 3 });
  });
  test('one of a phase that is over is superseded and says so; of an unknown experiment, refused', () => {
    const { answers } = fold(applied(), applied(otherDesign), engine({ phase: 1, revision: 1 }));
    expect(answers[2]).toMatchObject({ result: 'superseded', code: 'another-phase' });
    expect(answers[2]?.reason).toContain('phase 1, revision 1; now revision 2, phase 2');
    expect(fold(order('rollback')).answers[0]).toMatchObject({ result: 'refused', code: 'no-such-experiment' });
  });
  test('a step, a promotion or a resume that was meant for another revision is superseded', () => {
    for (const action of ['advance', 'promote', 'resume'] as const)
      expect(fold(applied(ramped), order('pause'), order(action, seen(1))).codes[2]).toBe('another-revision');
  });
});

describe('row 3: a file next to a rollback', () => {
  const sameDesign = anExperimentFile({ extra: '  analysis: { min_run: 2d }\n' });
  test('the same design stays rolled back, whichever comes first, and the answer says so', () => {
    for (const records of [
      [order('rollback'), applied(sameDesign)],
      [applied(sameDesign), order('rollback')],
    ]) {
      const { now } = fold(applied(), ...records);
      expect(now).toMatchObject({ revision: 3, phase: 1, status: 'rolled_back', coverage: 0 });
    }
    expect(fold(applied(), order('rollback'), applied(sameDesign)).answers[2]?.reason).toContain('stays rolled_back');
  });
  test('another design is a new phase, by a person, and the answer says what it replaces', () => {
    const { now, answers } = fold(applied(), order('rollback'), applied(otherDesign));
    expect(now).toMatchObject({ phase: 2, status: 'running', coverage: 100, phaseStartedAt: monday + 2 * hour });
    expect(answers[2]?.reason).toContain('instead of phase 1, which was rolled_back');
  });
  test('a kill of before there was a fold names its phase, and stops no later one', () => {
    const upgraded = mergeCheckpoint(new Map(), { revision: aRevision({ revision: 5, phase: 2 }), upTo: 0, taken: [] });
    const kill = order('rollback', seen(1, 1));
    const { table, answer } = foldControl(upgraded, kill, 0, monday);
    expect([answer.code, table.get(id)?.revision.status]).toEqual(['another-phase', 'running']);
  });
  test('a file that says what holds changes nothing; delivered twice, it undoes nothing', () => {
    const first = applied();
    const { codes, now } = fold(first, applied(), applied(otherDesign), first);
    expect(codes).toEqual(['applied', 'unchanged', 'applied', 'already-answered']);
    expect(now).toMatchObject({ revision: 2, phase: 2 });
  });
  test('numbers and times come from the log', () => {
    const { now } = fold(applied(), order('pause'));
    expect(now).toMatchObject({ revision: 2, appliedAt: monday + hour, phaseStartedAt: monday });
    expect(now?.reason).toMatch(/^control 1 pause PAUSE: INC-/);
  });
  test('a checkpoint that is behind what is folded changes nothing, whatever revision it names', () => {
    const { table } = fold(applied(), order('rollback'));
    const old = { revision: aRevision({ revision: 9 }), upTo: 1, taken: [] };
    expect(mergeCheckpoint(table, old)).toBe(table);
    expect(mergeCheckpoint(table, { ...old, upTo: 0 })).toBe(table);
    expect(mergeCheckpoint(table, { ...old, upTo: 3 }).get(id)?.revision.revision).toBe(9);
  });
  test('a record that no specification can be read from is refused', () => {
    const broken: ControlRecord = { kind: 'apply', application: { ...anApplication().application, spec: undefined } };
    expect(fold(broken)).toMatchObject({ now: undefined, codes: ['unreadable'] });
  });
});

describe('row 19: what a person says', () => {
  test('after a pause nothing is promoted; after `resume` it is again', () => {
    const won = (revision: ReturnType<typeof aRevision>, past: readonly Decision[]) =>
      decide(
        anEvaluation({
          experiment: revision,
          watermark: monday + 100 * hour,
          newestClock: monday + 100 * hour,
          metrics: [aMetric({ winLog: 9 }), aMetric({ metric: 'reopen_rate', role: 'goal', winLog: 9 })],
        }),
        past,
        { revision, offset: 3 },
      );
    const pause = engine({ action: 'pause', revision: 1 });
    const past = pause.kind === 'decision' ? [pause.decision] : [];
    const paused = fold(applied(), pause).now as ReturnType<typeof aRevision>;
    const resumed = fold(applied(), pause, order('resume', seen(2))).now as ReturnType<typeof aRevision>;
    expect([paused.status, resumed.status]).toEqual(['paused', 'running']);
    expect(won(paused, past).decision).toBeUndefined();
    expect(won(resumed, past).decision).toMatchObject({ action: 'promote', candidate: 'B', revision: 3 });
  });
  test.each([
    ['pause', 'paused', 100],
    ['promote', 'promoted', 100],
    ['end', 'completed', 0],
    ['rollback', 'rolled_back', 0],
  ] as const)('%s: %s', (action, status, coverage) =>
    expect(fold(applied(), order(action, seen(1))).now).toMatchObject({ status, coverage, author: 'ana' }),
  );
  test('advance takes one step; said twice for one revision it takes one', () => {
    const { now, codes } = fold(applied(ramped), order('advance', seen(1)), order('advance', seen(1)));
    expect([now?.coverage, codes]).toEqual([50, ['applied', 'applied', 'another-revision']]);
  });
  test('an experiment that is over comes back by no verb', () => {
    for (const action of ['resume', 'promote', 'advance'] as const)
      expect(fold(applied(), order('rollback'), order(action, seen(2))).answers[2]).toMatchObject({
        result: 'refused',
        code: 'over',
      });
    expect(fold(applied(), order('end'), order('rollback')).codes[2]).toBe('already-stopped');
  });
  test('whoever promotes one of several says which; a name that is none is refused', () => {
    const three = anExperimentFile().replace(
      '    - { id: B, weight: 50 }\n',
      '    - { id: B, weight: 50 }\n    - { id: C, weight: 50 }\n',
    );
    expect(fold(applied(three), order('promote', seen(1))).answers[1]).toMatchObject({
      code: 'which-candidate',
      reason: expect.stringContaining('B, C'),
    });
    expect(fold(applied(three), order('promote', seen(1), 'D')).codes[1]).toBe('no-such-candidate');
    expect(fold(applied(three), order('promote', seen(1), 'C')).now?.promoted).toBe('C');
  });
  test('a promoted arm can be killed; an ended one that was promoted stays with everybody until then', () => {
    expect(fold(applied(), order('promote', seen(1)), order('rollback')).now).toMatchObject({ status: 'rolled_back' });
    const ended = fold(applied(), order('promote', seen(1)), order('end'));
    expect(ended.now).toMatchObject({ status: 'completed', promoted: 'B' });
    const killed = fold(applied(), order('promote', seen(1)), order('end'), order('rollback')).now;
    expect([killed?.status, killed?.promoted]).toEqual(['rolled_back', undefined]);
  });
  test('conclude changes nothing, and says what happens next and what a person can do', () => {
    const { answers, now } = fold(applied(), engine({ action: 'conclude' }));
    expect(now?.revision).toBe(1);
    expect(answers[1]).toMatchObject({ result: 'applied', code: 'noted' });
    for (const verb of ['npx tripline promote exp-test --candidate B', 'npx tripline end exp-test', 'longer `horizon`'])
      expect(answers[1]?.reason).toContain(verb);
  });
});

test('every reader gets the same from the same log, from wherever it begins', () => {
  const records = [
    applied(ramped),
    order('pause'),
    order('resume', seen(2)),
    engine({ action: 'advance', revision: 3 }),
    order('rollback'),
    applied(otherDesign),
  ];
  const whole = fold(...records).table;
  for (let from = 1; from <= records.length; from += 1) {
    const known = fold(...records.slice(0, from)).table.get(id);
    let table: ControlTable = known ? mergeCheckpoint(new Map(), known) : new Map();
    for (const [offset, record] of records.entries())
      table = foldControl(table, record, offset, monday + offset * hour).table;
    expect(table).toEqual(whole);
  }
});
