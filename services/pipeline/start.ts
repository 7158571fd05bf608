/**
 * Every stage in one process, wired: what `start`, `replay` and the demo run. At scale each stage is a process of its
 * own.
 */
import { startBot, type BotDeps, type RunningBot } from '../bot/index.ts';
import { startJoiner } from '../joiner/index.ts';
import type { Clock } from '../kernel/time.ts';
import { startLinker } from '../linker/index.ts';
import { defaultPolicy, type RedactionPolicy, type TokenKeys } from '../redaction/index.ts';
import { createPseudonymizer, startRedactor, type UnitKeys, unitKeysFrom } from '../redactor/index.ts';
import { createAvroCodec, type AvroCodec } from '../runtime/avro-codec.ts';
import { createStore, type Store } from '../runtime/clickhouse-client.ts';
import { createKafka } from '../runtime/kafka-log.ts';
import type { LogClient, LogLine, LogProducer } from '../runtime/log.ts';
import { migrate } from '../runtime/migrate.ts';
import { createRegistryClient } from '../runtime/registry-client.ts';
import type { RunningStage, StageTracer } from '../runtime/stage.ts';
import { topicName, topicSpecs } from '../runtime/topics.ts';
import { startSink } from '../sink/index.ts';
import { type RunningStatistics, type StatisticsDeps, startStatistics } from '../statistics/look-loop.clickhouse.ts';
import { topics } from '../../schemas/generated.ts';

export type Addresses = {
  readonly brokers: string;
  readonly clickhouseUrl: string;
  readonly registryUrl: string;
  readonly user?: string;
  readonly password?: string;
};

export type PipelineOptions = Addresses & {
  readonly prefix: string;
  readonly database: string;
  readonly partitions: number;
  /** Records keep the producer's times: replays and stories. */
  readonly eventTime: boolean;
  readonly pseudonymKey: Uint8Array | UnitKeys;
  /** Writes down what is left of the keys after units were erased; absent where keys last as long as the process. */
  readonly keepKeys?: (keys: UnitKeys) => void;
  /** Absent: the built-in policy, tokens under the pseudonym key. */
  readonly redaction?: RedactionPolicy;
  readonly clock: Clock;
  readonly eventClock: Clock;
  readonly flushMs: number;
  readonly lookMs: number;
  readonly idleTickMs: number;
  readonly bot: boolean;
  readonly logLine?: LogLine;
  readonly tracer?: StageTracer;
  readonly onLook?: StatisticsDeps['onLook'];
  readonly onDecision?: StatisticsDeps['onDecision'];
  readonly onAck?: BotDeps['onAck'];
};

export type Pipeline = {
  readonly log: LogClient;
  readonly codec: AvroCodec;
  readonly store: Store;
  readonly producer: LogProducer;
  readonly redactor: RunningStage;
  readonly linker: Awaited<ReturnType<typeof startLinker>>;
  readonly joiner: Awaited<ReturnType<typeof startJoiner>>;
  readonly sink: RunningStage;
  readonly statistics: RunningStatistics;
  readonly bot: RunningBot | undefined;
  /** Rejects with the first stage that cannot go on. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
};

const flushRecords = 10_000;

/**
 * Without keys of their own, tokens are made under one that the deployment's leads to and that does not lead back: it
 * stays when units' keys are dropped.
 */
export const deploymentTokens = (pseudonymKey: Uint8Array | UnitKeys): TokenKeys => ({
  kid: 'k2',
  key: (pseudonymKey instanceof Uint8Array ? unitKeysFrom(pseudonymKey) : pseudonymKey).tokens,
});

/** Connections, topics, schemas and tables, without any stage: what reading verbs and `apply` need. */
export async function connect(
  options: Addresses & { prefix: string; database: string; clock: Clock; clientId: string; logLine?: LogLine },
): Promise<{ log: LogClient; codec: AvroCodec; store: Store; close(): Promise<void> }> {
  const log = createKafka({
    brokers: options.brokers,
    clientId: options.clientId,
    ...(options.logLine && { log: options.logLine }),
  });
  const store = await createStore({
    url: options.clickhouseUrl,
    database: options.database,
    ...(options.user !== undefined && { user: options.user }),
    ...(options.password !== undefined && { password: options.password }),
  });
  const codec = createAvroCodec({ registry: createRegistryClient({ url: options.registryUrl }), clock: options.clock });
  return {
    log,
    codec,
    store,
    close: async () => {
      await Promise.allSettled([log.close(), store.close()]);
    },
  };
}

export async function prepare(
  options: Addresses & { prefix: string; partitions: number; eventTime: boolean },
  { log, codec, store }: { log: LogClient; codec: AvroCodec; store: Store },
): Promise<void> {
  await log.createTopics(topicSpecs(options.prefix, options.partitions, options.eventTime));
  await codec.register(
    topics.flatMap(({ suffix, records }) =>
      records.map((record) => ({ record, topic: topicName(options.prefix, suffix) })),
    ),
  );
  await migrate(store, {
    url: options.clickhouseUrl,
    ...(options.user !== undefined && { user: options.user }),
    ...(options.password !== undefined && { password: options.password }),
  });
}

export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { prefix, clock, tracer } = options;
  const connection = await connect({ ...options, clientId: `${prefix}-path` });
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
  try {
    await prepare(options, connection);
    // A producer a stage: one stage's wait for the broker is no other's.
    const producers = await Promise.all(Array.from({ length: 5 }, () => started(log.producer())));
    const [first, second, third, fourth, fifth] = producers as [
      LogProducer,
      LogProducer,
      LogProducer,
      LogProducer,
      LogProducer,
    ];
    const common = { prefix, log, codec, clock, store, ...(tracer && { tracer }) };
    const [redactor, linker, joiner, sink] = await Promise.all([
      started(
        startRedactor({
          ...common,
          producer: first,
          lingerMs: Math.min(10, options.flushMs),
          context: {
            policy: options.redaction ?? { ...defaultPolicy, tokens: deploymentTokens(options.pseudonymKey) },
            pseudonym: createPseudonymizer(options.pseudonymKey),
          },
          ...(options.keepKeys && { keepKeys: options.keepKeys }),
        }),
      ),
      started(startLinker({ ...common, producer: second, flushMs: options.flushMs, flushRecords })),
      started(
        startJoiner({
          ...common,
          producer: third,
          flushMs: options.flushMs,
          flushRecords,
          idleTickMs: options.idleTickMs,
        }),
      ),
      started(startSink({ ...common, producer: fourth, lingerMs: 500 })),
    ]);
    const statistics = await started(
      startStatistics({
        ...common,
        producer: fifth,
        lookMs: options.lookMs,
        ...(options.onLook && { onLook: options.onLook }),
        ...(options.onDecision && { onDecision: options.onDecision }),
      }),
    );
    const botProducer = await started(log.producer());
    const bot = options.bot
      ? await started(
          startBot({
            ...common,
            producer: botProducer,
            clock: options.eventClock,
            ...(options.onAck && { onAck: options.onAck }),
          }),
        )
      : undefined;
    const failed = Promise.race([
      redactor.failed,
      linker.failed,
      joiner.failed,
      sink.failed,
      statistics.failed,
      ...(bot ? [bot.failed] : []),
    ]);
    failed.catch(() => {});
    return { log, codec, store, producer: botProducer, redactor, linker, joiner, sink, statistics, bot, failed, close };
  } catch (error) {
    await close();
    throw error;
  }
}
