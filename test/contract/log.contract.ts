/** What every log promises, whoever keeps it: run against kafkajs on a real broker and against the log in memory. */
import { setImmediate as yieldToEventLoop, setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import type { LogClient, LogRecord, PartitionHandler } from '../../services/runtime/log.ts';
import { until } from '../support/until.ts';
import { createLogFixture, type LogFixture, numbers, type Taken, values } from './log-fixture.ts';

const limitMs = 60_000;

/** What is sent. */
function sending({ fresh, take }: LogFixture): void {
  test(
    'records come as they were sent, in order, each partition for itself; the answer says where it ends',
    async () => {
      const { log, topic, group, send } = await fresh(2);
      expect(Object.fromEntries(await send(numbers(3)))).toEqual({ [`${topic}/0`]: 3 });
      const producer = await log.producer();
      await producer.send([
        {
          topic,
          partition: 1,
          key: 'k',
          value: Buffer.from('v'),
          headers: { traceparent: 't' },
          timestamp: 1_700_000_000_000,
        },
      ]);
      const taken = await take(log, topic, group);
      await until('four records', () => taken.got.length === 4, limitMs);
      expect(values(taken.got.filter(({ partition }) => partition === 0))).toEqual(['0', '1', '2']);
      expect(taken.got.find(({ partition }) => partition === 1)).toMatchObject({
        offset: 0,
        key: Buffer.from('k'),
        value: Buffer.from('v'),
        headers: { traceparent: 't' },
        timestamp: 1_700_000_000_000,
      });
      expect([await log.endOffsets(topic), await log.partitions(topic)]).toEqual([[3, 1], 2]);
      expect([...new Set(taken.loads)].sort()).toEqual([`${topic}/0`, `${topic}/1`]);
      await taken.consumer.close();
    },
    limitMs * 2,
  );

  test(
    'a send of more than a broker takes at once arrives whole and in order',
    async () => {
      const { log, topic, send } = await fresh(2);
      const big = numbers(24).map((value) => value.padEnd(600_000, '.'));
      expect(Object.fromEntries(await send(big, 1))).toEqual({ [`${topic}/1`]: 24 });
      expect(values(await log.readToEnd(topic)).map((value) => value.replaceAll('.', ''))).toEqual(numbers(24));
    },
    limitMs * 2,
  );

  test(
    'creating a topic again changes nothing; a send to no partition is refused',
    async () => {
      const { log, topic, send } = await fresh();
      await log.createTopics([{ topic, partitions: 7, config: {} }]);
      expect(await log.partitions(topic)).toBe(1);
      await send(['a']);
      expect(values(await log.readToEnd(topic))).toEqual(['a']);
    },
    limitMs,
  );
}

/** Where a consumer goes on. */
function positions({ fresh, take }: LogFixture): void {
  test(
    'the next consumer of the group goes on where the last one committed',
    async () => {
      const { log, topic, group, send } = await fresh();
      await send(numbers(5));
      const first = await take(log, topic, group);
      await until('five', () => first.got.length === 5, limitMs);
      await first.consumer.commit(topic, 0, 3);
      await first.consumer.close();
      expect(await log.committedOffsets(group, topic)).toEqual([3]);
      const second = await take(log, topic, group);
      await until('the rest', () => second.got.length === 2, limitMs);
      expect(values(second.got)).toEqual(['3', '4']);
      await second.consumer.close();
    },
    limitMs * 3,
  );

  test.each([
    ['before what was committed', 1, ['1', '2', '3', '4']],
    ['after it', 4, ['4']],
  ])(
    "a position of the caller's own wins: %s",
    async (_name, position, expected) => {
      const { log, topic, group, send } = await fresh();
      await send(numbers(5));
      const first = await take(log, topic, group);
      await until('five', () => first.got.length === 5, limitMs);
      await first.consumer.commit(topic, 0, 3);
      await first.consumer.close();
      const second = await take(log, topic, group, { load: async () => position });
      await until('them', () => second.got.length >= expected.length, limitMs);
      expect(values(second.got)).toEqual(expected);
      await second.consumer.close();
    },
    limitMs * 3,
  );
}

/** One partition at a time, within a bound. */
function queues({ fresh, take }: LogFixture): void {
  test(
    'never two batches of a partition at a time, and in order, however slow the handler',
    async () => {
      const { log, topic, group, send } = await fresh();
      for (let part = 0; part < 20; part += 1) await send(numbers(10, part * 10));
      let busy = 0;
      let most = 0;
      const got: LogRecord[] = [];
      const taken = await take(log, topic, group, {
        records: async (_topic, _partition, records) => {
          busy += 1;
          most = Math.max(most, busy);
          await yieldToEventLoop();
          got.push(...records);
          busy -= 1;
        },
      });
      await until('all', () => got.length === 200, limitMs);
      expect([most, values(got)]).toEqual([1, numbers(200)]);
      await taken.consumer.close();
    },
    limitMs * 2,
  );

  test(
    'a handler that takes its time bounds the queue in bytes, and everything comes',
    async () => {
      const { log, topic, group, send } = await fresh();
      const big = 'x'.repeat(10_000);
      for (let part = 0; part < 30; part += 1) await send(Array.from({ length: 10 }, () => big));
      let count = 0;
      let most = 0;
      let taken: Taken | undefined;
      taken = await take(log, topic, group, {
        maxQueuedBytes: 200_000,
        records: async (_topic, _partition, records) => {
          most = Math.max(most, taken?.consumer.stats().queuedBytes ?? 0);
          await wait(5);
          count += records.length;
        },
      });
      await until('all', () => count === 300, limitMs);
      // One fetch may go past the mark before the partition is paused: 4 MB at most on a broker.
      expect(most).toBeLessThan(200_000 + 4 * 1024 * 1024);
      await taken.consumer.close();
    },
    limitMs * 2,
  );
}

/** Members of a group, and what ends one. */
function members({ client, fresh, take }: LogFixture): void {
  test(
    'two members share the partitions; when one leaves, the other has them all, and nothing is missing',
    async () => {
      const { log, topic, group, send } = await fresh(4);
      for (let partition = 0; partition < 4; partition += 1) await send(numbers(5), partition);
      const positions = new Map<number, number>();
      const seen = new Map<number, string[]>();
      const handler = (): Partial<PartitionHandler> => ({
        load: async (_topic, partition) => positions.get(partition) ?? 0,
        records: async (_topic, partition, records) => {
          // As a store would: what was taken before is known by its offset.
          const next = positions.get(partition) ?? 0;
          const news = records.filter(({ offset }) => offset >= next);
          seen.set(partition, [...(seen.get(partition) ?? []), ...values(news)]);
          positions.set(partition, Math.max(next, (records.at(-1)?.offset ?? -1) + 1));
        },
      });
      const one = await take(log, topic, group, handler());
      const two = await take(client(), topic, group, handler());
      await until('what was there', () => [...seen.values()].flat().length === 20, limitMs);
      await one.consumer.close();
      for (let partition = 0; partition < 4; partition += 1) await send(numbers(5, 5), partition);
      await until('the rest', () => [...seen.values()].flat().length >= 40, limitMs);
      for (let partition = 0; partition < 4; partition += 1) expect(seen.get(partition)).toEqual(numbers(10));
      expect(two.revoked).toBeGreaterThan(0);
      await two.consumer.close();
    },
    limitMs * 4,
  );

  test.each([
    ['handler', { records: () => Promise.reject(new Error('cannot go on')) }, 'cannot go on'],
    ['load', { load: () => Promise.reject(new Error('cannot load')) }, 'cannot load'],
  ] as const)(
    'what a %s throws ends the consumer, and says so',
    async (_what, broken, message) => {
      const { log, topic, group, send } = await fresh();
      await send(['a']);
      const taken = await take(log, topic, group, broken);
      await expect(taken.consumer.failed).rejects.toThrow(message);
      await taken.consumer.close();
    },
    limitMs * 2,
  );
}

/** Reading without a group. */
function reading({ fresh }: LogFixture): void {
  test(
    'following: what is there, then what comes; reading to the end, or to an offset',
    async () => {
      const { log, topic, send } = await fresh(2);
      await send(numbers(3));
      await send(['x'], 1);
      const got: LogRecord[] = [];
      const following = await log.follow(topic, (record) => void got.push(record));
      await following.caughtUp;
      expect(got.length).toBe(4);
      await send(['later']);
      await until('it', () => got.length === 5, limitMs);
      await following.close();
      expect(values(await log.readToEnd(topic))).toEqual(['0', '1', '2', 'later', 'x']);
      expect(values(await log.readToEnd(topic, [2, 0]))).toEqual(['0', '1']);
    },
    limitMs * 3,
  );
}

export function describeLog(name: string, connect: () => LogClient): void {
  describe(`the log: ${name}`, () => {
    const fixture = createLogFixture(connect);
    afterAll(fixture.close);
    for (const tests of [sending, positions, queues, members, reading]) tests(fixture);
  });
}
