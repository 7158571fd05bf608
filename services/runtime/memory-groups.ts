/**
 * Consumer groups of the log in memory. A member that comes or goes is a rebalance: everything is taken back from all
 * members, and each partition is given out again. States of a partition at a member: waiting for its first record ->
 * loaded -> handing over, a batch at a time -> taken back.
 */
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { LogRecord, PartitionHandler } from './log.ts';
import { type MemoryTopics, partitionsOf, somethingHappened, somethingNew } from './memory-topics.ts';

export type Member = {
  readonly topics: readonly string[];
  readonly handler: PartitionHandler;
  readonly maxQueuedBytes: number;
  readonly fail: (error: unknown) => void;
  /** Counts the rebalances that it has seen. */
  rebalance: number;
  queuedBytes: number;
  rejoins: number;
  closed: boolean;
  /** Where it began in each partition that it owns since the last rebalance. */
  readonly started: Map<string, number>;
};

export type Group = { readonly members: Member[]; readonly committed: Map<string, number> };

/** Records handed over together, at most. */
const batchRecords = 500;

const sizeOf = (records: readonly LogRecord[]): number =>
  records.reduce((sum, { value }) => sum + (value?.length ?? 0) + 64, 0);

/** As much as the member's queue takes, at least one record if there is one. */
function batchAt(topics: MemoryTopics, member: Member, topic: string, partition: number, position: number) {
  let batch = partitionsOf(topics, topic)[partition]?.slice(position, position + batchRecords) ?? [];
  while (batch.length > 1 && sizeOf(batch) > member.maxQueuedBytes) batch = batch.slice(0, Math.ceil(batch.length / 2));
  return batch;
}

async function handOver(member: Member, topic: string, partition: number, batch: readonly LogRecord[]): Promise<void> {
  member.queuedBytes += sizeOf(batch);
  try {
    await member.handler.records(topic, partition, batch);
  } finally {
    member.queuedBytes -= sizeOf(batch);
  }
}

/** One partition at one member, from load to revoke. */
async function run(topics: MemoryTopics, group: Group, member: Member, topic: string, partition: number) {
  const at = `${topic}/${partition}`;
  const { rebalance } = member;
  const isGone = (): boolean => member.closed || member.rebalance !== rebalance;
  try {
    // A partition is loaded before its first record, not before there is one.
    while (!isGone() && (partitionsOf(topics, topic)[partition]?.length ?? 0) === 0) await somethingNew(topics);
    if (isGone()) return;
    let position = (await member.handler.load(topic, partition)) ?? group.committed.get(at) ?? 0;
    if (!isGone()) member.started.set(at, position);
    while (!isGone()) {
      const batch = batchAt(topics, member, topic, partition, position);
      if (batch.length === 0) {
        await somethingNew(topics);
        continue;
      }
      position += batch.length;
      await handOver(member, topic, partition, batch);
      await yieldToEventLoop();
    }
  } catch (error) {
    if (!isGone()) member.fail(error);
  }
}

/** The member of a group that a partition of a topic goes to. */
function ownerOf(group: Group, topic: string, partition: number): Member | undefined {
  const interested = group.members.filter((member) => member.topics.includes(topic));
  return interested[partition % interested.length];
}

/** `topic/partition` of what the member has been given; undefined: it is not in the group. */
export function assignedTo(topics: MemoryTopics, group: Group, member: Member): ReadonlySet<string> | undefined {
  if (!group.members.includes(member)) return undefined;
  const assigned = new Set<string>();
  for (const topic of member.topics) {
    for (const partition of partitionsOf(topics, topic).keys())
      if (ownerOf(group, topic, partition) === member) assigned.add(`${topic}/${partition}`);
  }
  return assigned;
}

/** Takes every partition back and gives it out again. */
export function rebalance(topics: MemoryTopics, group: Group): void {
  for (const member of group.members) {
    member.rebalance += 1;
    member.rejoins += 1;
    member.started.clear();
    member.handler.revoked();
  }
  somethingHappened(topics); // whoever waits for records looks whether it still owns them
  const names = new Set(group.members.flatMap((member) => member.topics));
  for (const topic of names) {
    for (const partition of partitionsOf(topics, topic).keys()) {
      const member = ownerOf(group, topic, partition);
      if (member) void run(topics, group, member, topic, partition);
    }
  }
}

export function joinGroup(topics: MemoryTopics, group: Group, member: Member): void {
  group.members.push(member);
  rebalance(topics, group);
}

export function leaveGroup(topics: MemoryTopics, group: Group, member: Member): void {
  if (!group.members.includes(member)) return;
  group.members.splice(group.members.indexOf(member), 1);
  rebalance(topics, group);
}

/**
 * A commit from before a rebalance is refused, and so is that of somebody who is no member any more: it would take the
 * group back.
 */
export function commitOffset(group: Group, member: Member, at: string, nextOffset: number): boolean {
  const from = member.started.get(at);
  if (!group.members.includes(member) || from === undefined || nextOffset < from) return false;
  group.committed.set(at, nextOffset);
  return true;
}
