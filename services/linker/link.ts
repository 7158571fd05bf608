/**
 * What the linker knows of one partition of the entity log: which unit an entity (a ticket) belongs to, and which
 * outcomes wait for it. An entity belongs, per unit type, to the unit of the inference that named it first by event
 * time; of equal times the smaller pseudonym. An outcome is forwarded when its entity has an owner; when an earlier
 * inference moves the entity, it is withdrawn from the old owner and forwarded to the new one. Every forward carries
 * the position of the record that caused it (field `hop`), so that repeats and overtaking change nothing.
 *
 * States of an entity: waiting (outcomes, no owner) -> linked (an owner) -> moved (another owner), or waiting -> given
 * up, when the event-time clock has passed `waitMs` since its last outcome; what it waited with is then counted as
 * unlinked, by kind, for ever. A linked entity that nothing has touched for `keepMs` is forgotten: an outcome of it
 * that comes later waits as if it were new.
 */
import type { EntityRecord } from '../../schemas/generated.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { Context, EntityLinks, LinkerLimits, LinkerState, Owner, WaitingOutcome } from './entity-links.ts';
import { forwardToNames, takeName } from './link-names.ts';

export type { EntityLinks, Forward, LinkerLimits, LinkerState } from './entity-links.ts';

const hour = 3_600_000;
const day = 24 * hour;
const hourOf = (at: EpochMs): number => Math.floor(at / hour);
export const defaultLimits: LinkerLimits = { waitMs: 30 * day, keepMs: 90 * day, maxWaiting: 100_000 };
/** Given up at once when there are too many, a share of the most there may be: ordering them costs the same for one. */
const givenUpTogether = 0.1;
/** Kinds that given up outcomes are counted under, at most, and what the others are counted under. */
const maxKinds = 1_000;
const otherKinds = '(other kinds)';

export const createLinkerState = (partitionId: number, limits: LinkerLimits = defaultLimits): LinkerState => ({
  partitionId,
  limits,
  position: 0,
  clock: 0,
  waiting: 0,
  entities: new Map(),
  touched: new Set(),
  outgoing: [],
  unlinked: new Map(),
  counts: { folded: 0, forwarded: 0, duplicates: 0, moved: 0 },
});

export function linkRecord(state: LinkerState, record: EntityRecord, position: number): void {
  if (record.received_at > state.clock) {
    const hours = hourOf(record.received_at) - hourOf(state.clock);
    state.clock = record.received_at;
    if (hours > 0) sweep(state);
  }
  const { body } = record;
  const id = (
    'tripline.v1.Link' in body ? body['tripline.v1.Link'].entity : body['tripline.v1.OutcomeWaiting'].entity
  ).toString('latin1');
  const links = entityOf(state, id);
  if (hourOf(links.touchedAt) < hourOf(state.clock)) {
    links.touchedAt = state.clock;
    state.touched.add(id);
  }
  const waited = isWaiting(links);
  const context = { id, receivedAt: record.received_at, traceId: record.trace_id, position };
  if ('tripline.v1.Link' in body) {
    const { unit_type: unitType, unit, bucket, occurred_at: occurredAt, phase_key, exposed } = body['tripline.v1.Link'];
    const link = { unit: unit.toString('latin1'), bucket, occurredAt };
    if (phase_key) takeName(state, links, context, phase_key, { ...link, isExposed: exposed ?? true });
    else takeLink(state, links, context, unitType, link);
  } else {
    const {
      outcome_id: outcomeId,
      revision,
      occurred_at: occurredAt,
      kind,
      value,
      of_unit,
    } = body['tripline.v1.OutcomeWaiting'];
    const outcome = { revision, occurredAt, kind, value, ...(of_unit && { ofUnit: true as const }) };
    takeOutcome(state, links, context, outcomeId.toString('latin1'), outcome);
  }
  if (waited && !isWaiting(links)) state.waiting -= 1;
  if (state.waiting > state.limits.maxWaiting) giveUpOldest(state);
  state.counts.folded += 1;
  state.position = position + 1;
}

export const isWaiting = ({ owners, names }: EntityLinks): boolean => owners.size === 0 && names === undefined;

/**
 * Tickets that no inference names cost memory for as long as they wait. A matter of the log alone, as the sweep: of
 * what waited equally long the smaller ids go.
 */
function giveUpOldest(state: LinkerState): void {
  const oldest = [...state.entities]
    .filter(([, links]) => isWaiting(links))
    .sort(([id, a], [otherId, b]) => a.touchedAt - b.touchedAt || (id < otherId ? -1 : 1))
    .slice(0, Math.ceil(state.limits.maxWaiting * givenUpTogether));
  for (const [id, links] of oldest) giveUp(state, id, links);
}

/** The entity, as it is known or new; over if it should have been swept already, whenever the sweep comes. */
function entityOf(state: LinkerState, id: string): EntityLinks {
  const known = state.entities.get(id);
  if (known && !isOver(state, known)) return known;
  if (known) giveUp(state, id, known);
  const links = { owners: new Map(), outcomes: new Map(), touchedAt: state.clock };
  state.entities.set(id, links);
  state.waiting += 1;
  state.touched.add(id);
  return links;
}

const isOver = ({ clock, limits }: LinkerState, { owners, names, touchedAt }: EntityLinks): boolean =>
  clock - touchedAt > (owners.size > 0 || names ? limits.keepMs : limits.waitMs);

function giveUp(state: LinkerState, id: string, links: EntityLinks): void {
  const { owners, outcomes } = links;
  if (owners.size === 0)
    for (const { kind, ofUnit } of outcomes.values()) {
      if (ofUnit) continue;
      const named = state.unlinked.has(kind) || state.unlinked.size < maxKinds ? kind : otherKinds;
      state.unlinked.set(named, (state.unlinked.get(named) ?? 0) + 1);
    }
  if (isWaiting(links)) state.waiting -= 1;
  state.entities.delete(id);
  state.touched.add(id);
}

/**
 * Whenever the event-time clock enters another hour: a matter of the log alone, so that two owners give up the same
 * outcomes at the same position.
 */
function sweep(state: LinkerState): void {
  for (const [id, links] of state.entities) if (isOver(state, links)) giveUp(state, id, links);
}

function takeLink(state: LinkerState, links: EntityLinks, context: Context, unitType: string, link: Owner): void {
  const owner = links.owners.get(unitType);
  if (owner?.unit === link.unit) {
    if (link.occurredAt >= owner.occurredAt) return;
    owner.occurredAt = link.occurredAt;
    state.touched.add(context.id);
    return;
  }
  const earlier =
    owner === undefined ||
    link.occurredAt < owner.occurredAt ||
    (link.occurredAt === owner.occurredAt && link.unit < owner.unit);
  if (!earlier) return;
  if (owner) state.counts.moved += 1;
  links.owners.set(unitType, link);
  state.touched.add(context.id);
  for (const [outcomeId, outcome] of links.outcomes) {
    if (owner) forward(state, context, unitType, owner, outcomeId, outcome, true);
    forward(state, context, unitType, link, outcomeId, outcome, false);
  }
}

function takeOutcome(
  state: LinkerState,
  links: EntityLinks,
  context: Context,
  outcomeId: string,
  outcome: WaitingOutcome,
): void {
  const known = links.outcomes.get(outcomeId);
  if (known && known.revision >= outcome.revision) {
    state.counts.duplicates += 1;
    return;
  }
  links.outcomes.set(outcomeId, outcome);
  state.touched.add(context.id);
  for (const [unitType, owner] of links.owners) forward(state, context, unitType, owner, outcomeId, outcome, false);
  if (outcome.ofUnit) forwardToNames(state, context, links, outcomeId, outcome);
}

function forward(
  state: LinkerState,
  context: Context,
  unitType: string,
  owner: Owner,
  outcomeId: string,
  outcome: WaitingOutcome,
  withdrawn: boolean,
): void {
  state.counts.forwarded += 1;
  state.outgoing.push({
    bucket: owner.bucket,
    record: {
      received_at: context.receivedAt,
      trace_id: context.traceId,
      span_id: null,
      body: {
        'tripline.v1.OutcomeSeen': {
          outcome_id: Buffer.from(outcomeId, 'latin1'),
          revision: outcome.revision,
          occurred_at: outcome.occurredAt,
          kind: outcome.kind,
          value: outcome.value,
          unit_type: unitType,
          unit: Buffer.from(owner.unit, 'latin1'),
          entity: Buffer.from(context.id, 'latin1'),
          inference: null,
          hop: context.position,
          withdrawn,
        },
      },
    },
  });
}

/** Outcomes by kind that have no owner: those given up, and those that still wait. */
export function unlinkedByKind(state: LinkerState): Map<string, number> {
  const unlinked = new Map(state.unlinked);
  for (const { owners, outcomes } of state.entities.values()) {
    if (owners.size > 0) continue;
    for (const { kind, ofUnit } of outcomes.values()) if (!ofUnit) unlinked.set(kind, (unlinked.get(kind) ?? 0) + 1);
  }
  return unlinked;
}
