/**
 * Trials on real parts side by side: each slot has a stack of its own, so that a trial that kills the broker or the
 * engine meets nobody else's. A slot takes the next trial when it is done with one, and a fresh stack now and then:
 * hundreds of topics and databases would slow every restart that trials wait for.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedStack, startEmbedded } from '../../../infra/embedded/index.ts';
import { messageOf } from '../differ.ts';
import type { Fault } from './faults.ts';
import type { FaultResult } from './in-deployment.ts';

export type Trial = { readonly fault: Fault; readonly seed: number };
export type ParallelOptions = {
  readonly parallel: number;
  next(): Trial | undefined;
  done(trial: Trial, result: FaultResult, ms: number): void;
};

/** Trials on one stack. */
const perStack = 16;
/** Every wait inside a trial gives up sooner. */
const trialLimitMs = 420_000;

async function limited(run: Promise<FaultResult>): Promise<FaultResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<FaultResult>((resolve) => {
    timer = setTimeout(
      () => resolve({ wrong: [`not over within ${trialLimitMs / 1_000} s`], happened: {} }),
      trialLimitMs,
    );
  });
  try {
    return await Promise.race([run, late]);
  } catch (error) {
    return { wrong: [`threw: ${messageOf(error)}`], happened: {} };
  } finally {
    clearTimeout(timer);
  }
}

/** What the stages and parts had to say of a trial that went wrong outlives its folder. */
function keepLogs(home: string, { fault, seed }: Trial): void {
  const kept = mkdtempSync(join(tmpdir(), `tripline-wrong-row${fault.row}-seed${seed}-`));
  cpSync(home, kept, {
    recursive: true,
    filter: (path) => path === home || path.endsWith('.log') || path.endsWith('/logs'),
  });
  console.log(`logs of it: ${kept}`);
}

async function slot({ next, done }: ParallelOptions): Promise<void> {
  let on: { readonly stack: EmbeddedStack; readonly home: string; trials: number } | undefined;
  const leave = async (): Promise<void> => {
    if (on === undefined) return;
    const { stack, home } = on;
    on = undefined;
    await stack.stop().catch(() => {});
    rmSync(home, { recursive: true, force: true });
  };
  try {
    for (let trial = next(); trial !== undefined; trial = next()) {
      const { fault, seed } = trial;
      if (on === undefined) {
        const home = mkdtempSync(join(tmpdir(), 'tripline-fault-'));
        on = { stack: await startEmbedded({ home }), home, trials: 0 };
      }
      const { home } = on;
      const at = performance.now();
      const result = await limited(fault.run({ stack: on.stack, home, seed }));
      if (result.wrong.length > 0) keepLogs(home, trial);
      done(trial, result, performance.now() - at);
      on.trials += 1;
      // What went wrong may have left parts behind that would harm the next.
      if (on.trials >= perStack || result.wrong.length > 0) await leave();
    }
  } finally {
    await leave();
  }
}

export async function runInParallel(options: ParallelOptions): Promise<void> {
  await Promise.all(Array.from({ length: options.parallel }, () => slot(options)));
}
