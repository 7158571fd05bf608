/**
 * The Kafka client: producer, admin and readers outside a group. Partitions are always explicit. Members of a group:
 * `kafka-consumer.ts`.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import kafkajs, { type Admin, Kafka, logLevel, type Message, Partitioners, type Producer } from 'kafkajs';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { createConsumer, headerText } from './kafka-consumer.ts';
import type { LogClient, LogLine, LogProducer, LogRecord, OutgoingRecord, Tombstone, TopicDescription } from './log.ts';

// Node.js does not see these two among the names that kafkajs exports.
const { ConfigResourceTypes, ConfigSource } = kafkajs;

/** Kafka's errors of a partition whose leader is being elected. */
const leaderless: ReadonlySet<string> = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE']);

/**
 * Kafka's errors of a producer whose numbers are not what the broker expects: a send that timed out here and arrived
 * there, a partition that has forgotten the producer. kafkajs gives up on them. A producer with a new id begins at 0;
 * what it sends again may be in the log twice, which every reader expects.
 */
const numbersLost: ReadonlySet<string> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
]);
/**
 * Kafka's errors of a broker in trouble with itself: a full disk, a log folder that it has just given up. kafkajs gives
 * up on the first, whose cause the broker keeps to itself.
 */
const inTrouble: ReadonlySet<string> = new Set(['UNKNOWN', 'KAFKA_STORAGE_ERROR']);
/** kafkajs wraps what it will not try again. */
const errorType = (error: unknown): string => {
  const { type, cause } = error as { readonly type?: string; readonly cause?: { readonly type?: string } };
  return type ?? cause?.type ?? '';
};

/**
 * Of one partition, kafkajs makes one record batch of a send, and a broker refuses one of more than a megabyte (Kafka's
 * default `message.max.bytes`) for good.
 */
const sendBytes = 768 * 1024;

/**
 * In an order that keeps each partition's own: no round holds more than `sendBytes` of a partition, unless it is one
 * record.
 */
export function roundsOf<R extends OutgoingRecord | Tombstone>(records: readonly R[], maxBytes = sendBytes): R[][] {
  const rounds: R[][] = [];
  const filled = new Map<string, { round: number; bytes: number }>();
  for (const record of records) {
    const at = `${record.topic}/${record.partition}`;
    const size =
      (record.value?.length ?? 0) +
      (record.key?.length ?? 0) +
      Object.entries(record.headers ?? {}).reduce((sum, [name, value]) => sum + name.length + value.length, 64);
    const last = filled.get(at) ?? { round: 0, bytes: 0 };
    const place =
      last.bytes > 0 && last.bytes + size > maxBytes
        ? { round: last.round + 1, bytes: size }
        : { round: last.round, bytes: last.bytes + size };
    filled.set(at, place);
    const round = rounds[place.round] ?? [];
    rounds[place.round] = round;
    round.push(record);
  }
  return rounds;
}

/** What to do about a send that failed: go on under a new producer id, wait for the broker, or give up. */
export function afterFailedSend(error: unknown): 'begin anew' | 'wait' | 'give up' {
  const type = errorType(error);
  return numbersLost.has(type) ? 'begin anew' : inTrouble.has(type) ? 'wait' : 'give up';
}

const unavailable = (what: string, cause: unknown): PipelineError =>
  new PipelineError('BROKER_UNAVAILABLE', what, {
    retriable: true,
    cause,
    hint: 'check that the broker is running and KAFKA_BROKERS is right',
  });

const topicResources = (names: readonly string[]) => names.map((name) => ({ type: ConfigResourceTypes.TOPIC, name }));

async function describeTopics(client: Admin, names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>> {
  const existing = new Set(await client.listTopics());
  const known = names.filter((name) => existing.has(name));
  if (known.length === 0) return new Map();
  const { topics } = await client.fetchTopicMetadata({ topics: known });
  const { resources } = await client.describeConfigs({ includeSynonyms: false, resources: topicResources(known) });
  const configs = new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
  return new Map(
    topics.map(({ name, partitions }) => [
      name,
      {
        partitions: partitions.length,
        replicationFactor: partitions[0]?.replicas.length ?? 0,
        config: configs.get(name) ?? {},
      },
    ]),
  );
}

/** The request replaces everything that a topic has set for itself, so what stays is sent again. */
async function alterTopic(client: Admin, topic: string, config: Readonly<Record<string, string>>): Promise<void> {
  const { resources } = await client.describeConfigs({ includeSynonyms: false, resources: topicResources([topic]) });
  const own = (resources[0]?.configEntries ?? []).filter(
    ({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG,
  );
  const wanted = {
    ...Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue])),
    ...config,
  };
  await client.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: ConfigResourceTypes.TOPIC,
        name: topic,
        configEntries: Object.entries(wanted).map(([name, value]) => ({ name, value })),
      },
    ],
  });
}

export function createKafka(options: {
  brokers: string;
  clientId: string;
  log?: LogLine /** A member that says nothing for so long has lost its partitions. */;
  sessionTimeoutMs?: number /** After so long without a reply a request is sent again. */;
  requestTimeoutMs?: number;
}): LogClient {
  const line = options.log ?? (() => {});
  const sessionMs = options.sessionTimeoutMs ?? 30_000;
  let closed = false;
  const addresses = options.brokers.split(',');
  const kafka = new Kafka({
    // kafkajs asks again before every try to connect, and an empty list is the one answer that it does not retry: a
    // closed client gives up.
    brokers: () => (closed ? [] : addresses),
    clientId: options.clientId,
    connectionTimeout: 3_000,
    requestTimeout: options.requestTimeoutMs ?? 30_000,
    // A stopped broker is waited for: nothing here ever gives up, the caller decides when to stop.
    retry: { initialRetryTime: 50, maxRetryTime: 1_000, retries: Number.MAX_SAFE_INTEGER },
    logLevel: logLevel.INFO,
    // kafkajs logs conditions that it retries as errors; nothing of it is worth more than a debug line unless it ends
    // the client.
    logCreator:
      () =>
      ({ namespace, log }) =>
        line('debug', `${namespace}: ${log.message}`, { kafkajs: log['error'] ?? log['reason'] }),
  });
  const closers = new Set<() => Promise<void>>();
  let adminClient: Promise<Admin> | undefined;
  const admin = (): Promise<Admin> => {
    adminClient ??= (async () => {
      const client = kafka.admin();
      await client.connect();
      return client;
    })();
    return adminClient;
  };

  /**
   * A topic that was made just now may have no leader yet for some hundred milliseconds; kafkajs gives up on that at
   * once.
   */
  const onceLed = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (let tries = 0; ; tries += 1) {
      try {
        return await ask();
      } catch (error) {
        if (tries >= 20 || !leaderless.has(errorType(error))) throw error;
        await wait(Math.min(25 * 2 ** tries, 500));
      }
    }
  };
  /** Without a leader for any partition kafkajs stumbles over its own empty answer. */
  const topicOffsets = async (client: Admin, topic: string): ReturnType<Admin['fetchTopicOffsets']> => {
    try {
      return await client.fetchTopicOffsets(topic);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw Object.assign(unavailable(`${topic}: no partition has a leader`, error), { type: 'LEADER_NOT_AVAILABLE' });
    }
  };
  /**
   * Of every partition: after a restart of the broker kafkajs leaves out those that have no leader yet, and half a log
   * looks read to its end.
   */
  const endOffsets = (topic: string): Promise<number[]> =>
    onceLed(async () => {
      const client = await admin();
      const {
        topics: [known],
      } = await client.fetchTopicMetadata({ topics: [topic] });
      const ends: number[] = [];
      for (const { partition, high } of await topicOffsets(client, topic)) ends[partition] = Number(high);
      const missing = known?.partitions.find(({ partitionId }) => ends[partitionId] === undefined)?.partitionId;
      if (known === undefined || known.partitions.length === 0 || missing !== undefined)
        throw Object.assign(unavailable(`${topic}: the end of partition ${missing ?? 0} is not known`, undefined), {
          type: 'LEADER_NOT_AVAILABLE',
        });
      return ends;
    });

  /**
   * One send at a time, and none under the numbers of one that failed. kafkajs numbers a batch as it sends it and takes
   * the numbers back when no reply comes or one partition refuses; the next batch would carry them again, and where the
   * first had been written after all, the broker takes it for its repetition: it says "written", and nothing is.
   */
  const createProducer = async (): Promise<LogProducer> => {
    let ended = false;
    let current: Promise<Producer> | undefined;
    const open = (): Promise<Producer> => {
      current ??= (async () => {
        const producer = kafka.producer({
          idempotent: true,
          maxInFlightRequests: 1,
          createPartitioner: Partitioners.DefaultPartitioner,
        });
        await producer.connect();
        return producer;
      })();
      return current;
    };
    const leave = async (): Promise<void> => {
      const left = current;
      current = undefined;
      await left?.then((producer) => producer.disconnect());
    };
    await open();
    const close = async (): Promise<void> => {
      ended = true;
      closers.delete(close);
      await leave();
    };
    closers.add(close);
    const sendRound = async (
      topicMessages: { topic: string; messages: Message[] }[],
    ): ReturnType<Producer['sendBatch']> => {
      for (let tries = 0; ; tries += 1) {
        if (ended) throw unavailable('the producer is closed', undefined);
        try {
          return await (await open()).sendBatch({ acks: -1, topicMessages });
        } catch (error) {
          const next = afterFailedSend(error);
          line('warn', 'producer begins anew', { error: errorType(error) });
          void leave().catch(() => {});
          if (next === 'wait') throw unavailable(`the broker could not write: ${errorType(error)}`, error);
          if (next === 'give up' || tries >= 4) throw error;
        }
      }
    };
    let turn: Promise<unknown> = Promise.resolve();
    const sendAll: LogProducer['send'] = async (records) => {
      const next = new Map<string, number>();
      for (const round of roundsOf(records)) {
        const byTopic = new Map<string, Message[]>();
        const counts = new Map<string, number>();
        for (const record of round) {
          const messages = byTopic.get(record.topic) ?? [];
          messages.push({
            partition: record.partition,
            key: record.key ?? null,
            value: record.value,
            ...(record.headers && { headers: { ...record.headers } }),
            ...(record.timestamp !== undefined && { timestamp: String(record.timestamp) }),
          });
          byTopic.set(record.topic, messages);
          counts.set(
            `${record.topic}/${record.partition}`,
            (counts.get(`${record.topic}/${record.partition}`) ?? 0) + 1,
          );
        }
        const results = await sendRound([...byTopic].map(([topic, messages]) => ({ topic, messages })));
        for (const result of results) {
          const at = `${result.topicName}/${result.partition}`;
          next.set(at, Number(result.baseOffset ?? -1) + (counts.get(at) ?? 0));
        }
      }
      return next;
    };
    return {
      close,
      send: (records) => {
        const mine = turn.then(() => sendAll(records));
        turn = mine.catch(() => {});
        return mine;
      },
    };
  };

  const follow: LogClient['follow'] = async (topic, onRecord) => {
    const ends = await endOffsets(topic);
    const missing = new Map(ends.map((end, partition) => [partition, end] as const).filter(([, end]) => end > 0));
    let reached: () => void = () => {};
    const caughtUp = new Promise<void>((resolve) => {
      reached = resolve;
    });
    if (missing.size === 0) reached();
    const seen = new Map<number, number>();
    const group = `tripline-follow-${randomUUID()}`;
    const consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: 30_000,
      maxWaitTimeInMs: 100,
      allowAutoTopicCreation: false,
      retry: { retries: 20, restartOnFailure: async () => true },
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const message of batch.messages) {
          const offset = Number(message.offset);
          // After a reconnect the group has no committed offset and starts over: what was seen is skipped.
          if (offset < (seen.get(batch.partition) ?? 0)) continue;
          seen.set(batch.partition, offset + 1);
          onRecord({
            topic,
            partition: batch.partition,
            offset,
            timestamp: Number(message.timestamp),
            key: message.key,
            value: message.value,
            headers: headerText(message.headers),
          });
        }
        const end = missing.get(batch.partition);
        if (end !== undefined && Number(batch.lastOffset()) + 1 >= end) {
          missing.delete(batch.partition);
          if (missing.size === 0) reached();
        }
      },
    });
    let closed = false;
    const close = async (): Promise<void> => {
      if (closed) return;
      closed = true;
      closers.delete(close);
      await consumer.disconnect();
    };
    closers.add(close);
    return { caughtUp, close };
  };

  return {
    follow,
    consume: (options) => createConsumer(options, { kafka, line, sessionMs, closers }),
    producer: createProducer,
    endOffsets,
    topics: async () => (await admin()).listTopics(),
    describeTopics: async (names) => describeTopics(await admin(), names),
    alterTopic: async (topic, config) => alterTopic(await admin(), topic, config),
    firstOffsets: async (topic) => {
      const firsts: number[] = [];
      for (const { partition, low } of await onceLed(async () => topicOffsets(await admin(), topic)))
        firsts[partition] = Number(low);
      return firsts;
    },
    hasMembers: async (group) => {
      const { groups } = await (await admin()).describeGroups([group]);
      return groups.some(({ members }) => members.length > 0);
    },
    partitions: async (topic) => {
      const { topics } = await (await admin()).fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.length ?? 0;
    },
    committedOffsets: async (group, topic) => {
      const [offsets] = await (await admin()).fetchOffsets({ groupId: group, topics: [topic] });
      const committed: number[] = [];
      for (const { partition, offset } of offsets?.partitions ?? []) committed[partition] = Math.max(0, Number(offset));
      return committed;
    },
    createTopics: async (topics) => {
      const client = await admin();
      const existing = new Set(await client.listTopics());
      const missing = topics.filter(({ topic }) => !existing.has(topic));
      if (missing.length === 0) return;
      await client.createTopics({
        waitForLeaders: true,
        topics: missing.map(({ topic, partitions, config, replicationFactor }) => ({
          topic,
          numPartitions: partitions,
          ...(replicationFactor !== undefined && { replicationFactor }),
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        })),
      });
    },
    readToEnd: async (topic, until) => {
      const ends = until ?? (await endOffsets(topic));
      const records: LogRecord[] = [];
      if (ends.every((end) => end === 0)) return records;
      const reader = await follow(topic, (record) => {
        if (record.offset < (ends[record.partition] ?? 0)) records.push(record);
      });
      await reader.caughtUp;
      await reader.close();
      return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
    },
    ping: async () => {
      try {
        await (await admin()).describeCluster();
      } catch (error) {
        throw unavailable('metadata request failed', error);
      }
    },
    close: async () => {
      closed = true;
      const results = await Promise.allSettled([...closers].map((close) => close()));
      // Rejected: it never connected, there is nothing to let go of.
      await adminClient?.then(
        (client) => client.disconnect(),
        () => {},
      );
      const broken = results.find((result) => result.status === 'rejected');
      if (broken?.status === 'rejected') throw unavailable('closing the client', broken.reason);
    },
  };
}
