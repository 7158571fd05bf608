import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../kernel/pipeline-error.ts';

/** A dependency that is away is waited for; what it is, and since when, is for `status`. */
export type Waiting = {
  readonly what: string;
  readonly since: number;
  /** No retry mends it: a person has to say how it goes on. */
  readonly forPerson?: true;
};

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const isRetriable = (error: unknown): boolean => {
  if (error instanceof PipelineError) return error.retriable;
  // kafkajs marks its errors itself; anything else is unknown, and unknown is not retriable.
  return typeof error === 'object' && error !== null && 'retriable' in error && error.retriable === true;
};

/** Resolves with the work, or after `limitMs` without it: what is closed must not wait for what is away. */
export async function withTimeout(limitMs: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  try {
    await Promise.race([work, wait(limitMs, undefined, { signal: timer.signal }).catch(() => {})]);
  } finally {
    timer.abort();
  }
}

/**
 * A stage that is told to stop finishes what it has in hand, then leaves its group; ms since it was told. The whole
 * stays under the 10 s that a supervisor waits. Leaving has all that is left: a member that goes while the group is
 * joining, without a word, keeps the others waiting for a whole session.
 */
export const drainMs = { work: 7_000, whole: 9_500 } as const;
/** What is left for leaving, `spent` ms after the stage was told to stop. */
export const leaveMs = (spent: number): number => Math.max(1_000, drainMs.whole - spent);

/**
 * Runs `attempt` until it works, waiting 50 ms to 1 s between tries. Rethrows what no retry can mend.
 * Resolves with undefined when `abandoned` says that nobody needs the result any more.
 */
export async function retryUntilAborted<T>(
  attempt: () => Promise<T>,
  options: { readonly abandoned: () => boolean; readonly onWaiting?: (error: Error | undefined) => void },
): Promise<T | undefined> {
  for (let pauseMs = 50; !options.abandoned(); pauseMs = Math.min(pauseMs * 2, 1_000)) {
    try {
      const result = await attempt();
      options.onWaiting?.(undefined);
      return result;
    } catch (error) {
      if (!isRetriable(error)) throw error;
      options.onWaiting?.(error instanceof Error ? error : new Error(String(error)));
      await wait(pauseMs);
    }
  }
  return undefined;
}
