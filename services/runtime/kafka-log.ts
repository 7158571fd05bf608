/**
 * The log on Kafka: the one client of a process. Partitions are always explicit. Each part has a file:
 * `kafka-producer`, `kafka-consumer` (members of a group), `kafka-follower` (readers outside a group), `kafka-admin`
 * (topics and groups).
 */
import { createAdmin } from './kafka-admin.ts';
import { connectKafka, type KafkaOptions } from './kafka-connection.ts';
import { createConsumer } from './kafka-consumer.ts';
import { unavailable } from './kafka-errors.ts';
import { followTopic } from './kafka-follower.ts';
import { createProducer } from './kafka-producer.ts';
import type { LogClient, LogRecord } from './log.ts';
import { drainMs, withTimeout } from './retry.ts';

export function createKafka(options: KafkaOptions): LogClient {
  const connection = connectKafka(options);
  const admin = createAdmin(connection);
  const follow: LogClient['follow'] = async (topic, onRecord) =>
    followTopic(connection, topic, await admin.endOffsets(topic), onRecord, admin);

  const readToEnd: LogClient['readToEnd'] = async (topic, until) => {
    const ends = until ?? (await admin.endOffsets(topic));
    const records: LogRecord[] = [];
    if (ends.every((end) => end === 0)) return records;
    const reader = await follow(topic, (record) => {
      if (record.offset < (ends[record.partition] ?? 0)) records.push(record);
    });
    try {
      await reader.caughtUp;
    } finally {
      await reader.close();
    }
    return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  };

  /** One failing close spares no other, and one that waits for a broker that says nothing keeps nothing open. */
  const close = async (): Promise<void> => {
    connection.closed = true;
    let results: readonly PromiseSettledResult<void>[] = [];
    const goodbyes = Promise.allSettled([...connection.closers].map((closeOne) => closeOne())).then(async (ended) => {
      await admin.close();
      results = ended;
    });
    await withTimeout(options.goodbyeMs ?? drainMs.whole, goodbyes);
    connection.dropSockets();
    const broken = results.find((result) => result.status === 'rejected');
    if (broken?.status === 'rejected') throw unavailable('closing the client', broken.reason);
  };

  return {
    ...admin,
    follow,
    readToEnd,
    consume: (wanted) => createConsumer(wanted, connection, admin),
    producer: () => createProducer(connection),
    close,
  };
}
