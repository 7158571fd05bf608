/**
 * The connection that producer, members, followers and admin of one client share: addresses, patience, and the lists of
 * what is still open. States: open -> closed. A closed one gives up on whatever is still connecting, and holds no
 * socket: one that is left over would keep the process alive.
 */
import { connect, type Socket } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import { registerCodecs } from './kafka-codecs.ts';
import type { LogLine } from './log.ts';

export type KafkaOptions = {
  brokers: string;
  clientId: string;
  log?: LogLine;
  /** A member that says nothing for so long has lost its partitions. */
  sessionTimeoutMs?: number;
  /** After so long without a reply a request is sent again. */
  requestTimeoutMs?: number;
  /** Holes in the log that a person has accepted, as `nameOfHole` has them. */
  acceptGaps?: readonly string[];
  /** The first pause of a reader that cannot read; each further one is twice as long. */
  crashPauseMs?: number;
  /** How long a client that is closed waits for its parts to say goodbye before it drops their sockets. */
  goodbyeMs?: number;
};

export type KafkaConnection = {
  readonly kafka: Kafka;
  readonly line: LogLine;
  readonly sessionMs: number;
  readonly acceptGaps: ReadonlySet<string>;
  readonly crashPauseMs: number;
  /** What is open: each registers its own closing where it is created, and takes it out when it is closed alone. */
  readonly closers: Set<() => Promise<void>>;
  closed: boolean;
  /** Ends what is still open after every part has said goodbye: a part that was connecting had nobody to say it to. */
  dropSockets(): void;
};

/** As kafkajs asks unless told otherwise. */
const keepAliveMs = 60_000;

export function connectKafka(options: KafkaOptions): KafkaConnection {
  const line = options.log ?? (() => {});
  const addresses = options.brokers.split(',');
  registerCodecs();
  const sockets = new Set<Socket>();
  const kafka = new Kafka({
    // kafkajs asks again before every try to connect, and an empty list is the one answer that it does not retry: a
    // closed client gives up.
    brokers: () => (connection.closed ? [] : addresses),
    // It also connects again by itself to a broker that it has met, without asking: not once the client is closed.
    socketFactory: ({ host, port, onConnect }) => {
      if (connection.closed) throw new Error('the client is closed');
      const socket = connect({ host, port }, onConnect).setKeepAlive(true, keepAliveMs);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
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
    acceptGaps: new Set(options.acceptGaps),
    crashPauseMs: options.crashPauseMs ?? 500,
    closers: new Set(),
    closed: false,
    // With an error: of one that only ends kafkajs would wait for the answers that are still to come.
    dropSockets: () => {
      for (const socket of sockets) socket.destroy(new Error('the client is closed'));
    },
  };
  return connection;
}
