/**
 * From one generation of the unit log's state to the next: its partitions multiplied with their state carried over, or
 * everything folded again from the log. Every step may be repeated, none may be skipped: killed anywhere and run again
 * it ends in the same rows. Nobody reads any of it before the last step, one insert of one row.
 *
 * planned (numbers of its parts are taken) -> topic made (writers write there from now on) -> the old topic folded to
 * its end -> divided -> open.
 */
import { chainOf, type Generation, openGeneration } from '../kernel/generations.ts';
import { bucketCount } from '../kernel/ids.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { positionsPerOffset } from '../kernel/state-rows.ts';
import { divideGeneration } from './divide.ts';
import type { JoinerStore } from './joiner-store.ts';

export type GenerationPort = {
  /** Every generation; the first one where none was ever written. */
  generations(): Promise<readonly Generation[]>;
  /** All of them in one insert. */
  write(generations: readonly Generation[]): Promise<void>;
  /** Consumer groups of stages that still have members. */
  running(): Promise<readonly string[]>;
  /** Does nothing when it is there. */
  createTopic(generation: Generation): Promise<void>;
  /** First and next offset of each partition of an generation's topic. */
  offsets(generation: Generation): Promise<readonly { readonly first: number; readonly next: number }[]>;
  /**
   * Resolves when each partition is folded and durable up to its offset in `until`, and folded no further. `known`: all
   * generations there are, this one included.
   */
  fold(generation: Generation, known: readonly Generation[], until: readonly number[]): Promise<void>;
  /** A tick at each partition's own clock: a joiner meets a partition at its first record. */
  tick(generation: Generation, clocks: readonly number[]): Promise<void>;
  /** For an generation: its look-ups reach the parts that it was divided from. */
  store(known: readonly Generation[]): JoinerStore;
  say(what: string): void;
};

const offsetsOf = (ends: readonly number[]): number[] =>
  ends.map((position) => Math.ceil(position / positionsPerOffset));

const replace = (generations: readonly Generation[], changed: Generation): Generation[] => [
  ...generations.filter(({ generation }) => generation !== changed.generation),
  changed,
];

/** What has been planned past the open generation and not finished. */
async function standOf(
  world: GenerationPort,
): Promise<{ generations: readonly Generation[]; open: Generation; planned: readonly Generation[] }> {
  const generations = await world.generations();
  const open = openGeneration(generations);
  if (open === undefined)
    throw new PipelineError('STATE_CORRUPT', 'table epochs has no open epoch', {
      hint: 'restore it from a backup: no command leaves it like that',
    });
  return {
    generations,
    open,
    planned: generations
      .filter(({ generation }) => generation > open.generation)
      .sort((a, b) => a.generation - b.generation),
  };
}

async function requireStopped(world: GenerationPort): Promise<void> {
  const running = await world.running();
  if (running.length > 0)
    throw new PipelineError(
      'CONFIG_INVALID',
      `${running.join(', ')} still ${running.length === 1 ? 'has members' : 'have members'}`,
      { hint: 'stop every stage, `npx tripline down`; after a kill their sessions end within 30 s' },
    );
}

async function requireRouted(
  world: GenerationPort,
  generations: readonly Generation[],
  { firstPartitionId, partitions }: Generation,
): Promise<void> {
  const unroutedUnits = await world
    .store(generations)
    .unroutedUnits(Array.from({ length: partitions }, (_, partition) => firstPartitionId + partition));
  if (unroutedUnits > 0)
    throw new PipelineError(
      'STATE_CORRUPT',
      `${unroutedUnits} units were last seen before records carried a bucket: they cannot be divided`,
      { hint: 'begin a new phase, or a new prefix, under this version; nothing was changed' },
    );
}

/** `partitions`: any whole multiple of what there are now. Ends at once when there are so many already. */
export async function multiplyPartitions(world: GenerationPort, partitions: number): Promise<Generation> {
  const { generations, open, planned } = await standOf(world);
  let [child] = planned;
  if (child !== undefined && child.parent !== open.generation)
    throw new PipelineError('CONFIG_INVALID', 'a rebuild was begun and not finished', {
      hint: 'finish it: `npx tripline rebuild`',
    });
  if (child !== undefined && child.partitions !== partitions)
    throw new PipelineError('CONFIG_INVALID', `a change to ${child.partitions} partitions was begun and not finished`, {
      hint: `finish it: \`npx tripline repartition --partitions ${child.partitions}\``,
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
      { hint: `for example --partitions ${2 * open.partitions}` },
    );
  }
  await requireStopped(world);
  if (child === undefined) {
    // Before anything is said: what cannot be divided must leave everything as it was.
    await world.fold(
      open,
      generations,
      (await world.offsets(open)).map(({ next }) => next),
    );
    await requireRouted(world, generations, open);
    const generation = Math.max(...generations.map((other) => other.generation)) + 1;
    child = {
      generation,
      topic: `unit.v1.g${generation}`,
      firstPartitionId: nextPartitionId(generations),
      partitions,
      parent: open.generation,
      ends: [],
      step: 0,
    };
    await world.write(replace(generations, child));
  }
  await world.createTopic(child);
  // A writer that began before the topic was there would still write to the old one.
  await requireStopped(world);
  const until = (await world.offsets(open)).map(({ next }) => next);
  world.say(`folding ${open.topic} to its end`);
  await world.fold(open, generations, until);
  await requireRouted(world, generations, open);
  world.say(`dividing ${open.partitions} partitions into ${child.partitions}`);
  const { ends, clocks } = await divideGeneration(world.store(generations), open, child);
  await world.tick(
    child,
    Array.from(
      { length: child.partitions },
      (_, partition) => clocks[Math.floor((partition * open.partitions) / partitions)] ?? 0,
    ),
  );
  const opened: Generation = { ...child, ends, step: 2 };
  await world.write([opened]);
  return opened;
}

/** Parts are 16 bits and never used twice. */
function nextPartitionId(generations: readonly Generation[]): number {
  return Math.max(...generations.map(({ firstPartitionId, partitions }) => firstPartitionId + partitions));
}

/**
 * Folds every topic of the open generation's chain again with the fold of this version, beside what is there, and opens the
 * result when it has caught up.
 */
export async function rebuildGeneration(world: GenerationPort): Promise<Generation> {
  const { generations, open, planned } = await standOf(world);
  const old = chainOf(generations, open);
  let chain = planned;
  if (chain[0]?.parent === open.generation)
    throw new PipelineError(
      'CONFIG_INVALID',
      `a change to ${chain[0].partitions} partitions was begun and not finished`,
      { hint: `finish it: \`npx tripline repartition --partitions ${chain[0].partitions}\`` },
    );
  for (const generation of old) {
    const gone = (await world.offsets(generation)).findIndex(({ first }) => first > 0);
    if (gone >= 0)
      throw new PipelineError(
        'STATE_CORRUPT',
        `${generation.topic}, partition ${gone}, no longer begins at offset 0: it cannot be folded again`,
        { hint: 'keep the unit log (retention.ms=-1, the default); nothing was changed' },
      );
  }
  if (chain.length === 0) {
    const from = Math.max(...generations.map(({ generation }) => generation)) + 1;
    let firstPartitionId = nextPartitionId(generations);
    const made: Generation[] = [];
    for (const [index, { topic, partitions }] of old.entries()) {
      made.push({
        generation: from + index,
        topic,
        firstPartitionId,
        partitions,
        parent: index === 0 ? -1 : from + index - 1,
        ends: [],
        step: 0,
      });
      firstPartitionId += partitions;
    }
    chain = made;
    await world.write([...generations.filter(({ generation }) => generation === 0), ...made]);
  }
  let known: readonly Generation[] = [
    ...generations.filter(({ generation }) => generation <= open.generation),
    ...chain,
  ];
  for (const [index, planned] of chain.entries()) {
    const generation = known.find((other) => other.generation === planned.generation) ?? planned;
    const next = chain[index + 1];
    const until =
      next === undefined
        ? (await world.offsets(generation)).map((offsets) => offsets.next)
        : offsetsOf(old[index + 1]?.ends ?? []);
    world.say(`folding ${generation.topic} from its beginning`);
    await world.fold(generation, known, until);
    if (next === undefined) {
      const opened: Generation = { ...generation, step: 2 };
      await world.write([opened]);
      return opened;
    }
    const { ends } = await divideGeneration(world.store(known), generation, next);
    const divided: Generation = { ...next, ends, step: 1 };
    await world.write([divided]);
    known = replace(known, divided);
  }
  return open;
}
