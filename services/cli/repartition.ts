/**
 * `generation` and `rebuild`: another number of partitions with everything carried over, or everything folded again.
 * Run again after a crash they go on where they were.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { isAlive } from '../../infra/embedded/child.ts';
import { type GenerationPort, multiplyPartitions, rebuildGeneration } from '../joiner/change-generation.ts';
import { joinerGroup } from '../joiner/index.ts';
import { createJoinerStore } from '../joiner/joiner-store.clickhouse.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
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

/** A change of generation on real parts. `carriedTime` as the topics were created. */
export function generationPort(
  { log, codec, store }: Connected,
  prefix: string,
  options: { readonly eventTime?: boolean; readonly say?: (what: string) => void; readonly flushMs?: number } = {},
): GenerationPort {
  const nameOf = (suffix: string): string => `${prefix}.${suffix}`;
  const generations = (): ReturnType<GenerationPort['generations']> => readGenerations(store, log, prefix);
  return {
    generations,
    say: options.say ?? (() => {}),
    write: async (changed) => {
      const before = await generations();
      const all = [
        ...before.filter(({ generation }) => !changed.some((other) => other.generation === generation)),
        ...changed,
      ];
      // The first generation is written together with the first that follows it.
      await writeGenerations(
        store,
        all,
        (await store.rows('SELECT generation FROM generations LIMIT 1')).length === 0 ? all : changed,
      );
    },
    running: async () => {
      const groups = [
        `${prefix}-redactor`,
        `${prefix}-linker`,
        joinerGroup(prefix, requireOpen(await generations()).generation),
      ];
      const alive = await Promise.all(groups.map(async (group) => ((await log.hasMembers(group)) ? [group] : [])));
      return alive.flat();
    },
    createTopic: async (generation) => {
      const [spec] = topicSpecs(prefix, generation.partitions, options.eventTime === true).filter(
        ({ topic }) => topic === topicName(prefix, 'unit.v1'),
      );
      if (spec === undefined)
        throw new PipelineError('CONFIG_INVALID', 'the unit log has no row in schemas/topics.json');
      await log.createTopics([{ ...spec, topic: nameOf(generation.topic) }]);
      await codec.register([{ record: 'unit-record', topic: nameOf(generation.topic) }]);
    },
    offsets: async ({ topic }) => {
      const [firsts, ends] = [await log.firstOffsets(nameOf(topic)), await log.endOffsets(nameOf(topic))];
      return ends.map((next, partition) => ({ first: firsts[partition] ?? 0, next }));
    },
    fold: async (generation, known, until) => {
      const cold = createJoinerStore(store, ancestors(known));
      const behind = async (): Promise<boolean> => {
        const checkpoints = await cold.checkpoints();
        return until.some(
          (end, partition) =>
            (checkpoints.get(generation.firstPartitionId + partition) ?? 0) < end * positionsPerOffset,
        );
      };
      if (!(await behind())) return;
      const flushMs = options.flushMs ?? defaultSettings.JOINER_FLUSH_MS;
      const joiner = await startStage('joiner', {
        prefix,
        log,
        codec,
        store,
        clock: systemClock,
        eventClock: systemClock,
        shared: false,
        settings: { ...defaultSettings, JOINER_FLUSH_MS: flushMs, JOINER_IDLE_TICK_MS: 0 },
        change: { generation, known, until },
      });
      try {
        while (await behind()) await Promise.race([wait(100), joiner.failed]);
      } finally {
        await joiner.close();
      }
    },
    tick: async (generation, clocks) => {
      const producer = await log.producer();
      await producer.send(
        clocks.map((at, partition) => ({
          topic: nameOf(generation.topic),
          partition,
          value: encodeTick(codec, at),
          ...(options.eventTime === true && { timestamp: at }),
        })),
      );
      await producer.close();
    },
    store: (known) => createJoinerStore(store, ancestors(known)),
  };
}

/**
 * With addresses in the environment there; else on the embedded parts of a home folder whose stages do not run, started
 * for as long as it takes.
 */
async function withWorld(home: string, run: (world: GenerationPort) => Promise<void>): Promise<number> {
  const external = externalAddresses();
  const running = external === undefined ? readStack(home) : undefined;
  if (running && isAlive(running.pid))
    throw new PipelineError('CONFIG_INVALID', `stages run in ${home} (process ${running.pid})`, {
      hint: 'stop them with `npx tripline down`; emitters and the raw topics keep what comes meanwhile',
    });
  const embedded = external === undefined ? await openParts(home, print) : undefined;
  const where = { ...(embedded ?? surroundings(home)), ...givenNames() };
  try {
    const connection = await connect({ ...where, clock: systemClock, clientId: 'tripline-repartition' });
    try {
      const { partitions } = await connection.log.topics().then(async (names) => ({
        partitions: names.includes(topicName(where.prefix, 'unit.v1'))
          ? await connection.log.partitions(topicName(where.prefix, 'unit.v1'))
          : 0,
      }));
      if (partitions === 0)
        throw new PipelineError('CONFIG_INVALID', `there is no unit log under ${where.prefix}`, {
          hint: '`npx tripline up` makes one',
        });
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

export async function repartition(home: string, partitions: number): Promise<number> {
  return withWorld(home, async (world) => {
    const { generation: number, topic, partitions: now } = await multiplyPartitions(world, partitions);
    print(`generation ${number} is open: ${topic}, ${now} partitions; \`npx tripline up\` goes on in it`);
  });
}

export async function rebuild(home: string): Promise<number> {
  return withWorld(home, async (world) => {
    const { generation: number, topic } = await rebuildGeneration(world);
    print(`generation ${number} is open: ${topic} folded again from its beginning; \`npx tripline up\` goes on in it`);
  });
}
