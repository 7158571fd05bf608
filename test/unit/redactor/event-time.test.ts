import { expect, test } from 'vitest';
import { eventTimeOf } from '../../../services/redactor/event-time.ts';
import { hour, monday } from '../../support/build.ts';

const sentBy = (recordedAt: number, heldMs: number, given = '') => ({
  timestamp: monday,
  headers: { 'tripline-clock': `${recordedAt} ${heldMs}${given}` },
});
const plain = { timestamp: monday, headers: {} };

test.each([
  ['a true clock, 20 ms on the way', monday - 20, sentBy(monday - 20, 0), { occurredAt: monday - 20, skewMs: -20 }],
  ['three hours ahead', monday + 3 * hour - 20, sentBy(monday + 3 * hour - 20, 0), { occurredAt: monday }],
  [
    'three hours behind, held for an hour',
    monday - 4 * hour,
    sentBy(monday - 4 * hour, hour),
    { occurredAt: monday - hour },
  ],
  [
    'a call said to begin a minute before',
    monday + hour - 60_000,
    sentBy(monday + hour, 0),
    { occurredAt: monday - 60_000 },
  ],
  [
    'a send of ten seconds is no slow clock',
    monday - 10_000,
    sentBy(monday - 10_000, 0),
    { occurredAt: monday - 10_000 },
  ],
  [
    "the desk's own time of an outcome stays",
    monday - hour,
    sentBy(monday + hour, 0, ' given'),
    { occurredAt: monday - hour },
  ],
  ['in the future, nobody said why', monday + hour, plain, { occurredAt: monday, isClamped: true }],
  ['in the future by what clocks differ', monday + 4_000, plain, { occurredAt: monday + 4_000, isClamped: false }],
  ['a replay', monday, sentBy(monday, 500), { occurredAt: monday, isClamped: false }],
  ['no time at all is refused as before', 1e15, plain, { occurredAt: 1e15, isClamped: false }],
  [
    'a header that says nothing',
    monday,
    { timestamp: monday, headers: { 'tripline-clock': 'soon' } },
    { occurredAt: monday },
  ],
])('%s', (_name, occurredAt, arrived, expected) => expect(eventTimeOf(occurredAt, arrived)).toMatchObject(expected));
