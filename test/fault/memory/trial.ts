/**
 * One trial in memory: disordered input through the real redaction, linking and fold, two owners of each partition, and
 * a seeded schedule of what goes wrong between them and the store: crashes between any two writes, replies lost after
 * the store has committed, writes that arrive long after their writer has died, owners that were frozen and wake up. It
 * ends when everything is folded and flushed, and is judged by the oracle.
 */
import type { UnitRecord } from '../../../schemas/generated.ts';
import { createRandom } from '../../../services/demo/story.ts';
import type { PartitionState } from '../../../services/joiner/partition-state.ts';
import { aRevision, hour, monday } from '../../support/build.ts';
import { createMemoryPath } from '../../support/memory-path.ts';
import { messageOf } from '../differ.ts';
import { type Disorder, type DisorderOptions, disorderOf } from '../disorder.ts';
import { type Build, wall } from './build.ts';
import { createFaultStore, type FaultStore, type Write, writesOf } from './fault-store.ts';
import { judge } from './judge.ts';

export type Faults = { crashes: number; lostReplies: number; lateWrites: number; overtaken: number; flushes: number };
export type Verdict = { readonly wrong: readonly string[]; readonly faults: Faults; readonly records: number };

const revision = aRevision();
const positionOf = (offset: number): number => offset * 4096;

/** A flush on its way: the writes that are left, all of them, and what is durable when none is left. */
type Flight = {
  readonly writes: Write[];
  readonly all: readonly Write[];
  readonly of: PartitionState;
  readonly taken: number;
};
/** One of two processes that believe they own a partition. `at`: the offset of the next record. */
type Owner = { state: PartitionState | undefined; at: number; flying: Flight | undefined };

type Trial = {
  readonly build: Build;
  readonly random: () => number;
  readonly target: FaultStore;
  /** Unit log and owners, by partition. */
  readonly logs: readonly (readonly UnitRecord[])[];
  readonly owners: readonly (readonly Owner[])[];
  readonly cacheLimits: { readonly units: number; readonly events: number };
  /** Writes of the dead that are still on their way; `due` in flushes. */
  readonly late: { readonly due: number; readonly write: Write }[];
  readonly faults: Faults;
  /** A broken build that reads a clock reads this one: it runs on while processes are down. Epoch milliseconds. */
  now: number;
};

const upTo = ({ random }: Trial, max: number): number => Math.floor(random() * max);

function createTrial(seed: number, build: Build, input: Disorder, partitions: number): Trial {
  const path = createMemoryPath(partitions);
  path.apply(revision);
  for (const arrival of input.arrivals) path.send(arrival);
  path.tick((input.arrivals.at(-1)?.arrivedAt ?? monday) + 400 * hour);
  const random = createRandom(seed ^ 0x5eed);
  return {
    build,
    random,
    target: createFaultStore(build),
    logs: path.logs,
    owners: path.logs.map(() => [0, 1].map(() => ({ state: undefined, at: 0, flying: undefined }))),
    cacheLimits: { units: Math.floor(random() * 6), events: 1 + Math.floor(random() * 8) },
    late: [],
    faults: { crashes: 0, lostReplies: 0, lateWrites: 0, overtaken: 0, flushes: 0 },
    now: monday,
  };
}

async function load({ build, target }: Trial, owner: Owner, partitionId: number): Promise<PartitionState> {
  const state = await build.loadPartition(target.store, partitionId);
  owner.state = state;
  owner.at = state.position / 4096;
  return state;
}

/** Folds the next `count` records; an owner that another has overtaken loads again first. */
async function fold(trial: Trial, owner: Owner, partitionId: number, count: number): Promise<void> {
  const { build, target, cacheLimits } = trial;
  let state = owner.state ?? (await load(trial, owner, partitionId));
  for (;;) {
    const batch = (trial.logs[partitionId] ?? []).slice(owner.at, owner.at + count);
    if (batch.length === 0) return;
    if ((await build.prefetch(target.store, state, batch, positionOf(owner.at), cacheLimits)) !== 'behind') {
      for (const record of batch) {
        build.foldRecord(state, record, positionOf(owner.at));
        owner.at += 1;
      }
      return;
    }
    trial.faults.overtaken += 1;
    owner.flying = undefined;
    state = await load(trial, owner, partitionId);
  }
}

function takeFlush({ build, faults }: Trial, owner: Owner): void {
  if (owner.state === undefined || owner.flying !== undefined || owner.state.position === 0) return;
  const flush = build.takeFlushRows(owner.state, positionOf(owner.at));
  const writes = writesOf(build, flush);
  owner.flying = { writes: [...writes], all: writes, of: owner.state, taken: flush.taken };
  faults.flushes += 1;
}

function writeOne({ target }: Trial, owner: Owner): void {
  const { flying } = owner;
  if (flying === undefined) return;
  flying.writes.shift()?.(target);
  if (flying.writes.length > 0) return;
  flying.of.durable = flying.taken;
  owner.flying = undefined;
}
function writeAll(trial: Trial, owner: Owner): void {
  while (owner.flying) writeOne(trial, owner);
}

function crash(trial: Trial, owner: Owner): void {
  trial.faults.crashes += 1;
  Object.assign(owner, { state: undefined, at: 0, flying: undefined });
  trial.now += upTo(trial, 20) * hour;
}

function crashBetweenWrites(trial: Trial, owner: Owner, flying: Flight): void {
  for (let writes = 1 + upTo(trial, flying.writes.length); writes > 1; writes -= 1) writeOne(trial, owner);
  crash(trial, owner);
}

/** The store has all of it, the owner believes that it has nothing, and sends it again some time. */
function loseReply({ target, faults }: Trial, flying: Flight): void {
  for (const write of flying.all) write(target);
  flying.writes.splice(0, Infinity, ...flying.all);
  faults.lostReplies += 1;
}

/** A write is on the way when it dies; the one after it is only sent when that has been answered. */
function crashBeforeLateWrite(trial: Trial, owner: Owner, flying: Flight): void {
  const write = flying.writes[0];
  if (write) trial.late.push({ due: trial.faults.flushes + upTo(trial, 6), write });
  trial.faults.lateWrites += 1;
  crash(trial, owner);
}

function deliverLate({ late, faults, target }: Trial, all: boolean): void {
  for (const entry of late.splice(0)) {
    if (!all && entry.due > faults.flushes) late.push(entry);
    else entry.write(target);
  }
}

/** One thing happens to one owner, by chance. */
async function step(trial: Trial): Promise<void> {
  const partitionId = upTo(trial, trial.logs.length);
  const owner = trial.owners[partitionId]?.[trial.random() < 0.85 ? 0 : 1] as Owner;
  trial.now += upTo(trial, 3) * hour;
  deliverLate(trial, false);
  const what = trial.random();
  const { flying } = owner;
  if (what < 0.45) await fold(trial, owner, partitionId, 1 + upTo(trial, 9));
  else if (what < 0.6) takeFlush(trial, owner);
  else if (what < 0.66) writeOne(trial, owner);
  else if (what < 0.8) writeAll(trial, owner);
  else if (what < 0.87 && flying) crashBetweenWrites(trial, owner, flying);
  else if (what < 0.91 && flying) loseReply(trial, flying);
  else if (what < 0.95 && flying) crashBeforeLateWrite(trial, owner, flying);
  else if (what >= 0.95) crash(trial, owner);
}

/** Everything folded and flushed by the second owner, then by the first; then what is late arrives. */
async function finish(trial: Trial): Promise<void> {
  for (const [partitionId, log] of trial.logs.entries()) {
    for (const owner of [...(trial.owners[partitionId] ?? [])].reverse()) {
      writeAll(trial, owner);
      do {
        await fold(trial, owner, partitionId, 8);
        takeFlush(trial, owner);
        writeAll(trial, owner);
      } while (owner.at < log.length);
    }
  }
  deliverLate(trial, true);
}

export async function runTrial(
  seed: number,
  build: Build,
  partitions = 2,
  options: DisorderOptions = {},
): Promise<Verdict> {
  const input = disorderOf(seed, options);
  const trial = createTrial(seed, build, input, partitions);
  wall.triplineWall = () => trial.now;
  const wrong: string[] = [];
  try {
    for (let steps = 0; steps < 70 * partitions; steps += 1) await step(trial);
    await finish(trial);
  } catch (error) {
    wrong.push(`threw: ${messageOf(error)}`);
  }
  wrong.push(...judge([...trial.target.memory.rows.values()], revision, input, trial.logs));
  return { wrong, faults: trial.faults, records: trial.logs.reduce((sum, log) => sum + log.length, 0) };
}
