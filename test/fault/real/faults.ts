/**
 * The fault plan on the real broker and engine: one function a row, each a whole trial with a deployment of its own.
 * What they return is everything that was wrong; that the fault happened at all is checked on the way.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { EmbeddedStack } from '../../../infra/embedded/index.ts';
import { until } from '../../support/until.ts';
import { partitionIncrease } from './partition-increase.ts';
import { failpoints } from './failpoints.ts';
import { withFullDisk } from './full-disk.ts';
import {
  allReady,
  behindProxy,
  type FaultContext,
  type FaultResult,
  type Happened,
  inDeployment,
  somethingFolded,
} from './in-deployment.ts';
import { oneAfterAnother } from './one-after-another.ts';
import { patienceMs } from './progress.ts';
import { rollingRestart } from './rolling-restart.ts';
import { slowSink } from './slow-sink.ts';
import type { TcpProxy } from './tcp-proxy.ts';
import type { Deployment } from './deployment.ts';

export type Fault = {
  readonly row: number;
  readonly name: string;
  /** Part of the short run. */
  readonly short: boolean;
  run(context: FaultContext): Promise<FaultResult>;
};

const killedAt =
  (points: readonly (typeof failpoints)[number][]): Fault['run'] =>
  (context) =>
    inDeployment(context, {}, async (deployment, random) => {
      let killed = 0;
      for (const [index, point] of points.entries()) {
        await deployment.send((index + 1) / (points.length + 1));
        const stages = await deployment.startStages({ fail: `${point}*${1 + Math.floor(random() * 2)}` });
        // It dies there, or has nothing to do that leads there: then outright.
        await until('it to die', () => !stages.child.running(), 8_000).catch(() => stages.child.stop('SIGKILL'));
        killed += stages.lines.some((line) => line.startsWith('failpoint')) ? 1 : 0;
      }
      await deployment.send(1);
      await deployment.startStages();
      if (killed === 0) throw new Error('no failpoint was reached');
      return { counts: { 'died at their point': killed, killed: points.length } };
    });

/**
 * Stages behind the proxy, something folded; then the harm, which sends input of its own; then nothing is the matter
 * any more.
 */
const throughProxy =
  (harm: (proxy: TcpProxy, deployment: Deployment) => Promise<Happened>): Fault['run'] =>
  (context) =>
    behindProxy(context, async (deployment, proxy) => {
      await deployment.startStages();
      await deployment.send(0.3);
      await somethingFolded(deployment);
      const happened = await harm(proxy, deployment);
      proxy.mode = { kind: 'pass' };
      await deployment.send(1);
      return happened;
    });

const during =
  (harm: (stack: EmbeddedStack) => Promise<void>): Fault['run'] =>
  (context) =>
    inDeployment(context, {}, async (deployment) => {
      await deployment.startStages();
      await deployment.send(0.4);
      await somethingFolded(deployment);
      await Promise.all([deployment.send(0.7), harm(context.stack)]);
      await allReady(context.stack);
      await deployment.send(1);
      return {};
    });

const frozen =
  (ms: number) =>
  async (stack: EmbeddedStack): Promise<void> => {
    const pid = (await stack.status()).find(({ name }) => name === 'broker')?.pid ?? -1;
    process.kill(pid, 'SIGSTOP');
    await pause(ms);
    process.kill(pid, 'SIGCONT');
  };

const inserts = /INSERT INTO (state|facts)/;

const stoppedWhileAway: Fault['run'] = (context) =>
  behindProxy(context, async (deployment, proxy) => {
    const first = await deployment.startStages();
    await deployment.send(0.4);
    await somethingFolded(deployment);
    proxy.mode = { kind: 'cut' };
    await deployment.send(0.7);
    const at = performance.now();
    // SIGKILL would follow after 15 s, and no last word.
    await first.child.stop('SIGTERM', 15_000);
    if (!first.lines.includes('drained')) throw new Error('it had to be killed');
    const tookMs = performance.now() - at;
    proxy.mode = { kind: 'pass' };
    await deployment.startStages();
    await deployment.send(1);
    return { most: { 's to stop': tookMs / 1_000 } };
  });

const zombie: Fault['run'] = (context) =>
  inDeployment(context, {}, async (deployment) => {
    const first = await deployment.startStages();
    await deployment.send(0.4);
    await somethingFolded(deployment);
    first.freeze();
    const other = await deployment.startStages();
    const before = await deployment.folded();
    await deployment.send(0.8);
    await until('the other to run ahead', async () => (await deployment.folded()) > before, patienceMs);
    first.thaw();
    await deployment.send(1);
    await deployment.caughtUp();
    return { counts: { zombies: 1, 'fast-forwards': first.fastForwards() + other.fastForwards() } };
  });

const corrupt =
  (bad: number, killed: boolean): Fault['run'] =>
  (context) =>
    inDeployment(context, { bad }, async (deployment) => {
      const first = await deployment.startStages();
      if (killed) {
        await deployment.send(0.6);
        await somethingFolded(deployment);
        await first.child.stop('SIGKILL');
        await deployment.startStages();
      }
      await deployment.send(1);
      return { counts: { 'bad records': bad } };
    });

export const faults: readonly Fault[] = [
  { row: 1, name: 'stages killed between any two steps', short: false, run: killedAt(failpoints) },
  {
    row: 1,
    name: 'stages killed around the state insert',
    short: true,
    run: killedAt(['before:state', 'after:state', 'before:commit']),
  },
  { row: 2, name: 'engine killed -9', short: true, run: during((stack) => stack.killPart('store')) },
  {
    row: 3,
    name: 'engine away',
    short: false,
    run: throughProxy(async (proxy, deployment) => {
      proxy.mode = { kind: 'cut' };
      await deployment.send(0.7);
      await pause(1_500);
      return { counts: { 'connections reset': proxy.counts.reset } };
    }),
  },
  {
    row: 3,
    name: 'engine answers 500 and "no space left" (9)',
    short: true,
    run: throughProxy(async (proxy, deployment) => {
      proxy.mode = { kind: 'answer', request: inserts, status: 500, code: 243 };
      await deployment.send(0.7);
      await until('an answer in its place', () => proxy.counts.answered > 2, patienceMs);
      return { counts: { 'inserts refused': proxy.counts.answered } };
    }),
  },
  {
    row: 3,
    name: 'reply lost after the engine committed',
    short: true,
    run: throughProxy(async (proxy, deployment) => {
      proxy.mode = { kind: 'swallow', request: inserts };
      await deployment.send(0.7);
      await until('lost replies', () => proxy.counts.swallowed > 3, patienceMs);
      return { counts: { 'replies lost': proxy.counts.swallowed } };
    }),
  },
  {
    row: 3,
    name: 'engine slow',
    short: false,
    run: throughProxy(async (proxy, deployment) => {
      proxy.mode = { kind: 'delay', ms: 400 };
      await deployment.send(0.8);
      await pause(2_000);
      return {};
    }),
  },
  { row: 3, name: 'told to stop while the engine is away', short: false, run: stoppedWhileAway },
  {
    row: 4,
    name: 'broker stopped and started',
    short: false,
    run: during(async (stack) => {
      await stack.stopPart('broker');
      await stack.startPart('broker');
    }),
  },
  { row: 4, name: 'broker killed -9', short: true, run: during((stack) => stack.killPart('broker')) },
  {
    row: 4,
    name: 'partitions doubled twice, everything folded again, killed meanwhile',
    short: false,
    run: partitionIncrease,
  },
  { row: 4, name: 'broker frozen 5 s', short: false, run: during(frozen(5_000)) },
  { row: 4, name: 'broker frozen 40 s', short: false, run: during(frozen(40_000)) },
  { row: 5, name: 'zombie: frozen past its session, overtaken, woken', short: true, run: zombie },
  {
    row: 6,
    name: 'disordered input, nothing else',
    short: false,
    run: (context) =>
      inDeployment(context, { calls: 600 }, async (deployment) => {
        await deployment.startStages();
        await deployment.send(1);
        return { counts: { events: deployment.arrivals.length } };
      }),
  },
  { row: 7, name: 'corrupt records', short: false, run: corrupt(25, false) },
  { row: 7, name: 'corrupt records, stages killed meanwhile', short: true, run: corrupt(15, true) },
  { row: 8, name: 'slow sink: queue, memory, no rebalance', short: false, run: slowSink },
  { row: 9, name: 'disk of the engine full', short: false, run: ({ seed }) => withFullDisk(seed, 'store') },
  { row: 9, name: 'disk of the broker full', short: false, run: ({ seed }) => withFullDisk(seed, 'broker') },
  { row: 10, name: 'three joiners restarted in turn under load, a fourth added', short: true, run: rollingRestart },
  { row: 12, name: 'faults 1 to 5 at random, one after another', short: false, run: oneAfterAnother },
];
