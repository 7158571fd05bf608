/**
 * Flushing. A flush takes what changed, true of one position, and writes it; the Kafka commit after it is only a gauge.
 * Nothing waits for it: folding goes on, and what is folded meanwhile belongs to the next flush.
 */
import type { RecordName } from '../../schemas/generated.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import type { LogConsumer } from './log.ts';
import {
  fallBehind,
  fastForward,
  isAheadOf,
  isBehind,
  type OwnedPartition,
  type Ownership,
  unblock,
} from './partition-ownership.ts';
import { retryUntilAborted } from './retry.ts';
import { beginWork, type Work } from './stage-lifecycle.ts';
import type { StatefulStageOptions } from './stateful-stage-options.ts';

export type Flushing<K extends RecordName, State, Flush> = {
  readonly options: StatefulStageOptions<K, State, Flush>;
  readonly ownership: Ownership<State>;
  readonly consumer: LogConsumer;
};

/** A partition as it is when the flush begins. */
type Mark<State> = {
  readonly owner: OwnedPartition<State>;
  readonly state: State;
  readonly next: number;
  readonly records: number;
};

/** The gauge that people see; what was loaded counts too, and a commit that got lost is sent again. */
async function commitFlushed<K extends RecordName, State, Flush>({
  options,
  ownership,
  consumer,
}: Flushing<K, State, Flush>): Promise<void> {
  const work = beginWork(ownership.lifecycle);
  for (const owner of ownership.owned.values()) {
    const { partition, flushed } = owner;
    if (owner.committed >= flushed || flushed === 0) continue;
    if (await consumer.commit(options.topic, partition, flushed)) owner.committed = flushed;
    if (work.isStale()) return;
  }
}

/** Partitions of which the store knows more than we do are loaded again. False: all were taken back meanwhile. */
async function compareWithStore<K extends RecordName, State, Flush>(
  { options, ownership }: Flushing<K, State, Flush>,
  work: Work,
): Promise<boolean> {
  const checkpoints = await retryUntilAborted(async () => options.checkpoints(), work);
  if (checkpoints === undefined || work.isStale()) return false;
  for (const mine of ownership.owned.values()) {
    if (isAheadOf(checkpoints.get(mine.partition), mine)) fallBehind(mine);
    if (isBehind(mine) && !mine.busy) await fastForward(ownership, mine, work);
    if (work.isStale()) return false;
  }
  return true;
}

const marksOf = <State>({ owned }: Ownership<State>): Mark<State>[] =>
  [...owned.values()]
    .filter((owner) => owner.next > owner.flushed && !isBehind(owner))
    .map((owner) => ({ owner, state: owner.state, next: owner.next, records: owner.unflushed }));

function countMarks<State>({ counts }: Ownership<State>, marks: readonly Mark<State>[], written: boolean): void {
  for (const { records } of marks) {
    counts.waiting -= records;
    // Not written: whoever owns the partition now takes them in.
    if (written) counts.forwarded += records;
    else counts.in -= records;
  }
}

async function writeMarks<K extends RecordName, State, Flush>(
  { options, ownership }: Flushing<K, State, Flush>,
  marks: readonly Mark<State>[],
  work: Work,
): Promise<boolean> {
  const flushes = marks.map(({ state, next }) => options.take(state, next * positionsPerOffset));
  for (const { owner } of marks) owner.unflushed = 0;
  const written = await retryUntilAborted(async () => {
    await options.write(flushes);
    return true;
  }, work);
  countMarks(ownership, marks, written === true);
  if (written === undefined) return false;
  for (const [index, { state }] of marks.entries()) options.durable?.(state, flushes[index] as Flush);
  return true;
}

export async function flushPartitions<K extends RecordName, State, Flush>(
  flushing: Flushing<K, State, Flush>,
): Promise<void> {
  const { ownership } = flushing;
  const work = beginWork(ownership.lifecycle);
  await commitFlushed(flushing);
  if (![...ownership.owned.values()].some(({ next, flushed }) => next > flushed)) return;
  if (!(await compareWithStore(flushing, work))) return;
  const marks = marksOf(ownership);
  if (marks.length === 0) return;
  if (!(await writeMarks(flushing, marks, work)) || work.isStale()) return;
  for (const { owner, next } of marks) owner.flushed = Math.max(owner.flushed, next);
  unblock(ownership);
  await commitFlushed(flushing);
}
