/**
 * One part of the embedded stack. Its states: stopped -> starting -> ready -> (died -> starting ...) -> stopping ->
 * stopped. A part is wanted unless it is stopped or stopping; one that dies while it is wanted is started again.
 */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { errorCodes, PipelineError } from '../../services/kernel/pipeline-error.ts';
import { type Child, logTail } from './child.ts';

export type PartName = 'broker' | 'store' | 'registry';
export type PartStatus = {
  readonly name: PartName;
  readonly address: string;
  readonly ready: boolean;
  readonly detail: string;
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly upMs: number;
};

type PartState = 'stopped' | 'starting' | 'ready' | 'died' | 'stopping';

/**
 * Where a part may go from each state. A start that a stop overtook ends in a state that is not in the row, and the
 * part stays stopped; two starts of one part may overlap, and each may end in its own way.
 */
const nextStates: Readonly<Record<PartState, readonly PartState[]>> = {
  stopped: ['starting', 'stopping'],
  starting: ['starting', 'ready', 'died', 'stopping'],
  ready: ['starting', 'ready', 'died', 'stopping'],
  died: ['starting', 'ready', 'died', 'stopping'],
  stopping: ['starting', 'stopping', 'stopped'],
};

/** A process of its own, or something that runs in this one. */
type Handle = Child | { stop(): Promise<void> };

/** What a part is, before it runs. */
export type PartPlan = {
  readonly name: PartName;
  readonly address: string;
  readonly start: () => Promise<Handle>;
  /** Says what answered; rejects while the part is not ready. */
  readonly check: () => Promise<string>;
};

export type Part = {
  readonly plan: PartPlan;
  state: PartState;
  handle: Handle | undefined;
  restarts: number;
  /** When it was last ready, epoch milliseconds. */
  since: number;
};

export type PartDeps = {
  readonly logFolder: string;
  readonly onLine: (line: string) => void;
  /** A part has a new process; it is not ready yet. */
  readonly onHandle: () => void;
};

const startLimitMs = 60_000;
const checkLimitMs = 5_000;
const restartTries = 10;

export const createPart = (plan: PartPlan): Part => ({
  plan,
  state: 'stopped',
  handle: undefined,
  restarts: 0,
  since: 0,
});

function enter(part: Part, state: PartState): void {
  if (nextStates[part.state].includes(state)) part.state = state;
}

const isWanted = ({ state }: Part): boolean => state !== 'stopped' && state !== 'stopping';

/** The part's process; undefined when it runs in this one or not at all. */
export const pidOf = ({ handle }: Part): number | undefined => (handle && 'pid' in handle ? handle.pid : undefined);

/** Resolves when the part's check answers. */
export async function startPart(part: Part, deps: PartDeps): Promise<void> {
  const { name, address, start } = part.plan;
  const began = Date.now();
  enter(part, 'starting');
  try {
    part.handle = await start();
    deps.onHandle();
    if ('exited' in part.handle) restartWhenDied(part, part.handle, deps);
    const detail = await untilReady(part, began, join(deps.logFolder, `${name}.log`));
    enter(part, 'ready');
    part.since = Date.now();
    const seconds = ((part.since - began) / 1000).toFixed(1);
    deps.onLine(`${name.padEnd(9)} ready   ${address}   ${seconds} s   ${detail}`);
  } catch (error) {
    enter(part, 'died');
    throw error;
  }
}

async function untilReady(part: Part, began: number, logFile: string): Promise<string> {
  for (;;) {
    try {
      return await part.plan.check();
    } catch (cause) {
      const hasEnded = part.handle !== undefined && 'running' in part.handle && !part.handle.running();
      if (hasEnded || Date.now() - began > startLimitMs) throw didNotComeUp(part.plan.name, hasEnded, logFile, cause);
      await wait(100);
    }
  }
}

function didNotComeUp(name: PartName, hasEnded: boolean, logFile: string, cause: unknown): PipelineError {
  const reason = hasEnded ? ': its process ended' : ` within ${startLimitMs / 1000} s`;
  const tail = logTail(logFile);
  const shownTail = tail === '' ? '' : `; its log ends with:\n${tail}`;
  return new PipelineError('STACK_START', `the ${name} did not come up${reason}${shownTail}`, {
    cause,
    hint: `see ${logFile}`,
  });
}

/** Starts a part again that ended although it is wanted. */
function restartWhenDied(part: Part, child: Child, deps: PartDeps): void {
  void child.exited.then(async () => {
    if (!isWanted(part) || part.handle !== child) return;
    enter(part, 'died');
    part.restarts += 1;
    const shownName = part.plan.name.padEnd(9);
    deps.onLine(`${shownName} ended unexpectedly, started again (${part.restarts})`);
    for (let tries = 0; isWanted(part) && tries < restartTries; tries += 1) {
      try {
        await startPart(part, deps);
        return;
      } catch (error) {
        deps.onLine(`${shownName} ${error instanceof Error ? error.message : String(error)}`);
        await wait(500);
      }
    }
  });
}

/** The part stays down until `startPart`. */
export async function stopPart(part: Part, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  enter(part, 'stopping');
  const { handle } = part;
  part.handle = undefined;
  if (handle) await ('pid' in handle ? handle.stop(signal) : handle.stop());
  enter(part, 'stopped');
}

/** The part stays wanted, so it is started again by itself. */
export async function killPart({ handle }: Part): Promise<void> {
  if (handle && 'pid' in handle) process.kill(handle.pid, 'SIGKILL');
  if (handle && 'exited' in handle) await handle.exited;
}

export async function statusOf(part: Part): Promise<PartStatus> {
  const { name, address, check } = part.plan;
  const common = {
    name,
    address,
    pid: pidOf(part) ?? process.pid,
    restarts: part.restarts,
    upMs: Date.now() - part.since,
  };
  try {
    return { ...common, ready: true, detail: await answerWithin(checkLimitMs, check()) };
  } catch (error) {
    return { ...common, ready: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** The answer, or a TIMEOUT that may be tried again. */
export async function answerWithin<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  try {
    return await Promise.race([
      work,
      wait(limitMs, undefined, { signal: timer.signal }).then(() => {
        throw new PipelineError('TIMEOUT', `${errorCodes.TIMEOUT}: no answer within ${limitMs} ms`, {
          retriable: true,
        });
      }),
    ]);
  } finally {
    timer.abort();
  }
}
