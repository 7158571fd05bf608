/**
 * A partition's state divided among its children. Units, their entities and waiting outcomes go to the child that owns
 * their bucket. Segments, configuration changes and the event-time clock go to every child, so that a unit's row means
 * the same segments there. Sums over units stay whole with the first child and begin at zero in the others.
 *
 * No number changes: all that anybody reads of sums is their sum over partitions, and every later change is a
 * difference. The aggregates of one child alone may be negative.
 */
import { childrenOf, type ChildPartition, type Generation } from '../kernel/generations.ts';
import { createRowBinaryWriter } from '../kernel/row-binary.ts';
import type { ExperimentBody, RowPlace } from '../kernel/state/kinds.ts';
import type { PartitionRow } from '../kernel/state/read.ts';
import { writeStateRow } from '../kernel/state/write.ts';
import type { FlushRows } from './flush-rows.ts';
import type { JoinerStore } from './joiner-store.ts';

/**
 * An experiment's body as a child begins with it. `lastSeenAt` is a maximum over partitions, so every child may have
 * it.
 */
export function inheritBody(text: string, { partitionId, isFirst }: ChildPartition): string {
  const body = JSON.parse(text) as ExperimentBody;
  return JSON.stringify({
    ...body,
    segments: body.segments.map((segment) => ({
      ...segment,
      partitionId: segment.partitionId < 0 ? segment.partitionId : partitionId,
    })),
    configurationChanges: body.configurationChanges.map(([key, change]) => [key, { ...change, partitionId }]),
    ...(!isFirst && {
      assigned: body.assigned.map(() => 0),
      events: 0,
      crossovers: 0,
      aliasCrossovers: 0,
      lateOutcomes: 0,
      unknown: [],
    }),
  });
}

/** Experiments of every phase, and the checkpoint at position 0. */
export function inheritedRows(rows: readonly PartitionRow[], child: ChildPartition): FlushRows {
  const writer = createRowBinaryWriter(1 << 12);
  const place: RowPlace = { log: 'unit', partitionId: child.partitionId, position: 0 };
  for (const { kind, experiment, phase, body, stateRevision, eventClock } of rows) {
    if (kind === 'experiment')
      writeStateRow(writer, place, { kind, experiment, phase, body: inheritBody(body, child) });
    else if (kind === 'checkpoint')
      writeStateRow(writer, place, { kind, stateRevision, eventClock: Number(eventClock) });
  }
  return { taken: 0, facts: Buffer.alloc(0), factCount: 0, stateCount: writer.rows, state: writer.take() };
}

/** Of each partition of the parent: its last position, and its event-time clock; 0 where nothing was folded. */
export type Divided = { readonly ends: readonly number[]; readonly clocks: readonly number[] };

/** Divides every partition of a generation that has been folded to its end. The same rows however often it runs. */
export async function divideGeneration(store: JoinerStore, parent: Generation, child: Generation): Promise<Divided> {
  const ends: number[] = [];
  const clocks: number[] = [];
  for (let partition = 0; partition < parent.partitions; partition += 1) {
    const partitionId = parent.firstPartitionId + partition;
    const rows = await store.base(partitionId);
    const checkpoint = rows.find(({ kind }) => kind === 'checkpoint');
    ends.push(Number(checkpoint?.position ?? 0));
    clocks.push(Number(checkpoint?.eventClock ?? 0));
    if (checkpoint === undefined) continue;
    for (const inheriting of childrenOf(parent, child, partition)) {
      await store.inherit(partitionId, inheriting);
      await store.write([inheritedRows(rows, inheriting)]);
    }
  }
  return { ends, clocks };
}
