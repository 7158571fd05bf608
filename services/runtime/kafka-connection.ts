/**
 * The connection that producer, members, followers and admin of one client share: addresses, patience, and the list of
 * what is still open. States: open -> closed. A closed one gives up on whatever is still connecting.
 */
import { Kafka, logLevel } from 'kafkajs';
import type { LogLine } from './log.ts';

export type KafkaOptions = {
  brokers: string;
  clientId: string;
  log?: LogLine;
  /** A member that says nothing for so long has lost its partitions. */
  sessionTimeoutMs?: number;
  /** After so long without a reply a request is sent again. */
  requestTimeoutMs?: number;
};

export type KafkaConnection = {
  readonly kafka: Kafka;
  readonly line: LogLine;
  readonly sessionMs: number;
  /** What is open: each registers its own closing where it is created, and takes it out when it is closed alone. */
  readonly closers: Set<() => Promise<void>>;
  closed: boolean;
};

export function connectKafka(options: KafkaOptions): KafkaConnection {
  const line = options.log ?? (() => {});
  const addresses = options.brokers.split(',');
  const kafka = new Kafka({
    // kafkajs asks again before every try to connect, and an empty list is the one answer that it does not retry: a
    // closed client gives up.
    brokers: () => (connection.closed ? [] : addresses),
    clientId: options.clientId,
    connectionTimeout: 3_000,
    requestTimeout: options.requestTimeoutMs ?? 30_000,
    // A stopped broker is waited for: nothing here ever gives up, the caller decides when to stop.
    retry: { initialRetryTime: 50, maxRetryTime: 1_000, retries: Number.MAX_SAFE_INTEGER },
    logLevel: logLevel.INFO,
    // kafkajs logs conditions that it retries as errors; nothing of it is worth more than a debug line unless it ends
    // the client.
    logCreator:
      () =>
      ({ namespace, log }) =>
        line('debug', `${namespace}: ${log.message}`, { kafkajs: log['error'] ?? log['reason'] }),
  });
  const connection: KafkaConnection = {
    kafka,
    line,
    sessionMs: options.sessionTimeoutMs ?? 30_000,
    closers: new Set(),
    closed: false,
  };
  return connection;
}
