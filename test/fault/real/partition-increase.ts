/**
 * Fault row 4, the unit log's partitions doubled in the middle of a stream: stages killed, the command killed between
 * two of its steps and run again, stages started in the new generation, the rest of the input; then doubled once more
 * and everything folded again. Totals = oracle, every aggregate = a refold of both topics, recount = aggregates.
 */
import type { EmbeddedStack } from '../../../infra/embedded/index.ts';
import { parkedEntries } from '../../../services/cli/replay-parked.ts';
import { generationPort } from '../../../services/cli/repartition.ts';
import { createRandom } from '../../../services/demo/story.ts';
import {
  type GenerationPort,
  multiplyPartitions,
  rebuildGeneration,
} from '../../../services/joiner/change-generation.ts';
import { boundByLog } from '../../../services/joiner/log-time.ts';
import type { PartitionState } from '../../../services/joiner/partition-state.ts';
import { type RefoldRecord, refold } from '../../../services/joiner/refold.ts';
import { takeFlushRows } from '../../../services/joiner/flush-rows.ts';
import type { Generation } from '../../../services/kernel/generations.ts';
import { type Connection, connect } from '../../../services/pipeline/connect.ts';
import { systemClock } from '../../../services/runtime/system-clock.ts';
import { topicName } from '../../../services/runtime/topics.ts';
import { auditAggregates } from '../../../services/statistics/audit.clickhouse.ts';
import { aRevision, hour, monday } from '../../support/build.ts';
import { readStateRows } from '../../support/memory-state.ts';
import { type ComparedRow, selectCheckpoints, selectCompared, testAggregateKind } from '../../support/state-sql.ts';
import { until } from '../../support/until.ts';
import { differ } from '../differ.ts';
import { totalsOf } from '../oracle.ts';
import { createDeployment, type Deployment } from './deployment.ts';
import type { FaultContext, FaultResult } from './in-deployment.ts';
import { patienceMs } from './progress.ts';
import { storedTotalsWrong, textOfRows } from './verdict.ts';

type Context = Pick<FaultContext, 'home' | 'seed'> & {
  readonly stack: Pick<EmbeddedStack, 'brokers' | 'clickhouseUrl' | 'registryUrl'>;
};

type Increase = {
  readonly deployment: Deployment;
  /** The command's own, and the command. */
  readonly connection: Connection;
  readonly command: GenerationPort;
  readonly random: () => number;
  readonly wrong: string[];
  /** Kills of the command. */
  kills: number;
};

const { spec } = aRevision();

/** The command's port, which dies before its `writes + 1`st write; -1: never. */
function dying(port: GenerationPort, writes: number): GenerationPort {
  let left = writes;
  const step =
    <A extends unknown[], R>(run: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (left === 0) throw new Error('killed');
      left -= 1;
      return run(...args);
    };
  return {
    ...port,
    write: step(port.write),
    createTopic: step(port.createTopic),
    tick: step(port.tick),
    store: (known) => {
      const store = port.store(known);
      return { ...store, inherit: step(store.inherit), write: step(store.write) };
    },
  };
}

/** Run until it is through, killed up to three times on the way. */
async function change(increase: Increase, run: (on: GenerationPort) => Promise<Generation>): Promise<Generation> {
  const { command, random } = increase;
  await until('sessions of what was killed to end', async () => (await command.running()).length === 0, patienceMs);
  for (let tries = 0; tries < 3; tries += 1) {
    try {
      return await run(dying(command, tries === 2 ? -1 : Math.floor(random() * 9)));
    } catch (error) {
      if (!(error instanceof Error && error.message === 'killed')) throw error;
      increase.kills += 1;
    }
  }
  return run(command);
}

/** Doubled twice under the input; the last generation. */
async function doubleTwice(increase: Increase): Promise<Generation> {
  const { deployment, random } = increase;
  const first = await deployment.startStages();
  await deployment.send(0.3 + 0.3 * random());
  await until('something to be folded', async () => (await deployment.folded()) > 0, patienceMs);
  // Killed: redactor and linker will send some of it again, to the new topic.
  await first.child.stop('SIGKILL');
  const second = await change(increase, (on) => multiplyPartitions(on, 4));
  const again = await deployment.startStages();
  await deployment.send(0.8);
  const topic = `${deployment.prefix}.${second.topic}`;
  const isWritten = async () => (await deployment.log.endOffsets(topic)).some((end) => end > 1);
  await until('the redactor to write to the new topic', isWritten, patienceMs);
  await again.child.stop('SIGTERM', 15_000);
  const third = await change(increase, (on) => multiplyPartitions(on, 8));
  await deployment.startStages();
  await deployment.send(1);
  return third;
}

async function consumed({ prefix, log }: Deployment, group: string, topic: string): Promise<void> {
  const isConsumed = async (): Promise<boolean> => {
    const ends = await log.endOffsets(topic);
    const done = await log.committedOffsets(`${prefix}-${group}`, topic);
    return ends.every((end, partition) => (done[partition] ?? 0) >= end);
  };
  await until(`${group} to read ${topic}`, isConsumed, patienceMs);
}

async function drain({ deployment }: Increase, { generation, topic }: Generation): Promise<void> {
  const { prefix } = deployment;
  for (const raw of ['inference.raw.v1', 'outcome.raw.v1'] as const)
    await consumed(deployment, 'redactor', topicName(prefix, raw));
  await consumed(deployment, 'linker', topicName(prefix, 'entity.v1'));
  await consumed(deployment, `joiner-g${generation}`, `${prefix}.${topic}`);
}

const partitionsOf = ({ firstPartitionId, partitions }: Generation): string =>
  `partition_id >= ${firstPartitionId} AND partition_id < ${firstPartitionId + partitions}`;

/** Its units and aggregates as text. */
async function rowsOf({ deployment }: Increase, generation: Generation): Promise<string[]> {
  const rows = await deployment.store.rows<ComparedRow>(selectCompared(partitionsOf(generation)));
  return textOfRows(rows, generation.firstPartitionId);
}

async function generationWrong({ deployment }: Increase, generation: Generation): Promise<string[]> {
  const { store, arrivals } = deployment;
  const of = ` in generation ${generation.generation}`;
  const totals = await storedTotalsWrong(store, totalsOf(spec, arrivals), { where: partitionsOf(generation), of });
  const audit = await auditAggregates(store);
  return [...totals, ...differ(`recount${of}`, [audit.mismatches, audit.settled], [[], true])];
}

/**
 * Units that a fold in memory never touched since the change stay in its store, so test aggregates are what is compared
 * row by row; units are recounted against them.
 */
function testAggregatesOf(state: PartitionState, position: number): ComparedRow[] {
  for (const { testAggregates, touchedAggregates } of state.experiments.values())
    for (const key of testAggregates.keys()) touchedAggregates.add(key);
  return readStateRows(takeFlushRows(state, position).state).filter(({ kind }) => kind === testAggregateKind);
}

/** The test aggregates of a generation against a refold through every topic up to its checkpoints. */
async function refoldWrong(increase: Increase, generation: Generation, have: readonly string[]): Promise<string[]> {
  const { deployment, connection, command } = increase;
  const { store, log, prefix } = deployment;
  const { codec } = connection;
  const rows = await store.rows<{ partitionId: number; position: string }>(selectCheckpoints);
  const checkpoints = new Map(rows.map(({ partitionId, position }) => [partitionId, Number(position)]));
  const read = async (topic: string, upTo: readonly number[]): Promise<RefoldRecord[]> => {
    const found: RefoldRecord[] = [];
    for (const { partition, offset, timestamp, value } of await log.readToEnd(`${prefix}.${topic}`, upTo)) {
      await codec.prepare(value ? [value] : []);
      const decoded = codec.decode(['unit-record'], value ?? Buffer.alloc(0));
      if (decoded.ok) found.push({ partition, offset, records: boundByLog(decoded.value.records, timestamp) });
    }
    return found;
  };
  const states = await refold(await command.generations(), generation, checkpoints, read);
  const want = textOfRows(
    states.flatMap((state) => testAggregatesOf(state, checkpoints.get(state.partitionId) ?? 0)),
    generation.firstPartitionId,
  );
  const stored = have.filter((row) => row.includes(`"${testAggregateKind}"`));
  const missing = want.filter((row) => !stored.includes(row));
  if (missing.length === 0 && stored.length === want.length) return [];
  const counts = `${missing.length} of ${want.length} missing, ${stored.length} stored`;
  return [`test aggregates differ from a refold: ${counts}, first ${missing[0] ?? '-'}`];
}

/** Everything folded again into a generation of its own: it must hold the same rows. */
async function rebuildWrong(increase: Increase, have: readonly string[]): Promise<string[]> {
  const generation = await change(increase, rebuildGeneration);
  const wrong = await generationWrong(increase, generation);
  const rebuilt = await rowsOf(increase, generation);
  const others = rebuilt.filter((row) => !have.includes(row));
  if (others.length === 0 && rebuilt.length === have.length) return wrong;
  const counts = `${rebuilt.length} rows of ${have.length}, ${others.length} others`;
  return [...wrong, `folded again: ${counts}, first ${others[0] ?? '-'}`];
}

async function play(increase: Increase): Promise<void> {
  const { deployment, command, wrong } = increase;
  const { arrivals, log, prefix } = deployment;
  const third = await doubleTwice(increase);
  await drain(increase, third);
  const end = (arrivals.at(-1)?.arrivedAt ?? monday) + 400 * hour;
  await command.tick(
    third,
    Array.from({ length: 8 }, () => end),
  );
  await drain(increase, third);
  wrong.push(...(await generationWrong(increase, third)));
  const have = await rowsOf(increase, third);
  wrong.push(...(await refoldWrong(increase, third, have)));
  wrong.push(...differ('parked', parkedEntries(await log.readToEnd(topicName(prefix, 'parked.v1'))).length, 0));
  const left = await deployment.close();
  if (left.length > 0) wrong.push(`processes left: ${left.join(', ')}`);
  wrong.push(...(await rebuildWrong(increase, have)));
}

export async function partitionIncrease({ stack, seed, home }: Context): Promise<FaultResult> {
  const { brokers, clickhouseUrl, registryUrl } = stack;
  const addresses = { brokers, clickhouseUrl, registryUrl };
  const deployment = await createDeployment({ addresses, seed, home, partitions: 2 });
  const { prefix, database } = deployment;
  const clientId = `${prefix}-repartition`;
  const connection = await connect({ ...addresses, database, clock: systemClock, clientId });
  await connection.codec.register([{ record: 'unit-record', topic: topicName(prefix, 'unit.v1') }]);
  const command = generationPort(connection, prefix, { eventTime: true, flushMs: 60 });
  const random = createRandom(seed ^ 0xe90c);
  const wrong: string[] = [];
  const increase: Increase = { deployment, connection, command, random, wrong, kills: 0 };
  try {
    await play(increase);
  } catch (error) {
    wrong.push(`threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    await deployment.close().catch(() => {});
  }
  await connection.close();
  return { wrong, happened: { counts: { 'kills of the command': increase.kills } } };
}
