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

const pause = aDecision({ action: 'pause' });
const resume = aDecision({ action: 'resume', phase: 1, revision: 2 });
const rollback = aDecision({ action: 'rollback' });

test('obeys decisions once, in the order of the control topic, and answers each', async () => {
  const { apply, decide, bot, acks } = await scene();
  await apply();
  const actuator = fakeActuator();
  const running = await bot(actuator);
  for (const decision of [pause, resume, rollback]) await decide(decision);
  await until('four acks', () => running.acks().length === 4);
  expect(actuator.asked).toEqual([
    { number: 0, status: 'running', coverage: 100 },
    { number: 1, status: 'paused', coverage: 100 },
    { number: 2, status: 'running', coverage: 100 },
    { number: 3, status: 'rolled_back', coverage: 0 },
  ]);
  for (const by of ['fake', 'experiment-topic'] as const)
    expect(
      (await acks(by)).map(({ control_offset, result, revision, new_coverage }) => [
        control_offset,
        result,
        revision,
        new_coverage,
      ]),
    ).toEqual([
      [0, 'applied', 1, 100],
      [1, 'applied', 2, 100],
      [2, 'applied', 3, 100],
      [3, 'applied', 4, 0],
    ]);
  expect(running.counts).toMatchObject({ in: 4, forwarded: 4 });
});

test.each([
  ['the same decision twice', rollback, 'superseded', 'already-answered'],
  ['a kill of what is stopped', aDecision({ actor: 'ben' }), 'superseded', 'already-stopped'],
  ['a resume of what is stopped', aDecision({ action: 'resume', phase: 1, revision: 2 }), 'refused', 'over'],
  ['an experiment that nobody applied', aDecision({ experimentId: 'other' }), 'refused', 'no-such-experiment'],
  ['a phase that is over', aDecision({ action: 'advance', phase: 2 }), 'superseded', 'another-phase'],
  [
    'a revision that is over',
    aDecision({ action: 'advance', phase: 1, revision: 1 }),
    'superseded',
    'another-revision',
  ],
] as const)('%s changes nothing, and its answer says why', async (_name, decision, result, code) => {
  const { apply, decide, bot, acks } = await scene();
  await apply();
  const actuator = fakeActuator();
  const running = await bot(actuator);
  await decide(rollback);
  const number = await decide(decision);
  await until('all taken', () => running.counts.in === 3);
  expect(actuator.asked.map(({ status }) => status)).toEqual(['running', 'rolled_back']);
  expect([...running.counts.dropped]).toEqual([[code, 1]]);
  const answers = (await acks('experiment-topic')).filter(({ control_offset }) => control_offset === number);
  expect(answers).toMatchObject([{ decision_id: decision.decisionId, result, code }]);
  expect(answers[0]?.reason?.length).toBeGreaterThan(10);
});

test('bytes that are no control record are dropped, and the next decision is obeyed', async () => {
  const { apply, decide, noise, bot } = await scene();
  await apply();
  const running = await bot(fakeActuator());
  await noise();
  await decide(rollback);
  await until('the acks', () => running.acks().length === 2);
  expect([...running.counts.dropped]).toEqual([['not-a-control-record', 1]]);
});

test('a further actuator that refuses: its ack says so, the experiment topic has the revision anyway', async () => {
  const { apply, decide, bot, acks, published } = await scene();
  await apply();
  const running = await bot(fakeActuator(inForce, refuses, inForce));
  await decide(pause);
  await decide(rollback);
  await until('three acks', () => running.acks().length === 3);
  expect((await acks()).map(({ result, revision }) => [result, revision])).toEqual([
    ['applied', 1],
    ['refused', 1],
    ['applied', 3],
  ]);
  expect((await acks('experiment-topic')).map(({ result, revision }) => [result, revision])).toEqual([
    ['applied', 1],
    ['applied', 2],
    ['applied', 3],
  ]);
  expect(await published()).toEqual([
    [1, 'running'],
    [2, 'paused'],
    [3, 'rolled_back'],
  ]);
  expect([running.counts.forwarded, [...running.counts.dropped]]).toEqual([3, []]);
  expect(running.experiments().get('exp-test')?.status).toBe('rolled_back');
});

test('an actuator that is away is waited for, and the reason shows; the experiment topic came first', async () => {
  const { apply, decide, bot, published, acks } = await scene();
  await apply();
  let isAway = true;
  const away = (): Promise<{ kind: 'in-force' }> =>
    isAway
      ? Promise.reject(new PipelineError('BROKER_UNAVAILABLE', 'the flags do not answer', { retriable: true }))
      : Promise.resolve({ kind: 'in-force' });
  const actuator = fakeActuator(inForce, away, away, away, away, away, away, away);
  const running = await bot(actuator);
  await decide(rollback);
  await until('the reason', () => running.waitingFor()?.what.includes('the flags do not answer'));
  expect((await published()).at(-1)).toEqual([2, 'rolled_back']);
  expect((await acks('experiment-topic')).at(-1)).toMatchObject({ control_offset: 1, result: 'applied' });
  isAway = false;
  await until('the ack', () => running.acks().length === 2);
  expect(running.waitingFor()).toBeUndefined();
  expect(new Set(actuator.asked.map(({ number }) => number))).toEqual(new Set([0, 1]));
});

test('an error that no retry mends ends the bot', async () => {
  const { apply, decide, bot } = await scene();
  await apply();
  const broken = new Error('no such flag');
  const running = await bot(fakeActuator(inForce, () => Promise.reject(broken)));
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
  const killed = await bot(fakeActuator(), dying);
  await decide(rollback);
  await expect(killed.failed).rejects.toBe(died);
  await killed.close();
  const second = fakeActuator();
  const restarted = await bot(second);
  await until('the acks', () => restarted.acks().length === 2);
  expect(second.asked.map(({ status }) => status)).toEqual(['running', 'rolled_back']);
  expect((await acks()).length).toBe(2);
});

test('started again after an ack, and after a rebalance, it obeys nothing twice', async () => {
  const { apply, decide, bot, broker, group, acks } = await scene();
  await apply();
  const first = await bot(fakeActuator());
  await decide(rollback);
  await until('the acks', () => first.acks().length === 2);
  broker.rebalance(group);
  await until('the control topic again', () => first.counts.in === 4);
  await first.close();
  const actuator = fakeActuator();
  const second = await bot(actuator);
  await until('the control topic', () => second.counts.in === 2);
  expect(actuator.asked).toEqual([]);
  expect((await acks()).length).toBe(2);
});

test('of two bots one obeys; the other takes over when it leaves', async () => {
  const { apply, decide, bot, acks } = await scene();
  await apply();
  const one = await bot(fakeActuator());
  const other = await bot(fakeActuator());
  await until('the file to be applied', () => one.acks().length + other.acks().length === 1);
  await decide(pause);
  await until('an ack', () => one.acks().length + other.acks().length === 2);
  const [obeyed, stoodBy] = one.owned()?.size === 1 ? [one, other] : [other, one];
  expect([obeyed.owned()?.size, stoodBy.owned()?.size]).toEqual([1, 0]);
  await obeyed.close();
  await decide(rollback);
  await until('the next ack', async () => (await acks()).length === 3);
  expect((await acks()).map(({ control_offset }) => control_offset)).toEqual([0, 1, 2]);
});
