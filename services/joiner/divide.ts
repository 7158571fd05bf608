/**
 * A partition's state divided among its children. Units, their entities and waiting outcomes go where their bucket goes;
 * segments, configuration changes and the clock go to every child, so that what a unit's row says of segments means the same;
 * sums over units stay whole with the first child and begin at zero elsewhere. All that anybody reads of sums is their sum
 * over partitions, and every later change is a difference, so no number changes: an child's own cells may even be
 * negative.
 */
import type { Generation, ChildPartition } from '../kernel/generations.ts';
import { childrenOf } from '../kernel/generations.ts';
import type { ConfigurationChange, SegmentStart } from '../kernel/evidence.ts';
import { createRowBinaryWriter } from '../kernel/row-binary.ts';
import { writeStateRow } from '../kernel/state-rows.ts';
import type { JoinerStore } from './joiner-store.ts';
import type { LoadedRow } from './restore.ts';
import type { FlushRows } from './rows.ts';

type Body = {
  readonly segments: readonly SegmentStart[];
  readonly configurationChanges: readonly (readonly [string, ConfigurationChange])[];
  readonly assigned: readonly number[];
};

/**
 * An experiment's body as an child begins with it. `lastSeenAt` is a maximum over partitions, so every child may have it.
 */
export function inheritBody(body: string, { partitionId, isFirst }: ChildPartition): string {
  const known = JSON.parse(body) as Body;
  return JSON.stringify({
    ...known,
    segments: known.segments.map((segment) => ({
      ...segment,
      partitionId: segment.partitionId < 0 ? segment.partitionId : partitionId,
    })),
    configurationChanges: known.configurationChanges.map(([key, mark]) => [key, { ...mark, partitionId }]),
    ...(!isFirst && { assigned: known.assigned.map(() => 0), events: 0, crossovers: 0, lateOutcomes: 0 }),
  });
}

/** Experiments of every phase, and the checkpoint at position 0. */
export function inheritedRows(rows: readonly LoadedRow[], child: ChildPartition): FlushRows {
  const state = createRowBinaryWriter(1 << 12);
  for (const { kind, experiment, phase, body, slot, clock } of rows) {
    if (kind === 'experiment')
      writeStateRow(state, 1, child.partitionId, 0, { kind, experiment, phase, body: inheritBody(body, child) });
    else if (kind === 'checkpoint') writeStateRow(state, 1, child.partitionId, 0, { kind, slot, clock: Number(clock) });
  }
  return { taken: 0, facts: Buffer.alloc(0), factCount: 0, stateCount: state.rows, state: state.take() };
}

export type Divided = {
  readonly ends: readonly number[] /** Carried clock of each partition of the parent, 0 where nothing was folded. */;
  readonly clocks: readonly number[];
};

/** Divides every partition of an generation that has been folded to its end. The same rows however often it runs. */
export async function divideGeneration(store: JoinerStore, parent: Generation, child: Generation): Promise<Divided> {
  const ends: number[] = [];
  const clocks: number[] = [];
  for (let partition = 0; partition < parent.partitions; partition += 1) {
    const partitionId = parent.firstPartitionId + partition;
    const rows = await store.base(partitionId);
    const checkpoint = rows.find(({ kind }) => kind === 'checkpoint');
    ends.push(Number(checkpoint?.position ?? 0));
    clocks.push(Number(checkpoint?.clock ?? 0));
    if (checkpoint === undefined) continue;
    for (const inheriting of childrenOf(parent, child, partition)) {
      await store.inherit(partitionId, inheriting);
      await store.write([inheritedRows(rows, inheriting)]);
    }
  }
  return { ends, clocks };
}
