/**
 * From one generation of the unit log's state to the next: its partitions multiplied with their state carried over, or
 * everything folded again from the log. Every step may be repeated, none may be skipped: killed anywhere and run again
 * it ends in the same rows. Nobody reads any of it before the last step, one insert of one row.
 *
 * planned (its partition ids are taken) -> topic made (writers write there from now on) -> the old topic folded to its
 * end -> divided -> open.
 */
import { chainOf, type Generation, openGeneration, partitionIdsOf, unitTopic } from '../kernel/generations.ts';
import { bucketCount } from '../kernel/ids.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
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
  /** First and next offset of each partition of a generation's topic. */
  offsets(generation: Generation): Promise<readonly { readonly first: number; readonly next: number }[]>;
  /**
   * Resolves when each partition is folded and durable up to its offset in `until`, and folded no further. `known`: all
   * generations there are, this one included.
   */
  fold(generation: Generation, known: readonly Generation[], until: readonly number[]): Promise<void>;
  /** A tick at each partition's own clock: a joiner takes a partition up at its first record. */
  tick(generation: Generation, clocks: readonly number[]): Promise<void>;
  /** Its look-ups reach the partitions that a partition was divided from. */
  store(known: readonly Generation[]): JoinerStore;
  say(what: string): void;
};

type Stand = {
  readonly generations: readonly Generation[];
  readonly open: Generation;
  readonly planned: readonly Generation[];
};

const offsetsOf = (ends: readonly number[]): number[] =>
  ends.map((position) => Math.ceil(position / positionsPerOffset));
const nextOffsets = async (port: GenerationPort, generation: Generation): Promise<number[]> =>
  (await port.offsets(generation)).map(({ next }) => next);

const replace = (generations: readonly Generation[], changed: Generation): Generation[] => [
  ...generations.filter(({ generation }) => generation !== changed.generation),
  changed,
];

/** Partition ids have 16 bits and are never used twice. */
const nextPartitionId = (generations: readonly Generation[]): number =>
  Math.max(...generations.map(({ firstPartitionId, partitions }) => firstPartitionId + partitions));
const nextNumber = (generations: readonly Generation[]): number =>
  Math.max(...generations.map(({ generation }) => generation)) + 1;

/** What has been planned past the open generation and not finished. */
async function standOf(port: GenerationPort): Promise<Stand> {
  const generations = await port.generations();
  const open = openGeneration(generations);
  if (open === undefined)
    throw new PipelineError('STATE_CORRUPT', 'table generations has no open generation', {
      hint: 'restore it from a backup: no command leaves it like that',
    });
  const planned = generations
    .filter(({ generation }) => generation > open.generation)
    .sort((a, b) => a.generation - b.generation);
  return { generations, open, planned };
}

async function requireStopped(port: GenerationPort): Promise<void> {
  const running = await port.running();
  if (running.length > 0)
    throw new PipelineError(
      'CONFIG_INVALID',
      `${running.join(', ')} still ${running.length === 1 ? 'has members' : 'have members'}`,
      { hint: 'stop every stage, `npx tripline down`; after a kill their sessions end within 30 s' },
    );
}

async function requireRouted(port: GenerationPort, { generations, open }: Stand): Promise<void> {
  const unroutedUnits = await port.store(generations).unroutedUnits(partitionIdsOf(open));
  if (unroutedUnits > 0)
    throw new PipelineError(
      'STATE_CORRUPT',
      `${unroutedUnits} units were last seen before records carried a bucket: they cannot be divided`,
      { hint: 'begin a new phase, or a new prefix, under this version; nothing was changed' },
    );
}

const unfinishedChange = ({ partitions }: Generation): PipelineError =>
  new PipelineError('CONFIG_INVALID', `a change to ${partitions} partitions was begun and not finished`, {
    hint: `finish it: \`npx tripline repartition --partitions ${partitions}\``,
  });

/** Whether it can be done is told before anything is changed. */
function requireMultiple({ open, planned: [child] }: Stand, partitions: number): void {
  if (child !== undefined && child.parent !== open.generation)
    throw new PipelineError('CONFIG_INVALID', 'a rebuild was begun and not finished', {
      hint: 'finish it: `npx tripline rebuild`',
    });
  if (child !== undefined && child.partitions !== partitions) throw unfinishedChange(child);
  const isMultiple = partitions > open.partitions && partitions % open.partitions === 0;
  const isUnchanged = child === undefined && partitions === open.partitions;
  if (!isUnchanged && (!isMultiple || partitions > bucketCount))
    throw new PipelineError(
      'CONFIG_INVALID',
      `${partitions} partitions are no multiple of the ${open.partitions} there are, up to ${bucketCount}`,
      { hint: `for example --partitions ${2 * open.partitions}` },
    );
}

/**
 * What cannot be divided must leave everything as it was: the old topic is folded to its end before this is written.
 */
async function planChild(port: GenerationPort, stand: Stand, partitions: number): Promise<Generation> {
  const { generations, open } = stand;
  await port.fold(open, generations, await nextOffsets(port, open));
  await requireRouted(port, stand);
  const generation = nextNumber(generations);
  const child: Generation = {
    generation,
    topic: unitTopic(generation),
    firstPartitionId: nextPartitionId(generations),
    partitions,
    parent: open.generation,
    ends: [],
    step: 0,
  };
  await port.write(replace(generations, child));
  return child;
}

/** `partitions`: any whole multiple of what there are now. Ends at once when there are so many already. */
export async function multiplyPartitions(port: GenerationPort, partitions: number): Promise<Generation> {
  const stand = await standOf(port);
  const { generations, open } = stand;
  requireMultiple(stand, partitions);
  if (stand.planned.length === 0 && partitions === open.partitions) return open;
  await requireStopped(port);
  const child = stand.planned[0] ?? (await planChild(port, stand, partitions));
  await port.createTopic(child);
  // A writer that began before the topic was there would still write to the old one.
  await requireStopped(port);
  const until = await nextOffsets(port, open);
  port.say(`folding ${open.topic} to its end`);
  await port.fold(open, generations, until);
  await requireRouted(port, stand);
  port.say(`dividing ${open.partitions} partitions into ${child.partitions}`);
  const { ends, clocks } = await divideGeneration(port.store(generations), open, child);
  const factor = child.partitions / open.partitions;
  await port.tick(
    child,
    partitionIdsOf(child).map((_, partition) => clocks[Math.floor(partition / factor)] ?? 0),
  );
  const opened: Generation = { ...child, ends, step: 2 };
  await port.write([opened]);
  return opened;
}

async function requireWholeLogs(port: GenerationPort, chain: readonly Generation[]): Promise<void> {
  for (const generation of chain) {
    const gone = (await port.offsets(generation)).findIndex(({ first }) => first > 0);
    if (gone >= 0)
      throw new PipelineError(
        'STATE_CORRUPT',
        `${generation.topic}, partition ${gone}, no longer begins at offset 0: it cannot be folded again`,
        { hint: 'keep the unit log (retention.ms=-1, the default); nothing was changed' },
      );
  }
}

/** A generation for each one of the open generation's chain, over the same topic. */
async function planRebuild(port: GenerationPort, { generations }: Stand, old: readonly Generation[]) {
  const from = nextNumber(generations);
  let firstPartitionId = nextPartitionId(generations);
  const planned: Generation[] = [];
  for (const [index, { topic, partitions }] of old.entries()) {
    const parent = index === 0 ? -1 : from + index - 1;
    planned.push({ generation: from + index, topic, firstPartitionId, partitions, parent, ends: [], step: 0 });
    firstPartitionId += partitions;
  }
  await port.write([...generations.filter(({ generation }) => generation === 0), ...planned]);
  return planned;
}

/**
 * Folds every topic of the open generation's chain again with this version, next to what is there, and opens the result
 * when it has caught up.
 */
export async function rebuildGeneration(port: GenerationPort): Promise<Generation> {
  const stand = await standOf(port);
  const { generations, open } = stand;
  if (stand.planned[0]?.parent === open.generation) throw unfinishedChange(stand.planned[0]);
  const old = chainOf(generations, open);
  await requireWholeLogs(port, old);
  const chain = stand.planned.length > 0 ? stand.planned : await planRebuild(port, stand, old);
  const earlier = generations.filter(({ generation }) => generation <= open.generation);
  let known: readonly Generation[] = [...earlier, ...chain];
  for (const [index, planned] of chain.entries()) {
    const generation = known.find((other) => other.generation === planned.generation) ?? planned;
    const next = chain[index + 1];
    const until = next === undefined ? await nextOffsets(port, generation) : offsetsOf(old[index + 1]?.ends ?? []);
    port.say(`folding ${generation.topic} from its beginning`);
    await port.fold(generation, known, until);
    if (next === undefined) {
      const opened: Generation = { ...generation, step: 2 };
      await port.write([opened]);
      return opened;
    }
    const { ends } = await divideGeneration(port.store(known), generation, next);
    const divided: Generation = { ...next, ends, step: 1 };
    await port.write([divided]);
    known = replace(known, divided);
  }
  return open;
}
