/** Lines as warehouses, webhooks and scripts write them: what is read, and what is refused with its field. */
import { describe, expect, test } from 'vitest';
import { readInferenceLine, readOutcomeLine } from '../../../services/replay/scenario-lines.ts';

const call = {
  event_id: 'e-1',
  trace_id: '',
  occurred_at: '2026-03-02T00:07:00Z',
  user_id: 'u-1',
  experiment_id: 'odd',
  variant: 'canary',
  model: 'm',
  prompt_version: 'v1',
  token_in: 400,
  token_out: 100,
  cost_usd_est: 0.01,
  latency_ms: 900,
  status: 'success',
  schema_valid: true,
  error_code: null,
  prompt: 'q',
  response: 'a',
  ingested_at: '2026-03-02T00:07:01Z',
};
const outcome = {
  outcome_id: 'o-1',
  entity_type: 'ticket',
  entity_id: 'T-1',
  kind: 'purchase',
  value: 1,
  occurred_at: '2026-03-02T00:37:00Z',
};
const bySplit = (unitType: string) => (line: string) => readInferenceLine(line, { phase: 1, unitType });
const readCall = (change: object) => bySplit('user')(JSON.stringify({ ...call, ...change }));
const readOutcome = (change: object) => readOutcomeLine(JSON.stringify({ ...outcome, ...change }));
const eventOf = (change: object) => {
  const read = readCall(change);
  if (!read.ok || read.arrival.kind !== 'inference') throw new Error(JSON.stringify(read));
  return read.arrival;
};

describe('a call is read', () => {
  test('as it is', () =>
    expect(eventOf({}).event).toMatchObject({ token_in: 400, cost_nano_usd: 10_000_000, units: { user_id: 'u-1' } }));
  test.each([
    ['a number for a user', { user_id: 10_007 }, { units: { user_id: '10007' } }],
    ['a number for an event', { event_id: 17 }, { event_id: '17' }],
    ['a number for a ticket', { ticket_id: 99 }, { entity: { type: 'ticket', id: '99' } }],
    ['a number for a version', { prompt_version: 3, model: 4.1 }, { prompt_version: '3', model_served: '4.1' }],
    ['a number for an error', { error_code: 429 }, { error_type: '429' }],
    [
      'numbers that are not known',
      { token_in: null, cost_usd_est: undefined },
      { token_in: null, cost_nano_usd: null },
    ],
    ['a fraction of a millisecond', { latency_ms: 12.5 }, { latency_ms: 12.5 }],
    ['half of a surrogate pair', { user_id: 'u-\ud83d' }, { units: { user_id: 'u-\ud83d' } }],
    ['a NUL', { user_id: 'u\u0000x', prompt: 'a\u0000b' }, { units: { user_id: 'u\u0000x' }, prompt: 'a\u0000b' }],
  ])('with %s', (_name, change, expected) => expect(eventOf(change).event).toMatchObject(expected));
  test('a number and its text are one user', () =>
    expect(eventOf({ user_id: 10_007 }).event.units).toEqual(eventOf({ user_id: '10007' }).event.units));
  test('times without a zone are UTC, and may differ in form from line to line', () => {
    const { event, arrivedAt } = eventOf({
      occurred_at: '2026-03-02 00:07:00.000',
      ingested_at: '2026-03-02 00:07:01',
    });
    expect([event.occurred_at, arrivedAt]).toEqual([Date.UTC(2026, 2, 2, 0, 7), Date.UTC(2026, 2, 2, 0, 7, 1)]);
  });
});

describe('a call is refused by its field', () => {
  test.each<readonly [change: object, field: string, cause: RegExp]>([
    [{ token_in: 412.5 }, 'token_in', /^a fraction/],
    [{ token_out: -1 }, 'token_out', /^below 0$/],
    [{ token_in: 2e12 }, 'token_in', /^above 1000000000000$/],
    [{ token_in: '400' }, 'token_in', /^a text, where a number belongs$/],
    [{ latency_ms: -37 }, 'latency_ms', /^below 0$/],
    [{ latency_ms: [900] }, 'latency_ms', /^a list/],
    [{ cost_usd_est: '0.01' }, 'cost_usd_est', /^a text, where a number belongs$/],
    [{ cost_usd_est: -0.002 }, 'cost_usd_est', /^below 0$/],
    [{ cost_usd_est: 12_000_000 }, 'cost_usd_est', /^above 1000$/],
    [{ occurred_at: '2500-01-01T00:00:00Z' }, 'occurred_at', /from 1970 to 2299/],
    [{ occurred_at: 'yesterday' }, 'occurred_at', /^no time like/],
    [{ occurred_at: 1_772_409_600_000 }, 'occurred_at', /^a number, where a time as text belongs$/],
    [{ occurred_at: undefined }, 'occurred_at', /^missing$/],
    [{ ingested_at: 'later' }, 'ingested_at', /^no time like/],
    [{ event_id: null }, 'event_id', /^missing$/],
    [{ variant: true }, 'variant', /^true or false, where a text or a number belongs$/],
    [{ user_id: true }, 'user_id', /^true or false/],
    [{ user_id: { id: 7 } }, 'user_id', /^an object/],
    [{ user_id: '' }, 'user_id', /^missing, and the experiment is split by user$/],
    [{ event_id: '' }, 'event_id', /^empty$/],
    [{ user_id: 'x'.repeat(513) }, 'user_id', /^longer than 512 characters$/],
    [{ user_id: 2 ** 53 }, 'user_id', /too large/],
    [{ user_id: null }, 'user_id', /split by user$/],
    [{ prompt: ['q'] }, 'prompt', /^a list, where a text belongs$/],
    [{ schema_valid: 'true' }, 'schema_valid', /^a text, where true or false belongs$/],
    [{ status: 200 }, 'status', /^a number, where a text belongs$/],
  ])('%j', (change, field, cause) => {
    expect(readCall(change)).toMatchObject({ ok: false, field });
    expect(readCall(change)).toMatchObject({ cause: expect.stringMatching(cause) });
  });
  test.each(['{', '', 'null', '[1]', '"text"', '{"token_in": NaN}'])('no object: %j', (line) =>
    expect(bySplit('user')(line)).toMatchObject({
      ok: false,
      field: '',
      cause: expect.stringContaining('no JSON object'),
    }),
  );
  test('a number that JSON cannot hold is not finite', () =>
    expect(bySplit('user')(JSON.stringify(call).replace('"latency_ms":900', '"latency_ms":1e999'))).toMatchObject({
      field: 'latency_ms',
      cause: 'no finite number',
    }));
  test('who is not named by what the experiment is split by would count for nobody', () => {
    const line = JSON.stringify(call);
    expect(bySplit('org')(line)).toMatchObject({ ok: false, field: 'org_id' });
    expect(bySplit('entity:ticket')(line)).toMatchObject({ ok: false, field: 'ticket_id' });
    expect(bySplit('request')(line)).toMatchObject({ ok: true });
  });
  test('nothing of what it holds is told', () =>
    expect(JSON.stringify(readCall({ user_id: ['ada@example.org'], token_in: 'ada@example.org' }))).not.toContain(
      'ada',
    ));
});

describe('an outcome', () => {
  test.each([
    ['a number for an entity', { entity_id: 17 }, { entity: { type: 'ticket', id: '17' } }],
    ['null, which takes it back', { value: null, revision: 2 }, { value: null, revision: 2 }],
    ['a value below 0', { value: -12.5 }, { value: -12.5 }],
    ['a time without a zone', { occurred_at: '2026-03-02 00:37:00' }, { occurred_at: Date.UTC(2026, 2, 2, 0, 37) }],
  ])('is read with %s', (_name, change, expected) =>
    expect(readOutcome(change)).toMatchObject({ ok: true, arrival: { event: expected } }),
  );
  test.each<readonly [change: object, field: string]>([
    [{ value: '1' }, 'value'],
    [{ value: undefined }, 'value'],
    [{ value: 1e12 }, 'value'],
    [{ value: true }, 'value'],
    [{ revision: 1.5 }, 'revision'],
    [{ revision: 0 }, 'revision'],
    [{ revision: 2 ** 31 }, 'revision'],
    [{ entity_id: null }, 'entity_id'],
    [{ entity_type: false }, 'entity_type'],
    [{ kind: '' }, 'kind'],
    [{ occurred_at: '2026-02-30' }, 'occurred_at'],
  ])('is refused with %j', (change, field) => expect(readOutcome(change)).toMatchObject({ ok: false, field }));
});
