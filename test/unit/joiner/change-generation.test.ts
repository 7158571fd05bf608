/**
 * Partitions multiplied with their state, and everything folded again: at any moment of any stream, killed between any
 * two writes and run again, no number changes. Two references that know nothing of generations: one partition from
 * beginning to end, and the same evaluation from the rows that statistics reads. Long because every law plays the same
 * plan of changes and deaths against the same two references.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UnitRecord } from '../../../schemas/generated.ts';
import type { PartitionState } from '../../../services/joiner/partition-state.ts';
import { lookAt } from '../../../services/joiner/look.ts';
import { refold } from '../../../services/joiner/refold.ts';
import { multiplyPartitions, rebuildGeneration } from '../../../services/joiner/change-generation.ts';
import type { Generation } from '../../../services/kernel/generations.ts';
import type { Evaluation } from '../../../services/kernel/evaluation.ts';
import { candidatesOf } from '../../../services/kernel/experiment.ts';
import { bucketOf, partitionOf } from '../../../services/kernel/ids.ts';
import { indexAggregates } from '../../../services/statistics/aggregates.ts';
import { evaluate } from '../../../services/statistics/index.ts';
import { entryField, entryLength, totalLength } from '../../../services/kernel/state/kinds.ts';
import { createLookReader } from '../../../services/statistics/look-reader.ts';
import { placeTestStarts } from '../../../services/statistics/test-starts.ts';
import { createMemoryGenerations, Died, type MemoryGenerations } from '../../support/memory-generations.ts';
import { foldEagerly } from '../../support/joiner-driver.ts';
import type { StateRowRead } from '../../support/memory-state.ts';
import { adopted, aLog, first, happened, observed, second } from '../../support/unit-log.ts';

// A counterexample is a log of a hundred records and two moments of it: shrinking takes minutes, its seed is enough.
fc.configureGlobal({ endOnFailure: true });
const textOf = (id: Buffer): string => id.toString('latin1').replace(/\.+$/, '');
const bucketOfUnit = (unit: string): number => bucketOf(unit.startsWith('o') ? 'org' : 'user', unit);
/** As an emitter makes them: the unit's bucket after the version. */
const routedId = (number: string, unit: string): Buffer => {
  const id = Buffer.from(`${number}/${unit}`.padEnd(16, '.'), 'latin1');
  id.writeUInt16BE(0x7000 | bucketOfUnit(unit), 6);
  return id;
};

/**
 * The log as the redactor would have written it: every record of a unit with its bucket, inference ids that carry one.
 * `steady`: no arm shows a new prompt and no phase begins. Segments are opened by what a partition itself has seen, so
 * these open others with more partitions, whether from the beginning or later.
 */
function routed(log: readonly UnitRecord[], steady = false): UnitRecord[] {
  return log
    .filter(
      ({ body }) =>
        !steady || !('tripline.v1.ExperimentAdopted' in body) || body['tripline.v1.ExperimentAdopted'].revision === 1,
    )
    .map((record): UnitRecord => {
      const { body } = record;
      if ('tripline.v1.Observation' in body) {
        const seen = body['tripline.v1.Observation'];
        const unit = textOf(seen.unit);
        return {
          ...record,
          bucket: bucketOfUnit(unit),
          body: {
            'tripline.v1.Observation': {
              ...seen,
              event_id: routedId(textOf(seen.event_id), unit),
              ...(steady && {
                prompt_version: 'v1',
                exposures: seen.exposures.map((exposure) => ({ ...exposure, phase: 1 })),
              }),
            },
          },
        };
      }
      if ('tripline.v1.ExposureSeen' in body)
        return { ...record, bucket: bucketOfUnit(textOf(body['tripline.v1.ExposureSeen'].unit)) };
      if ('tripline.v1.OutcomeSeen' in body) {
        const seen = body['tripline.v1.OutcomeSeen'];
        if (seen.unit) return { ...record, bucket: bucketOfUnit(textOf(seen.unit)) };
        const number = textOf(seen.inference ?? Buffer.alloc(0));
        const unit = `u${Number(number.slice(1)) % 6}`;
        return {
          ...record,
          bucket: bucketOfUnit(unit),
          body: { 'tripline.v1.OutcomeSeen': { ...seen, inference: routedId(number, unit) } },
        };
      }
      return record;
    });
}

/** The same of a fold in memory. */
function evaluatedFold(partitions: readonly PartitionState[]): Record<string, unknown> {
  return Object.fromEntries(
    ['exp-test', 'exp-org'].map((id) => {
      const look = lookAt(partitions, id, () => 0);
      if (look === undefined) throw new Error(`${id} is not there`);
      const { versionVector: _at, ...evaluation }: Evaluation = evaluate(look);
      return [id, evaluation];
    }),
  );
}

/**
 * What a look finds, without the positions it was taken at: what is said of every metric, and the sums of both arms
 * from every restart on.
 */
function evaluated(
  rows: readonly StateRowRead[],
  partitions: number,
  firstPartitionId: number,
): Record<string, unknown> {
  const reader = createLookReader(partitions, firstPartitionId);
  reader.apply(rows);
  return Object.fromEntries(
    [...reader.looks()].map(([id, look]) => {
      const { versionVector: _at, ...evaluation }: Evaluation = evaluate(look);
      const sumsOf = indexAggregates(look, placeTestStarts(look));
      const sums = look.experiment.spec.metrics.flatMap(({ id: metric }) =>
        candidatesOf(look.experiment.spec).map((candidate) => [metric, candidate.id, sumsOf(metric, candidate.id)]),
      );
      return [id, { evaluation, sums }];
    }),
  );
}
const sum = (values: readonly string[]): string => String(values.reduce((total, value) => total + BigInt(value), 0n));
function totals(rows: readonly StateRowRead[]): Record<string, unknown> {
  const testAggregates = new Map<string, StateRowRead[]>();
  for (const row of rows)
    if (row.kind === 'metric_aggregate')
      testAggregates.set(`${row.experiment}/${row.phase}/${row.metric}/${row.arm}`, [
        ...(testAggregates.get(`${row.experiment}/${row.phase}/${row.metric}/${row.arm}`) ?? []),
        row,
      ]);
  return {
    testAggregates: Object.fromEntries(
      [...testAggregates]
        .map(([key, some]) => [
          key,
          [
            sum(some.map(({ units }) => units)),
            sum(some.map(({ firstEvents }) => firstEvents)),
            ...[0, 1, 2, 3, 4].map((index) => sum(some.map(({ sums }) => sums[index] ?? '0'))),
          ],
        ])
        .sort(),
    ),
    units: rows
      .filter(({ kind }) => kind === 'unit')
      .map(({ experiment, phase, key, arm, bucket, crossover, firstExposedAt, totals: counted }) =>
        JSON.stringify({ experiment, phase, key, arm, bucket, crossover, firstExposedAt, counted }),
      )
      .sort(),
    entities: rows
      .filter(({ kind, body }) => kind === 'entity' && body !== '')
      .map(({ key, bucket, body }) => `${key} ${bucket} ${body}`)
      .sort(),
  };
}
/** Metric aggregates of all partitions, test aggregates of sibling partitions, against their unit rows. */
function recount(
  rows: readonly StateRowRead[],
  { firstPartitionId, partitions }: Generation,
  siblings: number,
): string[] {
  const wrong: string[] = [];
  const differ = (what: string, have: unknown, want: unknown): void =>
    void (
      JSON.stringify(have) !== JSON.stringify(want) &&
      wrong.push(`${what}: ${JSON.stringify(have)}, recounted ${JSON.stringify(want)}`)
    );
  const siblingsOf = (row: StateRowRead): number => Math.floor((row.partitionId - firstPartitionId) / siblings);
  const units = rows.filter(({ kind }) => kind === 'unit');
  const ordinals = new Map(
    rows.flatMap((row) =>
      row.kind === 'metric_aggregate'
        ? [[`${row.experiment}/${row.phase}/${row.metric}`, row.metricOrdinal] as const]
        : [],
    ),
  );
  const metricAggregates = new Map<string, StateRowRead[]>();
  const entries = new Map<string, StateRowRead[]>();
  for (const row of rows) {
    const { kind, experiment, phase, arm, candidate, metric, metricOrdinal, segment } = row;
    const into = kind === 'metric_aggregate' ? metricAggregates : kind === 'test_aggregate' ? entries : undefined;
    const key =
      kind === 'metric_aggregate'
        ? `${experiment}/${phase}/${arm}/${metricOrdinal}`
        : `${siblingsOf(row)}/${experiment}/${phase}/${arm}/${candidate}/${metric}/${segment}`;
    into?.set(key, [...(into.get(key) ?? []), row]);
  }
  for (const row of rows) {
    if (row.kind !== 'unit' && row.kind !== 'entity') continue;
    differ(`home of ${row.kind} ${row.key}`, row.partitionId - firstPartitionId, partitionOf(row.bucket, partitions));
  }
  for (const [key, all] of metricAggregates) {
    const [aggregate] = all as [StateRowRead];
    const mine = units.filter(
      (row) =>
        row.experiment === aggregate.experiment &&
        row.phase === aggregate.phase &&
        row.arm === aggregate.arm &&
        !row.crossover,
    );
    differ(
      `metric aggregate ${key}`,
      [sum(all.map(({ units: counted }) => counted)), sum(all.map(({ sums }) => sums[0] ?? '0'))],
      [String(mine.length), sum(mine.map((row) => row.totals[totalLength * aggregate.metricOrdinal] ?? '0'))],
    );
  }
  for (const [key, all] of entries) {
    const [aggregate] = all as [StateRowRead];
    const ordinal = ordinals.get(`${aggregate.experiment}/${aggregate.phase}/${aggregate.metric}`);
    if (ordinal === undefined) continue;
    const mine = units.filter(
      (row) =>
        siblingsOf(row) === siblingsOf(aggregate) &&
        row.experiment === aggregate.experiment &&
        row.phase === aggregate.phase &&
        row.arm === aggregate.arm &&
        row.entries[entryLength * ordinal + entryField.lastSegment] === String(aggregate.segment),
    );
    differ(`test aggregate ${key}`, sum(all.map(({ units: counted }) => counted)), String(mine.length));
  }
  return wrong;
}

/** What an evaluation says but for bets, verdicts made of them, and which partitions have been quiet. */
const ofScales = new Set(['harm', 'win', 'status', 'reason', 'attrition', 'quiet', 'decision', 'state', 'ruleId']);
const withoutScales = (found: unknown): unknown =>
  JSON.parse(JSON.stringify(found, (key, value: unknown) => (ofScales.has(key) ? undefined : value)));

/** Runs a command that may die until it does not. */
async function untilDone(
  world: MemoryGenerations,
  deaths: readonly number[],
  run: () => Promise<unknown>,
): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    world.dieAfter(deaths[tries]);
    try {
      await run();
      world.dieAfter(undefined);
      return;
    } catch (error) {
      if (!(error instanceof Died)) throw error;
    }
  }
}

const cacheLimits = fc.record({ units: fc.integer({ min: 0, max: 4 }), events: fc.integer({ min: 1, max: 6 }) });
const deaths = fc.array(fc.integer({ min: 0, max: 14 }), { maxLength: 6 });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const plan = fc.record({
  log: aLog,
  cacheLimits,
  cuts: fc.tuple(share, share),
  joined: share,
  deaths: fc.tuple(deaths, deaths, deaths),
  again: fc.array(share, { maxLength: 12 }),
  start: fc.constantFrom(1, 3),
});

/**
 * Partitions P, 2 P, 4 P at two moments; `redone`: everything is folded again in between. Some records come again after
 * a change.
 */
async function throughGenerations(
  log: readonly UnitRecord[],
  {
    cacheLimits: room,
    cuts,
    joined,
    deaths: dying,
    again,
    start,
  }: Omit<typeof plan extends fc.Arbitrary<infer P> ? P : never, 'log'>,
  redone: boolean,
): Promise<{ world: MemoryGenerations; whole: UnitRecord[] }> {
  const world = createMemoryGenerations(start, room);
  const whole: UnitRecord[] = [];
  const append = (records: readonly UnitRecord[]): void => {
    world.append(records);
    whole.push(...records);
  };
  const last = log.at(-1) as UnitRecord;
  const body = log.slice(0, -1);
  const [one = 0, two = 0] = cuts.map((cut) => Math.floor(cut * body.length)).sort((a, b) => a - b);
  append(body.slice(0, one));
  // The joiner may have been anywhere when it was stopped.
  await world.join(Math.floor(joined * one));
  await untilDone(world, dying[0], () => multiplyPartitions(world, 2 * start));
  // At the time it is: an older one would be news to a partition's clock where other partitions' records had moved it
  // on.
  const repeat = (before: number): UnitRecord[] =>
    again.flatMap((at) => {
      const record = body[Math.floor(at * before)];
      return record?.bucket === undefined || 'tripline.v1.OutcomeSeen' in record.body
        ? []
        : [{ ...record, received_at: Math.max(...body.slice(0, before).map((earlier) => earlier.received_at)) }];
    });
  append(repeat(one));
  append(body.slice(one, two));
  await world.join();
  if (redone) await untilDone(world, dying[1], () => rebuildGeneration(world));
  await untilDone(world, dying[2], () => multiplyPartitions(world, 4 * start));
  append(repeat(two));
  append([...body.slice(two), last]);
  await world.join();
  if (redone) await untilDone(world, dying[1], () => rebuildGeneration(world));
  return { world, whole };
}

describe('laws', () => {
  test('doubled twice any time, killed anywhere: totals, units, entities of one undivided partition', async () => {
    let died = 0;
    let inherited = 0;
    await fc.assert(
      fc.asyncProperty(plan, async ({ log, ...how }) => {
        const { world, whole } = await throughGenerations(routed(log), how, false);
        died += world.deaths;
        inherited += new Set(
          world
            .rows()
            .filter(({ position, kind }) => position === '0' && kind === 'unit')
            .map(({ key }) => key),
        ).size;
        expect(world.open().partitions).toBe(4 * how.start);
        expect(totals(world.rows())).toEqual(totals([...foldEagerly(whole).store.rows.values()]));
        expect(recount(world.rows(), world.open(), 4)).toEqual([]);
        expect(new Set(world.facts.map(({ id, unit }) => `${id}${unit}`)).size).toBe(
          new Set(foldEagerly(whole).store.facts.map(({ id, unit }) => `${id}${unit}`)).size,
        );
      }),
      { numRuns: 80 },
    );
    expect(died).toBeGreaterThan(60);
    expect(inherited).toBeGreaterThan(20);
  }, 120_000);
  // Scales of weights are a partition's own (`nextScales`): evidence of entries that close after the change differs.
  test('with no new version and no new phase, every count and sum of every test is the same', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ log, ...how }) => {
        const { world, whole } = await throughGenerations(routed(log, true), how, false);
        const { partitions, firstPartitionId } = world.open();
        const divided = withoutScales(evaluated(world.rows(), partitions, firstPartitionId));
        expect(divided).toEqual(withoutScales(evaluated([...foldEagerly(whole).store.rows.values()], 1, 0)));
      }),
      { numRuns: 60 },
    );
  }, 120_000);
  test('the change itself changes nothing that a look finds, whatever came before it', async () => {
    await fc.assert(
      fc.asyncProperty(aLog, cacheLimits, deaths, fc.constantFrom(1, 2), async (log, room, dying, start) => {
        const world = createMemoryGenerations(start, room);
        world.append(routed(log).slice(0, -1));
        await world.join();
        const before = evaluated(world.rows(), start, 0);
        await untilDone(world, dying, () => multiplyPartitions(world, 2 * start));
        await world.join();
        expect(evaluated(world.rows(), 2 * start, world.open().firstPartitionId)).toEqual(before);
      }),
      { numRuns: 60 },
    );
  }, 120_000);
  test('a decision of any generation verifies: folded again to its version vector, the look is the same', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ log, ...how }) => {
        const { world } = await throughGenerations(routed(log), how, false);
        const open = world.open();
        const checkpoints = new Map(
          world
            .rows()
            .filter(({ kind }) => kind === 'checkpoint')
            .map(({ partitionId, position }) => [partitionId, Number(position)]),
        );
        const folds = await refold(await world.generations(), open, checkpoints, world.read);
        const found = evaluated(world.rows(), open.partitions, open.firstPartitionId) as Record<
          string,
          { evaluation: unknown }
        >;
        expect(evaluatedFold(folds)).toEqual(
          Object.fromEntries(Object.entries(found).map(([id, { evaluation }]) => [id, evaluation])),
        );
      }),
      { numRuns: 40 },
    );
  }, 120_000);
  test('folded again from the log, between two doublings and after them, killed anywhere: the same rows', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ log, ...how }) => {
        const once = await throughGenerations(routed(log), how, false);
        const { world } = await throughGenerations(routed(log), how, true);
        const { firstPartitionId } = world.open();
        const rows = (of: MemoryGenerations): string[] =>
          of
            .rows()
            .map(({ position: _ver, partitionId, body, ...row }) =>
              JSON.stringify({
                ...row,
                partitionId: partitionId - of.open().firstPartitionId,
                body: body.replaceAll(/"partitionId":\d+/g, ''),
              }),
            )
            .sort();
        expect(firstPartitionId).toBeGreaterThan(once.world.open().firstPartitionId);
        expect(rows(world)).toEqual(rows(once.world));
        expect(evaluated(world.rows(), 4 * how.start, firstPartitionId)).toEqual(
          evaluated(once.world.rows(), 4 * how.start, once.world.open().firstPartitionId),
        );
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});

describe('what it refuses', () => {
  const home = { units: 9, events: 9 };
  test.each([
    ['no multiple', 2, 5, 'no multiple'],
    ['fewer', 2, 1, 'no multiple'],
    ['more than there are buckets', 2, 8_192, 'no multiple'],
  ])('%s', async (_name, from, to, why) => {
    const world = createMemoryGenerations(from, home);
    await expect(multiplyPartitions(world, to)).rejects.toThrow(why);
    expect(await world.generations()).toHaveLength(1);
  });
  test('stages that run', async () => {
    const world = { ...createMemoryGenerations(1, home), running: async () => ['tripline-redactor'] };
    await expect(multiplyPartitions(world, 2)).rejects.toThrow('tripline-redactor still has members');
  });
  test('units whose bucket nobody said, before anything is changed', async () => {
    const world = createMemoryGenerations(1, home);
    world.append([adopted(first), observed({ id: 'e1', unit: 'u1', at: first.appliedAt })]);
    await expect(multiplyPartitions(world, 2)).rejects.toThrow(
      '1 units were last seen before records carried a bucket',
    );
    expect(await world.generations()).toHaveLength(1);
  });
  test('a rebuild of a log that no longer begins at its beginning', async () => {
    const world = createMemoryGenerations(1, home);
    await expect(rebuildGeneration({ ...world, offsets: async () => [{ first: 3, next: 9 }] })).rejects.toThrow(
      'no longer begins at offset 0',
    );
  });
  test('another number than the one that was begun', async () => {
    const world = createMemoryGenerations(1, home);
    world.dieAfter(2);
    await expect(multiplyPartitions(world, 2)).rejects.toThrow(Died);
    await expect(multiplyPartitions(world, 4)).rejects.toThrow('a change to 2 partitions was begun');
    await expect(rebuildGeneration(world)).rejects.toThrow('a change to 2 partitions was begun');
    expect((await multiplyPartitions(world, 2)).partitions).toBe(2);
    expect((await multiplyPartitions(world, 2)).generation).toBe(1);
  });
});

test("an outcome with only its inference goes to the unit of the id's bucket, not to another child's", async () => {
  // The event was counted first under a unit of the other child.
  const world = createMemoryGenerations(1, { units: 9, events: 9 });
  const [user, org] = ['u0', 'o1'];
  expect(partitionOf(bucketOfUnit(user), 2)).not.toBe(partitionOf(bucketOfUnit(org), 2));
  const at = first.appliedAt;
  const id = routedId('e1', user);
  const under = (unit: string, experiment: string): UnitRecord => {
    const record = observed({ id: 'e1', unit, at, experiment });
    if ('tripline.v1.Observation' in record.body) record.body['tripline.v1.Observation'].event_id = id;
    return { ...record, bucket: bucketOfUnit(unit) };
  };
  world.append([adopted(first), adopted(second), under(org, 'exp-org'), under(user, 'exp-test')]);
  await multiplyPartitions(world, 2);
  const outcome = happened({ id: 'o1', at: at + 1, inference: 'e1' });
  if ('tripline.v1.OutcomeSeen' in outcome.body) outcome.body['tripline.v1.OutcomeSeen'].inference = id;
  world.append([{ ...outcome, bucket: bucketOfUnit(user) }]);
  await world.join();
  expect(recount(world.rows(), world.open(), 2)).toEqual([]);
  expect(
    world
      .rows()
      .filter(({ kind }) => kind === 'entity')
      .map(({ key, bucket }) => [Buffer.from(key.slice(0, 32), 'hex').toString('latin1').slice(0, 2), bucket]),
  ).toEqual([[user, bucketOfUnit(user)]]);
});
