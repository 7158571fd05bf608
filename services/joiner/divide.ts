/**
 * A partition's state divided among its heirs. Units, their entities and waiting outcomes go where their bucket goes;
 * segments, fingerprints and the clock go to every heir, so that what a unit's row says of segments means the same;
 * sums over units stay whole with the eldest and begin at zero elsewhere. All that anybody reads of sums is their sum
 * over partitions, and every later change is a difference, so no number changes: an heir's own cells may even be
 * negative.
 */
import type { Epoch, Heir } from '../kernel/epochs.ts';
import { heirsOf } from '../kernel/epochs.ts';
import type { FingerprintMark, SegmentMark } from '../kernel/evidence.ts';
import { createRowBinaryWriter } from '../kernel/row-binary.ts';
import { writeStateRow } from '../kernel/state-rows.ts';
import type { JoinerStore } from './joiner-store.ts';
import type { LoadedRow } from './restore.ts';
import type { FlushRows } from './rows.ts';

type Body = {
  readonly segments: readonly SegmentMark[];
  readonly fingerprints: readonly (readonly [string, FingerprintMark])[];
  readonly assigned: readonly number[];
};

/**
 * An experiment's body as an heir begins with it. `lastSeenAt` is a maximum over partitions, so every heir may have it.
 */
export function inheritBody(body: string, { part, eldest }: Heir): string {
  const known = JSON.parse(body) as Body;
  return JSON.stringify({
    ...known,
    segments: known.segments.map((segment) => ({ ...segment, part: segment.part < 0 ? segment.part : part })),
    fingerprints: known.fingerprints.map(([key, mark]) => [key, { ...mark, part }]),
    ...(!eldest && { assigned: known.assigned.map(() => 0), events: 0, crossovers: 0, lateOutcomes: 0 }),
  });
}

/** Experiments of every phase, and the checkpoint at position 0. */
export function inheritedRows(rows: readonly LoadedRow[], heir: Heir): FlushRows {
  const state = createRowBinaryWriter(1 << 12);
  for (const { kind, experiment, phase, body, slot, clock } of rows) {
    if (kind === 'experiment')
      writeStateRow(state, 1, heir.part, 0, { kind, experiment, phase, body: inheritBody(body, heir) });
    else if (kind === 'checkpoint') writeStateRow(state, 1, heir.part, 0, { kind, slot, clock: Number(clock) });
  }
  return { taken: 0, facts: Buffer.alloc(0), factCount: 0, stateCount: state.rows, state: state.take() };
}

export type Divided = {
  readonly ends: readonly number[] /** Carried clock of each partition of the parent, 0 where nothing was folded. */;
  readonly clocks: readonly number[];
};

/** Divides every partition of an epoch that has been folded to its end. The same rows however often it runs. */
export async function divideEpoch(store: JoinerStore, parent: Epoch, child: Epoch): Promise<Divided> {
  const ends: number[] = [];
  const clocks: number[] = [];
  for (let partition = 0; partition < parent.partitions; partition += 1) {
    const part = parent.firstPart + partition;
    const rows = await store.base(part);
    const checkpoint = rows.find(({ kind }) => kind === 'checkpoint');
    ends.push(Number(checkpoint?.ver ?? 0));
    clocks.push(Number(checkpoint?.clock ?? 0));
    if (checkpoint === undefined) continue;
    for (const heir of heirsOf(parent, child, partition)) {
      await store.inherit(part, heir);
      await store.write([inheritedRows(rows, heir)]);
    }
  }
  return { ends, clocks };
}
