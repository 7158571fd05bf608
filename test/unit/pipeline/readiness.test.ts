import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createReadiness } from '../../../services/pipeline/readiness.ts';

const nothing = () => undefined;
const owns = (...owned: string[]) => ({ owned: () => new Set(owned), waitingFor: nothing });
const outside = { owned: () => undefined, waitingFor: nothing };
const stopped = {
  ...owns('a/0'),
  waitingFor: () => ({ what: 'parked share too high', since: 0, forPerson: true as const }),
};

/** Stages by name; `broker`: what it answers, each time it is asked. */
function aProcess(options: {
  stages: Record<string, typeof stopped | ReturnType<typeof owns> | typeof outside | undefined>;
  broker?: () => Promise<void>;
}) {
  let now = 0;
  let asked = 0;
  const ready = createReadiness({
    questions: [
      {
        name: 'broker',
        ask: async () => {
          asked += 1;
          await options.broker?.();
        },
      },
    ],
    stages: () => Object.entries(options.stages).map(([name, running]) => ({ name, running })),
    clock: { now: () => now },
    wait: async () => void (await nextTurn()), // whoever does not answer at once is late
  });
  return { ready, asked: () => asked, pass: (ms: number) => (now += ms) };
}

describe('a process is ready', () => {
  test('when its stages hold partitions and its broker answers', async () => {
    const { ready } = aProcess({ stages: { linker: owns('entity.v1/0') } });
    expect(await ready()).toEqual({ ok: true });
  });
  test('when a stage stands by: it says so', async () => {
    const { ready } = aProcess({ stages: { bot: owns() } });
    expect(await ready()).toEqual({ ok: true, standby: ['bot'] });
  });
});

describe('a process is not ready', () => {
  test.each([
    ['a stage has no place in its group', outside, 'has no place in its group yet'],
    ['a stage has stopped and waits for a person', stopped, 'parked share too high'],
    ['a stage does not run', undefined, 'not running'],
  ])('when %s', async (_name, joiner, problem) => {
    const { ready } = aProcess({ stages: { sink: owns('a/0'), joiner } });
    expect(await ready()).toEqual({ ok: false, problems: [{ name: 'joiner', problem }] });
  });
  test('when its broker refuses', async () => {
    const { ready } = aProcess({ stages: {}, broker: () => Promise.reject(new Error('connection refused')) });
    expect(await ready()).toMatchObject({ ok: false, problems: [{ name: 'broker' }] });
  });
  test('when its broker does not answer in time; it is not asked again meanwhile', async () => {
    const { ready, asked, pass } = aProcess({ stages: {}, broker: () => new Promise(() => {}) });
    expect(await ready()).toMatchObject({ problems: [{ problem: 'no answer within 2000 ms' }] });
    pass(10_000);
    await ready();
    expect(asked()).toBe(1);
  });
});

test('an answer is good for a second', async () => {
  const { ready, asked, pass } = aProcess({ stages: {} });
  await ready();
  pass(999);
  await ready();
  expect(asked()).toBe(1);
  pass(1);
  await ready();
  expect(asked()).toBe(2);
});
