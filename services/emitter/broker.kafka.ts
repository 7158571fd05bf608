/** The emitter's two sides on Kafka: events out to the raw topics, experiments in from theirs. Both wait for the broker in the background. */
import { createAssignmentTable, type AssignmentTable } from '../assignment/index.ts';
import { fromExperimentRecord } from '../control/index.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import { partitionOf } from '../kernel/ids.ts';
import type { Clock, EpochMs } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogClient, LogProducer } from '../runtime/kafka-log.ts';
import { topicName } from '../runtime/topics.ts';
import { untilItWorks } from '../runtime/until-it-works.ts';
import type { EventSink, ExperimentSource } from './emitter.ts';

export type BrokerDeps = { readonly prefix: string; readonly log: LogClient; readonly codec: AvroCodec; readonly clock: Clock; readonly ttlMs: number; readonly onRevision?: (revision: ExperimentRevision, at: EpochMs) => void };

export function createKafkaSink({ prefix, log, codec }: BrokerDeps): EventSink {
  let ready: Promise<{ producer: LogProducer; partitions: Map<string, number> }> | undefined;
  const open = async (): Promise<{ producer: LogProducer; partitions: Map<string, number> }> => {
    await codec.register([{ record: 'inference-event', topic: topicName(prefix, 'inference.raw.v1') }, { record: 'exposure', topic: topicName(prefix, 'inference.raw.v1') }, { record: 'outcome-event', topic: topicName(prefix, 'outcome.raw.v1') }]);
    const producer = await log.producer();
    const partitions = new Map<string, number>();
    for (const suffix of ['inference.raw.v1', 'outcome.raw.v1'] as const) partitions.set(suffix, await log.partitions(topicName(prefix, suffix)));
    return { producer, partitions };
  };
  return {
    send: async (batch) => {
      ready ??= open();
      let opened: Awaited<typeof ready>;
      try {
        opened = await ready;
      } catch (error) {
        ready = undefined; // the next batch opens again
        throw error;
      }
      const { producer, partitions } = opened;
      await producer.send(
        batch.map(({ topic, record, bucket, key, frame, traceparent, timestamp }) => ({
          topic: topicName(prefix, topic), partition: partitionOf(bucket, partitions.get(topic) ?? 1), key, value: codec.stamp(frame, record), timestamp,
          headers: { 'content-type': 'application/avro', 'tripline-schema': record, ...(traceparent !== undefined && { traceparent }) },
        })),
      );
    },
    close: () => log.close(),
  };
}

/** Latest revision of every experiment, as the topic tells it. Until it has been reached the table is empty: control, reason UNKNOWN. */
export function followExperiments({ prefix, log, codec, clock, ttlMs, onRevision }: BrokerDeps): ExperimentSource & { readonly ready: Promise<void> } {
  const revisions = new Map<string, ExperimentRevision>();
  let table: AssignmentTable = createAssignmentTable([]);
  let heardAt = clock.now();
  let closed = false;
  let follower: { close(): Promise<void> } | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const ready = untilItWorks(
    async () => {
      const followed = await log.follow(topicName(prefix, 'experiment.v1'), (record) => {
        const { value } = record;
        if (value === null) return;
        turn = turn.then(async () => {
          await untilItWorks(async () => codec.prepare([value]), { abandoned: () => closed });
          const decoded = codec.decode(['experiment'], value);
          if (!decoded.ok) return;
          const revision = fromExperimentRecord(decoded.value);
          if ((revisions.get(revision.spec.id)?.revision ?? 0) >= revision.revision) return;
          revisions.set(revision.spec.id, revision);
          table = createAssignmentTable(revisions.values());
          heardAt = clock.now();
          onRevision?.(revision, heardAt);
        });
      });
      follower = followed;
      await followed.caughtUp;
      await turn;
    },
    { abandoned: () => closed },
  ).then(() => {});
  ready.catch(() => {});
  return {
    ready,
    table: () => table,
    // A follower that is connected is told at once: only a table that lost its source grows old.
    stale: () => follower === undefined && clock.now() - heardAt > ttlMs,
    close: async () => {
      closed = true;
      await follower?.close();
    },
  };
}
