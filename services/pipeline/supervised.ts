/**
 * Stages in one process, each under its own supervision: one that cannot go on is started again after a pause, and the
 * others run on. What `up` runs.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { cleanMessage } from '../redaction/messages.ts';
import type { RunningStage } from '../runtime/stage.ts';
import type { StageName } from './config.ts';
import { type DeploymentOptions, openDeployment } from './deployment.ts';
import { observeStages, startProbes } from './observe.ts';
import { prepare, topicWishes } from './prepare.ts';
import { startStage } from './stages.ts';
import { type SupervisedStage, superviseStage } from './supervise-stage.ts';

export type SupervisedOptions = Omit<DeploymentOptions, 'name'> & {
  readonly names: readonly StageName[];
  readonly partitions: number;
  readonly probePort: number;
};

export type SupervisedStages = {
  readonly probeUrl: string;
  /** What a person is told: which stages run, and which are tried again. */
  lines(): readonly string[];
  close(): Promise<void>;
};

export async function startSupervised(options: SupervisedOptions): Promise<SupervisedStages> {
  const { names, addresses, settings, clock, logger, telemetry } = options;
  const { connection, context } = await openDeployment({ ...options, name: 'stages' });
  await prepare({ ...addresses, ...topicWishes(settings), partitions: options.partitions }, connection);
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
