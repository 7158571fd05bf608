/** A line names no unit type: with a fallback unit its session is the unit, where the line has one. */
import { expect, test } from 'vitest';
import { readInferenceLine } from '../../../services/replay/scenario-lines.ts';

const line = (ids: object): string =>
  JSON.stringify({ event_id: 'e', occurred_at: '2026-03-02T00:00:00Z', experiment_id: 'x', variant: 'A', ...ids });
const exposureOf = (ids: object, fallbackType?: string) => {
  const read = readInferenceLine(line(ids), { phase: 1, unitType: 'user', ...(fallbackType && { fallbackType }) });
  const [exposure] = read.ok && read.arrival.kind === 'inference' ? read.arrival.event.exposures : [];
  return [exposure?.unit_type, exposure?.primary_type];
};

test.each<[object, (string | undefined)[]]>([
  [{ session_id: 's' }, ['session', 'user']],
  [{ session_id: 's', user_id: 'u' }, ['session', 'user']],
  [{ user_id: 'u' }, ['user', 'user']],
  [{ session_id: '', user_id: 'u' }, ['user', 'user']],
])('%j', (ids, expected) => expect(exposureOf(ids, 'session')).toEqual(expected));
test('without a fallback unit it is as it was', () =>
  expect(exposureOf({ session_id: 's', user_id: 'u' })).toEqual(['user', undefined]));
