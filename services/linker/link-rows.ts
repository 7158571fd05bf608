/**
 * The linker's rows of table `state`: a row an entity, and in the checkpoint what was given up. Written from what
 * changed, read back at the start.
 */
import { createRowBinaryWriter } from '../kernel/row-binary.ts';
import { writeStateRow } from '../kernel/state-rows.ts';
import { createLinkerState, type EntityLinks, type Forward, type LinkerState, type LinkerLimits } from './link.ts';

export type LinkFlush = { readonly outgoing: readonly Forward[]; readonly rows: Buffer; readonly clock: number };

/** 64-bit numbers come as text, keys as hex. */
export type LinkRow = {
  readonly kind: string;
  readonly key: string;
  readonly position: string;
  readonly clock: string;
  readonly body: string;
};

const hex = (id: string): string => Buffer.from(id, 'latin1').toString('hex');
const latin1 = (id: string): string => Buffer.from(id, 'hex').toString('latin1');

/** An entity's links as one JSON text, and back. */
export const linksBody = ({ owners, outcomes }: EntityLinks): string =>
  JSON.stringify({
    owners: [...owners].map(([unitType, owner]) => [unitType, { ...owner, unit: hex(owner.unit) }]),
    outcomes: [...outcomes].map(([id, outcome]) => [hex(id), outcome]),
  });

type LinksBody = {
  owners: [string, EntityLinks['owners'] extends Map<string, infer O> ? O : never][];
  outcomes: [string, EntityLinks['outcomes'] extends Map<string, infer O> ? O : never][];
};

export function readLinksBody(body: string, touchedAt: number): EntityLinks {
  const { owners, outcomes } = JSON.parse(body) as LinksBody;
  return {
    owners: new Map(owners.map(([unitType, owner]) => [unitType, { ...owner, unit: latin1(owner.unit) }])),
    outcomes: new Map(outcomes.map(([id, outcome]) => [latin1(id), outcome])),
    touchedAt,
  };
}

/** What changed since the last call, true of `position`. An entity that is over leaves an empty row. */
export function takeLinkRows(fold: LinkerState, position: number): LinkFlush {
  const writer = createRowBinaryWriter();
  for (const id of fold.touched) {
    const links = fold.entities.get(id);
    writeStateRow(writer, 2, fold.partitionId, position, {
      kind: 'link',
      key: id,
      ...(links && { clock: links.touchedAt, body: linksBody(links) }),
    });
  }
  fold.touched.clear();
  writeStateRow(writer, 2, fold.partitionId, position, {
    kind: 'checkpoint',
    clock: fold.clock,
    body: JSON.stringify({ unlinked: [...fold.unlinked] }),
  });
  return { outgoing: fold.outgoing.splice(0), rows: writer.take(), clock: fold.clock };
}

export function restoreLinks(partitionId: number, rows: readonly LinkRow[], limits?: LinkerLimits): LinkerState {
  const fold = createLinkerState(partitionId, limits);
  const checkpoint = rows.find((row) => row.kind === 'checkpoint');
  if (checkpoint === undefined) return fold;
  fold.position = Number(checkpoint.position);
  fold.clock = Number(checkpoint.clock);
  if (checkpoint.body !== '')
    for (const [kind, number] of (JSON.parse(checkpoint.body) as { unlinked: [string, number][] }).unlinked)
      fold.unlinked.set(kind, number);
  for (const row of rows)
    if (row.kind === 'link' && row.body !== '')
      fold.entities.set(latin1(row.key), readLinksBody(row.body, Number(row.clock)));
  return fold;
}
