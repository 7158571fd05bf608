/** The joiner as a running stage: the unit log in, facts and state in ClickHouse out. */
import type { UnitRecord } from '../../schemas/generated.ts';
import { type Generation, holdsPartition } from '../kernel/generations.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import type { Clock, EpochMs } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import type { LogClient, LogProducer } from '../runtime/log.ts';
import type { ParkedLimitOptions } from '../runtime/parked-limit.ts';
import { runStatefulStage } from '../runtime/stateful-stage.ts';
import type { RunningStage, StageTracer } from '../runtime/stage.ts';
import { encodeTick } from '../runtime/ticks.ts';
import { newestUnitTopic, topicName } from '../runtime/topics.ts';
import { ancestors, readGenerations, requireOpen } from '../runtime/generations.clickhouse.ts';
import { type FlushRows, takeFlushRows } from './flush-rows.ts';
import { foldRecord } from './fold.ts';
import type { PartitionState } from './partition-state.ts';
import type { JoinerStore } from './joiner-store.ts';
import { createJoinerStore } from './joiner-store.clickhouse.ts';
import { loadPartition, prefetch } from './load-partition.ts';
import { boundByLog, createLogClock } from './log-time.ts';
import type { CacheLimits } from './prefetch.ts';

export { foldRecord } from './fold.ts';
export { createPartitionState, type PartitionState } from './partition-state.ts';
export { lookAt } from './look.ts';
export { boundByLog } from './log-time.ts';

export type JoinerDeps = {
  readonly prefix: string;
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  readonly clock: Clock;
  readonly parkedLimit?: ParkedLimitOptions;
  readonly store: Store;
  readonly flushMs: number;
  readonly flushRecords: number;
  /**
   * A partition without traffic for this long gets a tick of the broker's clock; 0 when somebody else sends ticks (a
   * replay).
   */
  readonly idleTickMs: number;
  readonly tracer?: StageTracer;
  /** Over all partitions of the process. */
  readonly cacheLimits?: CacheLimits;
  /**
   * Absent: the open generation. A change of generation names the one it folds, all there are, and where each partition
   * of it ends.
   */
  readonly change?: {
    readonly generation: Generation;
    readonly known: readonly Generation[];
    readonly until: readonly number[];
  };
};

/** About 200 MB with five metrics. A unit or an id that is not cached costs one look-up, 30 to 40 us. */
const defaultCacheLimits: CacheLimits = { units: 150_000, events: 150_000 };

/** Traced records whose spans a flush reports, at most; the rest are folded all the same. */
const maxSpansPerFlush = 200;

/** The consumer group of a generation's joiners. */
export const joinerGroup = (prefix: string, generation: number): string =>
  generation === 0 ? `${prefix}-joiner` : `${prefix}-joiner-g${generation}`;

export type RunningJoiner = RunningStage & {
  states(): ReadonlyMap<number, PartitionState>;
  fastForwards(): number;
};

/** Which generation this joiner folds, which there are, and up to which offsets (absent: for as long as it runs). */
type Task = {
  readonly generation: Generation;
  readonly known: readonly Generation[];
  readonly until?: readonly number[];
};

async function taskOf({ prefix, log, store, change }: JoinerDeps): Promise<Task> {
  if (change) return change;
  const known = await readGenerations(store, log, prefix);
  const generation = requireOpen(known);
  const { topic } = generation;
  if ((await newestUnitTopic(log, prefix)).topic !== `${prefix}.${topic}`)
    throw new PipelineError(
      'STATE_CORRUPT',
      `the unit log is written to another topic than ${prefix}.${topic}: ` +
        'a change of its partitions was begun and not finished',
      { hint: 'stop every stage and run `npx tripline repartition --partitions N` again; nothing is lost meanwhile' },
    );
  return { generation, known };
}

export async function startJoiner(deps: JoinerDeps): Promise<RunningJoiner> {
  const { prefix, log, producer, codec, clock, tracer } = deps;
  const { generation, known, until } = await taskOf(deps);
  const topic = `${prefix}.${generation.topic}`;
  const { firstPartitionId } = generation;
  const store = createJoinerStore(deps.store, ancestors(known));
  const cacheLimits = deps.cacheLimits ?? defaultCacheLimits;
  const logClock = createLogClock(clock);
  const spans = tracer && createInsertSpans(tracer);
  const running = await runStatefulStage<'unit-record', PartitionState, FlushRows>({
    name: 'joiner',
    group: joinerGroup(prefix, generation.generation),
    topic,
    record: 'unit-record',
    parkedTopic: topicName(prefix, 'parked.v1'),
    log,
    producer,
    codec,
    clock,
    ...(deps.parkedLimit && { parkedLimit: deps.parkedLimit }),
    flushMs: deps.flushMs,
    flushRecords: deps.flushRecords,
    idleMs: deps.idleTickMs,
    onIdle: (partition) => sendTick(deps, topic, partition, logClock.now()),
    load: async (partition) => {
      const state = await loadPartition(store, firstPartitionId + partition);
      return { state, offset: Math.floor(state.position / positionsPerOffset) };
    },
    checkpoints: () => checkpointsOf(store, generation),
    appended: ({ records }, at) => {
      logClock.saw(at);
      boundByLog(records, at);
    },
    present: (state, batches, position, share) => {
      const limits = { units: Math.ceil(cacheLimits.units * share), events: Math.ceil(cacheLimits.events * share) };
      const records = batches.flatMap((batch) => batch.records);
      return prefetch(store, state, records, position, limits);
    },
    durable: (state, { taken }) => {
      state.durable = taken;
    },
    fold: (state, { records }, offset) => {
      // Past the end of a topic that was replaced there can be ticks of a process that did not know: they are left out.
      if (until !== undefined && offset >= (until[state.partitionId - firstPartitionId] ?? 0)) return 0;
      let position = offset * positionsPerOffset;
      for (const record of records) {
        foldRecord(state, record, position);
        position += 1;
        spans?.add(record);
      }
      return records.length;
    },
    take: takeFlushRows,
    write: (flushes) => (spans ? spans.around(() => store.write(flushes)) : store.write(flushes)),
  });
  return { ...running, leftOut: () => leftOutOf(running.states().values()) };
}

/** Reasons of all partitions that this process has now. */
function leftOutOf(states: Iterable<PartitionState>): ReadonlyMap<string, number> {
  const reasons = new Map<string, number>();
  for (const { counts } of states)
    for (const [reason, number] of counts.dropped) reasons.set(reason, (reasons.get(reason) ?? 0) + number);
  return reasons;
}

/** For a partition without traffic: the event-time clock of its records goes on. */
async function sendTick({ codec, producer }: JoinerDeps, topic: string, partition: number, at: EpochMs): Promise<void> {
  await producer.send([{ topic, partition, value: encodeTick(codec, at), timestamp: at }]);
}

/** By partition of the topic. */
async function checkpointsOf(store: JoinerStore, generation: Generation): Promise<ReadonlyMap<number, number>> {
  const mine = [...(await store.checkpoints())].filter(([partitionId]) => holdsPartition(generation, partitionId));
  return new Map(mine.map(([partitionId, position]) => [partitionId - generation.firstPartitionId, position]));
}

/** A span for the insert in the trace of each record that a flush holds, up to `maxSpansPerFlush`. */
function createInsertSpans(tracer: StageTracer) {
  const parents: string[] = [];
  const attributes = { 'db.system.name': 'clickhouse', 'db.collection.name': 'state' };
  return {
    add: ({ trace_id: trace, span_id: span }: UnitRecord): void => {
      if (trace && span && parents.length < maxSpansPerFlush)
        parents.push(`00-${trace.toString('hex')}-${span.toString('hex')}-01`);
    },
    around: async (insert: () => Promise<void>): Promise<void> => {
      const spans = parents.splice(0).map((parent) => tracer.span('joiner insert', { parent, attributes }));
      try {
        await insert();
        for (const span of spans) span.end();
      } catch (error) {
        for (const span of spans) span.fail(error);
        throw error;
      }
    },
  };
}
