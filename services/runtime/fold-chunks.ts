/**
 * Folding. A batch goes in chunks: decode, bring in the state that it needs (which may live in the store alone), fold
 * without waiting for anything. While a flush is on its way folding goes on, up to a bound.
 */
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { RecordName, RecordTypes } from '../../schemas/generated.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import type { ParkCode } from '../kernel/verdict.ts';
import type { LogRecord, OutgoingRecord } from './log.ts';
import { parkedRecord, sendParked } from './park.ts';
import type { ParkedLimit } from './parked-limit.ts';
import {
  fallBehind,
  fastForward,
  isBehind,
  type OwnedPartition,
  type Ownership,
  pendingRecords,
} from './partition-ownership.ts';
import { retryUntilAborted } from './retry.ts';
import { count } from './stage.ts';
import { beginWork, standStill, type Work } from './stage-lifecycle.ts';
import type { StatefulStageOptions } from './stateful-stage-options.ts';

export type Folding<K extends RecordName, State, Flush> = {
  readonly options: StatefulStageOptions<K, State, Flush>;
  readonly ownership: Ownership<State>;
  readonly parkedLimit: ParkedLimit;
  /** Enough is folded: a flush begins early. */
  readonly flushNow: () => void;
};

/** Messages are folded together until they hold this much, bytes: a few thousand records, looked up together. */
const chunkBytes = 1 << 20;

function* chunksOf(batch: readonly LogRecord[]): Generator<readonly LogRecord[]> {
  let from = 0;
  let bytes = 0;
  for (const [index, record] of batch.entries()) {
    bytes += record.value?.length ?? 0;
    if (bytes < chunkBytes && index + 1 < batch.length) continue;
    yield batch.slice(from, index + 1);
    from = index + 1;
    bytes = 0;
  }
}

type DecodedChunk<K extends RecordName> = {
  readonly values: { readonly value: RecordTypes[K]; readonly offset: number }[];
  readonly parked: OutgoingRecord[];
  readonly codes: ParkCode[];
};

/** What `chunk` holds from the partition's next offset on. */
function decodeChunk<K extends RecordName, State, Flush>(
  { options, ownership }: Folding<K, State, Flush>,
  { next }: OwnedPartition<State>,
  chunk: readonly LogRecord[],
): DecodedChunk<K> {
  const { name, codec, record, parkedTopic } = options;
  const { clock } = ownership.lifecycle;
  const values: DecodedChunk<K>['values'] = [];
  const parked: OutgoingRecord[] = [];
  const codes: ParkCode[] = [];
  for (const source of chunk) {
    if (source.offset < next || source.value === null) continue;
    const decoded = codec.decode([record], source.value);
    if (decoded.ok) {
      options.appended?.(decoded.value, source.timestamp);
      values.push({ value: decoded.value, offset: source.offset });
    } else {
      parked.push(parkedRecord(parkedTopic, name, source, decoded.code, decoded.message, clock.now()));
      codes.push(decoded.code);
    }
  }
  return { values, parked, codes };
}

/** Brings in what the chunk needs; the partition is behind when the store says so. */
async function bringIn<K extends RecordName, State, Flush>(
  { options, ownership }: Folding<K, State, Flush>,
  mine: OwnedPartition<State>,
  { values }: DecodedChunk<K>,
  work: Work,
): Promise<void> {
  const bring = (): Promise<'present' | 'behind'> | undefined =>
    options.present?.(
      mine.state,
      values.map(({ value }) => value),
      mine.next * positionsPerOffset,
      1 / ownership.owned.size,
    );
  if ((await retryUntilAborted(async () => bring(), work)) === 'behind') fallBehind(mine);
}

async function foldChunk<K extends RecordName, State, Flush>(
  folding: Folding<K, State, Flush>,
  mine: OwnedPartition<State>,
  chunk: readonly LogRecord[],
  work: Work,
): Promise<void> {
  const { options, ownership, parkedLimit } = folding;
  const { counts, lifecycle } = ownership;
  for (;;) {
    if (isBehind(mine)) await fastForward(ownership, mine, work);
    if (work.abandoned()) return;
    const decoded = decodeChunk(folding, mine, chunk);
    await bringIn(folding, mine, decoded, work);
    if (work.abandoned()) return;
    if (isBehind(mine)) continue;
    const { values, parked, codes } = decoded;
    const refused = parkedLimit.admit(values.length + codes.length, codes);
    // What was folded before it is still flushed; this chunk stays unread until a restart.
    if (refused !== undefined) return standStill(lifecycle, refused, work);
    if (parked.length > 0) {
      await retryUntilAborted(async () => sendParked(options.producer, parked), work);
      if (work.abandoned()) return;
      counts.in += codes.length;
      for (const code of codes) count(counts.parked, code);
    }
    let folded = 0;
    for (const { value, offset } of values) folded += options.fold(mine.state, value, offset);
    mine.unflushed += folded;
    counts.in += folded;
    counts.waiting += folded;
    mine.next = Math.max(mine.next, (chunk.at(-1)?.offset ?? -1) + 1);
    return;
  }
}

/** Folds a batch, as long as its partition is ours and nobody has told the stage to stop. */
export async function foldBatch<K extends RecordName, State, Flush>(
  folding: Folding<K, State, Flush>,
  partition: number,
  batch: readonly LogRecord[],
): Promise<void> {
  const { options, ownership, flushNow } = folding;
  const { lifecycle, owned, blocked } = ownership;
  const work = beginWork(lifecycle);
  const isOver = (): boolean => work.abandoned() || lifecycle.phase === 'draining';
  await retryUntilAborted(
    async () => options.codec.prepare(batch.flatMap((record) => (record.value ? [record.value] : []))),
    work,
  );
  for (const chunk of chunksOf(batch)) {
    while (!isOver() && pendingRecords(ownership) > options.flushRecords * 10) {
      await new Promise<void>((resolve) => {
        blocked.add(resolve);
      });
    }
    const mine = owned.get(partition);
    if (isOver() || mine === undefined) return;
    mine.touchedAt = lifecycle.clock.now();
    mine.busy = true;
    try {
      await foldChunk(folding, mine, chunk, work);
    } finally {
      mine.busy = false;
    }
    if (pendingRecords(ownership) >= options.flushRecords) flushNow();
    // Heartbeats and the flush that is on its way get their turn.
    await yieldToEventLoop();
  }
}
