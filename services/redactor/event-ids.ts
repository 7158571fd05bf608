/**
 * Who and what an event names, for the redactor's steps: ids become keyed hashes, the bucket of a unit is computed from
 * the raw id, as emitters do. What names somebody whose key is gone goes no further.
 */
import type { EntityRecord, RedactedInference, RedactedOutcome, UnitRecord, Units } from '../../schemas/generated.ts';
import { type RedactionPolicy, tokensUnder } from '../redaction/index.ts';
import { createRedactionCounts, type RedactionCounts } from '../redaction/records.ts';
import { isTime } from '../kernel/time.ts';
import { maxIdLength } from '../kernel/values.ts';
import type { Pseudonymizer } from './pseudonym.ts';
import type { UnitName } from './unit-keys.ts';

export type RedactorContext = { readonly policy: RedactionPolicy; readonly pseudonym: Pseudonymizer };

export type Routed<R> = { readonly bucket: number; readonly record: R };
export type RedactedEvent = {
  readonly inference?: RedactedInference;
  readonly outcome?: RedactedOutcome;
  readonly unit: readonly Routed<UnitRecord>[];
  readonly entity: readonly Routed<EntityRecord>[];
  /** What was taken out, `TYPE tier` -> how many. */
  readonly tiers?: Readonly<Record<string, number>>;
  /** Whose keys go when everything else of this is written. */
  readonly erased?: readonly UnitName[];
};

const hexId = /^[0-9a-f]{32}$/;
export const spanHex = /^[0-9a-f]{16}$/;
export const unitTypes = /^(user|org|session|request|entity:[A-Za-z0-9_-]{1,32})$/;

const pseudonymText = (pseudonym: Pseudonymizer, kind: string, id: string | null): string | null =>
  id === null ? null : pseudonym(kind, id).toString('hex');

export const cleanUnits = (units: Units, pseudonym: Pseudonymizer): Units => ({
  user_id: pseudonymText(pseudonym, 'user', units.user_id),
  org_id: pseudonymText(pseudonym, 'org', units.org_id),
  session_id: pseudonymText(pseudonym, 'session', units.session_id),
});

/** The raw id of the unit of that type; undefined when the event does not name one. */
export function unitIdOf(
  unitType: string,
  event: { units: Units | null; entity: { type: string; id: string } | null; event_id?: string },
): string | undefined {
  switch (unitType) {
    case 'user':
      return event.units?.user_id ?? undefined;
    case 'org':
      return event.units?.org_id ?? undefined;
    case 'session':
      return event.units?.session_id ?? undefined;
    case 'request':
      return event.event_id;
    default:
      return event.entity !== null && unitType === `entity:${event.entity.type}` ? event.entity.id : undefined;
  }
}

/** 32 hex digits, or nothing. */
export const traceIdOf = (traceId: string | null): string | undefined =>
  traceId !== null && hexId.test(traceId) ? traceId : undefined;
export const traceBytes = (traceId: string | null): Buffer | null =>
  traceId !== null && hexId.test(traceId) ? Buffer.from(traceId, 'hex') : null;

export const entityKind = (type: string): string => `entity:${type}`;

type About = { readonly units?: Units | null; readonly entity: { readonly type: string; readonly id: string } | null };
export const namedIn = ({ units, entity }: About): UnitName[] => [
  ...(['user', 'org', 'session'] as const).flatMap((kind) => {
    const id = units?.[`${kind}_id`] ?? null;
    return id === null ? [] : [{ kind, id }];
  }),
  ...(entity ? [{ kind: entityKind(entity.type), id: entity.id }] : []),
];
/** It names somebody whose key is gone: nothing of it goes any further, whoever else it names. */
export const isErased = (about: About, { pseudonym }: RedactorContext, ...more: readonly UnitName[]): boolean =>
  [...namedIn(about), ...more].some(({ kind, id }) => !pseudonym.knows(kind, id));

/**
 * Under a policy that binds tokens to units: the texts' are the user's, else the organisation's, the session's, the
 * entity's, else the request's.
 */
export function countsFor(about: About, request: string, { policy, pseudonym }: RedactorContext): RedactionCounts {
  const { tokens, tokenScope } = policy;
  if (tokens === undefined || tokenScope !== 'unit') return createRedactionCounts(policy);
  const [{ kind, id } = { kind: 'request', id: request }] = namedIn(about);
  const secret = pseudonym.secret(kind, id);
  return secret === undefined
    ? createRedactionCounts(policy)
    : createRedactionCounts(policy, { ...policy, tokens: tokensUnder(tokens, secret) });
}

export const tooLong = (ids: readonly (string | null | undefined)[]): boolean =>
  ids.some((id) => typeof id === 'string' && (id.length > maxIdLength || id.length === 0));

export const badTime = (time: number): boolean => !isTime(time);
/** What `badTime` says of one. */
export const timeProblem = 'occurred_at is no time from 1970 to 2299';
