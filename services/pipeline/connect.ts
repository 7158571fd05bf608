/** Addresses in, a log, a store and a codec out. Nothing is asked of them yet: whoever asks waits, or says so. */
import type { Clock } from '../kernel/time.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { createAvroCodec, type AvroCodec } from '../runtime/avro-codec.ts';
import { createStore, type Store } from '../runtime/clickhouse-client.ts';
import { createKafka } from '../runtime/kafka-log.ts';
import type { LogClient, LogLine } from '../runtime/log.ts';
import { createRegistryClient } from '../runtime/registry-client.ts';
import type { Settings } from './config.ts';

export type Addresses = {
  readonly brokers: string;
  readonly clickhouseUrl: string;
  readonly registryUrl: string;
  readonly user?: string;
  readonly password?: string;
  /** ClickHouse as replicas of a cluster of that name; absent: one server. */
  readonly cluster?: string;
};

export type Connection = {
  readonly log: LogClient;
  readonly codec: AvroCodec;
  readonly store: Store;
  close(): Promise<void>;
};

export async function connect(
  options: Addresses & {
    database: string;
    clock: Clock;
    clientId: string;
    sessionTimeoutMs?: number;
    /** As TRIPLINE_ACCEPT_GAP lists them. */
    acceptGaps?: string;
    logLine?: LogLine;
  },
): Promise<Connection> {
  const log = createKafka({
    brokers: options.brokers,
    clientId: options.clientId,
    ...(options.sessionTimeoutMs !== undefined && { sessionTimeoutMs: options.sessionTimeoutMs }),
    ...(options.acceptGaps !== undefined && { acceptGaps: options.acceptGaps.split(',') }),
    ...(options.logLine && { log: options.logLine }),
  });
  const store = await createStore({
    url: options.clickhouseUrl,
    database: options.database,
    ...(options.user !== undefined && { user: options.user }),
    ...(options.password !== undefined && { password: options.password }),
    ...(options.cluster !== undefined && { cluster: options.cluster }),
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

type AddressName = 'KAFKA_BROKERS' | 'CLICKHOUSE_URL' | 'SCHEMA_REGISTRY_URL';

/** What a process on a broker, a store and a registry of somebody else's must be told. */
export function requireAddresses(
  settings: Pick<Settings, AddressName | 'CLICKHOUSE_USER' | 'CLICKHOUSE_PASSWORD' | 'CLICKHOUSE_CLUSTER'>,
): Addresses {
  const {
    KAFKA_BROKERS: brokers,
    CLICKHOUSE_URL: clickhouseUrl,
    SCHEMA_REGISTRY_URL: registryUrl,
    CLICKHOUSE_USER: user,
    CLICKHOUSE_PASSWORD: password,
    CLICKHOUSE_CLUSTER: cluster,
  } = settings;
  if (brokers === undefined || clickhouseUrl === undefined || registryUrl === undefined) {
    const named = { KAFKA_BROKERS: brokers, CLICKHOUSE_URL: clickhouseUrl, SCHEMA_REGISTRY_URL: registryUrl };
    const missing = Object.entries(named).flatMap(([name, value]) => (value === undefined ? [name] : []));
    throw new PipelineError('CONFIG_INVALID', `not set: ${missing.join(', ')}`, {
      hint: 'export all three addresses; `npx tripline env` prints those of a running stack, and `up` needs none',
    });
  }
  return {
    brokers,
    clickhouseUrl,
    registryUrl,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(cluster !== undefined && { cluster }),
  };
}
