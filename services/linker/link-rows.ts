/**
 * The linker's rows of table `state`: a row an entity, and in the checkpoint what was given up. Written from what
 * changed, read back at the start.
 */
import { createRowBinaryWriter } from '../kernel/row-binary.ts';
import { hexOfId, idOfHex } from '../kernel/ids.ts';
import type { RowPlace } from '../kernel/state/kinds.ts';
import type { LinkRowText } from '../kernel/state/read.ts';
import { writeStateRow } from '../kernel/state/write.ts';
import { type NamesBody, namesBody, readNamesBody } from './link-names.ts';
import {
  createLinkerState,
  isWaiting,
  type EntityLinks,
  type Forward,
  type LinkerState,
  type LinkerLimits,
} from './link.ts';

export type LinkFlush = { readonly outgoing: readonly Forward[]; readonly rows: Buffer; readonly clock: number };

/** An entity's links as one JSON text, and back. */
export const linksBody = ({ owners, outcomes, names }: EntityLinks): string =>
  JSON.stringify({
    owners: [...owners].map(([unitType, owner]) => [unitType, { ...owner, unit: hexOfId(owner.unit) }]),
    outcomes: [...outcomes].map(([id, outcome]) => [hexOfId(id), outcome]),
    ...(names && { names: [...names].map(([phaseKey, held]) => [phaseKey, namesBody(held)]) }),
  });

type LinksBody = {
  owners: [string, EntityLinks['owners'] extends Map<string, infer O> ? O : never][];
  outcomes: [string, EntityLinks['outcomes'] extends Map<string, infer O> ? O : never][];
  names?: [string, NamesBody][];
};

export function readLinksBody(body: string, touchedAt: number): EntityLinks {
  const { owners, outcomes, names } = JSON.parse(body) as LinksBody;
  return {
    owners: new Map(owners.map(([unitType, owner]) => [unitType, { ...owner, unit: idOfHex(owner.unit) }])),
    outcomes: new Map(outcomes.map(([id, outcome]) => [idOfHex(id), outcome])),
    ...(names && { names: new Map(names.map(([phaseKey, held]) => [phaseKey, readNamesBody(held)])) }),
    touchedAt,
  };
}

/** What changed since the last call, true of `position`. An entity that is over leaves an empty row. */
export function takeLinkRows(state: LinkerState, position: number): LinkFlush {
  const writer = createRowBinaryWriter();
  const place: RowPlace = { log: 'entity', partitionId: state.partitionId, position };
  for (const key of state.touched) {
    const links = state.entities.get(key);
    const row = links && { eventClock: links.touchedAt, body: linksBody(links) };
    writeStateRow(writer, place, { kind: 'link', key, ...row });
  }
  state.touched.clear();
  const body = JSON.stringify({ unlinked: [...state.unlinked] });
  writeStateRow(writer, place, { kind: 'checkpoint', eventClock: state.clock, body });
  return { outgoing: state.outgoing.splice(0), rows: writer.take(), clock: state.clock };
}

export function restoreLinks(partitionId: number, rows: readonly LinkRowText[], limits?: LinkerLimits): LinkerState {
  const state = createLinkerState(partitionId, limits);
  const checkpoint = rows.find(({ kind }) => kind === 'checkpoint');
  if (checkpoint === undefined) return state;
  state.position = Number(checkpoint.position);
  state.clock = Number(checkpoint.eventClock);
  if (checkpoint.body !== '') {
    const { unlinked } = JSON.parse(checkpoint.body) as { unlinked: [string, number][] };
    for (const [kind, number] of unlinked) state.unlinked.set(kind, number);
  }
  for (const { kind, key, body, eventClock } of rows)
    if (kind === 'link' && body !== '') state.entities.set(idOfHex(key), readLinksBody(body, Number(eventClock)));
  for (const links of state.entities.values()) if (isWaiting(links)) state.waiting += 1;
  return state;
}
