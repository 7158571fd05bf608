/** What every log promises, whoever keeps it: run against kafkajs on a real broker and against the log in memory. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import type { LogClient, LogRecord } from '../../services/runtime/log.ts';
import { until } from '../support/until.ts';
import { members, positions, queues } from './log-consumers.contract.ts';
import { createLogFixture, limitMs, type LogFixture, numbers, values } from './log-fixture.ts';

/** What a topic is. */
function describing({ client, fresh }: LogFixture): void {
  test(
    'a topic is described with every setting in force; one that is altered keeps its others',
    async () => {
      const log = client();
      const topic = `contract-${randomUUID()}`;
      await log.createTopics([
        { topic, partitions: 2, config: { 'retention.ms': '1000', 'cleanup.policy': 'delete' } },
      ]);
      await log.alterTopic(topic, { 'retention.ms': '-1' });
      await log.alterTopic(topic, { 'max.message.bytes': '2000000' });
      const described = await log.describeTopics([topic, `${topic}-missing`]);
      expect([...described.keys()]).toEqual([topic]);
      expect(described.get(topic)).toMatchObject({
        partitions: 2,
        replicationFactor: 1,
        config: {
          'retention.ms': '-1',
          'cleanup.policy': 'delete',
          'max.message.bytes': '2000000',
          'message.timestamp.type': 'CreateTime',
        },
      });
    },
    limitMs,
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
    for (const tests of [describing, sending, positions, queues, members, reading]) tests(fixture);
  });
}
