/**
 * Fault row 4, the unit log's partitions doubled in the middle of a stream: stages killed, the command killed between
 * two of its steps and run again, stages started in the new generation, the rest of the input; then doubled once more
 * and everything folded again. Totals = oracle, test aggregates = a refold of all topics, recount = aggregates.
 */
import { parkedEntries } from '../../../services/cli/replay-parked.ts';
import { generationPort } from '../../../services/cli/repartition.ts';
import {
  type GenerationPort,
  multiplyPartitions,
  rebuildGeneration,
} from '../../../services/joiner/change-generation.ts';
import { type RefoldRecord, refold } from '../../../services/joiner/refold.ts';
import { takeFlushRows } from '../../../services/joiner/flush-rows.ts';
import type { EmbeddedStack } from '../../../infra/embedded/index.ts';
import { createRandom } from '../../../services/demo/story.ts';
import type { Generation } from '../../../services/kernel/generations.ts';
import { connect } from '../../../services/pipeline/connect.ts';
import { systemClock } from '../../../services/runtime/system-clock.ts';
import { topicName } from '../../../services/runtime/topics.ts';
import { auditAggregates } from '../../../services/statistics/audit.clickhouse.ts';
import { aRevision, hour, monday } from '../../support/build.ts';
import {
  comparedColumns,
  type ComparedRow,
  selectCheckpoints,
  selectCompared,
  selectTotals,
  type TotalRow,
} from '../../support/state-sql.ts';
import { readStateRows } from '../../support/memory-state.ts';
import { until } from '../../support/until.ts';
import { totalsOf } from '../oracle.ts';
import { type FaultContext, type FaultResult, patienceMs } from './in-world.ts';
import { createWorld } from './world.ts';

type Context = Pick<FaultContext, 'home' | 'seed'> & {
  readonly stack: Pick<EmbeddedStack, 'brokers' | 'clickhouseUrl' | 'registryUrl'>;
};
const { spec } = aRevision();

/** The command's world, which dies before its `writes + 1`st write; -1: never. */
function dying(world: GenerationPort, writes: number): GenerationPort {
  let left = writes;
  const step =
    <A extends unknown[], R>(run: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (left === 0) throw new Error('killed');
      left -= 1;
      return run(...args);
    };
  return {
    ...world,
    write: step(world.write),
    createTopic: step(world.createTopic),
    tick: step(world.tick),
    store: (known) => {
      const store = world.store(known);
      return { ...store, inherit: step(store.inherit), write: step(store.write) };
    },
  };
}

export async function partitionIncrease(context: Context): Promise<FaultResult> {
  const { brokers, clickhouseUrl, registryUrl } = context.stack;
  const random = createRandom(context.seed ^ 0xe90c);
  const world = await createWorld({
    brokers,
    clickhouseUrl,
    registryUrl,
    seed: context.seed,
    home: context.home,
    partitions: 2,
  });
  const { prefix, database, log, store, arrivals } = world;
  const connection = await connect({
    brokers,
    clickhouseUrl,
    registryUrl,
    database,
    clock: systemClock,
    clientId: `${prefix}-repartition`,
  });
  await connection.codec.register([{ record: 'unit-record', topic: topicName(prefix, 'unit.v1') }]);
  const command = generationPort(connection, prefix, { eventTime: true, flushMs: 60 });
  const wrong: string[] = [];
  let kills = 0;
  const change = async (run: (on: GenerationPort) => Promise<Generation>): Promise<Generation> => {
    await until('sessions of what was killed to end', async () => (await command.running()).length === 0, patienceMs);
    for (let tries = 0; tries < 3; tries += 1) {
      try {
        return await run(dying(command, tries === 2 ? -1 : Math.floor(random() * 9)));
      } catch (error) {
        if (!(error instanceof Error && error.message === 'killed')) throw error;
        kills += 1;
      }
    }
    return run(command);
  };
  const consumed = async (group: string, topic: string): Promise<boolean> => {
    const [ends, done] = [await log.endOffsets(topic), await log.committedOffsets(`${prefix}-${group}`, topic)];
    return ends.every((end, partition) => (done[partition] ?? 0) >= end);
  };
  try {
    const first = await world.startStages();
    await world.send(0.3 + 0.3 * random());
    await until('something to be folded', async () => (await world.folded()) > 0, patienceMs);
    // Killed: redactor and linker will send some of it again, to the new topic.
    await first.child.stop('SIGKILL');
    const second = await change((on) => multiplyPartitions(on, 4));
    const again = await world.startStages();
    await world.send(0.8);
    await until(
      'the redactor to write to the new topic',
      async () => (await log.endOffsets(`${prefix}.${second.topic}`)).some((end) => end > 1),
      patienceMs,
    );
    await again.child.stop('SIGTERM', 15_000);
    const third = await change((on) => multiplyPartitions(on, 8));
    await world.startStages();
    await world.send(1);
    for (let round = 0; round < 2; round += 1) {
      for (const raw of ['inference.raw.v1', 'outcome.raw.v1'] as const)
        await until(`the redactor to read ${raw}`, () => consumed('redactor', topicName(prefix, raw)), patienceMs);
      await until('the linker', () => consumed('linker', topicName(prefix, 'entity.v1')), patienceMs);
      await until('the joiner', () => consumed(`joiner-g${third.generation}`, `${prefix}.${third.topic}`), patienceMs);
      if (round === 0)
        await command.tick(
          third,
          Array.from({ length: 8 }, () => (arrivals.at(-1)?.arrivedAt ?? monday) + 400 * hour),
        );
    }
    const differ = (what: string, have: unknown, want: unknown): void =>
      void (
        JSON.stringify(have) !== JSON.stringify(want) &&
        wrong.push(`${what}: ${JSON.stringify(have)}, expected ${JSON.stringify(want)}`)
      );
    const textOf = (rows: readonly ComparedRow[], firstPartitionId: number): string[] =>
      rows
        .map((row) =>
          JSON.stringify([row.partitionId - firstPartitionId, ...comparedColumns.map((column) => row[column])]),
        )
        .sort();
    const judge = async (generation: Generation): Promise<string[]> => {
      const end = generation.firstPartitionId + generation.partitions;
      const inGeneration = `partition_id >= ${generation.firstPartitionId} AND partition_id < ${end}`;
      const totals = await store.rows<TotalRow>(selectTotals(inGeneration));
      for (const [key, want] of totalsOf(spec, arrivals)) {
        const aggregate = totals.find(({ metric, arm }) => `${metric}/${arm}` === key);
        differ(
          `totals of ${key} in generation ${generation.generation}`,
          {
            units: Number(aggregate?.units ?? 0),
            numerator: Number(aggregate?.numerator ?? 0),
            denominator: Number(aggregate?.denominator ?? 0),
          },
          want,
        );
      }
      const stored = await store.rows<ComparedRow>(selectCompared(inGeneration));
      const audit = await auditAggregates(store);
      differ(`recount in generation ${generation.generation}`, [audit.mismatches, audit.settled], [[], true]);
      return textOf(stored, generation.firstPartitionId);
    };
    const have = await judge(third);
    const checkpoints = new Map(
      (await store.rows<{ partitionId: number; position: string }>(selectCheckpoints)).map(
        ({ partitionId, position }) => [partitionId, Number(position)],
      ),
    );
    const read = async (topic: string, upTo: readonly number[]): Promise<RefoldRecord[]> => {
      const read: RefoldRecord[] = [];
      for (const { partition, offset, value } of await log.readToEnd(`${prefix}.${topic}`, upTo)) {
        await connection.codec.prepare(value ? [value] : []);
        const decoded = connection.codec.decode(['unit-record'], value ?? Buffer.alloc(0));
        if (decoded.ok) read.push({ partition, offset, records: decoded.value.records });
      }
      return read;
    };
    // Units that a fold in memory never touched since the change stay in its store, so test aggregates are what is
    // compared row by row; units are recounted against them.
    const folds = await refold(await command.generations(), third, checkpoints, read);
    const want = folds.flatMap((fold) => {
      for (const { testAggregates, touchedAggregates } of fold.experiments.values())
        for (const key of testAggregates.keys()) touchedAggregates.add(key);
      return readStateRows(takeFlushRows(fold, checkpoints.get(fold.partitionId) ?? 0).state).filter(
        ({ kind }) => kind === 'test_aggregate',
      );
    });
    const entries = have.filter((row) => row.includes('"test_aggregate"'));
    const missing = textOf(want, third.firstPartitionId).filter((row) => !entries.includes(row));
    if (missing.length > 0 || entries.length !== want.length)
      wrong.push(
        `test aggregates differ from a refold: ${missing.length} of ${want.length} missing, ` +
          `${entries.length} stored, first ${missing[0] ?? '-'}`,
      );
    differ('parked', parkedEntries(await log.readToEnd(topicName(prefix, 'parked.v1'))).length, 0);
    const left = await world.close();
    if (left.length > 0) wrong.push(`processes left: ${left.join(', ')}`);
    const redone = await change(rebuildGeneration);
    const rebuilt = await judge(redone);
    const other = rebuilt.filter((row) => !have.includes(row));
    if (other.length > 0 || rebuilt.length !== have.length)
      wrong.push(
        `folded again: ${rebuilt.length} rows of ${have.length}, ${other.length} others, ` + `first ${other[0] ?? '-'}`,
      );
  } catch (error) {
    wrong.push(`threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    await world.close().catch(() => {});
  }
  await connection.close();
  return { wrong, happened: { counts: { 'kills of the command': kills } } };
}
