/**
 * The log in memory: the same port as `kafka-log`, for trials and laws. Groups share partitions among their members, a
 * member that comes or goes takes everything back from all of them, positions belong to the caller. What a broker adds
 * of its own (fetch sizes, sessions, compaction) is not here; the contract suite (test/contract/log.contract.ts) says
 * what both promise.
 */
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type {
  LogClient,
  LogConsumer,
  LogProducer,
  LogRecord,
  OutgoingRecord,
  PartitionHandler,
  Tombstone,
} from './log.ts';

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

type Member = {
  readonly topics: readonly string[];
  readonly handler: PartitionHandler;
  readonly maxQueuedBytes: number;
  readonly fail: (error: unknown) => void;
  generation: number;
  queuedBytes: number;
  rejoins: number;
  closed: boolean /** Where this generation began in each partition that it owns. */;
  readonly started: Map<string, number>;
};
/** What a broker that was told nothing has in force for a topic. */
const defaultConfig: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'retention.ms': '604800000',
  'retention.bytes': '-1',
  'message.timestamp.type': 'CreateTime',
  'max.message.bytes': '1048588',
  'min.insync.replicas': '1',
};

type Group = { readonly members: Member[]; readonly committed: Map<string, number> };

/** Records handed over together, at most. */
const batchRecords = 500;

const sizeOf = (records: readonly LogRecord[]): number =>
  records.reduce((sum, { value }) => sum + (value?.length ?? 0) + 64, 0);

export function createMemoryBroker(clock: { now(): number } = { now: () => 0 }): MemoryBroker {
  const topics = new Map<string, LogRecord[][]>();
  const settings = new Map<string, Readonly<Record<string, string>>>();
  const groups = new Map<string, Group>();
  const membersOf = new Map<LogClient, { readonly group: Group; readonly member: Member }[]>();
  const waiters = new Set<() => void>();
  const appended = (): void => {
    for (const wake of waiters) wake();
    waiters.clear();
  };
  const somethingNew = (): Promise<void> =>
    new Promise((resolve) => {
      waiters.add(resolve);
    });
  const groupOf = (name: string): Group => {
    const known = groups.get(name) ?? { members: [], committed: new Map() };
    groups.set(name, known);
    return known;
  };
  const logOf = (topic: string): LogRecord[][] => {
    const partitions = topics.get(topic);
    if (partitions === undefined)
      throw new PipelineError('BROKER_REFUSED', `there is no topic ${topic}`, { hint: 'create it first' });
    return partitions;
  };

  /** One partition at one member, from load to revoke. */
  const run = async (group: Group, member: Member, topic: string, partition: number): Promise<void> => {
    const mine = member.generation;
    const gone = (): boolean => member.closed || member.generation !== mine;
    try {
      // A partition is loaded before its first record, not before there is one.
      while (!gone() && (logOf(topic)[partition]?.length ?? 0) === 0) await somethingNew();
      if (gone()) return;
      let position = (await member.handler.load(topic, partition)) ?? group.committed.get(`${topic}/${partition}`) ?? 0;
      if (!gone()) member.started.set(`${topic}/${partition}`, position);
      while (!gone()) {
        let batch = logOf(topic)[partition]?.slice(position, position + batchRecords) ?? [];
        while (batch.length > 1 && sizeOf(batch) > member.maxQueuedBytes)
          batch = batch.slice(0, Math.ceil(batch.length / 2));
        if (batch.length === 0) {
          await somethingNew();
          continue;
        }
        position += batch.length;
        member.queuedBytes += sizeOf(batch);
        try {
          await member.handler.records(topic, partition, batch);
        } finally {
          member.queuedBytes -= sizeOf(batch);
        }
        await yieldToEventLoop();
      }
    } catch (error) {
      if (!gone()) member.fail(error);
    }
  };

  /** The member of a group that a partition of a topic goes to. */
  const ownerOf = (group: Group, topic: string, partition: number): Member | undefined => {
    const interested = group.members.filter((member) => member.topics.includes(topic));
    return interested[partition % interested.length];
  };
  const sharesOf = (group: Group, member: Member, topic: string): string[] =>
    [...logOf(topic).keys()]
      .filter((partition) => ownerOf(group, topic, partition) === member)
      .map((partition) => `${topic}/${partition}`);

  const assign = (group: Group): void => {
    for (const member of group.members) {
      member.generation += 1;
      member.rejoins += 1;
      member.started.clear();
      member.handler.revoked();
    }
    appended(); // whoever waits for records looks whether it still owns them
    const names = [...new Set(group.members.flatMap((member) => member.topics))];
    for (const topic of names) {
      for (const partition of logOf(topic).keys()) {
        const member = ownerOf(group, topic, partition);
        if (member) void run(group, member, topic, partition);
      }
    }
  };

  const append = (record: OutgoingRecord | Tombstone): number => {
    const partition = logOf(record.topic)[record.partition];
    if (partition === undefined)
      throw new PipelineError('BROKER_REFUSED', `${record.topic} has no partition ${record.partition}`);
    const key = record.key === undefined ? null : Buffer.from(record.key);
    partition.push({
      topic: record.topic,
      partition: record.partition,
      offset: partition.length,
      timestamp: record.timestamp ?? clock.now(),
      key,
      value: record.value,
      headers: { ...record.headers },
    });
    return partition.length;
  };
  const unavailable = (what: string): PipelineError =>
    new PipelineError('BROKER_UNAVAILABLE', what, { retriable: true });

  const broker: MemoryBroker = {
    fault: undefined,
    rebalance: (name) => assign(groupOf(name)),
    suspend: (client) => {
      const out = (membersOf.get(client) ?? []).filter(({ group, member }) => group.members.includes(member));
      for (const { group, member } of out) {
        group.members.splice(group.members.indexOf(member), 1);
        assign(group);
      }
      return () => {
        for (const { group, member } of out) {
          if (member.closed || group.members.includes(member)) continue;
          group.members.push(member);
          assign(group);
        }
      };
    },
    client: () => {
      const closers = new Set<() => Promise<void>>();
      const producer = async (): Promise<LogProducer> => ({
        send: async (records) => {
          const fault = broker.fault?.('send') ?? 'none';
          if (fault === 'refused') throw unavailable('send');
          for (const { topic, partition } of records)
            if (logOf(topic)[partition] === undefined)
              throw new PipelineError('BROKER_REFUSED', `${topic} has no partition ${partition}`);
          const next = new Map<string, number>();
          for (const record of records) next.set(`${record.topic}/${record.partition}`, append(record));
          appended();
          await yieldToEventLoop();
          if (fault === 'reply-lost') throw unavailable('send: no answer');
          return next;
        },
        close: async () => {},
      });
      const consume: LogClient['consume'] = async ({
        group: name,
        topics: wanted,
        handler,
        maxQueuedBytes = 32 * 1024 * 1024,
      }) => {
        const group = groupOf(name);
        let fail: (error: unknown) => void = () => {};
        const failed = new Promise<never>((_, reject) => {
          fail = reject;
        });
        failed.catch(() => {});
        const member: Member = {
          topics: wanted,
          handler,
          maxQueuedBytes,
          fail,
          generation: 0,
          queuedBytes: 0,
          rejoins: 0,
          closed: false,
          started: new Map(),
        };
        for (const topic of wanted) logOf(topic);
        group.members.push(member);
        membersOf.set(self, [...(membersOf.get(self) ?? []), { group, member }]);
        assign(group);
        const close = async (): Promise<void> => {
          closers.delete(close);
          if (member.closed) return;
          member.closed = true;
          if (!group.members.includes(member)) return;
          group.members.splice(group.members.indexOf(member), 1);
          assign(group);
        };
        closers.add(close);
        return {
          failed,
          close,
          assigned: () =>
            group.members.includes(member)
              ? new Set(wanted.flatMap((topic) => sharesOf(group, member, topic)))
              : undefined,
          // It takes no batch before the last one is done with: nothing is ever fetched ahead.
          stats: () => ({ queuedBytes: member.queuedBytes, rejoins: member.rejoins, pauses: 0 }),
          commit: async (topic, partition, nextOffset) => {
            const fault = broker.fault?.('commit') ?? 'none';
            // A commit of an earlier generation is refused, and so is that of somebody who is no member any more: it
            // would take the group back.
            const from = member.started.get(`${topic}/${partition}`);
            if (fault === 'refused' || !group.members.includes(member) || from === undefined || nextOffset < from)
              return false;
            group.committed.set(`${topic}/${partition}`, nextOffset);
            return fault === 'none';
          },
        } satisfies LogConsumer;
      };
      const follow: LogClient['follow'] = async (topic, onRecord) => {
        const ends = logOf(topic).map(({ length }) => length);
        const seen = ends.map(() => 0);
        let over = false;
        let reached: () => void = () => {};
        const caughtUp = new Promise<void>((resolve) => {
          reached = resolve;
        });
        void (async () => {
          for (;;) {
            for (const [partition, records] of logOf(topic).entries()) {
              for (let at = seen[partition] ?? 0; !over && at < records.length; at += 1) {
                seen[partition] = at + 1;
                onRecord(records[at] as LogRecord);
              }
            }
            if (ends.every((end, partition) => (seen[partition] ?? 0) >= end)) reached();
            if (over) return;
            await somethingNew();
          }
        })();
        const close = async (): Promise<void> => {
          over = true;
          closers.delete(close);
          appended();
        };
        closers.add(close);
        return { caughtUp, close };
      };
      const endOffsets = async (topic: string): Promise<readonly number[]> => logOf(topic).map(({ length }) => length);
      const self: LogClient = {
        producer,
        consume,
        follow,
        endOffsets,
        createTopics: async (specs) => {
          for (const { topic, partitions, config } of specs) {
            if (topics.has(topic)) continue;
            topics.set(
              topic,
              Array.from({ length: partitions }, () => []),
            );
            settings.set(topic, { ...defaultConfig, ...config });
          }
        },
        topics: async () => [...topics.keys()],
        describeTopics: async (names) =>
          new Map(
            names.flatMap((name) => {
              const partitions = topics.get(name)?.length;
              return partitions === undefined
                ? []
                : [[name, { partitions, replicationFactor: 1, config: settings.get(name) ?? defaultConfig }] as const];
            }),
          ),
        alterTopic: async (topic, config) => {
          logOf(topic);
          settings.set(topic, { ...settings.get(topic), ...config });
        },
        firstOffsets: async (topic) => logOf(topic).map(() => 0),
        hasMembers: async (group) => groupOf(group).members.length > 0,
        partitions: async (topic) => logOf(topic).length,
        committedOffsets: async (group, topic) =>
          logOf(topic).map((_, partition) => groupOf(group).committed.get(`${topic}/${partition}`) ?? 0),
        readToEnd: async (topic, until) =>
          logOf(topic).flatMap((records, partition) => records.slice(0, until?.[partition] ?? records.length)),
        ping: async () => {},
        close: async () => {
          await Promise.all([...closers].map((close) => close()));
        },
      };
      return self;
    },
  };
  return broker;
}
