/**
 * What a process of a deployment gives its stages, under `start` and `up` alike: connections, settings, who is told.
 */
import type { Clock } from '../kernel/time.ts';
import type { createLogger } from '../runtime/logger.ts';
import type { Telemetry } from '../runtime/telemetry.ts';
import type { Settings } from './config.ts';
import { type Addresses, connect, type Connection } from './connect.ts';
import type { RedactionContext, StageContext } from './stages.ts';

export type DeploymentOptions = {
  readonly addresses: Addresses;
  readonly settings: Settings;
  /** How the broker's log names the process. */
  readonly name: string;
  /** Other processes may run the same stages. */
  readonly shared: boolean;
  readonly redaction?: RedactionContext;
  readonly clock: Clock;
  readonly logger: ReturnType<typeof createLogger>;
  readonly telemetry: Telemetry;
};

export async function openDeployment(
  options: DeploymentOptions,
): Promise<{ readonly connection: Connection; readonly context: StageContext }> {
  const { addresses, settings, shared, redaction, clock, logger, telemetry } = options;
  const prefix = settings.TRIPLINE_TOPIC_PREFIX;
  const connection = await connect({
    ...addresses,
    database: settings.TRIPLINE_DATABASE,
    clock,
    clientId: `${prefix}-${options.name}`,
    sessionTimeoutMs: settings.TRIPLINE_SESSION_TIMEOUT_MS,
    ...(settings.TRIPLINE_ACCEPT_GAP !== undefined && { acceptGaps: settings.TRIPLINE_ACCEPT_GAP }),
    logLine: (level, message, fields) => logger[level](fields, message),
  });
  const context: StageContext = {
    ...connection,
    prefix,
    settings,
    clock,
    eventClock: clock,
    shared,
    ...(redaction && { redaction }),
    ...(telemetry.tracer && { tracer: telemetry.tracer }),
    onDecision: ({ decisionId, experimentId, action, reasonCode, metric }) =>
      logger.info({ decisionId, experimentId, action, reasonCode, metric }, 'decision'),
  };
  return { connection, context };
}
