/**
 * A deployment as its users run it: every stage twice, each a process of its own, on a broker and a store that were
 * started apart. One process of each kind is killed outright; then all of them are restarted in turn. Totals equal the
 * oracle's, and one decision is made and obeyed.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { stageNames } from '../../services/pipeline/config.ts';
import type { Arrival } from '../../services/replay/scenario-lines.ts';
import { createDeployment, type Deployment } from '../fault/real/deployment.ts';
import { totalsOf } from '../fault/oracle.ts';
import { anInference, aRevision, hour, monday } from '../support/build.ts';
import { createStageProcesses, type StageProcess } from '../support/stage-processes.ts';
import { until } from '../support/until.ts';

const bin = fileURLToPath(new URL('../../services/cli/bin.mjs', import.meta.url));
const run = promisify(execFile);
const home = mkdtempSync(join(tmpdir(), 'tripline-start-'));
const patienceMs = 150_000;
const { spec } = aRevision();

/** Users with one call each, in turn in both arms; every call of the candidate fails. */
const harmed = (from: number, to: number, at: number): Arrival[] =>
  Array.from({ length: to - from }, (_, index) => {
    const user = from + index;
    return anInference({
      event_id: `harmed-${user}`,
      user: `harmed-${user}`,
      variant: user % 2 === 0 ? 'A' : 'B',
      at: at + user * 1_000,
      status: user % 2 === 0 ? 'success' : 'error',
    });
  });

let deployment: Deployment;
let env: Record<string, string>;
let processes: ReturnType<typeof createStageProcesses>;
const extra: Arrival[] = [];
const send = async (more: readonly Arrival[]): Promise<void> => {
  await deployment.sendArrivals(more);
  extra.push(...more);
};
const totalsWrong = (): Promise<string[]> => deployment.totalsWrong(totalsOf(spec, [...deployment.arrivals, ...extra]));
const frames = async (topic: 'control.v1' | 'ack.v1'): Promise<string[]> =>
  (await deployment.log.readToEnd(`${deployment.prefix}.${topic}`)).map(({ value }) => value?.toString('hex') ?? '');

/** A decision that was said again, because nobody obeyed for 10 s, is answered too: superseded. */
const obeyed = async (): Promise<number> => {
  const superseded = Buffer.from('superseded').toString('hex');
  return (await frames('ack.v1')).filter((frame) => !frame.includes(superseded)).length;
};

/** Which of two statistics or bots works; of other stages any. */
async function worker(of: readonly StageProcess[]): Promise<StageProcess> {
  for (const one of of) if ((await one.status()).state === 'running') return one;
  throw new Error('none of them works');
}

beforeAll(async () => {
  const addresses = inject('addresses');
  deployment = await createDeployment({ addresses, seed: 11, home, partitions: 2 });
  env = {
    KAFKA_BROKERS: addresses.brokers,
    CLICKHOUSE_URL: addresses.clickhouseUrl,
    SCHEMA_REGISTRY_URL: addresses.registryUrl,
    TRIPLINE_TOPIC_PREFIX: deployment.prefix,
    TRIPLINE_DATABASE: deployment.database,
    TRIPLINE_RAW_TIMESTAMPS: 'producer',
    TRIPLINE_SESSION_TIMEOUT_MS: '6000',
    TRIPLINE_PSEUDONYM_KEY: '07'.repeat(32),
    JOINER_IDLE_TICK_MS: '0',
  };
  processes = createStageProcesses(env);
});
afterAll(async () => {
  await processes?.close();
  await deployment?.close();
  rmSync(home, { recursive: true, force: true });
});

test('prepare finds everything there; under a prefix of nobody a stage refuses to start, with a hint', async () => {
  const said = await run(process.execPath, [bin, 'prepare'], { cwd: home, env: { ...process.env, ...env } });
  expect(said.stdout).toContain('everything is there');
  const elsewhere = { ...process.env, ...env, TRIPLINE_TOPIC_PREFIX: 'nobody', TRIPLINE_PROBE_PORT: '0' };
  const refused = run(process.execPath, [bin, 'start', 'linker'], { cwd: home, env: elsewhere });
  await expect(refused).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('npx tripline prepare') });
});

test('two processes of each stage are ready, and of statistics and bot one stands by', async () => {
  await Promise.all([...stageNames, ...stageNames].map((stage) => processes.start(stage)));
  for (const one of processes.running()) {
    const [health, readiness] = await Promise.all([one.probe('/healthz'), one.probe('/readyz')]);
    expect([one.stage, health.code, readiness.code]).toEqual([one.stage, 200, 200]);
  }
  for (const stage of ['statistics', 'bot'] as const) {
    const states = await Promise.all(processes.running(stage).map(async (one) => (await one.status()).state));
    expect(states.sort()).toEqual(['running', 'standby']);
  }
});

test('one of each kind is killed half-way: totals equal the oracle, one decision is made and obeyed', async () => {
  await deployment.send(0.5);
  await send(harmed(0, 120, monday));
  await until('something to be folded', async () => (await deployment.folded()) > 0, patienceMs);
  const victims = await Promise.all(stageNames.map((stage) => worker(processes.running(stage))));
  await Promise.all(victims.map(({ child }) => child.stop('SIGKILL')));
  await deployment.send(1);
  await send(harmed(120, 240, monday));
  await Promise.all(stageNames.map((stage) => processes.start(stage)));
  await deployment.caughtUp();
  expect(await totalsWrong()).toEqual([]);
  expect(await deployment.recountWrong()).toEqual([]);
  await until('the decision to be obeyed', async () => (await frames('ack.v1')).length > 0, patienceMs);
  expect([new Set(await frames('control.v1')).size, await obeyed()]).toEqual([1, 1]);
});

test('all of them are restarted in turn: each drains within 10 s, and the totals are exact again', async () => {
  const first = processes.running();
  const drained: { stage: string; code: number | null; inTime: boolean }[] = [];
  for (const half of [0, 1]) {
    const leaving = stageNames.map((stage) => first.filter((one) => one.stage === stage)[half]);
    await Promise.all(
      leaving.map(async (one) => {
        if (one === undefined) throw new Error('there are two of each');
        const began = performance.now();
        process.kill(one.child.pid, 'SIGTERM');
        const { code } = await one.child.exited;
        drained.push({ stage: one.stage, code, inTime: performance.now() - began < 10_000 });
      }),
    );
    await Promise.all(stageNames.map((stage) => processes.start(stage)));
    await send(harmed(240 + half * 20, 260 + half * 20, monday + 500 * hour));
  }
  expect(drained).toEqual(drained.map(({ stage }) => ({ stage, code: 0, inTime: true })));
  expect(drained).toHaveLength(12);
  await deployment.consumed(['redactor', 'linker', 'joiner']);
  expect(await totalsWrong()).toEqual([]);
  expect([new Set(await frames('control.v1')).size, await obeyed()]).toEqual([1, 1]);
});
