/**
 * Stages in one process, each under its own supervision: one that cannot go on is started again after a pause, and the
 * others run on. What `up` runs.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../kernel/time.ts';
import { cleanMessage } from '../redaction/messages.ts';
import type { createLogger } from '../runtime/logger.ts';
import type { RunningStage } from '../runtime/stage.ts';
import type { Telemetry } from '../runtime/telemetry.ts';
import type { Settings, StageName } from './config.ts';
import { type Addresses, connect } from './connect.ts';
import { observeStages, startProbes } from './observe.ts';
import { prepare, topicWishes } from './prepare.ts';
import { type RedactionContext, type StageContext, startStage } from './stages.ts';
import { type SupervisedStage, superviseStage } from './supervise-stage.ts';

export type SupervisedOptions = {
  readonly names: readonly StageName[];
  readonly addresses: Addresses;
  readonly settings: Settings;
  readonly partitions: number;
  readonly redaction: RedactionContext;
  readonly shared: boolean;
  readonly clock: Clock;
  readonly logger: ReturnType<typeof createLogger>;
  readonly telemetry: Telemetry;
  readonly probePort: number;
};

export type SupervisedStages = {
  readonly probeUrl: string;
  /** What a person is told: which stages run, and which are tried again. */
  lines(): readonly string[];
  close(): Promise<void>;
};

export async function startSupervised(options: SupervisedOptions): Promise<SupervisedStages> {
  const { names, addresses, settings, redaction, shared, clock, logger, telemetry } = options;
  const prefix = settings.TRIPLINE_TOPIC_PREFIX;
  const connection = await connect({
    ...addresses,
    database: settings.TRIPLINE_DATABASE,
    clock,
    clientId: `${prefix}-stages`,
    sessionTimeoutMs: settings.TRIPLINE_SESSION_TIMEOUT_MS,
    logLine: (level, message, fields) => logger[level](fields, message),
  });
  await prepare({ ...addresses, ...topicWishes(settings), partitions: options.partitions }, connection);
  const context: StageContext = {
    ...connection,
    prefix,
    settings,
    clock,
    eventClock: clock,
    shared,
    redaction,
    ...(telemetry.tracer && { tracer: telemetry.tracer }),
    onDecision: ({ decisionId, experimentId, seq, action, reasonCode, metric }) =>
      logger.info({ decisionId, experimentId, seq, action, reasonCode, metric }, 'decision'),
  };
  const supervised: readonly SupervisedStage<RunningStage>[] = names.map((name) =>
    superviseStage<RunningStage>({
      name,
      start: () => startStage(name, context),
      clock,
      wait: async (ms, signal) => wait(ms, undefined, { signal }).catch(() => {}),
      onFailure: (error, nextTryAt) =>
        logger.error({ stage: name, nextTryAt: new Date(nextTryAt).toISOString(), err: error }, `${name} cannot go on`),
    }),
  );
  const views = () =>
    supervised.map(({ name, current, supervision }) => ({
      name,
      running: current(),
      supervision: supervision(),
    }));
  observeStages(telemetry, views);
  const probes = await startProbes({
    host: settings.TRIPLINE_PROBE_HOST,
    port: options.probePort,
    connection,
    views,
    failures: () =>
      Object.fromEntries(
        supervised.flatMap(({ name, supervision }) =>
          supervision().state === 'pausing' ? [[name, supervision().lastError ?? ''] as const] : [],
        ),
      ),
    telemetry,
    clock,
  });
  await Promise.all(supervised.map(({ tried }) => tried));
  return {
    probeUrl: probes.url,
    lines: () => {
      const running = supervised.filter(({ current }) => current() !== undefined).map(({ name }) => name);
      const pausing = supervised.flatMap(({ name, supervision }) => {
        const { state, lastError = '' } = supervision();
        return state === 'pausing'
          ? [`${name.padEnd(9)} cannot go on, is tried again: ${cleanMessage(lastError)}`]
          : [];
      });
      return [`stages    ready   ${running.join(' ')}`, ...pausing];
    },
    close: async () => {
      await probes.close();
      await Promise.allSettled([...supervised].map(({ close }) => close()));
      await connection.close();
    },
  };
}
