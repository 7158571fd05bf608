/**
 * Slices on the real engine equal a recount of the calls in TypeScript: duplicates once, units in two arms left out,
 * unknown fields in no sum, calls without a row in no slice, rare values together, up to any position.
 */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { InferenceEvent } from '../../schemas/generated.ts';
import { factColumns, takeFlushRows } from '../../services/joiner/flush-rows.ts';
import { inferenceId } from '../../services/kernel/ids.ts';
import { stateColumns } from '../../services/kernel/state/kinds.ts';
import { defaultPolicy } from '../../services/redaction/index.ts';
import { createPseudonymizer } from '../../services/redactor/pseudonym.ts';
import { redactInference } from '../../services/redactor/redact-event.ts';
import type { Arrival } from '../../services/replay/scenario-lines.ts';
import { createStore, type Store } from '../../services/runtime/clickhouse-client.ts';
import { migrate } from '../../services/runtime/migrate.ts';
import { inferenceRow } from '../../services/sink/observation-rows.ts';
import { readSlices, type SliceRead } from '../../services/statistics/slices.clickhouse.ts';
import { anExperimentFile, anInference, anOutcome, aRevision, hour, monday } from '../support/build.ts';
import { createMemoryPath } from '../support/memory-path.ts';
import { metricLines } from '../support/metric-line.ts';
import { sumsOfUnits, type UnitInSlice } from '../support/slice-sums.ts';

const context = { policy: defaultPolicy, pseudonym: createPseudonymizer(Buffer.alloc(32, 7)) };
const small = { harm: '+20%', baseline: { mean: 0.1, sd: 0.3 }, cap: 1 };
const revision = aRevision(
  {},
  anExperimentFile({
    metrics: metricLines([
      { id: 'error_rate', ...small },
      { id: 'reopen_rate', numerator: 'any(ticket_reopened)', denominator: 'any(ticket_resolved)', ...small },
      { id: 'latency', numerator: 'latency_ms', harm: '+20%', baseline: { mean: 100, sd: 50 }, cap: 1000 },
      { id: 'cost', numerator: 'cost_nano_usd', denominator: undefined, ...small, cap: 1e6 },
      { id: 'paid_latency', numerator: "latency_ms where slice.tier = 'paid'", ...small, cap: 1000 },
    ]),
  }),
);
const { spec } = revision;

/** Users 0 to 59; user 7 is seen in both arms. Plan has 14 values, of which 10 are looked at. */
const calls = Array.from({ length: 600 }, (_, at): InferenceEvent => {
  const user = (at * 7) % 60;
  const arm = user === 7 && at > 300 ? 'A' : user % 2 === 0 ? 'A' : 'B';
  const event = anInference({
    user: `user-${user}`,
    variant: arm,
    at: monday + at * 1_000,
    ticket: `T${user}`,
    status: at % 9 === 0 ? 'error' : 'success',
    latency_ms: at % 5 === 0 ? null : 100 + (at % 31),
    cost_nano_usd: at % 83 === 0 ? null : 1_000 + at,
    slices: {
      ...(at % 11 !== 0 && { tier: at % 3 === 0 ? 'paid' : "free '1'" }),
      plan: `p${String(user % 14).padStart(2, '0')}`,
    },
  }).event as InferenceEvent;
  return at % 2 === 0 ? { ...event, event_id: inferenceId(event.occurred_at, at, Buffer.alloc(8, at)) } : event;
});
const withoutRow = new Set([calls[41]?.event_id, calls[42]?.event_id]);

const arrivalOf = (event: InferenceEvent): Arrival => ({
  kind: 'inference',
  arrivedAt: event.occurred_at,
  event,
  variant: armOf(event),
});

let store: Store;
const ends: number[] = [];
let halfway: number[] = [];
beforeAll(async () => {
  const url = process.env['CLICKHOUSE_URL'] ?? inject('addresses').clickhouseUrl;
  store = await createStore({ url, database: `slices_${process.pid}` });
  await migrate(store, { url });
  const path = createMemoryPath(2);
  const positions = () => path.logs.map((log) => log.length * 4096);
  path.apply(revision);
  for (const [at, event] of calls.entries()) {
    if (at === 300) halfway = positions();
    path.send(arrivalOf(event));
    if (at % 4 === 0) path.send(arrivalOf(event));
  }
  for (let user = 0; user < 60; user += 3) {
    path.send(anOutcome({ ticket: `T${user}`, at: monday + hour / 2 }));
    if (user % 4 === 0) path.send(anOutcome({ ticket: `T${user}`, kind: 'ticket_reopened', at: monday + hour / 2 }));
  }
  ends.push(...positions());
  for (const [partitionId, partition] of path.partitions.entries()) {
    const { facts, state } = takeFlushRows(partition, ends[partitionId] ?? 0);
    // A flush whose facts were written, and then once more with its state.
    await store.insertBinary('facts', factColumns, facts);
    await store.insertBinary('facts', factColumns, facts);
    await store.insertBinary('state', stateColumns, state);
  }
  for (const offset of [0, 1_000])
    await store.insertRows(
      'inferences',
      calls.flatMap((event, at) => {
        const verdict = redactInference(event, event.occurred_at, context);
        const clean = verdict.kind === 'forward' ? verdict.value.inference : undefined;
        if (clean === undefined || withoutRow.has(event.event_id) || (offset > 0 && at % 3 !== 0)) return [];
        return [inferenceRow(clean, { partition: 0, offset: offset + at }).row];
      }),
    );
}, 120_000);
afterAll(() => store.close());

const read = (belows: readonly number[], metrics = spec.metrics): Promise<SliceRead> =>
  readSlices(store, {
    spec,
    phase: 1,
    metrics,
    until: belows.map((below, partitionId) => ({ partitionId, below })),
    openIds: [0, 1],
  });

type Meter = (event: InferenceEvent) => { readonly y: number | null; readonly x: number };
const meters: Readonly<Record<string, Meter>> = {
  error_rate: ({ status }) => ({ y: status === 'error' ? 1 : 0, x: 1 }),
  latency: ({ latency_ms }) => ({ y: latency_ms, x: 1 }),
  cost: ({ cost_nano_usd }) => ({ y: cost_nano_usd, x: 0 }),
  paid_latency: ({ latency_ms, slices }) => ({ y: slices['tier'] === 'paid' ? latency_ms : 0, x: 1 }),
};

const userOf = ({ units }: InferenceEvent): string => units.user_id ?? '';
const armOf = ({ exposures }: InferenceEvent): string => exposures[0]?.variant ?? '';
/** Calls that count: of users seen in one arm, with a row. */
function counted(those: readonly InferenceEvent[]): InferenceEvent[] {
  const seen = new Set(those.map((event) => `${userOf(event)} ${armOf(event)}`));
  return those.filter(
    (event) => !(seen.has(`${userOf(event)} A`) && seen.has(`${userOf(event)} B`)) && !withoutRow.has(event.event_id),
  );
}
/** The ten plans that most calls have. */
function plansLookedAt(those: readonly InferenceEvent[]): readonly string[] {
  const plans = new Map<string, number>();
  for (const { slices } of counted(those)) {
    const plan = slices['plan'] ?? '';
    plans.set(plan, (plans.get(plan) ?? 0) + 1);
  }
  return [...plans]
    .sort(([a, ofA], [b, ofB]) => ofB - ofA || (a < b ? -1 : 1))
    .slice(0, 10)
    .map(([plan]) => plan);
}

/** The same from the calls: units by hand, without a statement. */
function recount(
  those: readonly InferenceEvent[],
  metric: string,
  isIn: (event: InferenceEvent) => boolean,
  arm: string,
) {
  const meter = meters[metric] as Meter;
  const units = new Map<string, UnitInSlice & { lost: boolean }>();
  let [known, unknown] = [0, 0];
  for (const event of counted(those)) {
    const user = userOf(event);
    if (armOf(event) !== arm || !isIn(event)) continue;
    const { y, x } = meter(event);
    const unit = units.get(user) ?? { y: 0, x: 0, lost: false };
    units.set(user, { y: unit.y + (y ?? 0), x: unit.x + (y === null ? 0 : x), lost: unit.lost || y === null });
    if (y === null) unknown += 1;
    else known += 1;
  }
  const sums = [...units.values()].flatMap(({ y, x, lost }) =>
    metric === 'cost' ? (lost ? [] : [{ y, x: 1 }]) : x > 0 ? [{ y, x }] : [],
  );
  return { ...sumsOfUnits({ metric, arm, slice: '', kind: 'all', value: '' }, sums), known, unknown };
}

describe.each<[string, () => readonly number[], readonly InferenceEvent[]]>([
  ['all of the log', () => ends, calls],
  ['half of it', () => halfway, calls.slice(0, 300)],
])('%s', (_name, until, those) => {
  const places: [slice: string, kind: string, value: string, isIn: (event: InferenceEvent) => boolean][] = [
    ['', 'all', '', () => true],
    ['tier', 'value', "free '1'", ({ slices }) => slices['tier'] === "free '1'"],
    ['tier', 'value', 'paid', ({ slices }) => slices['tier'] === 'paid'],
    ['tier', 'not said', '', ({ slices }) => slices['tier'] === undefined],
    ['plan', 'value', 'p02', ({ slices }) => slices['plan'] === 'p02'],
    ['plan', 'other', '', ({ slices }) => !plansLookedAt(those).includes(slices['plan'] ?? '')],
  ];
  test.each(places)('sums of %s %s %s are those of its calls', async (slice, kind, value, isIn) => {
    const { sums } = await read(until());
    for (const metric of Object.keys(meters))
      for (const arm of ['A', 'B']) {
        const row = sums.find(
          (one) =>
            one.metric === metric && one.arm === arm && one.slice === slice && one.kind === kind && one.value === value,
        );
        const expected = recount(those, metric, isIn, arm);
        if (expected.known + expected.unknown === 0) expect(row).toBeUndefined();
        else
          for (const [field, want] of Object.entries(expected))
            if (typeof want === 'number') expect([field, row?.[field as 'sumY']]).toEqual([field, near(want)]);
      }
  });
});
/** Sums of thousandths, divided: equal to a part in 1e9. */
const near = (want: number) =>
  want === 0 ? 0 : expect.closeTo(want, Math.max(0, 9 - Math.ceil(Math.log10(Math.abs(want)))));

test('names, values and what is left out are told', async () => {
  const { names, distinctNames, missing } = await read(ends);
  expect(names).toEqual([
    { name: 'plan', values: 10, distinctValues: 14 },
    { name: 'tier', values: 2, distinctValues: 2 },
  ]);
  expect(distinctNames).toBe(2);
  // The calls 41 and 42, of user 47 and user 54.
  expect(missing).toEqual({ of: 'calls', arms: { A: 1, B: 1 } });
});
test('an outcome is its unit, in the slices of its first call; a unit without one is unknown', async () => {
  const { sums } = await read(
    ends,
    spec.metrics.filter(({ id }) => id === 'reopen_rate'),
  );
  const first = new Map(calls.toReversed().map((event) => [event.units.user_id ?? '', event]));
  const rows = sums.filter(({ slice, kind }) => slice === 'plan' && kind !== 'not said');
  for (const arm of ['A', 'B']) {
    const mine = [...first].filter(
      ([user, { exposures, event_id }]) =>
        user !== 'user-7' && exposures[0]?.variant === arm && !withoutRow.has(event_id),
    );
    const resolved = mine.filter(([user]) => Number(user.slice(5)) % 3 === 0);
    const total = (field: 'known' | 'unknown' | 'sumX' | 'sumY'): number =>
      rows.reduce((sum, row) => sum + (row.arm === arm ? row[field] : 0), 0);
    expect([total('known'), total('unknown')]).toEqual([resolved.length, mine.length - resolved.length]);
    expect(total('sumX')).toBe(resolved.length);
    expect(total('sumY')).toBe(resolved.filter(([user]) => Number(user.slice(5)) % 4 === 0).length);
  }
});

test('no metric of inferences, no call, no slice: an answer without rows', async () => {
  const nothing = await readSlices(store, { spec, phase: 9, metrics: spec.metrics, until: [], openIds: [] });
  expect(nothing).toMatchObject({ names: [], distinctNames: 0, sums: [], missing: { arms: {} } });
});
