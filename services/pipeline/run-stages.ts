/**
 * A process of a deployment: the stages asked for, on a broker, a store and a registry that are there, until it is told
 * to stop. Exit codes: 0 drained, 1 configuration, 2 cannot go on. States: waiting for its dependencies -> running ->
 * draining -> ended. Its probes answer from the first.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../kernel/time.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { cleanMessage } from '../redaction/messages.ts';
import { parseUnitKeys } from '../redactor/unit-keys.ts';
import { onSignals } from '../runtime/lifecycle.ts';
import { createLogger } from '../runtime/logger.ts';
import { readRedactionPolicy } from '../runtime/redaction-settings.ts';
import type { RunningStage } from '../runtime/stage.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { createTelemetry } from '../runtime/telemetry.ts';
import { withTimeout, drainMs, retryUntilAborted } from '../runtime/retry.ts';
import { type Environment, readSettings, type Settings, type StageName } from './config.ts';
import { type Addresses, requireAddresses } from './connect.ts';
import { openDeployment } from './deployment.ts';
import { deploymentTokens } from './deployment-tokens.ts';
import { observeStages, startProbes } from './observe.ts';
import { requirePrepared, topicWishes } from './prepare.ts';
import { formatFinding } from './topic-check.ts';
import { type RedactionContext, startStage } from './stages.ts';

/** From the signal to the end of the process, ms: what supervisors give. */
const drainDeadlineMs = 10_000;

/** Every redactor of a deployment has the same key; none is made up here. */
export function requireRedaction(settings: Settings): RedactionContext {
  const given = settings.TRIPLINE_PSEUDONYM_KEY;
  const pseudonymKey = given === undefined ? undefined : parseUnitKeys(given);
  if (pseudonymKey === undefined)
    throw new PipelineError('CONFIG_INVALID', 'TRIPLINE_PSEUDONYM_KEY is not set, and a redactor needs it', {
      hint: 'make one with `openssl rand -hex 32`, keep it, and give the same to every redactor of the deployment',
    });
  return { pseudonymKey, policy: readRedactionPolicy(settings, deploymentTokens(pseudonymKey)) };
}

export async function runStages(names: readonly StageName[], env: Environment): Promise<number> {
  const settings = readSettings(env, names);
  const addresses = requireAddresses(settings);
  const redaction = names.includes('redactor') ? requireRedaction(settings) : undefined;
  const told = onSignals(drainDeadlineMs);
  const running = await openProcess({
    names,
    settings,
    addresses,
    clock: systemClock,
    ...(redaction && { redaction }),
  });
  process.once('uncaughtException', (error) => {
    running.logger.fatal({ err: error }, 'nobody heard an error');
    process.exit(2);
  });
  try {
    const ended = await Promise.race([told, running.failed, running.started.then(() => running.failed)]);
    running.logger.info({ signal: ended }, 'draining');
    await running.close();
    running.logger.info('drained');
    return 0;
  } catch (error) {
    const isConfiguration = error instanceof PipelineError && error.code === 'CONFIG_INVALID';
    if (!isConfiguration) running.logger.error({ err: error }, 'cannot go on');
    await withTimeout(drainDeadlineMs, running.close());
    if (isConfiguration) throw error;
    return 2;
  }
}

type ProcessOptions = {
  readonly names: readonly StageName[];
  readonly settings: Settings;
  readonly addresses: Addresses;
  readonly clock: Clock;
  readonly redaction?: RedactionContext;
};

/** Probes at once; `started` when every stage runs; `failed` rejects with the first that cannot go on. */
async function openProcess({ names, settings, addresses, clock, redaction }: ProcessOptions) {
  const logger = createLogger({ name: `tripline ${names.join(' ')}`, level: settings.TRIPLINE_LOG_LEVEL });
  const endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  const telemetry = createTelemetry({ service: 'tripline', ...(endpoint !== undefined && { otlpEndpoint: endpoint }) });
  const { connection, context } = await openDeployment({
    addresses,
    settings,
    name: names.length === 1 ? (names[0] ?? '') : 'stages',
    shared: true,
    ...(redaction && { redaction }),
    clock,
    logger,
    telemetry,
  });
  const stages = new Map<StageName, RunningStage>();
  const failures: Record<string, string> = {};
  const views = () => names.map((name) => ({ name, running: stages.get(name) }));
  let closing = false;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  observeStages(telemetry, views);
  const probes = await startProbes({
    host: settings.TRIPLINE_PROBE_HOST,
    port: settings.TRIPLINE_PROBE_PORT,
    connection,
    views,
    failures: () => failures,
    telemetry,
    clock,
  }).catch((cause: unknown) => {
    throw new PipelineError('CONFIG_INVALID', `the probe server cannot listen: ${cleanMessage(String(cause))}`, {
      cause,
      hint: 'set TRIPLINE_PROBE_PORT to a port that is free; 0 takes one and says which',
    });
  });
  /** A dependency that is away at the start is waited for; what is wrong with the settings is not. */
  const patiently = <T>(what: string, attempt: () => Promise<T>): Promise<T | undefined> =>
    retryUntilAborted(attempt, {
      abandoned: () => closing,
      onWaiting: (error) => error && logger.warn({ waitingFor: cleanMessage(error.message) }, `${what} waits`),
    });
  const startOne = async (name: StageName): Promise<void> => {
    const stage = await patiently(name, async () => startStage(name, context));
    if (stage === undefined) return;
    stages.set(name, stage);
    stage.failed.catch((error: unknown) => {
      failures[name] = cleanMessage(error instanceof Error ? error.message : String(error));
      fail(error);
    });
  };
  const started = (async () => {
    const findings = await patiently('the check of topics and tables', async () =>
      requirePrepared({ ...addresses, ...topicWishes(settings) }, connection),
    );
    for (const finding of findings ?? []) if (finding.severity === 'warn') logger.warn(formatFinding(finding));
    await Promise.all(names.map(startOne));
    while (!closing && !(await probes.ready()).ok) await wait(100);
    if (closing) return;
    process.stdout.write(`ready ${names.join(' ')}   probe ${probes.url}\n`);
  })();
  started.catch(() => {});
  const close = async (): Promise<void> => {
    closing = true;
    const toldAt = clock.now();
    // All at once: a stage's drain is bounded, and none waits for another's.
    await Promise.allSettled([...stages.values()].map((stage) => stage.close()));
    // What is left of the deadline is for the connections: whatever they still hold ends with the process.
    await withTimeout(
      Math.max(300, drainMs.whole - (clock.now() - toldAt)),
      Promise.allSettled([connection.close(), telemetry.close(), probes.close()]),
    );
    logger.flush();
  };
  return { logger, started, failed, close };
}

/** For a stage's `main.ts`: runs it alone and ends the process with its exit code. */
export async function runAlone(name: StageName, env: Environment): Promise<never> {
  let code = 2;
  try {
    code = await runStages([name], env);
  } catch (error) {
    const hint = error instanceof PipelineError && error.hint !== undefined ? `\n  hint: ${error.hint}` : '';
    process.stderr.write(`error ${cleanMessage(error instanceof Error ? error.message : String(error))}${hint}\n`);
    if (error instanceof PipelineError && error.code === 'CONFIG_INVALID') code = 1;
  }
  process.exit(code);
}
