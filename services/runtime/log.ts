/**
 * The port of the log: what a stage asks of it. Kafka answers in `kafka-log.ts`, memory in `memory-log.ts`; one
 * contract suite binds both (test/contract).
 */
import type { Hole } from './log-holes.ts';
import type { Waiting } from './retry.ts';

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

export type TopicSpec = {
  readonly topic: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
  /** Absent: the broker's default. */
  readonly replicationFactor?: number;
};

/** A topic as the broker has it: every setting that is in force, its own or the broker's default. */
export type TopicDescription = {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
};

export type LogProducer = {
  /**
   * Resolves when every record is acknowledged by all in-sync replicas: the next offset of each partition written, by
   * `topic/partition`.
   */
  send(records: readonly (OutgoingRecord | Tombstone)[]): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
};

export type PartitionHandler = {
  /** The first offset wanted; undefined: where the group has committed, else the beginning. */
  load(topic: string, partition: number): Promise<number | undefined>;
  /** In order, never twice at a time for one partition. Rejecting with anything ends the consumer through `failed`. */
  records(topic: string, partition: number, records: readonly LogRecord[]): Promise<void>;
  /**
   * A hole before the first record that comes, which a person has accepted: to be written down. Absent: no hole can be
   * accepted. One that is not accepted ends the consumer through `failed`.
   */
  missed?(hole: Hole): Promise<void>;
  /** Everything is taken back: forget what was loaded and not flushed. */
  revoked(): void;
};

export type LogConsumer = {
  /** False: it did not arrive, for whatever reason. Never throws: a lost commit repeats work, it loses none. */
  commit(topic: string, partition: number, nextOffset: number): Promise<boolean>;
  /** `topic/partition` of what the group has given to this member; undefined: it is not in the group just now. */
  assigned(): ReadonlySet<string> | undefined;
  /** Settles with the first error that the handler threw. */
  readonly failed: Promise<never>;
  /** Why it cannot read just now; it tries again after a pause that grows, and ends through `failed`. */
  trouble(): Waiting | undefined;
  /** `pauses`: how often a partition's queue was full and its fetches stopped. */
  stats(): { readonly queuedBytes: number; readonly rejoins: number; readonly pauses: number };
  close(): Promise<void>;
};

export type LogFollower = {
  /** Resolves at the end at the time of the call; rejects with what ends the follower. */
  readonly caughtUp: Promise<void>;
  /** Rejects when it cannot go on. */
  readonly failed: Promise<never>;
  trouble(): Waiting | undefined;
  close(): Promise<void>;
};

export type LogClient = {
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  /** Those of the topics that there are. */
  describeTopics(topics: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>>;
  /** Sets these settings of a topic; its other settings stay. */
  alterTopic(topic: string, config: Readonly<Record<string, string>>): Promise<void>;
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
  consume(options: {
    group: string;
    topics: readonly string[];
    handler: PartitionHandler;
    maxQueuedBytes?: number;
  }): Promise<LogConsumer>;
  /** Every record from the beginning up to the end at the time of the call (or `until` offsets, exclusive). */
  readToEnd(topic: string, until?: readonly number[]): Promise<LogRecord[]>;
  /**
   * Everything from the beginning and then as it comes, outside any lasting group.
   */
  follow(topic: string, onRecord: (record: LogRecord) => void): Promise<LogFollower>;
  ping(): Promise<void>;
  close(): Promise<void>;
};

export type LogLine = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields: Record<string, unknown>,
) => void;
