/** Topics, partitions and records of the log in memory, and whoever waits for something to happen to them. */
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { LogRecord, OutgoingRecord, Tombstone, TopicDescription, TopicSpec } from './log.ts';

/** What a broker that was told nothing has in force for a topic. */
const defaultConfig: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'retention.ms': '604800000',
  'retention.bytes': '-1',
  'message.timestamp.type': 'CreateTime',
  'max.message.bytes': '1048588',
  'min.insync.replicas': '1',
};

export type MemoryTopics = {
  readonly clock: { now(): number };
  readonly partitions: Map<string, LogRecord[][]>;
  readonly configs: Map<string, Readonly<Record<string, string>>>;
  readonly waiters: Set<() => void>;
};

export const createMemoryTopics = (clock: { now(): number }): MemoryTopics => ({
  clock,
  partitions: new Map(),
  configs: new Map(),
  waiters: new Set(),
});

/** Everybody who waits looks again: at records, or at whether it still owns its partition. */
export function somethingHappened({ waiters }: MemoryTopics): void {
  for (const wake of waiters) wake();
  waiters.clear();
}

export const somethingNew = ({ waiters }: MemoryTopics): Promise<void> =>
  new Promise((resolve) => {
    waiters.add(resolve);
  });

export function partitionsOf(topics: MemoryTopics, topic: string): LogRecord[][] {
  const partitions = topics.partitions.get(topic);
  if (partitions === undefined)
    throw new PipelineError('BROKER_REFUSED', `there is no topic ${topic}`, { hint: 'create it first' });
  return partitions;
}

export function createTopics(topics: MemoryTopics, specs: readonly TopicSpec[]): void {
  for (const { topic, partitions, config } of specs) {
    if (topics.partitions.has(topic)) continue;
    topics.partitions.set(
      topic,
      Array.from({ length: partitions }, () => []),
    );
    topics.configs.set(topic, { ...defaultConfig, ...config });
  }
}

export function alterTopic(topics: MemoryTopics, topic: string, config: Readonly<Record<string, string>>): void {
  partitionsOf(topics, topic);
  topics.configs.set(topic, { ...topics.configs.get(topic), ...config });
}

export function describeTopics(topics: MemoryTopics, names: readonly string[]): ReadonlyMap<string, TopicDescription> {
  const described = new Map<string, TopicDescription>();
  for (const name of names) {
    const partitions = topics.partitions.get(name)?.length;
    const config = topics.configs.get(name) ?? defaultConfig;
    if (partitions !== undefined) described.set(name, { partitions, replicationFactor: 1, config });
  }
  return described;
}

export function partitionOfRecord(topics: MemoryTopics, { topic, partition }: OutgoingRecord | Tombstone): LogRecord[] {
  const records = partitionsOf(topics, topic)[partition];
  if (records === undefined) throw new PipelineError('BROKER_REFUSED', `${topic} has no partition ${partition}`);
  return records;
}

const isTimedByLog = ({ configs }: MemoryTopics, { topic }: OutgoingRecord | Tombstone): boolean =>
  configs.get(topic)?.['message.timestamp.type'] === 'LogAppendTime';

/** The next offset of the record's partition. */
export function append(topics: MemoryTopics, record: OutgoingRecord | Tombstone): number {
  const records = partitionOfRecord(topics, record);
  records.push({
    topic: record.topic,
    partition: record.partition,
    offset: records.length,
    timestamp: isTimedByLog(topics, record) ? topics.clock.now() : (record.timestamp ?? topics.clock.now()),
    key: record.key === undefined ? null : Buffer.from(record.key),
    value: record.value,
    headers: { ...record.headers },
  });
  return records.length;
}

/** Everything from the beginning and then as it comes, until it is closed. */
export function followMemoryTopic(
  topics: MemoryTopics,
  topic: string,
  onRecord: (record: LogRecord) => void,
): { readonly caughtUp: Promise<void>; close(): void } {
  const ends = partitionsOf(topics, topic).map(({ length }) => length);
  const seen = ends.map(() => 0);
  let closed = false;
  let reached: () => void = () => {};
  const caughtUp = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const handOver = (): void => {
    for (const [partition, records] of partitionsOf(topics, topic).entries()) {
      for (let at = seen[partition] ?? 0; !closed && at < records.length; at += 1) {
        seen[partition] = at + 1;
        onRecord(records[at] as LogRecord);
      }
    }
  };
  void (async () => {
    for (;;) {
      handOver();
      if (ends.every((end, partition) => (seen[partition] ?? 0) >= end)) reached();
      if (closed) return;
      await somethingNew(topics);
    }
  })();
  const close = (): void => {
    closed = true;
    somethingHappened(topics);
  };
  return { caughtUp, close };
}
