/**
 * One stage that is started again when it cannot go on. States: starting -> running -> (failed) pausing -> starting ...
 * -> closed. The pause begins at 1 s and doubles to a minute; after ten minutes without a failure it begins anew. The
 * stage's neighbours in the process hear nothing of it.
 */
import type { Clock, EpochMs } from '../kernel/time.ts';
import { cleanMessage } from '../redaction/messages.ts';
import type { RunningStage } from '../runtime/stage.ts';

export type Supervision = {
  readonly state: 'starting' | 'running' | 'pausing' | 'closed';
  readonly restarts: number;
  /** Redacted. */
  readonly lastError: string | undefined;
  readonly nextTryAt: EpochMs | undefined;
};

export type SupervisedStage<S> = {
  readonly name: string;
  /** Undefined while it does not run. */
  current(): S | undefined;
  supervision(): Supervision;
  /** The first start has worked, or has failed and is tried again. */
  readonly tried: Promise<void>;
  close(): Promise<void>;
};

export type SupervisorOptions<S> = {
  readonly name: string;
  readonly start: () => Promise<S>;
  readonly clock: Clock;
  /** Resolves after so many ms, or earlier when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onFailure?: (error: unknown, nextTryAt: EpochMs) => void;
};

export const restartPauses = { firstMs: 1_000, longestMs: 60_000, forgivenAfterMs: 600_000 } as const;

export function superviseStage<S extends Pick<RunningStage, 'failed' | 'close'>>({
  name,
  start,
  clock,
  wait,
  onFailure,
}: SupervisorOptions<S>): SupervisedStage<S> {
  const closed = new AbortController();
  const whenClosed = new Promise<'closed'>((resolve) => {
    closed.signal.addEventListener('abort', () => resolve('closed'));
  });
  let running: S | undefined;
  let pauseMs: number = restartPauses.firstMs;
  let supervision: Supervision = { state: 'starting', restarts: 0, lastError: undefined, nextTryAt: undefined };
  let wasTried: () => void = () => {};
  const tried = new Promise<void>((resolve) => {
    wasTried = resolve;
  });

  /** Resolves when the stage was closed, rejects when it cannot go on. */
  const runOnce = async (): Promise<void> => {
    const stage = await start();
    if (closed.signal.aborted) return stage.close();
    running = stage;
    supervision = { ...supervision, state: 'running', nextTryAt: undefined };
    wasTried();
    const startedAt = clock.now();
    try {
      await Promise.race([stage.failed, whenClosed]);
    } finally {
      running = undefined;
      if (clock.now() - startedAt >= restartPauses.forgivenAfterMs) pauseMs = restartPauses.firstMs;
      // What a failed stage still holds (its group, its producer) is let go before it is started again.
      const closing = stage.close();
      await (closed.signal.aborted ? closing : closing.catch(() => {}));
    }
  };

  const loop = (async () => {
    while (!closed.signal.aborted) {
      try {
        await runOnce();
      } catch (error) {
        if (closed.signal.aborted) break;
        const nextTryAt = clock.now() + pauseMs;
        const lastError = cleanMessage(error instanceof Error ? error.message : String(error));
        supervision = { state: 'pausing', restarts: supervision.restarts, lastError, nextTryAt };
        onFailure?.(error, nextTryAt);
        wasTried();
        await wait(pauseMs, closed.signal);
        pauseMs = Math.min(pauseMs * 2, restartPauses.longestMs);
        supervision = { state: 'starting', restarts: supervision.restarts + 1, lastError, nextTryAt: undefined };
      }
    }
  })();

  return {
    name,
    current: () => running,
    supervision: () => supervision,
    tried,
    close: async () => {
      closed.abort();
      await loop;
      supervision = { ...supervision, state: 'closed', nextTryAt: undefined };
    },
  };
}
