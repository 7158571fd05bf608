/**
 * The entry point: pure simulation, and threads to run it on. A job is a plain value, its result too; results come back
 * in the order of the jobs.
 */
import { availableParallelism } from 'node:os';
import { parentPort, Worker } from 'node:worker_threads';
import type { ExperimentJob } from './jobs.ts';
import type { RunResult } from './run-state.ts';

export { armModels, declaredHarm, type Effect, parseEffect } from './arms.ts';
export { type ExperimentPlan, expectedUnits, type Traffic } from './experiment.ts';
export type { ExperimentJob } from './jobs.ts';
export { clopperPearson, quantileOf } from './limits.ts';
export type { RunEnd, RunResult } from './run-state.ts';

export type ThreadPlan<Job, Result> = {
  /** Module that calls `serveJobs`. */
  readonly worker: URL;
  readonly jobs: readonly Job[];
  /** Default: as many as the machine has cores. */
  readonly threads?: number;
  readonly onResult?: (result: Result, done: number, of: number) => void;
};

/**
 * Compiled files run as they are; sources need a loader of their own in each thread, registered before the first of
 * them is imported.
 */
function startOf(worker: URL): URL {
  if (!worker.pathname.endsWith('.ts')) return worker;
  const loader = import.meta.resolve('tsx/esm/api');
  const source = [
    `import { register } from ${JSON.stringify(loader)};`,
    'register();',
    `await import(${JSON.stringify(worker.href)});`,
  ].join(' ');
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

export async function runOnThreads<Job, Result>({
  worker,
  jobs,
  threads = availableParallelism(),
  onResult,
}: ThreadPlan<Job, Result>): Promise<Result[]> {
  const results = new Array<Result>(jobs.length);
  let [next, done] = [0, 0];
  const serve = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const thread = new Worker(startOf(worker), { execArgv: [] });
      const hand = (): void => {
        if (next >= jobs.length) return void thread.postMessage({ end: true });
        thread.postMessage({ index: next, job: jobs[next] });
        next += 1;
      };
      thread.on('message', ({ index, result }: { index: number; result: Result }) => {
        results[index] = result;
        done += 1;
        onResult?.(result, done, jobs.length);
        hand();
      });
      thread.on('error', (error) => {
        next = jobs.length;
        reject(error);
      });
      thread.on('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`a simulation thread ended with code ${code}`)),
      );
      hand();
    });
  await Promise.all(Array.from({ length: Math.min(threads, jobs.length) }, serve));
  return results;
}

/** The other side, in the thread: one job at a time until there are no more. */
export function serveJobs<Job, Result>(run: (job: Job) => Result): void {
  const port = parentPort;
  port?.on('message', (message: { readonly index: number; readonly job: Job } | { readonly end: true }) => {
    if ('end' in message) return port.close();
    port.postMessage({ index: message.index, result: run(message.job) });
  });
}

/** Runs `from`..`to` - 1 of something. */
export type Chunk = { readonly from: number; readonly to: number };
export const chunksOf = (runs: number, size: number): Chunk[] =>
  Array.from({ length: Math.ceil(runs / size) }, (_, index) => ({
    from: index * size,
    to: Math.min(runs, (index + 1) * size),
  }));

/** Runs of several plans at once, in order: one list of results per plan. `runs` of each. */
export async function simulateExperiments(input: {
  readonly plans: readonly { readonly plan: ExperimentJob['plan']; readonly runs: number }[];
  readonly seed: number;
  readonly threads?: number;
  readonly onProgress?: (doneRuns: number, ofRuns: number) => void;
}): Promise<RunResult[][]> {
  const { plans, seed, threads, onProgress } = input;
  const jobs = plans.flatMap(({ plan, runs }, stream) =>
    chunksOf(runs, 25).map(({ from, to }): ExperimentJob => ({ plan, seed, stream, from, to })),
  );
  const ofRuns = plans.reduce((sum, { runs }) => sum + runs, 0);
  let doneRuns = 0;
  const results = await runOnThreads<ExperimentJob, RunResult[]>({
    worker: new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url),
    jobs,
    ...(threads !== undefined && { threads }),
    onResult: (list) => {
      doneRuns += list.length;
      onProgress?.(doneRuns, ofRuns);
    },
  });
  return plans.map((_, stream) => jobs.flatMap((job, place) => (job.stream === stream ? (results[place] ?? []) : [])));
}
