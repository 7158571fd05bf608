/** The joiner as a running stage: the unit log in, facts and state in ClickHouse out. */
import type { Generation } from '../kernel/generations.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { Clock } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import type { LogClient, LogProducer } from '../runtime/log.ts';
import { positionsPerOffset } from '../kernel/state-rows.ts';
import { runStatefulStage } from '../runtime/stateful-stage.ts';
import type { RunningStage, StageTracer } from '../runtime/stage.ts';
import { encodeTick } from '../runtime/ticks.ts';
import { newestUnitTopic, topicName } from '../runtime/topics.ts';
import { ancestors, readGenerations, requireOpen } from '../runtime/generations.clickhouse.ts';
import { foldRecord } from './fold.ts';
import type { PartitionState } from './partition-state.ts';
import { createJoinerStore } from './joiner-store.clickhouse.ts';
import { loadPartition, prefetch } from './load-partition.ts';
import type { CacheLimits } from './prefetch.ts';
import { type FlushRows, takeFlushRows } from './rows.ts';

export { foldRecord } from './fold.ts';
export { createPartitionState, type PartitionState } from './partition-state.ts';
export { lookAt } from './look.ts';

export type JoinerDeps = {
  readonly prefix: string;
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  readonly clock: Clock;
  readonly store: Store;
  readonly flushMs: number;
  readonly flushRecords: number;
  /**
   * A partition without traffic for this long gets a tick of the wall clock; 0 when somebody else sends ticks (a
   * replay).
   */
  readonly idleTickMs: number;
  readonly tracer?: StageTracer;
  /** Over all partitions of the process. */
  readonly cacheLimits?: CacheLimits;
  /**
   * Absent: the open generation. A change of generation names the one it folds, all there are, and where each partition of it
   * ends.
   */
  readonly change?: {
    readonly generation: Generation;
    readonly known: readonly Generation[];
    readonly until: readonly number[];
  };
};

/** About 200 MB with five metrics: what a unit or an id that is not resident costs is one look-up, 30 to 40 us. */
const defaultCacheLimits: CacheLimits = { units: 150_000, events: 150_000 };

/** Traced records whose spans a flush reports, at most; the rest are folded all the same. */
const maxSpansPerFlush = 200;

/** The consumer group of an generation's joiners. */
export const joinerGroup = (prefix: string, generation: number): string =>
  generation === 0 ? `${prefix}-joiner` : `${prefix}-joiner-g${generation}`;

export async function startJoiner(
  deps: JoinerDeps,
): Promise<RunningStage & { states(): ReadonlyMap<number, PartitionState>; fastForwards(): number }> {
  const { prefix, log, producer, codec, clock, store, tracer } = deps;
  const known = deps.change?.known ?? (await readGenerations(store, log, prefix));
  const { generation, topic: suffix, firstPartitionId, partitions } = deps.change?.generation ?? requireOpen(known);
  const topic = `${prefix}.${suffix}`;
  const until = deps.change?.until;
  if (until === undefined && (await newestUnitTopic(log, prefix)).topic !== topic) {
    throw new PipelineError(
      'STATE_CORRUPT',
      `the unit log is written to another topic than ${topic}: a change of its partitions was begun and not finished`,
      { hint: 'stop every stage and run `npx tripline repartition --partitions N` again; nothing is lost meanwhile' },
    );
  }
  const traced: string[] = [];
  const cold = createJoinerStore(store, ancestors(known));
  const cacheLimits = deps.cacheLimits ?? defaultCacheLimits;
  return runStatefulStage<'unit-record', PartitionState, FlushRows>({
    name: 'joiner',
    group: joinerGroup(prefix, generation),
    topic,
    record: 'unit-record',
    parkedTopic: topicName(prefix, 'parked.v1'),
    log,
    producer,
    codec,
    clock,
    flushMs: deps.flushMs,
    flushRecords: deps.flushRecords,
    idleMs: deps.idleTickMs,
    onIdle: async (partition) => {
      const now = clock.now();
      await producer.send([{ topic, partition, value: encodeTick(codec, now), timestamp: now }]);
    },
    load: async (partitionId) => {
      const state = await loadPartition(cold, firstPartitionId + partitionId);
      return { state, offset: Math.floor(state.position / positionsPerOffset) };
    },
    checkpoints: async () =>
      new Map(
        [...(await cold.checkpoints())].flatMap(([partitionId, position]) =>
          partitionId >= firstPartitionId && partitionId < firstPartitionId + partitions
            ? [[partitionId - firstPartitionId, position] as const]
            : [],
        ),
      ),
    present: (state, batches, position, share) =>
      prefetch(
        cold,
        state,
        batches.flatMap(({ records }) => records),
        position,
        { units: Math.ceil(cacheLimits.units * share), events: Math.ceil(cacheLimits.events * share) },
      ),
    durable: (state, { taken }) => {
      state.durable = taken;
    },
    fold: (state, { records }, offset) => {
      // Past the end of a topic that was replaced there can be ticks of somebody who did not know: they belong to
      // nothing.
      if (until !== undefined && offset >= (until[state.partitionId - firstPartitionId] ?? 0)) return 0;
      let index = 0;
      for (const record of records) {
        foldRecord(state, record, offset * positionsPerOffset + index);
        index += 1;
        if (tracer && record.span_id && record.trace_id && traced.length < maxSpansPerFlush)
          traced.push(`00-${record.trace_id.toString('hex')}-${record.span_id.toString('hex')}-01`);
      }
      return records.length;
    },
    take: takeFlushRows,
    write: async (flushes) => {
      const spans = tracer
        ? traced.splice(0).map((parent) =>
            tracer.span('joiner insert', {
              parent,
              attributes: { 'db.system.name': 'clickhouse', 'db.collection.name': 'state' },
            }),
          )
        : [];
      try {
        await cold.write(flushes);
        for (const span of spans) span.end();
      } catch (error) {
        for (const span of spans) span.fail(error);
        throw error;
      }
    },
  });
}
