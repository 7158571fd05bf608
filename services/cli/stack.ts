/**
 * `up`, `status`, `doctor`, `down`: the embedded stack and every stage, in a process of its own that outlives the
 * command.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isAlive } from '../../infra/embedded/child.ts';
import { startEmbedded } from '../../infra/embedded/index.ts';
import { javaVersion } from '../../infra/embedded/kafka/broker.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { cleanMessage } from '../redaction/messages.ts';
import { startPipeline, type Pipeline } from '../replay/whole-path.ts';
import { createStore } from '../runtime/clickhouse-client.ts';
import { createKafka } from '../runtime/kafka-log.ts';
import { onSignals } from '../runtime/lifecycle.ts';
import { createLogger } from '../runtime/logger.ts';
import { createRegistryClient } from '../runtime/registry-client.ts';
import { createProbeServer } from '../runtime/probe-server.ts';
import { createTelemetry } from '../runtime/telemetry.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { readStack, redactionPolicy, stackFile, type StackState, unitKeys, unitKeysKeeper } from './addresses.ts';
import { paint, print, printJson, table } from './terminal.ts';

/** Starts the supervisor in the background and waits until it says that everything is ready. */
export async function up(home: string, options: { partitions: number; policy?: string }): Promise<number> {
  redactionPolicy(options.policy, home); // what is wrong with it is said here, not in a log
  const running = readStack(home);
  if (running && isAlive(running.pid)) {
    print(`already running in ${home} (process ${running.pid})`);
    return 0;
  }
  rmSync(stackFile(home), { force: true });
  mkdirSync(home, { recursive: true });
  const logFile = join(home, 'up.log');
  writeFileSync(logFile, '');
  const out = openSync(logFile, 'a');
  // Records live for milliseconds: a larger nursery spares the collector from copying them (measured: a third of the
  // path's CPU).
  const child = spawn(
    process.execPath,
    [
      '--max-semi-space-size=64',
      process.argv[1] ?? '',
      'supervise',
      '--home',
      home,
      '--partitions',
      String(options.partitions),
    ],
    {
      detached: true,
      stdio: ['ignore', out, out],
      ...(options.policy !== undefined && {
        env: { ...process.env, TRIPLINE_REDACTION_POLICY: resolve(options.policy) },
      }),
    },
  );
  child.unref();
  let exited = false;
  child.once('exit', () => {
    exited = true;
  });
  let shown = 0;
  for (;;) {
    const lines = readFileSync(logFile, 'utf8').split('\n').slice(0, -1);
    for (; shown < lines.length; shown += 1) print(`  ${lines[shown]}`);
    if (existsSync(stackFile(home))) return 0;
    if (exited) return 2;
    await wait(100);
  }
}

/** The supervisor: embedded parts, every stage, a probe server. Runs until it is told to stop. */
export async function supervise(home: string, options: { partitions: number }): Promise<number> {
  const redaction = redactionPolicy(undefined, home);
  const keepKeys = unitKeysKeeper(home);
  const stack = await startEmbedded({ home, onLine: print });
  const telemetry = createTelemetry({
    service: 'tripline',
    ...(process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] && { otlpEndpoint: process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] }),
  });
  const logger = createLogger({ name: 'tripline', file: join(home, 'logs', 'stages.log') });
  let path: Pipeline | undefined;
  try {
    path = await startPipeline({
      ...stack,
      prefix: 'tripline',
      database: 'tripline',
      partitions: options.partitions,
      eventTime: false,
      pseudonymKey: unitKeys(home),
      ...(keepKeys && { keepKeys }),
      redaction,
      clock: systemClock,
      eventClock: systemClock,
      flushMs: 250,
      lookMs: 250,
      idleTickMs: 2_000,
      bot: true,
      logLine: (level, message, fields) => logger[level](fields, message),
      onDecision: ({ decisionId, experimentId, seq, action, reasonCode, metric }) =>
        logger.info({ decisionId, experimentId, seq, action, reasonCode, metric }, 'decision'),
      ...(telemetry.tracer && { tracer: telemetry.tracer }),
    });
    const running = path;
    telemetry.observe(() => [running.redactor, running.linker, running.joiner, running.sink]);
    telemetry.gauge(
      'tripline_audit_mismatches',
      'cells that are not what a recount of their unit rows says; above 0 nothing is decided',
      () => running.statistics.audited()?.mismatches.length,
    );
    const probe = await createProbeServer({
      port: 0,
      ready: async () => (await stack.status()).every(({ ready }) => ready),
      metrics: telemetry.metrics,
      stages: () => stagesOf(running),
    });
    print(`stages    ready   redactor linker joiner sink statistics bot`);
    print(`probe     ready   ${probe.url}/metrics`);
    const state: StackState = {
      brokers: stack.brokers,
      clickhouseUrl: stack.clickhouseUrl,
      registryUrl: stack.registryUrl,
      prefix: 'tripline',
      database: 'tripline',
      pid: process.pid,
      startedAt: Date.now(),
      probeUrl: probe.url,
    };
    writeFileSync(stackFile(home), JSON.stringify(state, null, 2));
    await Promise.race([onSignals(), path.failed]);
    await probe.close();
    return 0;
  } finally {
    rmSync(stackFile(home), { force: true });
    await path?.close();
    await telemetry.close();
    await stack.stop();
  }
}

/** A dependency may have quoted what it stumbled over. */
const cleaned = (message: string | undefined): string | null => (message === undefined ? null : cleanMessage(message));

const stagesOf = (path: Pipeline) => [
  ...[path.redactor, path.linker, path.joiner, path.sink].map((stage) => ({
    name: stage.name,
    in: stage.counts.in,
    forwarded: stage.counts.forwarded,
    dropped: Object.fromEntries(stage.counts.dropped),
    parked: Object.fromEntries(stage.counts.parked),
    waiting: stage.counts.waiting,
    waitingFor: cleaned(stage.waitingFor()?.what),
  })),
  {
    name: 'statistics',
    in: path.statistics.looks(),
    forwarded: path.statistics.looks(),
    dropped: {},
    parked: {},
    waiting: 0,
    waitingFor: mismatchOf(path) ?? cleaned(path.statistics.waitingFor()?.what),
  },
];

const mismatchOf = (path: Pipeline): string | undefined => {
  const found = path.statistics.audited()?.mismatches.length ?? 0;
  return found > 0
    ? `AUDIT_MISMATCH: ${found} cells are not what their unit rows say, nothing is decided; \`tripline audit\` names them`
    : undefined;
};

type StageStatus = ReturnType<typeof stagesOf>[number];

export async function status(home: string, json: boolean): Promise<number> {
  const running = readStack(home);
  if (running === undefined || !isAlive(running.pid)) {
    if (json) printJson({ running: false, home });
    else print(`nothing runs in ${home}; \`npx tripline up\` starts it`);
    return 2;
  }
  const checks = await check(running);
  const stages = running.probeUrl ? ((await (await fetch(`${running.probeUrl}/status`)).json()) as StageStatus[]) : [];
  const degraded = checks.some(({ ok }) => !ok) || stages.some(({ waitingFor }) => waitingFor !== null);
  if (json) printJson({ running: true, home, degraded, parts: checks, stages });
  else {
    print(table(checks.map(({ name, ok, detail }) => [name, ok ? paint.green('ready') : paint.red('down'), detail])));
    print(
      table([
        ['stage', 'in', 'forwarded', 'dropped', 'parked', 'waiting', 'waiting for'],
        ...stages.map((stage) => [
          stage.name,
          String(stage.in),
          String(stage.forwarded),
          JSON.stringify(stage.dropped),
          JSON.stringify(stage.parked),
          String(stage.waiting),
          stage.waitingFor ?? '-',
        ]),
      ]),
    );
  }
  return degraded ? 2 : 0;
}

async function check(running: StackState): Promise<{ name: string; ok: boolean; detail: string }[]> {
  const attempt = async (
    name: string,
    address: string,
    run: () => Promise<void>,
  ): Promise<{ name: string; ok: boolean; detail: string }> => {
    try {
      await Promise.race([run(), wait(5_000).then(() => Promise.reject(new Error('no answer within 5 s')))]);
      return { name, ok: true, detail: address };
    } catch (error) {
      return { name, ok: false, detail: `${address}: ${error instanceof Error ? error.message : String(error)}` };
    }
  };
  return Promise.all([
    attempt('broker', running.brokers, async () => {
      const log = createKafka({ brokers: running.brokers, clientId: 'tripline-status' });
      await log.ping();
      await log.close();
    }),
    attempt('store', running.clickhouseUrl, async () => {
      const store = await createStore({ url: running.clickhouseUrl, database: 'default' });
      await store.ping();
      await store.close();
    }),
    attempt('registry', running.registryUrl, () => createRegistryClient({ url: running.registryUrl }).ping()),
  ]);
}

/** What this machine has, and the first broken link of a running stack. */
export async function doctor(home: string, json: boolean): Promise<number> {
  const java = await javaVersion();
  const disk = statfsSync(existsSync(home) ? home : '.');
  const free = disk.bavail * disk.bsize;
  const node = process.versions.node.split('.').map(Number);
  const running = readStack(home);
  const findings = [
    {
      name: 'Node.js',
      ok: (node[0] ?? 0) > 20 || ((node[0] ?? 0) === 20 && (node[1] ?? 0) >= 19),
      detail: process.versions.node,
      hint: 'install Node.js 20.19 or newer',
    },
    {
      name: 'Java',
      ok: java !== undefined && java >= 17,
      detail: java === undefined ? 'not found' : String(java),
      hint: 'install Java 17 or newer, or set KAFKA_BROKERS, CLICKHOUSE_URL and SCHEMA_REGISTRY_URL',
    },
    {
      name: 'disk',
      ok: free > 500e6,
      detail: `${Math.round(free / 1e6)} MB free`,
      hint: 'free some space or choose another --home',
    },
    ...(running && isAlive(running.pid)
      ? (await check(running)).map((entry) => ({ ...entry, hint: `see ${join(home, 'logs')}` }))
      : [{ name: 'stack', ok: false, detail: `not running in ${home}`, hint: 'npx tripline up' }]),
  ];
  if (json) printJson(findings);
  else
    for (const { name, ok, detail, hint } of findings)
      print(
        `${ok ? paint.green('ok  ') : paint.red('fail')}  ${name.padEnd(9)} ${detail}${ok ? '' : `   cure: ${hint}`}`,
      );
  return findings.every(({ ok }) => ok) ? 0 : 2;
}

export async function down(home: string): Promise<number> {
  const running = readStack(home);
  if (running === undefined || !isAlive(running.pid)) {
    rmSync(stackFile(home), { force: true });
    print(`nothing runs in ${home}`);
    return 0;
  }
  process.kill(running.pid, 'SIGTERM');
  for (let tries = 0; isAlive(running.pid); tries += 1) {
    if (tries > 300)
      throw new PipelineError('TIMEOUT', `process ${running.pid} did not stop within 30 s`, {
        hint: `kill -9 ${running.pid}; its children end with it`,
      });
    await wait(100);
  }
  print('stopped');
  return 0;
}
