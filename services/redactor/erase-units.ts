/**
 * A tombstone on a raw topic (a key without a value) asks to erase whom the key names: out comes one erase record a
 * unit for the unit log, and the unit's name, whose key is dropped when the record is written. Repeats are harmless:
 * the joiner drops the second, and a unit without a key is erased already.
 */
import { bucketOf } from '../kernel/ids.ts';
import { eraseKind } from '../kernel/erase.ts';
import type { EpochMs } from '../kernel/time.ts';
import { drop, forward, park, type Verdict } from '../kernel/verdict.ts';
import type { UnitRecord } from '../../schemas/generated.ts';
import type { Pseudonymizer } from './pseudonym.ts';
import type { RedactedEvent } from './redact-event.ts';
import type { UnitName } from './unit-keys.ts';

const maxKeyBytes = 2_048;
/** What an id that stands alone as the key of a record can be: emitters write the unit's id there and not its type. */
const bareKinds = ['user', 'org', 'session', 'request'] as const;
const kindShape = /^(?:entity:)?[A-Za-z0-9_-]{1,32}$/;

/**
 * Whom a key names: `id` alone is every unit of that id, `type 0x1f id` is one; a type that is no unit's is an
 * entity's, as in the keys of outcomes. Undefined: nobody.
 */
export function namedBy(key: Buffer | null): readonly UnitName[] | undefined {
  if (key === null || key.length === 0 || key.length > maxKeyBytes) return undefined;
  const text = key.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(key)) return undefined;
  const at = text.indexOf('\u001f');
  if (at < 0) return bareKinds.map((kind) => ({ kind, id: text }));
  const [type, id] = [text.slice(0, at), text.slice(at + 1)];
  if (id === '' || !kindShape.test(type)) return undefined;
  return [
    {
      kind: type.startsWith('entity:') || (bareKinds as readonly string[]).includes(type) ? type : `entity:${type}`,
      id,
    },
  ];
}

export function eraseUnits(
  key: Buffer | null,
  receivedAt: EpochMs,
  { pseudonym }: { readonly pseudonym: Pseudonymizer },
): Verdict<RedactedEvent> {
  const named = namedBy(key);
  if (named === undefined)
    return park(
      'INVALID',
      'a record without a value erases whom its key names: an id, or a type, the character 0x1f and an id',
    );
  const erased = named.filter(({ kind, id }) => pseudonym.knows(kind, id));
  if (erased.length === 0) return drop('erased');
  const unit = erased.map(({ kind, id }) => {
    const pseudonymous = pseudonym(kind, id);
    const record: UnitRecord = {
      received_at: receivedAt,
      trace_id: null,
      span_id: null,
      body: {
        'tripline.v1.OutcomeSeen': {
          outcome_id: pseudonymous,
          revision: 1,
          occurred_at: receivedAt,
          kind: eraseKind,
          value: null,
          unit_type: kind,
          unit: pseudonymous,
          entity: null,
          inference: null,
          hop: 0,
          withdrawn: false,
        },
      },
    };
    return { bucket: bucketOf(kind, id), record };
  });
  return forward({ unit, entity: [], erased });
}
