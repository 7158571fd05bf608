/** Stages as processes of their own, through `tripline start`: the addresses in the environment, a probe port each. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../../infra/embedded/child.ts';
import type { StageName } from '../../services/pipeline/config.ts';
import type { StageStatus } from '../../services/pipeline/status.ts';
import { until } from './until.ts';

const bin = fileURLToPath(new URL('../../services/cli/bin.mjs', import.meta.url));
const patienceMs = 200_000;

export type StageProcess = {
  readonly stage: StageName;
  readonly child: Child;
  status(): Promise<StageStatus>;
  probe(path: '/healthz' | '/readyz' | '/metrics'): Promise<{ readonly code: number; readonly text: string }>;
};

export function createStageProcesses(env: Readonly<Record<string, string>>) {
  const home = mkdtempSync(join(tmpdir(), 'tripline-stages-'));
  const all: StageProcess[] = [];
  let made = 0;

  /** Resolves when it has said that it is ready, which it is when its probe says so. */
  const start = async (stage: StageName): Promise<StageProcess> => {
    made += 1;
    const logFile = join(home, `${stage}-${made}.log`);
    let url: string | undefined;
    const child = await startChild({
      command: process.execPath,
      args: [bin, 'start', stage],
      logFile,
      cwd: home,
      onLine: (line) => {
        url = /^ready .* probe (\S+)$/.exec(line)?.[1] ?? url;
      },
      env: { ...process.env, ...env, TRIPLINE_PROBE_PORT: '0' },
    });
    const started: StageProcess = {
      stage,
      child,
      status: async () => {
        const [status] = (await (await fetch(`${url}/status`)).json()) as StageStatus[];
        if (status === undefined) throw new Error(`${stage} has no status`);
        return status;
      },
      probe: async (path) => {
        const response = await fetch(`${url}${path}`);
        return { code: response.status, text: await response.text() };
      },
    };
    all.push(started);
    await until(`the ${stage}`, () => url !== undefined || !child.running(), patienceMs);
    if (!child.running()) throw new Error(`the ${stage} ended: ${readFileSync(logFile, 'utf8').slice(-2_000)}`);
    return started;
  };

  return {
    start,
    /** Those that run, of a stage or of all. */
    running: (stage?: StageName): readonly StageProcess[] =>
      all.filter((one) => one.child.running() && (stage === undefined || one.stage === stage)),
    /** Ends what still runs; the logs go with it. */
    close: async (): Promise<void> => {
      await Promise.all(all.map(({ child }) => child.stop('SIGKILL')));
      rmSync(home, { recursive: true, force: true });
    },
  };
}
