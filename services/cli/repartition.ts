/**
 * `repartition` and `rebuild`: another number of partitions with everything carried over, or everything computed again
 * from the log. Run again after a crash they go on where they were.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { isAlive } from '../../infra/embedded/child.ts';
import { type GenerationPort, multiplyPartitions, rebuildGeneration } from '../joiner/change-generation.ts';
import { joinerGroup } from '../joiner/index.ts';
import { createJoinerStore } from '../joiner/joiner-store.clickhouse.ts';
import type { Generation } from '../kernel/generations.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import type { LogClient } from '../runtime/log.ts';
import { defaultSettings } from '../pipeline/config.ts';
import { connect } from '../pipeline/connect.ts';
import { prepare } from '../pipeline/prepare.ts';
import { startStage } from '../pipeline/stages.ts';
import { ancestors, readGenerations, requireOpen, writeGenerations } from '../runtime/generations.clickhouse.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { encodeTick } from '../runtime/ticks.ts';
import { topicName, topicSpecs } from '../runtime/topics.ts';
import { externalAddresses, givenNames, surroundings } from './addresses.ts';
import { readStack } from './stack-file.ts';
import { openParts } from './open-parts.ts';
import { print } from './terminal.ts';

type Connected = Awaited<ReturnType<typeof connect>>;
/** `eventTime`: topics are created with the times that their records carry. */
type Options = {
  readonly eventTime?: boolean;
  readonly say?: (what: string) => void;
  readonly flushMs?: number;
};

/** A change of generation on a real broker and store. */
export function generationPort(connected: Connected, prefix: string, options: Options = {}): GenerationPort {
  const { log, codec, store } = connected;
  const { eventTime = false, say = () => {} } = options;
  const nameOf = (suffix: string): string => `${prefix}.${suffix}`;
  const generations = (): Promise<readonly Generation[]> => readGenerations(store, log, prefix);
  return {
    generations,
    say,
    write: async (changed) => writeChanged(store, await generations(), changed),
    running: async () => {
      const joiners = joinerGroup(prefix, requireOpen(await generations()).generation);
      const groups = [`${prefix}-redactor`, `${prefix}-linker`, joiners];
      const alive = await Promise.all(groups.map(async (group) => ((await log.hasMembers(group)) ? [group] : [])));
      return alive.flat();
    },
    createTopic: async ({ topic, partitions }) => {
      const unitLog = topicName(prefix, 'unit.v1');
      const spec = topicSpecs(prefix, partitions, eventTime).find((other) => other.topic === unitLog);
      if (spec === undefined)
        throw new PipelineError('CONFIG_INVALID', 'the unit log has no row in schemas/topics.json');
      await log.createTopics([{ ...spec, topic: nameOf(topic) }]);
      await codec.register([{ record: 'unit-record', topic: nameOf(topic) }]);
    },
    offsets: async ({ topic }) => {
      const [firsts, ends] = [await log.firstOffsets(nameOf(topic)), await log.endOffsets(nameOf(topic))];
      return ends.map((next, partition) => ({ first: firsts[partition] ?? 0, next }));
    },
    fold: (generation, known, until) => foldUpTo(connected, prefix, options, { generation, known, until }),
    tick: ({ topic }, clocks) => sendTicks(connected, nameOf(topic), clocks, eventTime),
    store: (known) => createJoinerStore(store, ancestors(known)),
  };
}

/** The first generation is written together with the first that follows it. */
async function writeChanged(
  store: Store,
  before: readonly Generation[],
  changed: readonly Generation[],
): Promise<void> {
  const kept = before.filter(({ generation }) => !changed.some((other) => other.generation === generation));
  const all = [...kept, ...changed];
  const isFirst = (await store.rows('SELECT generation FROM generations LIMIT 1')).length === 0;
  await writeGenerations(store, all, isFirst ? all : changed);
}

type Change = {
  readonly generation: Generation;
  readonly known: readonly Generation[];
  readonly until: readonly number[];
};

/** A joiner of its own, until everything below `until` is durable. */
async function foldUpTo(
  { log, codec, store }: Connected,
  prefix: string,
  { flushMs = defaultSettings.JOINER_FLUSH_MS }: Options,
  change: Change,
): Promise<void> {
  const { generation, known, until } = change;
  const joinerStore = createJoinerStore(store, ancestors(known));
  const isBehind = async (): Promise<boolean> => {
    const checkpoints = await joinerStore.checkpoints();
    return until.some(
      (end, partition) => (checkpoints.get(generation.firstPartitionId + partition) ?? 0) < end * positionsPerOffset,
    );
  };
  if (!(await isBehind())) return;
  const joiner = await startStage('joiner', {
    prefix,
    log,
    codec,
    store,
    clock: systemClock,
    eventClock: systemClock,
    shared: false,
    settings: { ...defaultSettings, JOINER_FLUSH_MS: flushMs, JOINER_IDLE_TICK_MS: 0 },
    change,
  });
  try {
    while (await isBehind()) await Promise.race([wait(100), joiner.failed]);
  } finally {
    await joiner.close();
  }
}

async function sendTicks(
  { log, codec }: Connected,
  topic: string,
  clocks: readonly number[],
  eventTime: boolean,
): Promise<void> {
  const producer = await log.producer();
  await producer.send(
    clocks.map((at, partition) => ({
      topic,
      partition,
      value: encodeTick(codec, at),
      ...(eventTime && { timestamp: at }),
    })),
  );
  await producer.close();
}

function requireDown(home: string): void {
  const running = readStack(home);
  if (running && isAlive(running.pid))
    throw new PipelineError('CONFIG_INVALID', `stages run in ${home} (process ${running.pid})`, {
      hint: 'stop them with `npx tripline down`; emitters and the raw topics keep what comes meanwhile',
    });
}

/** Partitions of the first topic of the unit log. */
async function unitLogPartitions(log: LogClient, prefix: string): Promise<number> {
  const topic = topicName(prefix, 'unit.v1');
  if ((await log.topics()).includes(topic)) return log.partitions(topic);
  throw new PipelineError('CONFIG_INVALID', `there is no unit log under ${prefix}`, {
    hint: '`npx tripline up` makes one',
  });
}

/**
 * With addresses in the environment there; else on the embedded parts of a home folder whose stages do not run, started
 * for as long as it takes.
 */
async function withPort(home: string, run: (port: GenerationPort) => Promise<void>): Promise<number> {
  const isExternal = externalAddresses() !== undefined;
  if (!isExternal) requireDown(home);
  const embedded = isExternal ? undefined : await openParts(home, print);
  const where = { ...(embedded ?? surroundings(home)), ...givenNames() };
  try {
    const connection = await connect({ ...where, clock: systemClock, clientId: 'tripline-repartition' });
    try {
      const partitions = await unitLogPartitions(connection.log, where.prefix);
      await prepare({ ...where, partitions, eventTime: false }, connection);
      await run(generationPort(connection, where.prefix, { say: print }));
    } finally {
      await connection.close();
    }
  } finally {
    await embedded?.stop();
  }
  return 0;
}

const goesOn = '`npx tripline up` goes on in it';

export async function repartition(home: string, partitions: number): Promise<number> {
  return withPort(home, async (port) => {
    const { generation, topic, partitions: now } = await multiplyPartitions(port, partitions);
    print(`generation ${generation} is open: ${topic}, ${now} partitions; ${goesOn}`);
  });
}

export async function rebuild(home: string): Promise<number> {
  return withPort(home, async (port) => {
    const { generation, topic } = await rebuildGeneration(port);
    print(`generation ${generation} is open: ${topic} folded again from its beginning; ${goesOn}`);
  });
}
