/**
 * From one epoch of the unit log's state to the next: its partitions multiplied with their state carried over, or
 * everything folded again from the log. Every step may be repeated, none may be skipped: killed anywhere and run again
 * it ends in the same rows. Nobody reads any of it before the last step, one insert of one row.
 *
 * planned (numbers of its parts are taken) -> topic made (writers write there from now on) -> the old topic folded to
 * its end -> divided -> open.
 */
import { chainOf, type Epoch, openEpoch } from '../kernel/epochs.ts';
import { bucketCount } from '../kernel/ids.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { positionsPerOffset } from '../kernel/state-rows.ts';
import { divideEpoch } from './divide.ts';
import type { JoinerStore } from './joiner-store.ts';

export type EpochWorld = {
  /** Every epoch; the first one where none was ever written. */
  epochs(): Promise<readonly Epoch[]>;
  /** All of them in one insert. */
  write(epochs: readonly Epoch[]): Promise<void>;
  /** Consumer groups of stages that still have members. */
  running(): Promise<readonly string[]>;
  /** Does nothing when it is there. */
  createTopic(epoch: Epoch): Promise<void>;
  /** First and next offset of each partition of an epoch's topic. */
  offsets(epoch: Epoch): Promise<readonly { readonly first: number; readonly next: number }[]>;
  /**
   * Resolves when each partition is folded and durable up to its offset in `until`, and folded no further. `known`: all
   * epochs there are, this one included.
   */
  fold(epoch: Epoch, known: readonly Epoch[], until: readonly number[]): Promise<void>;
  /** A tick at each partition's own clock: a joiner meets a partition at its first record. */
  tick(epoch: Epoch, clocks: readonly number[]): Promise<void>;
  /** For an epoch: its look-ups reach the parts that it was divided from. */
  store(known: readonly Epoch[]): JoinerStore;
  say(what: string): void;
};

const offsetsOf = (ends: readonly number[]): number[] => ends.map((ver) => Math.ceil(ver / positionsPerOffset));

const replace = (epochs: readonly Epoch[], changed: Epoch): Epoch[] => [
  ...epochs.filter(({ epoch }) => epoch !== changed.epoch),
  changed,
];

/** What has been planned past the open epoch and not finished. */
async function standOf(
  world: EpochWorld,
): Promise<{ epochs: readonly Epoch[]; open: Epoch; planned: readonly Epoch[] }> {
  const epochs = await world.epochs();
  const open = openEpoch(epochs);
  if (open === undefined)
    throw new PipelineError('STATE_CORRUPT', 'table epochs has no open epoch', {
      cure: 'restore it from a backup: no command leaves it like that',
    });
  return { epochs, open, planned: epochs.filter(({ epoch }) => epoch > open.epoch).sort((a, b) => a.epoch - b.epoch) };
}

async function requireStopped(world: EpochWorld): Promise<void> {
  const running = await world.running();
  if (running.length > 0)
    throw new PipelineError(
      'CONFIG_INVALID',
      `${running.join(', ')} still ${running.length === 1 ? 'has members' : 'have members'}`,
      { cure: 'stop every stage, `npx tripline down`; after a kill their sessions end within 30 s' },
    );
}

async function requireHomes(
  world: EpochWorld,
  epochs: readonly Epoch[],
  { firstPart, partitions }: Epoch,
): Promise<void> {
  const homeless = await world
    .store(epochs)
    .homeless(Array.from({ length: partitions }, (_, partition) => firstPart + partition));
  if (homeless > 0)
    throw new PipelineError(
      'STATE_CORRUPT',
      `${homeless} units were last seen before records carried a bucket: they cannot be divided`,
      { cure: 'begin a new phase, or a new prefix, under this version; nothing was changed' },
    );
}

/** `partitions`: any whole multiple of what there are now. Ends at once when there are so many already. */
export async function multiplyPartitions(world: EpochWorld, partitions: number): Promise<Epoch> {
  const { epochs, open, planned } = await standOf(world);
  let [child] = planned;
  if (child !== undefined && child.parent !== open.epoch)
    throw new PipelineError('CONFIG_INVALID', 'a rebuild was begun and not finished', {
      cure: 'finish it: `npx tripline rebuild`',
    });
  if (child !== undefined && child.partitions !== partitions)
    throw new PipelineError('CONFIG_INVALID', `a change to ${child.partitions} partitions was begun and not finished`, {
      cure: `finish it: \`npx tripline epoch --partitions ${child.partitions}\``,
    });
  if (child === undefined && partitions === open.partitions) return open;
  if (
    !Number.isInteger(partitions) ||
    partitions <= open.partitions ||
    partitions % open.partitions !== 0 ||
    partitions > bucketCount
  ) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `${partitions} partitions are no multiple of the ${open.partitions} there are, up to ${bucketCount}`,
      { cure: `for example --partitions ${2 * open.partitions}` },
    );
  }
  await requireStopped(world);
  if (child === undefined) {
    // Before anything is said: what cannot be divided must leave everything as it was.
    await world.fold(
      open,
      epochs,
      (await world.offsets(open)).map(({ next }) => next),
    );
    await requireHomes(world, epochs, open);
    const epoch = Math.max(...epochs.map((other) => other.epoch)) + 1;
    child = {
      epoch,
      topic: `unit.v1.e${epoch}`,
      firstPart: nextPart(epochs),
      partitions,
      parent: open.epoch,
      ends: [],
      step: 0,
    };
    await world.write(replace(epochs, child));
  }
  await world.createTopic(child);
  // A writer that began before the topic was there would still write to the old one.
  await requireStopped(world);
  const until = (await world.offsets(open)).map(({ next }) => next);
  world.say(`folding ${open.topic} to its end`);
  await world.fold(open, epochs, until);
  await requireHomes(world, epochs, open);
  world.say(`dividing ${open.partitions} partitions into ${child.partitions}`);
  const { ends, clocks } = await divideEpoch(world.store(epochs), open, child);
  await world.tick(
    child,
    Array.from(
      { length: child.partitions },
      (_, partition) => clocks[Math.floor((partition * open.partitions) / partitions)] ?? 0,
    ),
  );
  const opened: Epoch = { ...child, ends, step: 2 };
  await world.write([opened]);
  return opened;
}

/** Parts are 16 bits and never used twice. */
function nextPart(epochs: readonly Epoch[]): number {
  return Math.max(...epochs.map(({ firstPart, partitions }) => firstPart + partitions));
}

/**
 * Folds every topic of the open epoch's chain again with the fold of this version, beside what is there, and opens the
 * result when it has caught up.
 */
export async function rebuildEpoch(world: EpochWorld): Promise<Epoch> {
  const { epochs, open, planned } = await standOf(world);
  const old = chainOf(epochs, open);
  let chain = planned;
  if (chain[0]?.parent === open.epoch)
    throw new PipelineError(
      'CONFIG_INVALID',
      `a change to ${chain[0].partitions} partitions was begun and not finished`,
      { cure: `finish it: \`npx tripline epoch --partitions ${chain[0].partitions}\`` },
    );
  for (const epoch of old) {
    const gone = (await world.offsets(epoch)).findIndex(({ first }) => first > 0);
    if (gone >= 0)
      throw new PipelineError(
        'STATE_CORRUPT',
        `${epoch.topic}, partition ${gone}, no longer begins at offset 0: it cannot be folded again`,
        { cure: 'keep the unit log (retention.ms=-1, the default); nothing was changed' },
      );
  }
  if (chain.length === 0) {
    const from = Math.max(...epochs.map(({ epoch }) => epoch)) + 1;
    let firstPart = nextPart(epochs);
    const made: Epoch[] = [];
    for (const [index, { topic, partitions }] of old.entries()) {
      made.push({
        epoch: from + index,
        topic,
        firstPart,
        partitions,
        parent: index === 0 ? -1 : from + index - 1,
        ends: [],
        step: 0,
      });
      firstPart += partitions;
    }
    chain = made;
    await world.write([...epochs.filter(({ epoch }) => epoch === 0), ...made]);
  }
  let known: readonly Epoch[] = [...epochs.filter(({ epoch }) => epoch <= open.epoch), ...chain];
  for (const [index, planned] of chain.entries()) {
    const epoch = known.find((other) => other.epoch === planned.epoch) ?? planned;
    const next = chain[index + 1];
    const until =
      next === undefined
        ? (await world.offsets(epoch)).map((offsets) => offsets.next)
        : offsetsOf(old[index + 1]?.ends ?? []);
    world.say(`folding ${epoch.topic} from its beginning`);
    await world.fold(epoch, known, until);
    if (next === undefined) {
      const opened: Epoch = { ...epoch, step: 2 };
      await world.write([opened]);
      return opened;
    }
    const { ends } = await divideEpoch(world.store(known), epoch, next);
    const divided: Epoch = { ...next, ends, step: 1 };
    await world.write([divided]);
    known = replace(known, divided);
  }
  return open;
}
