/**
 * Whether a member is in its group, and how it comes back.
 *
 * States of the client: running -> joining anew (left, made again until that works) -> running ... -> closed. A client
 * that crashed and says that it starts again by itself stays running.
 *
 * States of the membership: out -> in, with the partitions that were given to it -> out (crashed, silent, closed). Each
 * join that succeeded and each loss is a rebalance: work that began before it counts no more. Partitions are taken back
 * when a join has succeeded, not already when a rebalance begins. kafkajs may give up joining (a coordinator that is
 * loading), fetch on under the old membership, and go on behind what it has handed over. What was taken back then would
 * never come again; only a join that succeeded begins at what is committed.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer, ConsumerCrashEvent, ConsumerGroupJoinEvent, EachBatchHandler } from 'kafkajs';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { messageOf, type Waiting } from './retry.ts';

/** How long a rebalance waits for its members, ms. */
const rebalanceMs = 60_000;
/**
 * After a rebalance and a session without a heartbeat, and this much more, a member is out of its group and does not
 * know how to come back.
 */
const graceMs = 10_000;

/**
 * Crashes in a row that kafkajs does not take for passing, and no record in between: then it cannot go on. With pauses
 * that double from half a second that is half a minute.
 */
const crashesInARow = 6;
const longestPauseMs = 30_000;

/** `topic/partition` of what the group has given to it. */
type Assigned = ReadonlySet<string>;

export type Membership = {
  readonly connection: KafkaConnection;
  readonly group: string;
  readonly topics: readonly string[];
  readonly eachBatch: EachBatchHandler;
  /** Partitions are taken back. */
  readonly onRebalance: () => void;
  client: 'running' | 'joining anew' | 'closed';
  consumer: Consumer;
  /** undefined: out of the group just now. */
  assigned: Assigned | undefined;
  rebalance: number;
  joins: number;
  /** Since the last record. */
  crashes: number;
  trouble: Waiting | undefined;
  /** It cannot go on. */
  readonly giveUp: (error: unknown) => void;
  /** Last sign of the group's coordinator, on `performance.now()`. */
  heardAt: number;
};

/**
 * A rebalance waits for its slowest member, and a member hears of it with its next heartbeat: the beat is the gap in
 * freshness that each restart makes.
 */
export const heartbeatOf = (sessionMs: number): number => Math.min(500, sessionMs / 3);

const createClient = ({ kafka, sessionMs }: KafkaConnection, group: string): Consumer =>
  kafka.consumer({
    groupId: group,
    sessionTimeout: sessionMs,
    rebalanceTimeout: rebalanceMs,
    heartbeatInterval: heartbeatOf(sessionMs),
    maxWaitTimeInMs: 100,
    maxBytesPerPartition: 4 * 1024 * 1024,
    allowAutoTopicCreation: false,
    retry: {
      initialRetryTime: 50,
      maxRetryTime: 1_000,
      retries: 20,
      // What does not pass is tried again here, after a pause that grows; kafkajs would go on at once, for ever.
      restartOnFailure: async (error) => mayPass(error),
    },
  });

function takeBack(member: Membership): void {
  member.rebalance += 1;
  member.onRebalance();
}

function joined(member: Membership, { payload: { memberAssignment } }: ConsumerGroupJoinEvent): void {
  // Its last join may be answered while it leaves: it has nothing any more.
  if (member.client === 'closed') return;
  member.assigned = new Set(
    Object.entries(memberAssignment).flatMap(([topic, partitions]) => partitions.map((one) => `${topic}/${one}`)),
  );
  member.heardAt = performance.now();
  member.joins += 1;
  takeBack(member);
}

function crashed(member: Membership, { payload }: ConsumerCrashEvent): void {
  const { error, restart } = payload;
  const { connection, group } = member;
  connection.line('warn', `${group}: consumer crashed`, { error: error.message, restart });
  member.assigned = undefined;
  takeBack(member);
  if (member.client === 'closed') return;
  const what = `reading ${member.topics.join(', ')}: ${messageOf(rootOf(error))}`;
  member.trouble = { what, since: member.trouble?.since ?? Date.now() };
  if (!mayPass(error)) member.crashes += 1;
  if (member.crashes >= crashesInARow) member.giveUp(new PipelineError('BROKER_REFUSED', what, { cause: error }));
  else if (!restart) void joinAnew(member, pauseAfter(connection, member.crashes));
}

/** None after the first that may pass. */
const pauseAfter = ({ crashPauseMs }: KafkaConnection, crashes: number): number =>
  crashes === 0 ? 0 : Math.min(crashPauseMs * 2 ** (crashes - 1), longestPauseMs);

/** kafkajs wraps what it gives up on; below an error of ours lies only why. */
const rootOf = (error: Error): Error =>
  error.cause instanceof Error && !(error instanceof PipelineError) ? rootOf(error.cause) : error;

/** A broker that is away or in trouble passes; bytes that nobody can unpack do not. */
function mayPass(error: Error): boolean {
  const root = rootOf(error);
  if (root instanceof PipelineError) return root.retriable;
  return 'retriable' in root ? root.retriable === true : 'code' in root;
}

/** A record was read: whatever was wrong is over. */
export function heal(member: Membership): void {
  member.crashes = 0;
  member.trouble = undefined;
}

/** The member's client connects, joins and reads. */
async function open(member: Membership): Promise<void> {
  const { consumer, topics, eachBatch } = member;
  member.heardAt = performance.now();
  consumer.on(consumer.events.HEARTBEAT, () => {
    member.heardAt = performance.now();
  });
  consumer.on(consumer.events.GROUP_JOIN, (event) => joined(member, event));
  consumer.on(consumer.events.CRASH, (event) => crashed(member, event));
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({ autoCommit: false, eachBatchAutoResolve: true, partitionsConsumedConcurrently: 1, eachBatch });
}

const isClosed = ({ client }: Membership): boolean => client === 'closed';

async function joinAnew(member: Membership, pauseMs = 0): Promise<void> {
  if (member.client !== 'running') return;
  member.client = 'joining anew';
  await member.consumer.disconnect().catch(() => {});
  await wait(pauseMs);
  while (!isClosed(member)) {
    try {
      member.consumer = createClient(member.connection, member.group);
      await open(member);
      if (!isClosed(member)) member.client = 'running';
      return;
    } catch (error) {
      member.connection.line('warn', `${member.group}: consumer could not reopen`, { error: messageOf(error) });
      await wait(500);
    }
  }
}

/**
 * After a broker's long silence kafkajs may stay outside its group for good: its join is never answered, and it asks no
 * more. A member that has heard nothing for so long leaves and joins anew.
 */
function watchHeartbeats(member: Membership): NodeJS.Timeout {
  const silentMs = member.connection.sessionMs + rebalanceMs + graceMs;
  const timer = setInterval(() => {
    if (member.client !== 'running' || performance.now() - member.heardAt < silentMs) return;
    member.connection.line('warn', `${member.group}: no heartbeat for too long, joining anew`, {});
    member.assigned = undefined;
    takeBack(member);
    void joinAnew(member);
  }, 1_000);
  return timer.unref();
}

/** Out of its group until `join`. */
export function createMembership(
  connection: KafkaConnection,
  options: Pick<Membership, 'group' | 'topics' | 'eachBatch' | 'onRebalance' | 'giveUp'>,
): Membership {
  return {
    connection,
    ...options,
    client: 'running',
    consumer: createClient(connection, options.group),
    assigned: undefined,
    rebalance: 0,
    joins: 0,
    crashes: 0,
    trouble: undefined,
    heardAt: performance.now(),
  };
}

/** Resolves when it reads, with how to leave; it joins, and joins again, until then. */
export async function join(member: Membership): Promise<() => Promise<void>> {
  const { closers } = member.connection;
  await open(member);
  const timer = watchHeartbeats(member);
  const leave = async (): Promise<void> => {
    member.client = 'closed';
    member.assigned = undefined;
    clearInterval(timer);
    closers.delete(leave);
    await member.consumer.disconnect();
  };
  closers.add(leave);
  return leave;
}
