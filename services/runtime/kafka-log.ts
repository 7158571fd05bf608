/**
 * The only module that holds a Kafka client. Positions belong to the caller: a partition is loaded before its first record, read
 * from where the load says, and handed over in order, one batch at a time. eachBatch only enqueues, so heartbeats never wait
 * for a store; above a high-water mark in bytes the partition is paused. Partitions are always explicit.
 *
 * States of a partition here: absent -> loading -> running -> absent (revoked; queue and progress dropped, the owner reloads).
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Admin, type Consumer, type EachBatchPayload, Kafka, logLevel, type Message, Partitioners, type Producer } from 'kafkajs';
import { PipelineError } from '../kernel/pipeline-error.ts';

export type LogRecord = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Broker time, or the producer's on CreateTime topics; epoch milliseconds. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
};

export type OutgoingRecord = {
  readonly topic: string;
  readonly partition: number;
  readonly key?: string | Buffer;
  readonly value: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timestamp?: number;
};

/** A key without a value: on a raw topic it asks to erase whom the key names. */
export type Tombstone = Omit<OutgoingRecord, 'value'> & { readonly value: null };

export type TopicSpec = { readonly topic: string; readonly partitions: number; readonly config: Readonly<Record<string, string>> };

export type LogProducer = {
  /** Resolves when every record is acknowledged by all in-sync replicas: the next offset of each partition written, by `topic/partition`. */
  send(records: readonly (OutgoingRecord | Tombstone)[]): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
};

export type PartitionHandler = {
  /** The first offset wanted; undefined: where the group has committed, else the beginning. */
  load(topic: string, partition: number): Promise<number | undefined>;
  /** In order, never twice at a time for one partition. Rejecting with anything ends the consumer through `failed`. */
  records(topic: string, partition: number, records: readonly LogRecord[]): Promise<void>;
  /** Everything is taken back: forget what was loaded and not flushed. */
  revoked(): void;
};

export type LogConsumer = {
  /** False: it did not arrive, for whatever reason. Never throws: a lost commit repeats work, it loses none. */
  commit(topic: string, partition: number, nextOffset: number): Promise<boolean>;
  /** Settles with the first error that the handler threw. */
  readonly failed: Promise<never>;
  /** `pauses`: how often a partition's queue was full and its fetches stopped. */
  stats(): { readonly queuedBytes: number; readonly rejoins: number; readonly pauses: number };
  close(): Promise<void>;
};

export type LogClient = {
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  partitions(topic: string): Promise<number>;
  /** Names of all topics there are. */
  topics(): Promise<readonly string[]>;
  endOffsets(topic: string): Promise<readonly number[]>;
  /** First offset of each partition that is still there. */
  firstOffsets(topic: string): Promise<readonly number[]>;
  /** Whether the group has members: a stage that runs, or one that was killed and whose session has not ended. */
  hasMembers(group: string): Promise<boolean>;
  committedOffsets(group: string, topic: string): Promise<readonly number[]>;
  producer(): Promise<LogProducer>;
  consume(options: { group: string; topics: readonly string[]; handler: PartitionHandler; maxQueuedBytes?: number }): Promise<LogConsumer>;
  /** Every record from the beginning up to the end at the time of the call (or `until` offsets, exclusive). */
  readToEnd(topic: string, until?: readonly number[]): Promise<LogRecord[]>;
  /** Everything from the beginning and then as it comes, outside any lasting group. `caughtUp` resolves at the end at the time of the call. */
  follow(topic: string, onRecord: (record: LogRecord) => void): Promise<{ readonly caughtUp: Promise<void>; close(): Promise<void> }>;
  ping(): Promise<void>;
  close(): Promise<void>;
};

export type LogLine = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void;

/** Fetches of one partition that are handed over together, at most. */
const fetchesTogether = 64;

/** Kafka's errors of a partition whose leader is being elected. */
const leaderless: ReadonlySet<string> = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE']);

/** Of one partition, kafkajs makes one record batch of a send, and a broker refuses one of more than a megabyte (Kafka's default `message.max.bytes`) for good. */
const sendBytes = 768 * 1024;

/** In an order that keeps each partition's own: no round holds more than `sendBytes` of a partition, unless it is one record. */
export function roundsOf<R extends OutgoingRecord | Tombstone>(records: readonly R[], maxBytes = sendBytes): R[][] {
  const rounds: R[][] = [];
  const filled = new Map<string, { round: number; bytes: number }>();
  for (const record of records) {
    const at = `${record.topic}/${record.partition}`;
    const size = (record.value?.length ?? 0) + (record.key?.length ?? 0) + Object.entries(record.headers ?? {}).reduce((sum, [name, value]) => sum + name.length + value.length, 64);
    const last = filled.get(at) ?? { round: 0, bytes: 0 };
    const place = last.bytes > 0 && last.bytes + size > maxBytes ? { round: last.round + 1, bytes: size } : { round: last.round, bytes: last.bytes + size };
    filled.set(at, place);
    const round = rounds[place.round] ?? [];
    rounds[place.round] = round;
    round.push(record);
  }
  return rounds;
}

const headerText = (headers: Message['headers']): Record<string, string> => {
  const text: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) text[name] = first.toString();
  }
  return text;
};

const unavailable = (what: string, cause: unknown): PipelineError =>
  new PipelineError('BROKER_UNAVAILABLE', what, { retriable: true, cause, cure: 'check that the broker is running and KAFKA_BROKERS is right' });

export function createKafka(options: { brokers: string; clientId: string; log?: LogLine; /** A member that says nothing for so long has lost its partitions. */ sessionTimeoutMs?: number }): LogClient {
  const line = options.log ?? (() => {});
  const sessionMs = options.sessionTimeoutMs ?? 30_000;
  // A rebalance waits for its slowest member, and a member hears of it with its next heartbeat: the beat is the gap in freshness that each restart makes.
  const heartbeatMs = Math.min(500, sessionMs / 3);
  let closed = false;
  const addresses = options.brokers.split(',');
  const kafka = new Kafka({
    // kafkajs asks again before every try to connect, and an empty list is the one answer that it does not retry: a closed client gives up.
    brokers: () => (closed ? [] : addresses),
    clientId: options.clientId,
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    // A stopped broker is waited for: nothing here ever gives up, the caller decides when to stop.
    retry: { initialRetryTime: 50, maxRetryTime: 1_000, retries: Number.MAX_SAFE_INTEGER },
    logLevel: logLevel.INFO,
    // kafkajs logs conditions that it retries as errors; nothing of it is worth more than a debug line unless it ends the client.
    logCreator: () => ({ namespace, log }) => line('debug', `${namespace}: ${log.message}`, { kafkajs: log['error'] ?? log['reason'] }),
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

  /** A topic that was made just now may have no leader yet for some hundred milliseconds; kafkajs gives up on that at once. */
  const onceLed = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (let tries = 0; ; tries += 1) {
      try {
        return await ask();
      } catch (error) {
        if (tries >= 20 || !leaderless.has((error as { readonly type?: string }).type ?? '')) throw error;
        await wait(Math.min(25 * 2 ** tries, 500));
      }
    }
  };
  /** Of every partition: after a restart of the broker kafkajs leaves out those that have no leader yet, and half a log looks read to its end. */
  const endOffsets = (topic: string): Promise<number[]> =>
    onceLed(async () => {
      const client = await admin();
      const { topics: [known] } = await client.fetchTopicMetadata({ topics: [topic] });
      const ends: number[] = [];
      for (const { partition, high } of await client.fetchTopicOffsets(topic)) ends[partition] = Number(high);
      const missing = known?.partitions.find(({ partitionId }) => ends[partitionId] === undefined)?.partitionId;
      if (known === undefined || known.partitions.length === 0 || missing !== undefined) throw Object.assign(unavailable(`${topic}: the end of partition ${missing ?? 0} is not known`, undefined), { type: 'LEADER_NOT_AVAILABLE' });
      return ends;
    });

  const createProducer = async (): Promise<LogProducer> => {
    const producer: Producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    const close = async () => {
      closers.delete(close);
      await producer.disconnect();
    };
    closers.add(close);
    return {
      close,
      send: async (records) => {
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
            counts.set(`${record.topic}/${record.partition}`, (counts.get(`${record.topic}/${record.partition}`) ?? 0) + 1);
          }
          const results = await producer.sendBatch({ acks: -1, topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages })) });
          for (const result of results) {
            const at = `${result.topicName}/${result.partition}`;
            next.set(at, Number(result.baseOffset ?? -1) + (counts.get(at) ?? 0));
          }
        }
        return next;
      },
    };
  };

  const createConsumer: LogClient['consume'] = async ({ group, topics, handler, maxQueuedBytes = 32 * 1024 * 1024 }) => {
    type Lane = { readonly queue: LogRecord[][]; bytes: number; position: number; sought: boolean; busy: boolean; paused: boolean; readonly epoch: number };
    const lanes = new Map<string, Lane>();
    let epoch = 0;
    let rejoins = 0;
    let pauses = 0;
    let closing = false;
    let fail: (error: unknown) => void = () => {};
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    failed.catch(() => {}); // whoever holds the consumer also holds `failed`; unheard is not unhandled
    let consumer: Consumer;

    const drain = async (at: string, topic: string, partition: number, lane: Lane): Promise<void> => {
      if (lane.busy) return;
      lane.busy = true;
      try {
        while (lane.queue.length > 0 && lane.epoch === epoch && !closing) {
          // What came while the last batch was worked on goes together: small fetches do not become small inserts.
          const batch = lane.queue.splice(0, fetchesTogether).flat();
          await handler.records(topic, partition, batch);
          lane.bytes -= batch.reduce((sum, record) => sum + (record.value?.length ?? 0) + 64, 0);
          if (lane.paused && lane.bytes < maxQueuedBytes / 2 && lane.epoch === epoch) {
            lane.paused = false;
            consumer.resume([{ topic, partitions: [partition] }]);
          }
        }
      } catch (error) {
        line('error', `${group}: ${at} stopped`, { error: error instanceof Error ? error.message : String(error) });
        fail(error);
      } finally {
        lane.busy = false;
      }
    };

    const revokeAll = (): void => {
      epoch += 1;
      lanes.clear();
      handler.revoked();
    };

    const eachBatch = async ({ batch, heartbeat, isStale, isRunning }: EachBatchPayload): Promise<void> => {
      if (batch.isEmpty() || isStale() || !isRunning() || closing) return;
      const { topic, partition } = batch;
      const at = `${topic}/${partition}`;
      let lane = lanes.get(at);
      if (lane === undefined) {
        const mine = epoch;
        let lost: (error: unknown) => void = () => {};
        const taken = new Promise<never>((_, reject) => {
          lost = reject;
        });
        // A load may wait for a store that is away. The group must not: a heartbeat that says so ends the wait, kafkajs joins again, the load is abandoned.
        const beating = setInterval(() => void heartbeat().catch(lost), heartbeatMs);
        let position: number | undefined;
        try {
          position = await Promise.race([
            handler.load(topic, partition).catch((error: unknown) => {
              fail(error); // kafkajs would start the consumer again, and again
              throw error;
            }),
            taken,
          ]);
        } finally {
          clearInterval(beating);
        }
        if (mine !== epoch) return;
        lane = { queue: [], bytes: 0, position: position ?? Number(batch.firstOffset()), sought: false, busy: false, paused: false, epoch };
        lanes.set(at, lane);
      }
      if (Number(batch.messages[0]?.offset ?? 0) > lane.position && !lane.sought) {
        // The group's committed offset ran ahead of our position. Once: a gap that is still there is compaction's.
        lane.sought = true;
        consumer.seek({ topic, partition, offset: String(lane.position) });
        return;
      }
      const records: LogRecord[] = [];
      let bytes = 0;
      for (const message of batch.messages) {
        const offset = Number(message.offset);
        if (offset < lane.position) continue;
        records.push({ topic, partition, offset, timestamp: Number(message.timestamp), key: message.key, value: message.value, headers: headerText(message.headers) });
        bytes += (message.value?.length ?? 0) + 64;
      }
      lane.position = Number(batch.lastOffset()) + 1;
      if (records.length === 0) return;
      lane.queue.push(records);
      lane.bytes += bytes;
      if (lane.bytes > maxQueuedBytes && !lane.paused) {
        lane.paused = true;
        pauses += 1;
        consumer.pause([{ topic, partitions: [partition] }]);
      }
      void drain(at, topic, partition, lane);
    };

    const open = async (): Promise<void> => {
      consumer = kafka.consumer({
        groupId: group,
        sessionTimeout: sessionMs,
        rebalanceTimeout: 60_000,
        heartbeatInterval: heartbeatMs,
        maxWaitTimeInMs: 100,
        maxBytesPerPartition: 4 * 1024 * 1024,
        allowAutoTopicCreation: false,
        retry: { initialRetryTime: 50, maxRetryTime: 1_000, retries: 20, restartOnFailure: async () => true },
      });
      consumer.on(consumer.events.GROUP_JOIN, () => {
        rejoins += 1;
        revokeAll();
      });
      // Not already when a rebalance begins: kafkajs may give up joining (a coordinator that is loading), fetch on under the old membership, and go on behind
      // what it has handed over. What was taken back then would never come again; only a join that succeeded begins at what is committed.
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        line('warn', `${group}: consumer crashed`, { error: payload.error.message, restart: payload.restart });
        revokeAll();
        if (!payload.restart && !closing) void reopen();
      });
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: true, partitionsConsumedConcurrently: 1, eachBatch });
    };
    const reopen = async (): Promise<void> => {
      await consumer.disconnect().catch(() => {});
      while (!closing) {
        try {
          await open();
          return;
        } catch (error) {
          line('warn', `${group}: consumer could not reopen`, { error: error instanceof Error ? error.message : String(error) });
          await wait(500);
        }
      }
    };
    await open();
    const close = async (): Promise<void> => {
      closing = true;
      closers.delete(close);
      await consumer.disconnect();
    };
    closers.add(close);
    return {
      failed,
      close,
      stats: () => ({ queuedBytes: [...lanes.values()].reduce((sum, lane) => sum + lane.bytes, 0), rejoins, pauses }),
      commit: async (topic, partition, nextOffset) => {
        const mine = epoch;
        try {
          await consumer.commitOffsets([{ topic, partition, offset: String(nextOffset) }]);
          return true;
        } catch (error) {
          // The commit is a gauge for folds and a resume point for stateless stages: a lost one repeats work, it loses none.
          if (mine === epoch) line('debug', `${group}: commit of ${topic}/${partition} failed`, { error: error instanceof Error ? error.message : String(error) });
          return false;
        }
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
    const consumer = kafka.consumer({ groupId: group, sessionTimeout: 30_000, maxWaitTimeInMs: 100, allowAutoTopicCreation: false, retry: { retries: 20, restartOnFailure: async () => true } });
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
          onRecord({ topic, partition: batch.partition, offset, timestamp: Number(message.timestamp), key: message.key, value: message.value, headers: headerText(message.headers) });
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
    consume: createConsumer,
    producer: createProducer,
    endOffsets,
    topics: async () => (await admin()).listTopics(),
    firstOffsets: async (topic) => {
      const firsts: number[] = [];
      for (const { partition, low } of await onceLed(async () => (await admin()).fetchTopicOffsets(topic))) firsts[partition] = Number(low);
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
        topics: missing.map(({ topic, partitions, config }) => ({
          topic,
          numPartitions: partitions,
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
      await adminClient?.then((client) => client.disconnect(), () => {});
      const broken = results.find((result) => result.status === 'rejected');
      if (broken?.status === 'rejected') throw unavailable('closing the client', broken.reason);
    },
  };
}
