/** Readers on a real broker: what is compressed, what is too large, what is gone, and what nobody can read. */
import { randomBytes } from 'node:crypto';
import kafkajs, { type Admin } from 'kafkajs';
import { afterAll, expect, inject, test } from 'vitest';
import { createKafka } from '../../services/runtime/kafka-log.ts';
import type { LogClient, OutgoingRecord, PartitionHandler } from '../../services/runtime/log.ts';
import { parkedRecord, sendParked } from '../../services/runtime/park.ts';
import { until } from '../support/until.ts';

const brokers = (): string => process.env['KAFKA_BROKERS'] ?? inject('addresses').brokers;
const clients: LogClient[] = [];
function connect(options: { acceptGaps?: string[]; crashPauseMs?: number } = {}): LogClient {
  const log = createKafka({ brokers: brokers(), clientId: `readers-${clients.length}`, ...options });
  clients.push(log);
  return log;
}
afterAll(() => Promise.all(clients.map((log) => log.close())));

const nameOf = (what: string): string => `${what}-${randomBytes(4).toString('hex')}`;
const texts = (topic: string, from: number, to: number): OutgoingRecord[] =>
  Array.from({ length: to - from }, (_, index) => ({
    topic,
    partition: 0,
    value: Buffer.from(`${from + index} ${'again and again '.repeat(40)}`),
  }));

async function asAdmin(work: (admin: Admin) => Promise<unknown>): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: brokers().split(','), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await work(admin);
  await admin.disconnect();
}

/** Deletes what lies before an offset, as retention does. */
const deleteBefore = (topic: string, offset: number): Promise<void> =>
  asAdmin(async (admin) => {
    await admin.fetchTopicOffsets(topic); // kafkajs looks for the leader among what it has asked about
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  });

const deleteTopic = (topic: string): Promise<void> =>
  asAdmin(async (admin) => {
    await admin.deleteTopics({ topics: [topic] }).catch(() => {}); // kafkajs asks about what is gone
    await until('the topic to be gone', async () => !(await admin.listTopics().catch(() => [topic])).includes(topic));
  });

test.each(['gzip', 'snappy', 'lz4', 'zstd'])('records that the broker keeps in %s are read', async (codec) => {
  const log = connect();
  const topic = nameOf(codec);
  await log.createTopics([{ topic, partitions: 1, config: { 'compression.type': codec } }]);
  const sent = texts(topic, 0, 500);
  await (await log.producer()).send(sent);
  expect((await log.readToEnd(topic)).map(({ value }) => value?.toString())).toEqual(
    sent.map(({ value }) => value.toString()),
  );
});

test('a record of a megabyte is parked on a broker with default limits, its neighbours whole', async () => {
  const log = connect();
  const topic = nameOf('parked');
  await log.createTopics([{ topic, partitions: 1, config: { 'max.message.bytes': '1048588' } }]);
  const producer = await log.producer();
  const source = (bytes: number) => ({ ...texts('raw', 0, 1)[0], offset: 7, value: randomBytes(bytes) });
  const records = [100, 1 << 20, 1_039_000, 200].map((bytes) =>
    parkedRecord(topic, 'redactor', { timestamp: 1, key: null, headers: {}, ...source(bytes) } as never, 'X', 'why', 1),
  );
  await sendParked(producer, records);
  const parked = (await log.readToEnd(topic)).map(({ value, headers }) => headers['x-size'] ?? value?.length);
  expect(parked.sort()).toEqual([100, 200, 1_039_000, String(1 << 20)].sort());
});

/** A reader whose state says where it stands. */
async function read(log: LogClient, topic: string, position: number | undefined, more: Partial<PartitionHandler> = {}) {
  const offsets: number[] = [];
  const consumer = await log.consume({
    group: topic,
    topics: [topic],
    handler: {
      load: async () => position,
      records: async (_topic, partition, records) => {
        offsets.push(...records.map(({ offset }) => offset));
        await consumer.commit(topic, partition, (records.at(-1)?.offset ?? 0) + 1);
      },
      revoked: () => {},
      ...more,
    },
  });
  return { consumer, offsets };
}

test('records that were deleted before they were read stop the reader, until a person accepts it', async () => {
  const log = connect();
  const topic = nameOf('gap');
  await log.createTopics([{ topic, partitions: 1, config: {} }]);
  await (await log.producer()).send(texts(topic, 0, 100));
  await deleteBefore(topic, 60);
  const stopped = await read(log, topic, 20);
  await expect(stopped.consumer.failed).rejects.toMatchObject({
    code: 'LOG_GAP',
    message: expect.stringContaining('records 20 to 59 were deleted'),
    hint: expect.stringContaining(`TRIPLINE_ACCEPT_GAP=${topic}/0@20-60`),
  });
  expect(stopped.offsets).toEqual([]);
  await stopped.consumer.close();
  const told: unknown[] = [];
  const going = await read(connect({ acceptGaps: [`${topic}/0@20-60`] }), topic, 20, {
    missed: async (hole) => void told.push(hole),
  });
  await until('what is left', () => going.offsets.length === 40);
  expect([going.offsets[0], told.length]).toEqual([60, 1]);
  await going.consumer.close();
});

test('a group that stopped for longer than the log keeps records does not go on in silence', async () => {
  const log = connect();
  const topic = nameOf('group-gap');
  await log.createTopics([{ topic, partitions: 1, config: {} }]);
  const producer = await log.producer();
  await producer.send(texts(topic, 0, 20));
  const first = await read(log, topic, undefined);
  await until('the commit', async () => (await log.committedOffsets(topic, topic))[0] === 20);
  await first.consumer.close();
  await producer.send(texts(topic, 20, 100));
  await deleteBefore(topic, 60);
  const later = await read(log, topic, undefined);
  await expect(later.consumer.failed).rejects.toMatchObject({ code: 'LOG_GAP' });
  await later.consumer.close();
});

test('a log that was made anew is not taken for the old one', async () => {
  const log = connect();
  const topic = nameOf('cut');
  await log.createTopics([{ topic, partitions: 1, config: {} }]);
  await (await log.producer()).send(texts(topic, 0, 10));
  const { consumer, offsets } = await read(log, topic, 1_000);
  await expect(consumer.failed).rejects.toMatchObject({ code: 'LOG_CUT', hint: expect.stringContaining('rebuild') });
  expect(offsets).toEqual([]);
  await consumer.close();
});

test('a topic that is made anew under a reader stops it too', async () => {
  const log = connect();
  const topic = nameOf('anew');
  await log.createTopics([{ topic, partitions: 1, config: {} }]);
  const producer = await log.producer();
  await producer.send(texts(topic, 0, 50));
  const { consumer, offsets } = await read(log, topic, 0);
  await until('all of it', () => offsets.length === 50);
  await deleteTopic(topic);
  const other = connect();
  await other.createTopics([{ topic, partitions: 1, config: {} }]);
  await (await other.producer()).send(texts(topic, 0, 10));
  await expect(consumer.failed).rejects.toMatchObject({ code: 'LOG_CUT' });
  await consumer.close();
});

test('what nobody can unpack: the reason shows, tries are few, members and followers fail', async () => {
  const log = connect({ crashPauseMs: 10 });
  const topic = nameOf('codec');
  await log.createTopics([{ topic, partitions: 1, config: { 'compression.type': 'zstd' } }]);
  await (await log.producer()).send(texts(topic, 0, 10));
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  const known = CompressionCodecs[CompressionTypes.ZSTD];
  CompressionCodecs[CompressionTypes.ZSTD] = () => {
    throw Object.assign(new Error('zstd is not implemented'), { name: 'KafkaJSNotImplemented' }); // as kafkajs itself
  };
  const { consumer } = await read(log, topic, undefined);
  const follower = await log.follow(topic, () => {});
  expect((await until('the reason', () => consumer.trouble())).what).toContain('zstd');
  await expect(consumer.failed).rejects.toThrow(/zstd/);
  await expect(follower.failed).rejects.toThrow(/zstd/);
  await expect(follower.caughtUp).rejects.toThrow(/zstd/);
  expect(consumer.stats().rejoins).toBeLessThan(10);
  CompressionCodecs[CompressionTypes.ZSTD] = known;
  await Promise.all([consumer.close(), follower.close()]);
}, 60_000);
