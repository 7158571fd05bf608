/**
 * `up`: the embedded stack and every stage, in a process of its own that outlives the
 * command.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isAlive } from '../../infra/embedded/child.ts';
import { startEmbedded } from '../../infra/embedded/index.ts';
import { cleanMessage } from '../redaction/messages.ts';
import { startPipeline, type Pipeline } from '../pipeline/start.ts';
import { onSignals } from '../runtime/lifecycle.ts';
import { createLogger } from '../runtime/logger.ts';
import { createProbeServer } from '../runtime/probe-server.ts';
import { createTelemetry } from '../runtime/telemetry.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { redactionPolicy, unitKeys, unitKeysKeeper } from './addresses.ts';
import { readStack, stackFile, type StackState } from './stack-file.ts';
import { print } from './terminal.ts';

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

export type StageStatus = ReturnType<typeof stagesOf>[number];
