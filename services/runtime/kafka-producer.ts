/**
 * The producer: one send at a time, and none under the numbers of one that failed. kafkajs numbers a batch as it sends
 * it and reuses the numbers when no reply comes or one partition refuses. The next batch would carry them again; where
 * the first had been written after all, the broker takes the next for its repetition: it says "written", and nothing
 * is.
 *
 * States of the connection under a producer: absent -> connected -> absent (a send failed: it is never used again, the
 * next send connects another, with an id of its own) ... -> closed. Sends wait for their turn in all of them.
 */
import { type Message, Partitioners, type Producer } from 'kafkajs';
import type { KafkaConnection } from './kafka-connection.ts';
import { afterFailedSend, errorType, unavailable } from './kafka-errors.ts';
import type { LogProducer, OutgoingRecord, Tombstone } from './log.ts';

/**
 * Of one partition, kafkajs makes one record batch of a send, and a broker refuses one of more than a megabyte (Kafka's
 * default `message.max.bytes`) for good.
 */
const sendBytes = 768 * 1024;

/** Producers that one send may use up, when the broker has lost their numbers. */
const triesPerSend = 5;

const sizeOf = ({ value, key, headers }: OutgoingRecord | Tombstone): number =>
  (value?.length ?? 0) +
  (key?.length ?? 0) +
  Object.entries(headers ?? {}).reduce((sum, [name, text]) => sum + name.length + text.length, 64);

/**
 * In an order that keeps each partition's own: no round holds more than `sendBytes` of a partition, unless it is one
 * record.
 */
export function roundsOf<R extends OutgoingRecord | Tombstone>(records: readonly R[], maxBytes = sendBytes): R[][] {
  const rounds: R[][] = [];
  const filled = new Map<string, { round: number; bytes: number }>();
  for (const record of records) {
    const at = `${record.topic}/${record.partition}`;
    const size = sizeOf(record);
    const last = filled.get(at) ?? { round: 0, bytes: 0 };
    const place =
      last.bytes > 0 && last.bytes + size > maxBytes
        ? { round: last.round + 1, bytes: size }
        : { round: last.round, bytes: last.bytes + size };
    filled.set(at, place);
    const round = rounds[place.round] ?? [];
    rounds[place.round] = round;
    round.push(record);
  }
  return rounds;
}

type TopicMessages = { readonly topic: string; readonly messages: Message[] };

type State =
  | { readonly kind: 'absent' }
  | { readonly kind: 'connected'; readonly producer: Promise<Producer> }
  | { readonly kind: 'closed' };

type Sender = { readonly connection: KafkaConnection; state: State };

async function connectProducer({ kafka }: KafkaConnection): Promise<Producer> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  return producer;
}

/** The producer to send with; the first call after a failed send connects another. */
function producerOf(sender: Sender): Promise<Producer> {
  switch (sender.state.kind) {
    case 'connected':
      return sender.state.producer;
    case 'closed':
      throw unavailable('the producer is closed', undefined);
    case 'absent': {
      const producer = connectProducer(sender.connection);
      sender.state = { kind: 'connected', producer };
      return producer;
    }
    default:
      return sender.state satisfies never;
  }
}

/** Leaves the producer in use, if there is one, for `next`. */
async function leave(sender: Sender, next: State): Promise<void> {
  const left = sender.state;
  if (left.kind !== 'closed') sender.state = next;
  // Undefined: it never connected, whoever asked for it has been told, and there is nothing to leave.
  if (left.kind === 'connected') await (await left.producer.catch(() => undefined))?.disconnect();
}

/** Until it is written, the broker has to be waited for, or another producer would change nothing. */
async function sendRound(sender: Sender, topicMessages: TopicMessages[]): ReturnType<Producer['sendBatch']> {
  for (let tries = 1; ; tries += 1) {
    // Closed meanwhile: that is told as it is, not as a failed send.
    if (sender.state.kind === 'closed') throw unavailable('the producer is closed', undefined);
    try {
      return await (await producerOf(sender)).sendBatch({ acks: -1, topicMessages });
    } catch (error) {
      const next = afterFailedSend(error);
      sender.connection.line('warn', 'producer begins anew', { error: errorType(error) });
      void leave(sender, { kind: 'absent' }).catch(() => {});
      if (next === 'wait') throw unavailable(`the broker could not write: ${errorType(error)}`, error);
      if (next === 'give up' || tries >= triesPerSend) throw error;
    }
  }
}

const toMessage = (record: OutgoingRecord | Tombstone): Message => ({
  partition: record.partition,
  key: record.key ?? null,
  value: record.value,
  ...(record.headers && { headers: { ...record.headers } }),
  ...(record.timestamp !== undefined && { timestamp: String(record.timestamp) }),
});

async function sendAll(
  sender: Sender,
  records: readonly (OutgoingRecord | Tombstone)[],
): Promise<ReadonlyMap<string, number>> {
  const next = new Map<string, number>();
  for (const round of roundsOf(records)) {
    const byTopic = new Map<string, Message[]>();
    const counts = new Map<string, number>();
    for (const record of round) {
      const messages = byTopic.get(record.topic) ?? [];
      messages.push(toMessage(record));
      byTopic.set(record.topic, messages);
      const at = `${record.topic}/${record.partition}`;
      counts.set(at, (counts.get(at) ?? 0) + 1);
    }
    const results = await sendRound(
      sender,
      [...byTopic].map(([topic, messages]) => ({ topic, messages })),
    );
    for (const { topicName, partition, baseOffset } of results) {
      const at = `${topicName}/${partition}`;
      next.set(at, Number(baseOffset ?? -1) + (counts.get(at) ?? 0));
    }
  }
  return next;
}

/** Connected when it resolves. */
export async function createProducer(connection: KafkaConnection): Promise<LogProducer> {
  const sender: Sender = { connection, state: { kind: 'absent' } };
  const close = async (): Promise<void> => {
    connection.closers.delete(close);
    await leave(sender, { kind: 'closed' });
  };
  // Before it is connected: a client that is closed meanwhile would else not know of it.
  connection.closers.add(close);
  try {
    await producerOf(sender);
  } catch (error) {
    connection.closers.delete(close);
    throw error;
  }
  let turn: Promise<unknown> = Promise.resolve();
  return {
    close,
    send: (records) => {
      const mine = turn.then(() => sendAll(sender, records));
      turn = mine.catch(() => {});
      return mine;
    },
  };
}
