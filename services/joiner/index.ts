/** The joiner as a running stage: the unit log in, facts and state in ClickHouse out. */
import type { Clock } from '../kernel/time.ts';
import { stateColumns } from '../kernel/state-rows.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import type { LogClient, LogProducer } from '../runtime/kafka-log.ts';
import { positionsPerOffset, runFold } from '../runtime/run-fold.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import type { RunningStage, StageTracer } from '../runtime/stage.ts';
import { topicName } from '../runtime/topics.ts';
import { foldRecord } from './fold.ts';
import type { PartitionFold } from './fold-state.ts';
import { type FlushRows, factColumns, type LoadedRow, restorePartition, takeFlushRows } from './rows.ts';

export { foldRecord } from './fold.ts';
export { createPartitionFold, type PartitionFold } from './fold-state.ts';
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
  /** A partition without traffic for this long gets a tick of the wall clock; 0 when somebody else sends ticks (a replay). */
  readonly idleTickMs: number;
  readonly tracer?: StageTracer;
};

/** Traced records whose spans a flush reports, at most; the rest are folded all the same. */
const maxSpansPerFlush = 200;

export async function startJoiner(deps: JoinerDeps): Promise<RunningStage & { states(): ReadonlyMap<number, PartitionFold> }> {
  const { prefix, log, producer, codec, clock, store, tracer } = deps;
  const topic = topicName(prefix, 'unit.v1');
  const traced: string[] = [];
  return runFold<'unit-record', PartitionFold, FlushRows>({
    name: 'joiner',
    group: `${prefix}-joiner`,
    topic,
    record: 'unit-record',
    parkedTopic: topicName(prefix, 'parked.v1'),
    log, producer, codec, clock,
    flushMs: deps.flushMs,
    flushRecords: deps.flushRecords,
    idleMs: deps.idleTickMs,
    onIdle: async (partition) => {
      const now = clock.now();
      const tick = codec.encode('unit-record', { records: [{ received_at: now, trace_id: null, span_id: null, body: { 'tripline.v1.Tick': { nothing: null } } }] });
      await producer.send([{ topic, partition, value: tick, timestamp: now }]);
    },
    load: async (part) => {
      const rows = await store.rows<LoadedRow>(await sqlQuery('load-partition'), { part });
      const checkpoint = rows.find((row) => row.kind === 'checkpoint');
      const ids = checkpoint ? await store.rows<{ id: string; unit: string }>(await sqlQuery('load-seen'), { part, ver: checkpoint.ver }) : [];
      const state = restorePartition(part, rows, ids.map(({ id, unit }) => [id, unit] as const));
      return { state, offset: Math.floor(state.position / positionsPerOffset) };
    },
    fold: (state, { records }, offset) => {
      let index = 0;
      for (const record of records) {
        foldRecord(state, record, offset * positionsPerOffset + index);
        index += 1;
        if (tracer && record.span_id && record.trace_id && traced.length < maxSpansPerFlush) traced.push(`00-${record.trace_id.toString('hex')}-${record.span_id.toString('hex')}-01`);
      }
      return records.length;
    },
    take: takeFlushRows,
    write: async (flushes) => {
      const spans = tracer ? traced.splice(0).map((parent) => tracer.span('joiner insert', { parent, attributes: { 'db.system.name': 'clickhouse', 'db.collection.name': 'state' } })) : [];
      try {
        // Facts first: those past the checkpoint are invisible to a load, those below it are all there. Then everything else at once.
        if (flushes.some(({ factCount }) => factCount > 0)) await store.insertBinary('facts', factColumns, Buffer.concat(flushes.map(({ facts }) => facts)));
        await store.insertBinary('state', stateColumns, Buffer.concat(flushes.map(({ state }) => state)));
        for (const span of spans) span.end();
      } catch (error) {
        for (const span of spans) span.fail(error);
        throw error;
      }
    },
  });
}
