/**
 * `up`: the parts that the environment does not give, and every stage, in a process of their own that outlives the
 * command. A stage that cannot go on is started again; nothing else in the process hears of it.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isAlive } from '../../infra/embedded/child.ts';
import { withoutCredentials } from '../../infra/embedded/index.ts';
import { keptPort } from '../../infra/embedded/ports.ts';
import { readSettings, stageNames } from '../pipeline/config.ts';
import { startSupervised, type SupervisedStages } from '../pipeline/supervised.ts';
import { onSignals } from '../runtime/lifecycle.ts';
import { createLogger } from '../runtime/logger.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { createTelemetry } from '../runtime/telemetry.ts';
import { givenNames, redactionPolicy, unitKeys, unitKeysKeeper } from './addresses.ts';
import { readStack, stackFile, type StackState } from './stack-file.ts';
import { openParts, type OpenParts } from './open-parts.ts';
import { print } from './terminal.ts';

/** Starts the supervisor in the background and waits until it says that everything is ready. */
export async function up(home: string, options: { partitions: number; policy?: string }): Promise<number> {
  redactionPolicy(options.policy, home); // what is wrong with it is said here, not in a log
  readSettings(process.env);
  const running = readStack(home);
  if (running && isAlive(running.pid)) {
    print(`already running in ${home} (process ${running.pid})`);
    return 0;
  }
  rmSync(stackFile(home), { force: true });
  mkdirSync(home, { recursive: true });
  const logFile = join(home, 'up.log');
  writeFileSync(logFile, '');
  const child = spawnSupervisor(home, logFile, options);
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

function spawnSupervisor(home: string, logFile: string, options: { partitions: number; policy?: string }) {
  const out = openSync(logFile, 'a');
  const { partitions, policy } = options;
  // Records live for milliseconds: a larger nursery spares the collector from copying them (measured: a third of the
  // path's CPU).
  const args = ['--max-semi-space-size=64', process.argv[1] ?? '', 'supervise', '--home', home];
  const child = spawn(process.execPath, [...args, '--partitions', String(partitions)], {
    detached: true,
    stdio: ['ignore', out, out],
    ...(policy !== undefined && { env: { ...process.env, TRIPLINE_REDACTION_POLICY: resolve(policy) } }),
  });
  child.unref();
  return child;
}

/** The supervisor: parts, every stage, a probe server. Runs until it is told to stop. */
export async function supervise(home: string, options: { partitions: number }): Promise<number> {
  const settings = readSettings(process.env);
  const policy = redactionPolicy(undefined, home);
  const keepKeys = unitKeysKeeper(home);
  const told = onSignals();
  const parts = await openParts(home, print);
  const endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  const telemetry = createTelemetry({ service: 'tripline', ...(endpoint !== undefined && { otlpEndpoint: endpoint }) });
  const logger = createLogger({
    name: 'tripline',
    file: join(home, 'logs', 'stages.log'),
    level: settings.TRIPLINE_LOG_LEVEL,
  });
  let stages: SupervisedStages | undefined;
  try {
    stages = await startSupervised({
      names: stageNames,
      addresses: parts,
      settings,
      partitions: options.partitions,
      redaction: { pseudonymKey: unitKeys(home), policy, ...(keepKeys && { keepKeys }) },
      // Of somebody else's broker, others may run stages too.
      shared: !parts.embedded.includes('broker'),
      clock: systemClock,
      logger,
      telemetry,
      probePort: process.env['TRIPLINE_PROBE_PORT']
        ? settings.TRIPLINE_PROBE_PORT
        : await keptPort(home, 'probe', print),
    });
    for (const line of stages.lines()) print(line);
    print(`probe     ready   ${stages.probeUrl}/metrics`);
    writeFileSync(stackFile(home), JSON.stringify(stateOf(parts, stages.probeUrl), null, 2));
    await told;
    return 0;
  } finally {
    rmSync(stackFile(home), { force: true });
    await stages?.close();
    await telemetry.close();
    await parts.stop();
  }
}

/** Secrets stay in the environment: a URL with credentials is written without them. */
const stateOf = ({ brokers, clickhouseUrl, registryUrl, embedded }: OpenParts, probeUrl: string): StackState => ({
  brokers,
  clickhouseUrl: withoutCredentials(clickhouseUrl),
  registryUrl: withoutCredentials(registryUrl),
  ...givenNames(),
  pid: process.pid,
  startedAt: Date.now(),
  probeUrl,
  embedded: [...embedded],
});
