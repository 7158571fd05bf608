/** A process's counters, its one gauge, and its probes: the same for `start` and `up`. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../kernel/time.ts';
import { createProbeServer, type ProbeAnswer } from '../runtime/probe-server.ts';
import type { RunningStage } from '../runtime/stage.ts';
import type { Telemetry } from '../runtime/telemetry.ts';
import type { Connection } from './connect.ts';
import { createReadiness } from './readiness.ts';
import { stageStatus, type StageStatus } from './status.ts';
import type { Stages } from './stages.ts';
import type { Supervision } from './supervise-stage.ts';

export type StageView = {
  readonly name: string;
  readonly running: RunningStage | undefined;
  readonly supervision?: Supervision;
};

export function observeStages(telemetry: Telemetry, views: () => readonly StageView[]): void {
  telemetry.observe(() => views().flatMap(({ running }) => (running ? [running] : [])));
  telemetry.gauge(
    'tripline_audit_mismatches',
    'aggregates that are not what a recount of their unit rows says; above 0 nothing is decided',
    () => {
      const statistics = views().find(({ name }) => name === 'statistics')?.running as Stages['statistics'] | undefined;
      return statistics?.audited()?.mismatches.length;
    },
  );
}

export async function startProbes(options: {
  readonly host?: string;
  readonly port: number;
  readonly connection: Pick<Connection, 'log' | 'store'>;
  readonly views: () => readonly StageView[];
  /** Stages that cannot go on, and why. */
  readonly failures: () => Readonly<Record<string, string>>;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}): Promise<{ readonly url: string; ready(): Promise<ProbeAnswer>; close(): Promise<void> }> {
  const { connection, views, failures } = options;
  const healthy = (): ProbeAnswer => {
    const failed = failures();
    return Object.keys(failed).length === 0 ? { ok: true } : { ok: false, failed };
  };
  const ready = createReadiness({
    questions: [
      { name: 'broker', ask: () => connection.log.ping() },
      { name: 'store', ask: () => connection.store.ping() },
    ],
    stages: views,
    clock: options.clock,
    wait: (ms) => wait(ms, undefined, { ref: false }),
  });
  const server = await createProbeServer({
    ...(options.host !== undefined && { host: options.host }),
    port: options.port,
    healthy,
    ready,
    metrics: options.telemetry.metrics,
    stages: (): readonly StageStatus[] =>
      views().map(({ name, running, supervision }) => stageStatus(name, running, supervision)),
  });
  return { ...server, ready };
}
