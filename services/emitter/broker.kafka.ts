/**
 * The emitter's two sides on Kafka: events out to the raw topics, experiments in from theirs. Both wait for the broker
 * in the background.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { FollowedControl } from '../control/follow-control.kafka.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import { partitionOf } from '../kernel/ids.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { formatSentClock, sentClockHeader } from '../kernel/sent-clock.ts';
import type { Clock, EpochMs } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import { isRefusal } from '../runtime/kafka-errors.ts';
import type { LogClient, LogProducer } from '../runtime/log.ts';
import { topicName } from '../runtime/topics.ts';
import { retryUntilAborted } from '../runtime/retry.ts';
import type { EventSink, ExperimentSource } from './emitter.ts';
import { createServed } from './served.ts';

/** What an emitter needs of a Kafka client. */
export type EmitterLog = Pick<LogClient, 'producer' | 'partitions' | 'follow' | 'ping' | 'close'>;

export type BrokerDeps = {
  readonly prefix: string;
  readonly log: EmitterLog;
  readonly codec: AvroCodec;
  readonly clock: Clock;
  /** As the emitter's. */
  readonly steady?: Clock;
  /** A table that nobody has confirmed for this long assigns with reason STALE. */
  readonly ttlMs: number;
  readonly onRevision?: (revision: ExperimentRevision, at: EpochMs) => void;
  /** What was known when the app last ran, and when that was. */
  readonly lastKnown?: { readonly revisions: readonly ExperimentRevision[]; readonly at: EpochMs };
};

/**
 * A Kafka client that loads with its first use, in the background: everything that asks for it waits for the broker
 * anyway.
 */
export function createKafkaOnDemand(options: {
  readonly brokers: string;
  readonly clientId: string;
  readonly goodbyeMs: number;
}): EmitterLog {
  let opened: Promise<LogClient> | undefined;
  let closed = false;
  const open = async (): Promise<LogClient> => {
    if (closed) throw new PipelineError('BROKER_UNAVAILABLE', 'the emitter is closed');
    opened ??= import('../runtime/kafka-log.ts').then(({ createKafka }) => createKafka(options));
    return opened;
  };
  return {
    producer: async () => (await open()).producer(),
    partitions: async (topic) => (await open()).partitions(topic),
    follow: async (topic, onRecord) => (await open()).follow(topic, onRecord),
    ping: async () => (await open()).ping(),
    close: async () => {
      closed = true;
      await (await opened)?.close();
    },
  };
}

export function createKafkaSink({ prefix, log, codec, clock, steady = clock }: BrokerDeps): EventSink {
  let ready: Promise<{ producer: LogProducer; partitions: Map<string, number> }> | undefined;
  const open = async (): Promise<{ producer: LogProducer; partitions: Map<string, number> }> => {
    await codec.register([
      { record: 'inference-event', topic: topicName(prefix, 'inference.raw.v1') },
      { record: 'exposure', topic: topicName(prefix, 'inference.raw.v1') },
      { record: 'outcome-event', topic: topicName(prefix, 'outcome.raw.v1') },
    ]);
    const producer = await log.producer();
    const partitions = new Map<string, number>();
    for (const suffix of ['inference.raw.v1', 'outcome.raw.v1'] as const)
      partitions.set(suffix, await log.partitions(topicName(prefix, suffix)));
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
      const now = steady.now();
      const outgoing = batch.map(({ topic, record, bucket, key, frame, traceparent, timestamp, ...event }) => ({
        topic: topicName(prefix, topic),
        partition: partitionOf(bucket, partitions.get(topic) ?? 1),
        key,
        value: codec.stamp(frame, record),
        timestamp,
        headers: {
          'content-type': 'application/avro',
          'tripline-schema': record,
          [sentClockHeader]: formatSentClock({
            recordedAt: timestamp,
            heldMs: now - event.recordedAt,
            isGiven: event.isTimeGiven,
          }),
          ...(traceparent !== undefined && { traceparent }),
        },
      }));
      try {
        await producer.send(outgoing);
      } catch (cause) {
        if (isRefusal(cause))
          throw new PipelineError('BROKER_REFUSED', `the broker does not take a batch of ${batch.length}`, {
            cause,
            hint: 'raise max.message.bytes of the raw topics, or lower TRIPLINE_EMITTER_MAX_EVENT_BYTES',
          });
        throw cause;
      }
    },
    close: () => log.close(),
  };
}

/**
 * Latest revision of every experiment, as the log tells it: checkpoints of the experiment topic, and the control topic
 * folded onto them. Until both have been read the table is what was last known; when nothing was, it is empty: control,
 * reason UNKNOWN. A record that cannot be read is skipped, and the revision before it stays.
 */
export function followExperiments({
  prefix,
  log,
  codec,
  clock,
  ttlMs,
  onRevision,
  lastKnown,
}: BrokerDeps): ExperimentSource & { readonly ready: Promise<void>; readonly skipped: () => number } {
  const served = createServed(lastKnown?.revisions ?? []);
  let confirmedAt = lastKnown?.at ?? clock.now();
  let skipped = 0;
  const abandon = new AbortController();
  const { signal } = abandon;
  const abandoned = (): boolean => signal.aborted;
  let follower: FollowedControl | undefined;
  let hearing = false;
  const serve = (revision: ExperimentRevision | undefined): void => {
    if (revision === undefined || !served.take(revision)) return;
    confirmedAt = clock.now();
    onRevision?.(revision, confirmedAt);
  };
  const follow = async (): Promise<void> => {
    try {
      // Loaded with its first use, like the client: an app that starts need not wait for it.
      const { followControl } = await import('../control/follow-control.kafka.ts');
      const followed = await followControl({
        prefix,
        log,
        codec,
        abandoned,
        onCheckpoint: ({ revision }) => {
          served.heard(revision);
          serve(follower?.table().get(revision.spec.id)?.revision ?? revision);
        },
        onRecord: (_record, { after }) => serve(after),
        onSkipped: () => {
          skipped += 1;
        },
      });
      follower = followed;
      await followed.ready;
      confirmedAt = clock.now();
      followed.failed.catch(async () => {
        hearing = false; // its table ages, whatever the broker answers
        await followed.close().catch(() => {});
        if (!abandoned()) await retryUntilAborted(follow, { abandoned });
      });
      hearing = true;
    } catch (cause) {
      await follower?.close().catch(() => {});
      // An assigner that gave up would serve a killed arm for ever: whatever it is, it is tried again.
      throw new PipelineError('BROKER_UNAVAILABLE', `following ${topicName(prefix, 'control.v1')}`, {
        retriable: true,
        cause,
      });
    }
  };
  const ready = retryUntilAborted(follow, { abandoned }).then(() => {});
  /** The topics are silent for days; that the broker still answers says that silence means no change. */
  const confirm = async (): Promise<void> => {
    await ready;
    for (;;) {
      await wait(Math.min(ttlMs / 3, 30_000), undefined, { ref: false, signal });
      await log.ping();
      if (hearing && follower?.trouble() === undefined) confirmedAt = clock.now();
    }
  };
  confirm().catch(() => {}); // only closing ends it: a broker that is away makes `ping` wait
  return {
    ready,
    skipped: () => skipped,
    table: served.table,
    stale: () => clock.now() - confirmedAt > ttlMs,
    close: async () => {
      abandon.abort();
      await follower?.close();
    },
  };
}
