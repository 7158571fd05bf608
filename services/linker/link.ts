/**
 * The linker's fold over one partition of the entity log: which unit an entity (a ticket) belongs to, and which outcomes wait for it.
 * An entity belongs, per unit type, to the unit of the inference that named it first by event time; of equal times the smaller pseudonym.
 * An outcome is forwarded when its entity has an owner; when an earlier inference moves the entity, it is withdrawn from the old owner
 * and forwarded to the new one. Every forward carries the position that caused it (`hop`), so that repeats and overtaking change nothing.
 */
import type { EntityRecord, UnitRecord } from '../../schemas/generated.ts';
import type { EpochMs } from '../kernel/time.ts';

type Owner = { unit: string; bucket: number; occurredAt: EpochMs };
type WaitingOutcome = { revision: number; occurredAt: EpochMs; kind: string; value: number | null };
export type EntityLinks = { readonly owners: Map<string, Owner>; readonly outcomes: Map<string, WaitingOutcome> };

/** A record for the unit log, with the bucket that says where. */
export type Forward = { readonly bucket: number; readonly record: UnitRecord };

export type LinkerFold = {
  readonly part: number;
  position: number;
  clock: EpochMs;
  readonly entities: Map<string, EntityLinks>;
  readonly touched: Set<string>;
  readonly outgoing: Forward[];
  readonly counts: { folded: number; forwarded: number; duplicates: number };
};

export const createLinkerFold = (part: number): LinkerFold => ({
  part, position: 0, clock: 0, entities: new Map(), touched: new Set(), outgoing: [], counts: { folded: 0, forwarded: 0, duplicates: 0 },
});

export function linkRecord(fold: LinkerFold, record: EntityRecord, position: number): void {
  fold.clock = Math.max(fold.clock, record.received_at);
  const { body } = record;
  const id = ('tripline.v1.Link' in body ? body['tripline.v1.Link'].entity : body['tripline.v1.OutcomeWaiting'].entity).toString('latin1');
  let links = fold.entities.get(id);
  if (links === undefined) {
    links = { owners: new Map(), outcomes: new Map() };
    fold.entities.set(id, links);
  }
  const context = { id, receivedAt: record.received_at, traceId: record.trace_id, position };
  if ('tripline.v1.Link' in body) {
    const { unit_type: unitType, unit, bucket, occurred_at: occurredAt } = body['tripline.v1.Link'];
    takeLink(fold, links, context, unitType, { unit: unit.toString('latin1'), bucket, occurredAt });
  } else {
    const { outcome_id: outcomeId, revision, occurred_at: occurredAt, kind, value } = body['tripline.v1.OutcomeWaiting'];
    takeOutcome(fold, links, context, outcomeId.toString('latin1'), { revision, occurredAt, kind, value });
  }
  fold.counts.folded += 1;
  fold.position = position + 1;
}

type Context = { readonly id: string; readonly receivedAt: EpochMs; readonly traceId: Buffer | null; readonly position: number };

function takeLink(fold: LinkerFold, links: EntityLinks, context: Context, unitType: string, link: Owner): void {
  const owner = links.owners.get(unitType);
  if (owner?.unit === link.unit) {
    if (link.occurredAt >= owner.occurredAt) return;
    owner.occurredAt = link.occurredAt;
    fold.touched.add(context.id);
    return;
  }
  const earlier = owner === undefined || link.occurredAt < owner.occurredAt || (link.occurredAt === owner.occurredAt && link.unit < owner.unit);
  if (!earlier) return;
  links.owners.set(unitType, link);
  fold.touched.add(context.id);
  for (const [outcomeId, outcome] of links.outcomes) {
    if (owner) forward(fold, context, unitType, owner, outcomeId, outcome, true);
    forward(fold, context, unitType, link, outcomeId, outcome, false);
  }
}

function takeOutcome(fold: LinkerFold, links: EntityLinks, context: Context, outcomeId: string, outcome: WaitingOutcome): void {
  const known = links.outcomes.get(outcomeId);
  if (known && known.revision >= outcome.revision) {
    fold.counts.duplicates += 1;
    return;
  }
  links.outcomes.set(outcomeId, outcome);
  fold.touched.add(context.id);
  for (const [unitType, owner] of links.owners) forward(fold, context, unitType, owner, outcomeId, outcome, false);
}

function forward(fold: LinkerFold, context: Context, unitType: string, owner: Owner, outcomeId: string, outcome: WaitingOutcome, withdrawn: boolean): void {
  fold.counts.forwarded += 1;
  fold.outgoing.push({
    bucket: owner.bucket,
    record: {
      received_at: context.receivedAt,
      trace_id: context.traceId,
      span_id: null,
      body: {
        'tripline.v1.OutcomeSeen': {
          outcome_id: Buffer.from(outcomeId, 'latin1'), revision: outcome.revision, occurred_at: outcome.occurredAt, kind: outcome.kind, value: outcome.value,
          unit_type: unitType, unit: Buffer.from(owner.unit, 'latin1'), entity: Buffer.from(context.id, 'latin1'), inference: null, hop: context.position, withdrawn,
        },
      },
    },
  });
}

/** An entity's links as one JSON text, and back: the body of its row. */
export const linksBody = ({ owners, outcomes }: EntityLinks): string =>
  JSON.stringify({
    owners: [...owners].map(([unitType, owner]) => [unitType, { ...owner, unit: Buffer.from(owner.unit, 'latin1').toString('hex') }]),
    outcomes: [...outcomes].map(([id, outcome]) => [Buffer.from(id, 'latin1').toString('hex'), outcome]),
  });

export function readLinksBody(body: string): EntityLinks {
  const { owners, outcomes } = JSON.parse(body) as { owners: [string, Owner][]; outcomes: [string, WaitingOutcome][] };
  return {
    owners: new Map(owners.map(([unitType, owner]) => [unitType, { ...owner, unit: Buffer.from(owner.unit, 'hex').toString('latin1') }])),
    outcomes: new Map(outcomes.map(([id, outcome]) => [Buffer.from(id, 'hex').toString('latin1'), outcome])),
  };
}

/** Outcomes by kind whose entity has no owner yet. */
export function unlinkedByKind(fold: LinkerFold): Map<string, number> {
  const unlinked = new Map<string, number>();
  for (const { owners, outcomes } of fold.entities.values()) {
    if (owners.size > 0) continue;
    for (const { kind } of outcomes.values()) unlinked.set(kind, (unlinked.get(kind) ?? 0) + 1);
  }
  return unlinked;
}
