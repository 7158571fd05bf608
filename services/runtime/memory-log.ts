/**
 * The log in memory: the same port as `kafka-log`, for trials and laws. Groups share partitions among their members, a
 * member that comes or goes takes everything back from all of them, positions belong to the caller. What a broker adds
 * of its own (fetch sizes, sessions, compaction) is not here; the contract suite (test/contract/log.contract.ts) says
 * what both promise.
 */
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { LogClient, LogConsumer, LogProducer } from './log.ts';
import {
  assignedTo,
  commitOffset,
  type Group,
  joinGroup,
  leaveGroup,
  type Member,
  rebalance,
} from './memory-groups.ts';
import {
  alterTopic,
  append,
  createMemoryTopics,
  createTopics,
  describeTopics,
  followMemoryTopic,
  type MemoryTopics,
  partitionOfRecord,
  partitionsOf,
  somethingHappened,
} from './memory-topics.ts';

export type MemoryBroker = {
  client(): LogClient;
  /** Takes every partition of the group back, as a broker does when a member seems to be gone. */
  rebalance(group: string): void;
  /**
   * Takes a client's members out of their groups, as when its session has ended without its knowing; what comes back
   * lets them join again.
   */
  suspend(client: LogClient): () => void;
  /**
   * What goes wrong on the next calls, asked each time: a send or commit that never arrives, or whose answer is lost.
   */
  fault: ((call: 'send' | 'commit') => 'none' | 'refused' | 'reply-lost') | undefined;
};

/** What clients share, and what each keeps for itself. */
type Broker = {
  readonly topics: MemoryTopics;
  readonly groups: Map<string, Group>;
  readonly faultOf: (call: 'send' | 'commit') => 'none' | 'refused' | 'reply-lost';
};
type Client = Broker & {
  readonly closers: Set<() => Promise<void>>;
  readonly memberships: { readonly group: Group; readonly member: Member }[];
};

function groupOf({ groups }: Broker, name: string): Group {
  const known = groups.get(name) ?? { members: [], committed: new Map() };
  groups.set(name, known);
  return known;
}

const unavailable = (what: string): PipelineError => new PipelineError('BROKER_UNAVAILABLE', what, { retriable: true });

const producerOf = ({ topics, faultOf }: Broker): LogProducer => ({
  send: async (records) => {
    const fault = faultOf('send');
    if (fault === 'refused') throw unavailable('send');
    for (const record of records) partitionOfRecord(topics, record); // all or none
    const next = new Map<string, number>();
    for (const record of records) next.set(`${record.topic}/${record.partition}`, append(topics, record));
    somethingHappened(topics);
    await yieldToEventLoop();
    if (fault === 'reply-lost') throw unavailable('send: no answer');
    return next;
  },
  close: async () => {},
});

function consume(client: Client, options: Parameters<LogClient['consume']>[0]): LogConsumer {
  const { topics, closers, memberships, faultOf } = client;
  const group = groupOf(client, options.group);
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  const member: Member = {
    topics: options.topics,
    handler: options.handler,
    maxQueuedBytes: options.maxQueuedBytes ?? 32 * 1024 * 1024,
    fail,
    rebalance: 0,
    queuedBytes: 0,
    rejoins: 0,
    closed: false,
    started: new Map(),
  };
  for (const topic of options.topics) partitionsOf(topics, topic);
  memberships.push({ group, member });
  joinGroup(topics, group, member);
  const close = async (): Promise<void> => {
    closers.delete(close);
    if (member.closed) return;
    member.closed = true;
    leaveGroup(topics, group, member);
  };
  closers.add(close);
  return {
    failed,
    close,
    assigned: () => assignedTo(topics, group, member),
    // It takes no batch before the last one is done with: nothing is ever fetched ahead.
    trouble: () => undefined,
    stats: () => ({ queuedBytes: member.queuedBytes, rejoins: member.rejoins, pauses: 0 }),
    commit: async (topic, partition, nextOffset) => {
      const fault = faultOf('commit');
      if (fault === 'refused') return false;
      return commitOffset(group, member, `${topic}/${partition}`, nextOffset) && fault === 'none';
    },
  };
}

function follow({ topics, closers }: Client, ...[topic, onRecord]: Parameters<LogClient['follow']>) {
  const follower = followMemoryTopic(topics, topic, onRecord);
  const close = async (): Promise<void> => {
    closers.delete(close);
    follower.close();
  };
  closers.add(close);
  return { caughtUp: follower.caughtUp, failed: new Promise<never>(() => {}), trouble: () => undefined, close };
}

function createClient(client: Client): LogClient {
  const { topics, closers } = client;
  const all = (topic: string) => partitionsOf(topics, topic);
  return {
    producer: async () => producerOf(client),
    consume: async (options) => consume(client, options),
    follow: async (topic, onRecord) => follow(client, topic, onRecord),
    createTopics: async (specs) => createTopics(topics, specs),
    topics: async () => [...topics.partitions.keys()],
    describeTopics: async (names) => describeTopics(topics, names),
    alterTopic: async (topic, config) => alterTopic(topics, topic, config),
    partitions: async (topic) => all(topic).length,
    endOffsets: async (topic) => all(topic).map(({ length }) => length),
    firstOffsets: async (topic) => all(topic).map(() => 0),
    hasMembers: async (group) => groupOf(client, group).members.length > 0,
    committedOffsets: async (group, topic) =>
      all(topic).map((_, partition) => groupOf(client, group).committed.get(`${topic}/${partition}`) ?? 0),
    readToEnd: async (topic, until) =>
      all(topic).flatMap((records, partition) => records.slice(0, until?.[partition] ?? records.length)),
    ping: async () => {},
    close: async () => {
      await Promise.all([...closers].map((close) => close()));
    },
  };
}

/** A member whose session ended without its knowing, and how it joins again. */
function suspendMembers({ topics, memberships }: Client): () => void {
  const out = memberships.filter(({ group, member }) => group.members.includes(member));
  for (const { group, member } of out) leaveGroup(topics, group, member);
  return () => {
    for (const { group, member } of out)
      if (!member.closed && !group.members.includes(member)) joinGroup(topics, group, member);
  };
}

export function createMemoryBroker(clock: { now(): number } = { now: () => 0 }): MemoryBroker {
  const clients = new Map<LogClient, Client>();
  const shared: Broker = {
    topics: createMemoryTopics(clock),
    groups: new Map(),
    faultOf: (call) => broker.fault?.(call) ?? 'none',
  };
  const broker: MemoryBroker = {
    fault: undefined,
    rebalance: (name) => rebalance(shared.topics, groupOf(shared, name)),
    suspend: (log) => {
      const client = clients.get(log);
      return client === undefined ? () => {} : suspendMembers(client);
    },
    client: () => {
      const client: Client = { ...shared, closers: new Set(), memberships: [] };
      const log = createClient(client);
      clients.set(log, client);
      return log;
    },
  };
  return broker;
}
