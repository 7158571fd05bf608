import { setTimeout as wait } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { createKafka } from '../../services/runtime/kafka-log.ts';
import { describeLog } from '../contract/log.contract.ts';
import { until } from '../support/until.ts';

let made = 0;
const connect = (sessionTimeoutMs = 30_000) => {
  made += 1;
  return createKafka({
    brokers: process.env['KAFKA_BROKERS'] ?? inject('addresses').brokers,
    clientId: `contract-${made}`,
    sessionTimeoutMs,
  });
};
describeLog('kafkajs on a real broker', connect);

test('a load that waits longer than the session keeps the membership; a second member gets its share', async () => {
  const [log, other] = [connect(6_000), connect(6_000)];
  const topic = `heartbeat-${process.pid}`;
  await log.createTopics([{ topic, partitions: 2, config: {} }]);
  const producer = await log.producer();
  for (const partition of [0, 1]) await producer.send([{ topic, partition, value: Buffer.from('v') }]);
  let loads = 0;
  let open: () => void = () => {};
  const store = new Promise<void>((resolve) => {
    open = resolve;
  });
  const got: number[] = [];
  const handler = {
    load: async () => {
      loads += 1;
      await store;
      return undefined;
    },
    records: async (_topic: string, partition: number) => void got.push(partition),
    revoked: () => {},
  };
  const first = await log.consume({ group: topic, topics: [topic], handler });
  await until('a load to begin', () => loads === 1, 60_000);
  await wait(9_000); // a session and a half: nothing but the broker's own clock can show that it is kept
  expect([loads, first.stats().rejoins]).toEqual([1, 1]);
  const theirs: number[] = [];
  const second = await other.consume({
    group: topic,
    topics: [topic],
    handler: {
      load: async () => undefined,
      records: async (_topic, partition) => void theirs.push(partition),
      revoked: () => {},
    },
  });
  // The first is still waiting for its store: its heartbeat hears of the rebalance and gives way.
  await until('the second to read its share', () => theirs.length > 0, 60_000);
  open();
  await until('the first to read its own', () => got.length > 0, 60_000);
  await Promise.all([first.close(), second.close()]);
  await Promise.all([log.close(), other.close()]);
}, 180_000);
