/**
 * One trial in memory: disordered input through the real redaction, linking and fold, two owners of each partition, and
 * a seeded schedule of what goes wrong between them and the store: crashes between any two writes, replies lost after
 * the store has committed, writes that arrive long after their writer has died, owners that were frozen and wake up. It
 * ends when everything is folded and flushed, and is judged by the oracle.
 */
import type { UnitRecord } from '../../../schemas/generated.ts';
import { createRandom } from '../../../services/demo/story.ts';
import type { PartitionState } from '../../../services/joiner/partition-state.ts';
import type { JoinerStore } from '../../../services/joiner/joiner-store.ts';
import type { FlushRows } from '../../../services/joiner/flush-rows.ts';
import { aRevision, hour, monday } from '../../support/build.ts';
import { createMemoryPath } from '../../support/memory-path.ts';
import { createMemoryState, readStateRows, type StateRowRead } from '../../support/memory-state.ts';
import { type Disorder, disorderOf } from '../disorder.ts';
import { entriesOf, totalsOf } from '../oracle.ts';
import { type Build, wall } from './build.ts';

export type Faults = { crashes: number; lostReplies: number; lateWrites: number; overtaken: number; flushes: number };
export type Verdict = { readonly wrong: readonly string[]; readonly faults: Faults; readonly records: number };

const revision = aRevision();
const position = (offset: number): number => offset * 4096;

/** What an owner still has to send of a flush, in order. */
type Write = (of: ReturnType<typeof createFaultStore>) => void;

function createFaultStore(build: Build) {
  const memory = createMemoryState();
  const rows = memory.rows as Map<string, StateRowRead>;
  const insert = (some: readonly StateRowRead[]): void => {
    for (const row of some) {
      const key = `${row.partitionId}/${row.kind}/${row.experiment}/${row.phase}/${row.key}`;
      if (Number(rows.get(key)?.position ?? -1) <= Number(row.position)) rows.set(key, row);
    }
  };
  let loads = 0;
  const base: JoinerStore['base'] = (partitionId) => {
    // A partition is loaded again for as long as it looks half written: a build that leaves it so never begins.
    loads += 1;
    if (loads > 2_000) throw new Error('the partition never loads');
    return memory.base(partitionId);
  };
  const store: JoinerStore = build.filtersFacts
    ? { ...memory, base }
    : {
        ...memory,
        base,
        events: (partitionId, ids) => memory.events(partitionId, ids, Infinity),
        eventIds: (partitionId, _below, after, limit) => memory.eventIds(partitionId, Infinity, after, limit),
      };
  return { memory, store, insert };
}

function writesOf(build: Build, flush: FlushRows): Write[] {
  const facts: Write = ({ memory }) => memory.writeFacts(flush);
  const rows = readStateRows(flush.state);
  const first =
    build.inserts === 'checkpoint-first'
      ? rows.filter(({ kind }) => kind === 'checkpoint')
      : build.inserts === 'units-then-aggregates'
        ? rows.filter(({ kind }) => kind === 'unit' || kind === 'entity')
        : rows;
  const rest = rows.filter((row) => !first.includes(row));
  if (build.inserts === 'state-first') return [({ insert }) => insert(rows), facts];
  return [
    facts,
    ({ insert }) => insert(first),
    ...(rest.length > 0 ? [({ insert }: ReturnType<typeof createFaultStore>) => insert(rest)] : []),
  ];
}

type Owner = {
  state: PartitionState | undefined;
  at: number;
  flying:
    | { readonly writes: Write[]; readonly all: readonly Write[]; readonly of: PartitionState; readonly taken: number }
    | undefined;
};

export async function runTrial(
  seed: number,
  build: Build,
  partitions = 2,
  options: Parameters<typeof disorderOf>[1] = {},
): Promise<Verdict> {
  const random = createRandom(seed ^ 0x5eed);
  const upTo = (max: number): number => Math.floor(random() * max);
  const input = disorderOf(seed, options);
  const path = createMemoryPath(partitions);
  path.apply(revision);
  for (const arrival of input.arrivals) path.send(arrival);
  path.tick((input.arrivals.at(-1)?.arrivedAt ?? monday) + 400 * hour);

  const target = createFaultStore(build);
  const faults: Faults = { crashes: 0, lostReplies: 0, lateWrites: 0, overtaken: 0, flushes: 0 };
  const late: { readonly due: number; readonly write: Write }[] = [];
  // A broken build that reads a clock reads this one: it runs on while processes are down.
  let now = monday;
  wall.triplineWall = () => now;
  const cacheLimits = { units: upTo(6), events: 1 + upTo(8) };
  const owners = path.logs.map((): Owner[] => [0, 1].map(() => ({ state: undefined, at: 0, flying: undefined })));
  const load = async (owner: Owner, partitionId: number): Promise<PartitionState> => {
    const state = await build.loadPartition(target.store, partitionId);
    owner.state = state;
    owner.at = state.position / 4096;
    return state;
  };
  const fold = async (owner: Owner, partitionId: number, log: readonly UnitRecord[], count: number): Promise<void> => {
    let state = owner.state ?? (await load(owner, partitionId));
    for (;;) {
      const batch = log.slice(owner.at, owner.at + count);
      if (batch.length === 0) return;
      if ((await build.prefetch(target.store, state, batch, position(owner.at), cacheLimits)) !== 'behind') {
        for (const record of batch) {
          build.foldRecord(state, record, position(owner.at));
          owner.at += 1;
        }
        return;
      }
      faults.overtaken += 1;
      owner.flying = undefined;
      state = await load(owner, partitionId);
    }
  };
  const take = (owner: Owner): void => {
    if (owner.state === undefined || owner.flying !== undefined || owner.state.position === 0) return;
    const flush = build.takeFlushRows(owner.state, position(owner.at));
    const writes = writesOf(build, flush);
    owner.flying = { writes: [...writes], all: writes, of: owner.state, taken: flush.taken };
    faults.flushes += 1;
  };
  const writeOne = (owner: Owner): void => {
    const { flying } = owner;
    if (flying === undefined) return;
    flying.writes.shift()?.(target);
    if (flying.writes.length > 0) return;
    flying.of.durable = flying.taken;
    owner.flying = undefined;
  };
  const writeAll = (owner: Owner): void => {
    while (owner.flying) writeOne(owner);
  };
  const crash = (owner: Owner): void => {
    faults.crashes += 1;
    Object.assign(owner, { state: undefined, at: 0, flying: undefined });
    now += upTo(20) * hour;
  };
  const deliverLate = (all: boolean): void => {
    for (const entry of late.splice(0)) {
      if (!all && entry.due > faults.flushes) late.push(entry);
      else entry.write(target);
    }
  };

  const wrong: string[] = [];
  try {
    for (let step = 0; step < 70 * partitions; step += 1) {
      const partitionId = upTo(partitions);
      const log = path.logs[partitionId] ?? [];
      const owner = owners[partitionId]?.[random() < 0.85 ? 0 : 1] as Owner;
      now += upTo(3) * hour;
      deliverLate(false);
      const what = random();
      if (what < 0.45) await fold(owner, partitionId, log, 1 + upTo(9));
      else if (what < 0.6) take(owner);
      else if (what < 0.66) writeOne(owner);
      else if (what < 0.8) writeAll(owner);
      else if (what < 0.87 && owner.flying) {
        // Between two writes.
        for (let writes = 1 + upTo(owner.flying.writes.length); writes > 1; writes -= 1) writeOne(owner);
        crash(owner);
      } else if (what < 0.91 && owner.flying) {
        // The store has all of it, the owner believes that it has nothing, and sends it again some time.
        for (const write of owner.flying.all) write(target);
        owner.flying.writes.splice(0, Infinity, ...owner.flying.all);
        faults.lostReplies += 1;
      } else if (what < 0.95 && owner.flying) {
        // A write is on the way when it dies; the one after it is only sent when that has been answered.
        const write = owner.flying.writes[0];
        if (write) late.push({ due: faults.flushes + upTo(6), write });
        faults.lateWrites += 1;
        crash(owner);
      } else if (what >= 0.95) crash(owner);
    }
    for (const [partitionId, log] of path.logs.entries()) {
      for (const owner of [...(owners[partitionId] ?? [])].reverse()) {
        writeAll(owner);
        do {
          await fold(owner, partitionId, log, 8);
          take(owner);
          writeAll(owner);
        } while (owner.at < log.length);
      }
    }
    deliverLate(true);
  } catch (error) {
    wrong.push(`threw: ${error instanceof Error ? error.message : String(error)}`);
  }
  return {
    wrong: [...wrong, ...judge([...target.memory.rows.values()], input, path.logs)],
    faults,
    records: path.logs.reduce((sum, log) => sum + log.length, 0),
  };
}

/**
 * Totals against the input, entries against the logs, aggregates against the unit rows, checkpoints against the ends.
 */
function judge(rows: readonly StateRowRead[], input: Disorder, logs: readonly (readonly UnitRecord[])[]): string[] {
  const { spec } = revision;
  const wrong: string[] = [];
  const differ = (what: string, have: unknown, want: unknown): void => {
    if (JSON.stringify(have) !== JSON.stringify(want))
      wrong.push(`${what}: ${JSON.stringify(have)}, expected ${JSON.stringify(want)}`);
  };
  const metricAggregates = rows.filter(({ kind }) => kind === 'metric_aggregate');
  for (const [key, want] of totalsOf(spec, input.arrivals)) {
    const [metric, arm] = key.split('/');
    const mine = metricAggregates.filter((row) => row.metric === metric && row.arm === arm);
    const sum = (read: (row: StateRowRead) => string | undefined): number =>
      mine.reduce((total, row) => total + Number(read(row) ?? 0), 0);
    differ(
      `totals of ${key}`,
      {
        units: sum(({ units }) => units),
        numerator: sum(({ sums }) => sums[0]),
        denominator: sum(({ sums }) => sums[1]),
      },
      want,
    );
  }
  for (const [partitionId, log] of logs.entries()) {
    differ(
      `checkpoint of ${partitionId}`,
      rows.find((row) => row.kind === 'checkpoint' && row.partitionId === partitionId)?.position,
      String(position(log.length)),
    );
    const testAggregates = rows.filter((row) => row.kind === 'test_aggregate' && row.partitionId === partitionId);
    const expected = entriesOf(spec, revision.phaseStartedAt, log);
    const segments = Math.max(
      0,
      ...testAggregates.map(({ segment }) => segment),
      ...[...expected.keys()].map((key) => Number(key.split('/')[2])),
    );
    for (const { id: metric } of spec.metrics)
      for (const { id: arm } of spec.arms)
        for (let from = 0; from <= segments; from += 1) {
          const since = (all: readonly StateRowRead[]) => {
            const suffix = all.filter((row) => row.metric === metric && row.arm === arm && row.segment >= from);
            return {
              n: suffix.reduce((sum, { units }) => sum + Number(units), 0),
              s: suffix.reduce((sum, { testSums }) => sum + Number(testSums[0]), 0),
              sv: suffix.reduce((sum, { testSums }) => sum + Number(testSums[1]), 0),
            };
          };
          differ(
            `entries of ${metric}/${arm} since ${from} in ${partitionId}`,
            since(testAggregates),
            expected.get(`${metric}/${arm}/${from}`) ?? { n: 0, s: 0, sv: 0 },
          );
        }
    const units = rows.filter((row) => row.kind === 'unit' && row.partitionId === partitionId && !row.crossover);
    for (const aggregate of metricAggregates.filter((row) => row.partitionId === partitionId)) {
      const mine = units.filter(({ arm }) => arm === aggregate.arm);
      const at = 2 * aggregate.metricOrdinal;
      const pair = mine.map(({ totals }) => [BigInt(totals[at] ?? 0), BigInt(totals[at + 1] ?? 0)] as const);
      const total = (read: (y: bigint, d: bigint) => bigint): string =>
        String(pair.reduce((sum, [y, d]) => sum + read(y, d), 0n));
      differ(
        `recount of ${aggregate.metric}/${aggregate.arm} in ${partitionId}`,
        [aggregate.units, ...aggregate.sums],
        [
          String(mine.length),
          total((y) => y),
          total((_, d) => d),
          total((y) => y * y),
          total((_, d) => d * d),
          total((y, d) => y * d),
        ],
      );
    }
  }
  return wrong;
}
