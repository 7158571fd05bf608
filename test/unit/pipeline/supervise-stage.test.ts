import { describe, expect, test } from 'vitest';
import { restartPauses, superviseStage } from '../../../services/pipeline/supervise-stage.ts';

const minute = 60_000;
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

/** Time that stands still until it is moved, and whoever waits for it. */
function handClock() {
  let now = 0;
  const waiting = new Set<{ readonly at: number; readonly wake: () => void }>();
  return {
    clock: { now: () => now },
    wait: (ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        const waiter = { at: now + ms, wake: resolve };
        waiting.add(waiter);
        signal.addEventListener('abort', () => resolve());
      }),
    pass: async (ms: number) => {
      now += ms;
      for (const waiter of waiting) if (waiter.at <= now && waiting.delete(waiter)) waiter.wake();
      await settled();
    },
  };
}

/** A stage that fails when it is told to; `refuse`: the next start does not work. */
function aStage() {
  let started = 0;
  let closed = 0;
  let refusal: Error | undefined;
  let failNow: (error: Error) => void = () => {};
  return {
    start: async () => {
      if (refusal) throw refusal;
      started += 1;
      const failed = new Promise<never>((_, reject) => {
        failNow = reject;
      });
      failed.catch(() => {});
      return {
        failed,
        close: async () => {
          closed += 1;
        },
      };
    },
    refuse: (error: Error | undefined) => {
      refusal = error;
    },
    fail: async (message: string) => {
      failNow(new Error(message));
      await settled();
    },
    counts: () => ({ started, closed }),
  };
}

function supervised() {
  const hand = handClock();
  const stage = aStage();
  const running = superviseStage({ name: 'joiner', start: stage.start, ...hand });
  return { ...hand, stage, running };
}

describe('a stage that cannot go on', () => {
  test('is closed, and started again after a second', async () => {
    const { running, stage, pass } = supervised();
    await running.tried;
    await stage.fail('the store says no');
    expect(running.current()).toBeUndefined();
    expect(running.supervision()).toEqual({
      state: 'pausing',
      restarts: 0,
      lastError: 'the store says no',
      nextTryAt: restartPauses.firstMs,
    });
    await pass(999);
    expect(stage.counts()).toEqual({ started: 1, closed: 1 });
    await pass(1);
    expect(stage.counts()).toEqual({ started: 2, closed: 1 });
    expect(running.supervision()).toMatchObject({ state: 'running', restarts: 1, nextTryAt: undefined });
    expect(running.current()).toBeDefined();
    await running.close();
  });

  test('waits twice as long each time, and never longer than a minute', async () => {
    const { running, stage, clock, pass } = supervised();
    await running.tried;
    const pauses: number[] = [];
    for (let failure = 0; failure < 8; failure += 1) {
      await stage.fail('again');
      const pause = (running.supervision().nextTryAt ?? 0) - clock.now();
      pauses.push(pause / 1_000);
      await pass(pause);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    await running.close();
  });

  test('begins at a second again after ten minutes of health, and not after nine', async () => {
    const { running, stage, clock, pass } = supervised();
    await running.tried;
    const pauseAfter = async (healthyMs: number): Promise<number> => {
      await pass(healthyMs);
      await stage.fail('again');
      const pause = (running.supervision().nextTryAt ?? 0) - clock.now();
      await pass(pause);
      return pause;
    };
    expect(await pauseAfter(0)).toBe(1_000);
    expect(await pauseAfter(9 * minute)).toBe(2_000);
    expect(await pauseAfter(10 * minute)).toBe(1_000);
    await running.close();
  });

  test('that cannot even start is tried like any other', async () => {
    const { running, stage, pass } = supervised();
    stage.refuse(new Error('state is corrupt'));
    await running.tried; // the first start had begun before it was refused
    await stage.fail('first');
    await pass(1_000);
    expect(running.supervision()).toMatchObject({ state: 'pausing', restarts: 1, lastError: 'state is corrupt' });
    stage.refuse(undefined);
    await pass(2_000);
    expect(running.supervision()).toMatchObject({ state: 'running', restarts: 2 });
    await running.close();
  });

  test('says why without the values that its error quotes', async () => {
    const { running, stage } = supervised();
    await running.tried;
    await stage.fail('cannot parse "ada.lovelace@example.org"');
    expect(running.supervision().lastError).not.toContain('ada.lovelace');
    await running.close();
  });
});

describe('a supervised stage that is closed', () => {
  test('drains the stage once, and starts it no more', async () => {
    const { running, stage, pass } = supervised();
    await running.tried;
    await running.close();
    await pass(minute);
    expect(stage.counts()).toEqual({ started: 1, closed: 1 });
    expect(running.supervision().state).toBe('closed');
  });

  test('does not wait for the pause it is in', async () => {
    const { running, stage } = supervised();
    await running.tried;
    await stage.fail('again');
    await running.close();
    expect(stage.counts()).toEqual({ started: 1, closed: 1 });
  });
});
