/**
 * Every stage in one process, on topics and tables of its own making: what the demo, a replay and tests run. A stage
 * that cannot go on fails the whole. A deployment's processes run stages by `run-stages.ts`.
 */
import type { LogLine, LogProducer } from '../runtime/log.ts';
import { defaultSettings, type Settings } from './config.ts';
import { type Addresses, connect, type Connection } from './connect.ts';
import { prepare } from './prepare.ts';
import { type RedactionContext, type StageContext, type Stages, startStage } from './stages.ts';

type Hooks = Pick<StageContext, 'clock' | 'eventClock' | 'tracer' | 'onLook' | 'onDecision' | 'onAck'>;

export type PipelineOptions = Addresses &
  Hooks & {
    readonly prefix: string;
    readonly database: string;
    readonly partitions: number;
    /** Records keep the producer's times: replays and stories. */
    readonly eventTime: boolean;
    readonly pseudonymKey: RedactionContext['pseudonymKey'];
    readonly keepKeys?: RedactionContext['keepKeys'];
    readonly redaction?: RedactionContext['policy'];
    /** Of linker and joiner. */
    readonly flushMs: number;
    /** 0: statistics looks only when it is asked to. */
    readonly lookMs: number;
    readonly idleTickMs: number;
    readonly bot: boolean;
    readonly logLine?: LogLine;
  };

export type Pipeline = Omit<Stages, 'bot'> &
  Pick<Connection, 'log' | 'codec' | 'store'> & {
    /** Of whoever runs the pipeline: for revisions and input. */
    readonly producer: LogProducer;
    readonly bot: Stages['bot'] | undefined;
    /** Rejects with the first stage that cannot go on. */
    readonly failed: Promise<never>;
    close(): Promise<void>;
  };

const settingsOf = ({ flushMs, lookMs, idleTickMs }: PipelineOptions): Settings => ({
  ...defaultSettings,
  REDACTOR_LINGER_MS: Math.min(defaultSettings.REDACTOR_LINGER_MS, flushMs),
  LINKER_FLUSH_MS: flushMs,
  JOINER_FLUSH_MS: flushMs,
  JOINER_IDLE_TICK_MS: idleTickMs,
  STATISTICS_LOOK_MS: lookMs,
});

export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { prefix, pseudonymKey, keepKeys, redaction: policy } = options;
  const connection = await connect({ ...options, clientId: `${prefix}-pipeline` });
  const { log, codec, store } = connection;
  const closers: (() => Promise<void>)[] = [connection.close];
  const started = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const running = await starting;
    closers.push(running.close);
    return running;
  };
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer().catch(() => {});
  };
  const context: StageContext = {
    ...options,
    log,
    codec,
    store,
    settings: settingsOf(options),
    shared: false,
    lockstep: options.lookMs === 0,
    isObserved: !options.bot,
    redaction: { pseudonymKey, ...(keepKeys && { keepKeys }), ...(policy && { policy }) },
  };
  try {
    await prepare(options, connection);
    const [redactor, linker, joiner, sink] = await Promise.all([
      started(startStage('redactor', context)),
      started(startStage('linker', context)),
      started(startStage('joiner', context)),
      started(startStage('sink', context)),
    ]);
    const statistics = await started(startStage('statistics', context));
    const producer = await started(log.producer());
    const bot = options.bot ? await started(startStage('bot', context)) : undefined;
    const all = [redactor, linker, joiner, sink, statistics, ...(bot ? [bot] : [])];
    const failed = Promise.race(all.map((stage) => stage.failed));
    failed.catch(() => {});
    return { log, codec, store, producer, redactor, linker, joiner, sink, statistics, bot, failed, close };
  } catch (error) {
    await close();
    throw error;
  }
}
