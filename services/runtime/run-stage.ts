/**
 * The loop of stages that keep no state: decode, step, deliver, commit, in that order, a batch at a time. It alone knows offsets,
 * retries, parking, trace context and counters. At-least-once: a crash before the commit repeats the batch, and what is written
 * twice carries the same ids.
 */
import type { RecordName, RecordTypes } from '../../schemas/generated.ts';
import type { Clock } from '../kernel/time.ts';
import type { Verdict } from '../kernel/verdict.ts';
import type { AvroCodec } from './avro-codec.ts';
import type { LogClient, LogProducer, LogRecord } from './kafka-log.ts';
import { parkedRecord } from './park.ts';
import { count, createStageCounts, isSampled, type RunningStage, type StageTracer } from './stage.ts';
import { untilItWorks } from './until-it-works.ts';

export type Decoded<K extends RecordName> = { [Name in K]: { readonly record: Name; readonly value: RecordTypes[Name] } }[K];

/** A forwarded value with the record it came from and, when it is traced, the context of this stage's span. */
export type Delivery<T> = { readonly value: T; readonly source: LogRecord; readonly traceparent: string | undefined };

export type StageOptions<K extends RecordName, T> = {
  readonly name: string;
  readonly group: string;
  readonly topics: readonly string[];
  /** Record types that the topics carry; empty: the bytes are the step's own business. */
  readonly records: readonly K[];
  readonly parkedTopic: string;
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  readonly clock: Clock;
  readonly tracer?: StageTracer;
  step(decoded: Decoded<K>, source: LogRecord): Verdict<T>;
  /** Longer records are parked before they are decoded. */
  readonly maxFrameBytes?: number;
  /** Instead of `step`, for records that are not decoded. */
  raw?(source: LogRecord): Verdict<T>;
  /** Writes what the batch forwarded. Idempotent: it may be repeated with the same records. */
  deliver(batch: readonly Delivery<T>[]): Promise<void>;
};

export async function runStage<K extends RecordName, T>(options: StageOptions<K, T>): Promise<RunningStage> {
  const { name, log, codec, clock, tracer } = options;
  const counts = createStageCounts();
  const positions = new Map<string, number>();
  let generation = 0;
  let closing = false;
  let waiting: { what: string; since: number } | undefined;
  const onWaiting = (error: Error | undefined): void => {
    waiting = error ? { what: error.message, since: waiting?.since ?? clock.now() } : undefined;
  };

  const records = async (topic: string, partition: number, batch: readonly LogRecord[]): Promise<void> => {
    const mine = generation;
    const abandoned = (): boolean => closing || mine !== generation;
    counts.in += batch.length;
    counts.waiting += batch.length;
    const frames = batch.flatMap((record) => (record.value ? [record.value] : []));
    if (!options.raw) await untilItWorks(async () => codec.prepare(frames), { abandoned, onWaiting });
    const spans: ReturnType<StageTracer['span']>[] = [];
    const forwarded: Delivery<T>[] = [];
    const parked: { source: LogRecord; code: string; message: string }[] = [];
    const dropped = new Map<string, number>();
    for (const source of batch) {
      const verdict = judge(source);
      if (verdict.kind === 'drop') count(dropped, verdict.reason);
      else if (verdict.kind === 'park') parked.push({ source, code: verdict.code, message: verdict.message });
      else {
        const parent = source.headers['traceparent'];
        const span = tracer && isSampled(parent) ? tracer.span(name, { parent, attributes: { 'messaging.destination.name': topic } }) : undefined;
        if (span) spans.push(span);
        forwarded.push({ value: verdict.value, source, traceparent: span?.traceparent ?? parent });
      }
    }
    const done = await untilItWorks(
      async () => {
        if (parked.length > 0) await options.producer.send(parked.map(({ source, code, message }) => parkedRecord(options.parkedTopic, name, source, code, message, clock.now())));
        if (forwarded.length > 0) await options.deliver(forwarded);
        return true;
      },
      { abandoned, onWaiting },
    );
    for (const span of spans) span.end();
    counts.waiting -= batch.length;
    if (done === undefined) {
      counts.in -= batch.length; // taken back: whoever owns the partition now takes them in
      return;
    }
    counts.forwarded += forwarded.length;
    for (const [reason, number] of dropped) count(counts.dropped, reason, number);
    for (const { code } of parked) count(counts.parked, code);
    const next = (batch.at(-1)?.offset ?? -1) + 1;
    if (mine !== generation) return;
    await consumer.commit(topic, partition, next);
    positions.set(`${topic}/${partition}`, next);
  };

  const judge = (source: LogRecord): Verdict<T> => {
    if (options.raw) return options.raw(source);
    if (source.value === null) return { kind: 'drop', reason: 'tombstone' };
    if (source.value.length > (options.maxFrameBytes ?? Infinity)) return { kind: 'park', code: 'TOO_LARGE', message: `${source.value.length} bytes, at most ${options.maxFrameBytes}` };
    const decoded = codec.decode(options.records, source.value);
    if (!decoded.ok) return { kind: 'park', code: decoded.code, message: decoded.message };
    return options.step(decoded as never as Decoded<K>, source);
  };

  const consumer = await log.consume({
    group: options.group,
    topics: options.topics,
    handler: {
      load: async () => undefined,
      records,
      revoked: () => {
        generation += 1;
      },
    },
  });
  return {
    name,
    counts,
    position: (topic, partition) => positions.get(`${topic}/${partition}`),
    waitingFor: () => waiting,
    failed: consumer.failed,
    close: async () => {
      closing = true;
      await consumer.close();
    },
  };
}
