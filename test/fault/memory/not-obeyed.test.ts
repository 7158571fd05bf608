/** A decision is done when it is obeyed, not when it is published. */
import { afterEach, describe, expect, test } from 'vitest';
import { publishControl } from '../../../services/control/control-messages.kafka.ts';
import { personsDecision, whateverRuns } from '../../../services/control/index.ts';
import { stageStatus } from '../../../services/pipeline/status.ts';
import { hour, monday } from '../../support/build.ts';
import { until } from '../../support/until.ts';
import { createDecisionScenario, decisionRows } from './decisions.ts';

const rows = decisionRows(300);
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
async function scenario() {
  const clock = { at: monday + 9 * hour, now: () => clock.at };
  const made = await createDecisionScenario(rows, clock);
  closers.push(made.close);
  const statistics = await made.statistics(made.producer);
  return { ...made, clock, statistics };
}
type Scene = Awaited<ReturnType<typeof scenario>>;
const readings = async ({ log, codec, prefix }: Scene) =>
  (await log.readToEnd(`${prefix}.reading.v1`)).flatMap(({ value }) => {
    const decoded = codec.decode(['reading'], value ?? Buffer.alloc(0));
    return decoded.ok ? [decoded.value] : [];
  });

describe('a decision that nobody answers', () => {
  test('is an alert after 10 s, and said again, the same, until a bot answers', async () => {
    const scene = await scenario();
    const { statistics, clock, control, bot } = scene;
    await statistics.look();
    expect([(await control()).length, statistics.waitingFor()]).toEqual([1, undefined]);
    clock.at += 9_999;
    await statistics.look();
    expect((await control()).length).toBe(1);
    clock.at += 1;
    await statistics.look();
    const frames = await control();
    expect(frames.map((frame) => frame.equals(frames[0] as Buffer))).toEqual([true, true]);
    expect(stageStatus('statistics', statistics).waitingFor).toMatch(/NOT_OBEYED: rollback of exp-test \(\w{32}\)/);
    const looked = (await readings(scene)).map(({ state, not_obeyed: alerts }) => [state, alerts?.length]);
    expect(looked).toEqual([['HARM', 0]]);
    clock.at += 10_000; // the pause grows: every record is kept for ever
    await statistics.look();
    expect((await control()).length).toBe(2);
    await bot();
    await until('every answer', async () => (await scene.acks()).length === 2);
    await until('the alert to end', () => statistics.waitingFor() === undefined);
    clock.at += 3_600_000;
    await statistics.look();
    expect((await control()).length).toBe(2);
    expect((await scene.acks()).map(({ result, code }) => [result, code])).toEqual([
      ['applied', 'applied'],
      ['superseded', 'already-answered'],
    ]);
  });
});

test('a kill that nobody has obeyed yet is in the table: the look says OVER, and the bot obeys it', async () => {
  const scene = await scenario();
  const { statistics, producer, codec, prefix, bot, clock } = scene;
  const kill = personsDecision(
    whateverRuns('exp-test'),
    { action: 'rollback', actor: 'ana', reason: 'INC-1' },
    clock.now(),
  );
  await publishControl({ prefix, producer, codec }, { kind: 'decision', decision: kill }, clock.now());
  await statistics.look();
  expect((await readings(scene)).map(({ state }) => state)).toEqual(['OVER']);
  const running = await bot();
  await until('the answer', () => running.acks().length === 1);
  expect(running.experiments().get('exp-test')).toMatchObject({ status: 'rolled_back', author: 'ana' });
});
