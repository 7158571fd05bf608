/**
 * Names of one unit. Under an experiment with a fallback unit a visitor is counted under the session before sign-in,
 * and whatever else names the user later comes here under the user's own pseudonym: links (a name under which the unit
 * was exposed, or that was only said to be its own) and outcomes that name the user alone.
 *
 * In each phase of an experiment one of the names counts: one that was exposed before one of which that is not known,
 * then the first by event time, of equal times the smaller pseudonym. Every other name is told, once, that it counts
 * nowhere in that phase; a name that was told so stays out, also when it turns out to be earlier. So whatever the
 * order, no two names of a unit count at the end. Outcomes go to the name that counts.
 */
import { aliasKindOf, aliasUnitType } from '../kernel/alias.ts';
import { hexOfId, id16, idOfHex } from '../kernel/ids.ts';
import type { Context, EntityLinks, LinkerState, Name, UnitNames, WaitingOutcome } from './entity-links.ts';

export type NamesBody = { readonly counts: Name; readonly out: readonly string[] };
export const namesBody = ({ counts, out }: UnitNames): NamesBody => ({
  counts: { ...counts, unit: hexOfId(counts.unit) },
  out: [...out].map(hexOfId),
});
export const readNamesBody = ({ counts, out }: NamesBody): UnitNames => ({
  counts: { ...counts, unit: idOfHex(counts.unit) },
  out: new Set(out.map(idOfHex)),
});

function precedes(name: Name, other: Name): boolean {
  if (name.isExposed !== other.isExposed) return name.isExposed;
  if (name.occurredAt !== other.occurredAt) return name.occurredAt < other.occurredAt;
  return name.unit < other.unit;
}

export function takeName(state: LinkerState, links: EntityLinks, context: Context, phaseKey: string, name: Name): void {
  links.names ??= new Map();
  const held = links.names.get(phaseKey);
  if (held === undefined) {
    const hasOutcomes = countingNames(links).some(({ unit }) => unit === name.unit);
    links.names.set(phaseKey, { counts: name, out: new Set() });
    state.touched.add(context.id);
    if (!hasOutcomes) forwardAll(state, context, links, name);
    return;
  }
  if (held.out.has(name.unit)) return;
  if (held.counts.unit === name.unit) return meetAgain(state, context, held.counts, name);
  state.touched.add(context.id);
  const isFirst = precedes(name, held.counts);
  tellOut(state, context, phaseKey, isFirst ? held.counts : name);
  held.out.add(isFirst ? held.counts.unit : name.unit);
  if (!isFirst) return;
  const hasOutcomes = countingNames(links).some(({ unit }) => unit === name.unit);
  held.counts = name;
  if (!hasOutcomes) forwardAll(state, context, links, name);
}

function meetAgain(state: LinkerState, { id }: Context, held: Name, { occurredAt, isExposed }: Name): void {
  if (occurredAt >= held.occurredAt && (held.isExposed || !isExposed)) return;
  // When an alias was said first and the exposure came after it, the time is that of the exposure.
  held.occurredAt = isExposed && !held.isExposed ? occurredAt : Math.min(occurredAt, held.occurredAt);
  held.isExposed ||= isExposed;
  state.touched.add(id);
}

const countingNames = ({ names }: EntityLinks): Name[] => [...(names?.values() ?? [])].map(({ counts }) => counts);

const forwardAll = (state: LinkerState, context: Context, links: EntityLinks, name: Name): void => {
  for (const [outcomeId, outcome] of links.outcomes)
    if (outcome.ofUnit) forwardOutcome(state, context, name, outcomeId, outcome);
};

/** Once to each name that counts in some phase. */
export function forwardToNames(
  state: LinkerState,
  context: Context,
  links: EntityLinks,
  outcomeId: string,
  outcome: WaitingOutcome,
): void {
  const told = new Set<string>();
  for (const name of countingNames(links)) {
    if (told.has(name.unit)) continue;
    told.add(name.unit);
    forwardOutcome(state, context, name, outcomeId, outcome);
  }
}

/** The unit's own name has its outcomes already: they named it. */
function forwardOutcome(
  state: LinkerState,
  context: Context,
  name: Name,
  outcomeId: string,
  { revision, occurredAt, kind, value }: WaitingOutcome,
): void {
  if (name.unit === context.id) return;
  state.counts.forwarded += 1;
  send(state, context, name, { id: outcomeId, revision, occurredAt, kind, value });
}

function tellOut(state: LinkerState, context: Context, phaseKey: string, name: Name): void {
  const { occurredAt } = name;
  const kind = aliasKindOf(phaseKey);
  // One word a phase: the unit keeps it under this id.
  send(state, context, name, { id: id16(kind).toString('latin1'), revision: 1, occurredAt, kind, value: null });
}

type Told = { readonly id: string } & Pick<WaitingOutcome, 'revision' | 'occurredAt' | 'kind' | 'value'>;

function send(
  { outgoing }: LinkerState,
  { receivedAt, traceId, position }: Context,
  { unit, bucket }: Name,
  { id, revision, occurredAt, kind, value }: Told,
): void {
  outgoing.push({
    bucket,
    record: {
      received_at: receivedAt,
      trace_id: traceId,
      span_id: null,
      body: {
        'tripline.v1.OutcomeSeen': {
          outcome_id: Buffer.from(id, 'latin1'),
          revision,
          occurred_at: occurredAt,
          kind,
          value,
          unit_type: aliasUnitType,
          unit: Buffer.from(unit, 'latin1'),
          entity: null,
          inference: null,
          hop: position,
          withdrawn: false,
        },
      },
    },
  });
}
