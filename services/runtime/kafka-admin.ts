/** What a client asks and changes about topics and groups. It connects with its first question. */
import { setTimeout as wait } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import type { KafkaConnection } from './kafka-connection.ts';
import { isLeaderless, unavailable } from './kafka-errors.ts';
import type { LogClient, TopicDescription, TopicSpec } from './log.ts';

// Node.js does not see these two among the names that kafkajs exports.
const { ConfigResourceTypes, ConfigSource } = kafkajs;

/**
 * A topic that was made just now may have no leader yet for some hundred milliseconds; kafkajs gives up on that at
 * once.
 */
async function onceLed<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (tries >= 20 || !isLeaderless(error)) throw error;
      await wait(Math.min(25 * 2 ** tries, 500));
    }
  }
}

/** Without a leader for any partition kafkajs stumbles over its own empty answer. */
async function topicOffsets(client: Admin, topic: string): ReturnType<Admin['fetchTopicOffsets']> {
  try {
    return await client.fetchTopicOffsets(topic);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw Object.assign(unavailable(`${topic}: no partition has a leader`, error), { type: 'LEADER_NOT_AVAILABLE' });
  }
}

/**
 * Of every partition: after a restart of the broker kafkajs leaves out those that have no leader yet, and half a log
 * looks read to its end.
 */
async function endOffsetsOf(client: Admin, topic: string): Promise<number[]> {
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
}

async function firstOffsetsOf(client: Admin, topic: string): Promise<number[]> {
  const firsts: number[] = [];
  for (const { partition, low } of await topicOffsets(client, topic)) firsts[partition] = Number(low);
  return firsts;
}

async function committedOffsetsOf(client: Admin, group: string, topic: string): Promise<number[]> {
  const [offsets] = await client.fetchOffsets({ groupId: group, topics: [topic] });
  const committed: number[] = [];
  for (const { partition, offset } of offsets?.partitions ?? []) committed[partition] = Math.max(0, Number(offset));
  return committed;
}

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

async function createMissingTopics(client: Admin, topics: readonly TopicSpec[]): Promise<void> {
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
}

export type KafkaAdmin = Pick<
  LogClient,
  | 'createTopics'
  | 'partitions'
  | 'topics'
  | 'describeTopics'
  | 'alterTopic'
  | 'endOffsets'
  | 'firstOffsets'
  | 'hasMembers'
  | 'committedOffsets'
  | 'ping'
  | 'close'
>;

export function createAdmin({ kafka }: KafkaConnection): KafkaAdmin {
  let connected: Promise<Admin> | undefined;
  const connect = async (): Promise<Admin> => {
    const client = kafka.admin();
    await client.connect();
    return client;
  };
  const admin = (): Promise<Admin> => {
    connected ??= connect();
    return connected;
  };
  return {
    createTopics: async (topics) => createMissingTopics(await admin(), topics),
    topics: async () => (await admin()).listTopics(),
    describeTopics: async (names) => describeTopics(await admin(), names),
    alterTopic: async (topic, config) => alterTopic(await admin(), topic, config),
    partitions: async (topic) => {
      const { topics } = await (await admin()).fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.length ?? 0;
    },
    endOffsets: (topic) => onceLed(async () => endOffsetsOf(await admin(), topic)),
    firstOffsets: (topic) => onceLed(async () => firstOffsetsOf(await admin(), topic)),
    committedOffsets: async (group, topic) => committedOffsetsOf(await admin(), group, topic),
    hasMembers: async (group) => {
      const { groups } = await (await admin()).describeGroups([group]);
      return groups.some(({ members }) => members.length > 0);
    },
    ping: async () => {
      try {
        await (await admin()).describeCluster();
      } catch (error) {
        throw unavailable('metadata request failed', error);
      }
    },
    // Rejected: it never connected, there is nothing to let go of.
    close: async () =>
      connected?.then(
        (client) => client.disconnect(),
        () => {},
      ),
  };
}
