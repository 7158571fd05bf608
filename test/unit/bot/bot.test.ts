import { afterEach, expect, test } from 'vitest';
import { PipelineError } from '../../../services/kernel/pipeline-error.ts';
import type { LogProducer } from '../../../services/runtime/log.ts';
import { until } from '../../support/until.ts';
import { aDecision, botScene, fakeActuator, inForce, refuses } from './bot-scene.ts';

const scenes: Awaited<ReturnType<typeof botScene>>[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.close();
});
async function scene() {
  const made = await botScene();
  scenes.push(made);
  return made;
}

const pause = aDecision({ seq: 1, action: 'pause' });
const resume = aDecision({ seq: 2, action: 'resume' });
const rollback = aDecision({ seq: 3, action: 'rollback' });

test('obeys decisions once, in the order of the control topic, and acknowledges each', async () => {
  const { apply, decide, bot, acks } = await scene();
  await apply();
  const actuator = fakeActuator();
  const running = await bot(actuator);
  for (const decision of [pause, resume, rollback]) await decide(decision);
  await until('three acks', () => running.acks().length === 3);
  expect(actuator.asked).toEqual([
    { seq: 1, status: 'paused', coverage: 100 },
    { seq: 2, status: 'running', coverage: 100 },
    { seq: 3, status: 'rolled_back', coverage: 0 },
  ]);
  expect(
    (await acks()).map(({ seq, actuator: by, result, new_coverage: coverage }) => [seq, by, result, coverage]),
  ).toEqual([
    [1, 'fake', 'applied', 100],
    [2, 'fake', 'applied', 100],
    [3, 'fake', 'applied', 0],
  ]);
  expect(running.counts).toMatchObject({ in: 3, forwarded: 3 });
});

test.each([
  ['a seq that was acknowledged', [rollback, aDecision({ seq: 2, action: 'resume' })], 'acknowledged-before'],
  ['the same decision twice', [rollback, rollback], 'acknowledged-before'],
  ['an experiment that nobody applied', [rollback, aDecision({ experimentId: 'other' })], 'no-such-experiment'],
  ['a phase that is over', [rollback, aDecision({ seq: 4, phase: 2 })], 'another-phase'],
] as const)('%s is not obeyed', async (_name, decisions, reason) => {
  const { apply, decide, bot } = await scene();
  await apply();
  const actuator = fakeActuator();
  const running = await bot(actuator);
  for (const decision of decisions) await decide(decision);
  await until('both taken', () => running.counts.in === 2);
  expect(actuator.asked.map(({ seq }) => seq)).toEqual([3]);
  expect([...running.counts.dropped]).toEqual([[reason, 1]]);
});

test('what the experiment is already is put in force again and acknowledged as such', async () => {
  const { apply, decide, bot, acks } = await scene();
  await apply();
  const running = await bot(fakeActuator());
  await decide(rollback);
  await decide({ ...rollback, seq: 4 });
  await until('two acks', () => running.acks().length === 2);
  expect((await acks()).map(({ seq, result, revision }) => [seq, result, revision])).toEqual([
    [3, 'applied', 2],
    [4, 'already_applied', 2],
  ]);
});

test('bytes that are no decision are dropped, and the next decision is obeyed', async () => {
  const { apply, decide, noise, bot } = await scene();
  await apply();
  const running = await bot(fakeActuator());
  await noise();
  await decide(rollback);
  await until('the ack', () => running.acks().length === 1);
  expect([...running.counts.dropped]).toEqual([['not-a-decision', 1]]);
});

test('a further actuator that refuses: its ack says so, the experiment topic has the revision anyway', async () => {
  const { apply, decide, bot, acks, published } = await scene();
  await apply();
  const running = await bot(fakeActuator(refuses, inForce));
  await decide(pause);
  await decide(rollback);
  await until('two acks', () => running.acks().length === 2);
  expect((await acks()).map(({ seq, result, revision }) => [seq, result, revision])).toEqual([
    [1, 'refused', 1],
    [3, 'applied', 3],
  ]);
  expect((await acks('experiment-topic')).map(({ seq, result, revision }) => [seq, result, revision])).toEqual([
    [1, 'applied', 2],
    [3, 'applied', 3],
  ]);
  expect(await published()).toEqual([
    [1, 'running'],
    [2, 'paused'],
    [3, 'rolled_back'],
  ]);
  expect([running.counts.forwarded, [...running.counts.dropped]]).toEqual([2, []]);
  expect(running.experiments().get('exp-test')?.status).toBe('rolled_back');
});

test('an actuator that is away is waited for, and the reason shows; the experiment topic came first', async () => {
  const { apply, decide, bot, published } = await scene();
  await apply();
  let isAway = true;
  const away = (): Promise<{ kind: 'in-force' }> =>
    isAway
      ? Promise.reject(new PipelineError('BROKER_UNAVAILABLE', 'the flags do not answer', { retriable: true }))
      : Promise.resolve({ kind: 'in-force' });
  const actuator = fakeActuator(away, away, away, away, away, away, away);
  const running = await bot(actuator);
  await decide(rollback);
  await until('the reason', () => running.waitingFor()?.what.includes('the flags do not answer'));
  expect((await published()).at(-1)).toEqual([2, 'rolled_back']);
  isAway = false;
  await until('the ack', () => running.acks().length === 1);
  expect(running.waitingFor()).toBeUndefined();
  expect(new Set(actuator.asked.map(({ seq }) => seq))).toEqual(new Set([3]));
});

test('an error that no retry mends ends the bot', async () => {
  const { apply, decide, bot } = await scene();
  await apply();
  const broken = new Error('no such flag');
  const running = await bot(fakeActuator(() => Promise.reject(broken)));
  await decide(rollback);
  await expect(running.failed).rejects.toBe(broken);
});

test('killed before its ack: started again, it puts the same in force and acknowledges', async () => {
  const { apply, decide, bot, producer, acks } = await scene();
  await apply();
  const died = new Error('killed here');
  const dying: LogProducer = {
    ...producer,
    send: (messages) =>
      messages.some(({ topic }) => topic.endsWith('ack.v1')) ? Promise.reject(died) : producer.send(messages),
  };
  const first = fakeActuator();
  const killed = await bot(first, dying);
  await decide(rollback);
  await expect(killed.failed).rejects.toBe(died);
  await killed.close();
  const second = fakeActuator();
  const restarted = await bot(second);
  await until('the ack', () => restarted.acks().length === 1);
  expect(second.asked).toEqual(first.asked);
  expect((await acks()).length).toBe(1);
});

test('started again after an ack, and after a rebalance, it obeys nothing twice', async () => {
  const { apply, decide, bot, broker, group, acks } = await scene();
  await apply();
  const first = await bot(fakeActuator());
  await decide(rollback);
  await until('the ack', () => first.acks().length === 1);
  broker.rebalance(group);
  await until('the control topic again', () => first.counts.in === 2);
  await first.close();
  const actuator = fakeActuator();
  const second = await bot(actuator);
  await until('the control topic', () => second.counts.in === 1);
  expect(actuator.asked).toEqual([]);
  expect((await acks()).length).toBe(1);
});

test('of two bots one obeys; the other takes over when it leaves', async () => {
  const { apply, decide, bot, acks } = await scene();
  await apply();
  const one = await bot(fakeActuator());
  const other = await bot(fakeActuator());
  await decide(pause);
  await until('an ack', () => one.acks().length + other.acks().length === 1);
  const [obeyed, stoodBy] = one.acks().length === 1 ? [one, other] : [other, one];
  expect([obeyed.owned()?.size, stoodBy.owned()?.size, stoodBy.acks().length]).toEqual([1, 0, 0]);
  await obeyed.close();
  await decide(rollback);
  await until('the next ack', () => stoodBy.acks().length === 1);
  expect((await acks()).map(({ seq }) => seq)).toEqual([1, 3]);
});
