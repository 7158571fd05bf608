/**
 * What every stage goes through, whichever loop drives it.
 *
 * running -> draining -> closed. Draining: told to stop, nothing more is begun, what is in hand is finished. Closed:
 * whoever still waits for something gives up. A stage without anything to finish goes straight from running to closed.
 *
 * In any of them it may be waiting: for a dependency that is away, or for a person (too many parked records). `failed`
 * rejects once, with the first error that no retry mends; the stage's owner then closes it.
 *
 * A rebalance takes every partition back. Work that began before it is stale: its result is nobody's any more.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../kernel/time.ts';
import type { Waiting } from './retry.ts';

export type StageLifecycle = {
  readonly clock: Clock;
  phase: 'running' | 'draining' | 'closed';
  waiting: Waiting | undefined;
  /** How often partitions were taken back. */
  rebalance: number;
  /** Rejects with what was given to `fail`. */
  readonly failed: Promise<never>;
  readonly fail: (error: unknown) => void;
  readonly onWaiting: (error: Error | undefined) => void;
};

/** A piece of work begun now. */
export type Work = {
  /** Its partitions were taken back since. */
  isStale(): boolean;
  /** Nobody waits for it any more: stale, or the stage has closed. */
  abandoned(): boolean;
  readonly onWaiting: (error: Error | undefined) => void;
};

export function createLifecycle(clock: Clock): StageLifecycle {
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {}); // whoever holds the stage also holds `failed`; unheard is not unhandled
  const stage: StageLifecycle = {
    clock,
    phase: 'running',
    waiting: undefined,
    rebalance: 0,
    failed,
    fail,
    // `since` stays that of the first reason: how long it has stood still, whatever the reason is by now.
    onWaiting: (error) => {
      const { since = clock.now() } = stage.waiting ?? {};
      stage.waiting = error && { what: error.message, since };
    },
  };
  return stage;
}

export function beginWork(stage: StageLifecycle): Work {
  const { rebalance, onWaiting } = stage;
  return {
    isStale: () => rebalance !== stage.rebalance,
    abandoned: () => stage.phase === 'closed' || rebalance !== stage.rebalance,
    onWaiting,
  };
}

export const isClosed = ({ phase }: StageLifecycle): boolean => phase === 'closed';

/**
 * For what only a person can mend: nothing is committed, the records stay where they are until the work is abandoned.
 */
export async function standStill(stage: StageLifecycle, what: string, { abandoned }: Work): Promise<void> {
  stage.waiting = { what, since: stage.clock.now(), forPerson: true };
  while (!abandoned()) await wait(100);
  stage.waiting = undefined;
}

/** First of a stage's own failure and those of what it stands on. */
export function failureOf(stage: StageLifecycle, ...others: readonly Promise<never>[]): Promise<never> {
  const failed = Promise.race([stage.failed, ...others]);
  failed.catch(() => {});
  return failed;
}
