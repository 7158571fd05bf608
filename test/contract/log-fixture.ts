/** Clients, topics and consumers of one run of the log's contract. */
import { randomUUID } from 'node:crypto';
import type { LogClient, LogConsumer, LogRecord, PartitionHandler } from '../../services/runtime/log.ts';

/** What one step of a test may take, ms. */
export const limitMs = 60_000;

/** A topic of its own, the client that made it, and a sender to it. */
export type Fresh = {
  readonly log: LogClient;
  readonly topic: string;
  readonly group: string;
  send(values: readonly string[], partition?: number): Promise<ReadonlyMap<string, number>>;
};
/** What a consumer was given. */
export type Taken = {
  readonly got: LogRecord[];
  readonly loads: string[];
  revoked: number;
  readonly consumer: LogConsumer;
};
export type LogFixture = {
  client(): LogClient;
  fresh(partitions?: number): Promise<Fresh>;
  take(
    log: LogClient,
    topic: string,
    group: string,
    change?: Partial<PartitionHandler> & { maxQueuedBytes?: number },
  ): Promise<Taken>;
  close(): Promise<void>;
};

export const values = (records: readonly LogRecord[]): string[] => records.map(({ value }) => value?.toString() ?? '');
export const numbers = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => String(from + index));

const take: LogFixture['take'] = async (log, topic, group, { maxQueuedBytes, ...handler } = {}) => {
  const taken = { got: [] as LogRecord[], loads: [] as string[], revoked: 0 };
  const consumer = await log.consume({
    group,
    topics: [topic],
    ...(maxQueuedBytes !== undefined && { maxQueuedBytes }),
    handler: {
      load: async (of, partition) => {
        taken.loads.push(`${of}/${partition}`);
        return undefined;
      },
      records: async (_topic, _partition, records) => void taken.got.push(...records),
      revoked: () => {
        taken.revoked += 1;
      },
      ...handler,
    },
  });
  return Object.assign(taken, { consumer });
};

export function createLogFixture(connect: () => LogClient): LogFixture {
  const clients: LogClient[] = [];
  const client = (): LogClient => {
    const made = connect();
    clients.push(made);
    return made;
  };
  return {
    client,
    fresh: async (partitions = 1) => {
      const log = client();
      const topic = `contract-${randomUUID()}`;
      await log.createTopics([{ topic, partitions, config: {} }]);
      const producer = await log.producer();
      return {
        log,
        topic,
        group: `${topic}-group`,
        send: (some, partition = 0) =>
          producer.send(some.map((value) => ({ topic, partition, value: Buffer.from(value) }))),
      };
    },
    take,
    close: async () => {
      await Promise.all(clients.map((made) => made.close()));
    },
  };
}
