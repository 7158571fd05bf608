/** What every log promises its consumers: where they go on, what they get at a time, what a group shares. */
import { setImmediate as yieldToEventLoop, setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { LogRecord, PartitionHandler } from '../../services/runtime/log.ts';
import { until } from '../support/until.ts';
import { limitMs, type LogFixture, numbers, type Taken, values } from './log-fixture.ts';

/** Where a consumer goes on. */
export function positions({ fresh, take }: LogFixture): void {
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
export function queues({ fresh, take }: LogFixture): void {
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
export function members({ client, fresh, take }: LogFixture): void {
  test(
    'of two members one has the one partition and the other has none; when it leaves, the other has it',
    async () => {
      const { log, topic, group } = await fresh();
      const other = client();
      const members = [await take(log, topic, group), await take(other, topic, group)];
      const shares = (): number[] => members.map(({ consumer }) => consumer.assigned()?.size ?? -1);
      await until('one to have it', () => [...shares()].sort().join() === '0,1', limitMs);
      const owner = members[shares().indexOf(1)];
      expect(owner?.consumer.assigned()).toEqual(new Set([`${topic}/0`]));
      await owner?.consumer.close();
      expect(owner?.consumer.assigned()).toBeUndefined();
      await until('the other to have it', () => shares().includes(1), limitMs);
      for (const { consumer } of members) await consumer.close();
    },
    limitMs * 2,
  );

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
