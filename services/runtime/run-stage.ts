/**
 * The loop of stages that keep no state: decode, step, deliver, commit, in that order, a batch at a time. It alone
 * knows offsets, retries, parking, trace context and counters. At-least-once: a crash before the commit repeats the
 * batch, and what is written twice carries the same ids.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { RecordName, RecordTypes } from '../../schemas/generated.ts';
import type { Clock } from '../kernel/time.ts';
import { isSampled } from '../kernel/trace-context.ts';
import type { Verdict } from '../kernel/verdict.ts';
import type { AvroCodec } from './avro-codec.ts';
import type { LogClient, LogProducer, LogRecord } from './log.ts';
import { parkedRecord } from './park.ts';
import { createParkedLimit, type ParkedLimitOptions } from './parked-limit.ts';
import { count, createStageCounts, type RunningStage, type StageTracer } from './stage.ts';
import { withTimeout, drainMs, leaveMs, retryUntilAborted } from './retry.ts';

export type Decoded<K extends RecordName> = {
  [Name in K]: { readonly record: Name; readonly value: RecordTypes[Name] };
}[K];

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
  /** Waits this long for more records after the first, ms: batching, adds latency. */
  readonly lingerMs: number;
  step(decoded: Decoded<K>, source: LogRecord): Verdict<T>;
  /** Longer records are parked before they are decoded. */
  readonly maxFrameBytes?: number;
  /** Share of parked records at which the stage stops. */
  readonly parkedLimit?: ParkedLimitOptions;
  /** Instead of `step`, for records without a value. Absent: they are dropped. */
  tombstone?(source: LogRecord): Verdict<T>;
  /** Instead of `step`, for records that are not decoded. */
  raw?(source: LogRecord): Verdict<T>;
  /** Writes what the batch forwarded. Idempotent: it may be repeated with the same records. */
  deliver(batch: readonly Delivery<T>[]): Promise<void>;
};

export async function runStage<K extends RecordName, T>(options: StageOptions<K, T>): Promise<RunningStage> {
  const { name, log, codec, clock, tracer } = options;
  const counts = createStageCounts();
  const parkedLimit = createParkedLimit(options.parkedLimit);
  const positions = new Map<string, number>();
  let generation = 0;
  let closing = false;
  let waiting: { what: string; since: number } | undefined;
  const onWaiting = (error: Error | undefined): void => {
    waiting = error ? { what: error.message, since: waiting?.since ?? clock.now() } : undefined;
  };

  /** The batch stays where it is, uncommitted, until the stage is closed or its partitions are taken back. */
  const untilAbandoned = async (what: string, abandoned: () => boolean): Promise<void> => {
    waiting = { what, since: waiting?.since ?? clock.now() };
    while (!abandoned()) await wait(100);
    waiting = undefined;
  };

  type Taken = {
    readonly topic: string;
    readonly partition: number;
    readonly batch: readonly LogRecord[];
    readonly generation: number;
    readonly finish: () => void;
  };
  let pending: Taken[] = [];
  let wake: () => void = () => {};
  const records = (topic: string, partition: number, batch: readonly LogRecord[]): Promise<void> =>
    new Promise<void>((finish) => {
      counts.in += batch.length;
      counts.waiting += batch.length;
      pending.push({ topic, partition, batch, generation, finish });
      wake();
    });

  /** Works on everything taken so far as one batch, whatever partitions it came from: one delivery, one insert. */
  const work = async (taken: readonly Taken[]): Promise<void> => {
    const mine = generation;
    const abandoned = (): boolean => closing || mine !== generation;
    const sources = taken.flatMap((part) => (part.generation === mine ? part.batch : []));
    const frames = sources.flatMap((record) => (record.value ? [record.value] : []));
    if (!options.raw) await retryUntilAborted(async () => codec.prepare(frames), { abandoned, onWaiting });
    const spans: ReturnType<StageTracer['span']>[] = [];
    const forwarded: Delivery<T>[] = [];
    const parked: { source: LogRecord; code: string; message: string }[] = [];
    const dropped = new Map<string, number>();
    for (const source of sources) {
      const verdict = judge(source);
      if (verdict.kind === 'drop') count(dropped, verdict.reason);
      else if (verdict.kind === 'park') parked.push({ source, code: verdict.code, message: verdict.message });
      else {
        const parent = source.headers['traceparent'];
        const span =
          tracer && isSampled(parent)
            ? tracer.span(name, { parent, attributes: { 'messaging.destination.name': source.topic } })
            : undefined;
        if (span) spans.push(span);
        forwarded.push({ value: verdict.value, source, traceparent: span?.traceparent ?? parent });
      }
    }
    const refused = parkedLimit.admit(
      sources.length,
      parked.map(({ code }) => code),
    );
    if (refused !== undefined) await untilAbandoned(refused, abandoned);
    const done = await retryUntilAborted(
      async () => {
        if (parked.length > 0)
          await options.producer.send(
            parked.map(({ source, code, message }) =>
              parkedRecord(options.parkedTopic, name, source, code, message, clock.now()),
            ),
          );
        if (forwarded.length > 0) await options.deliver(forwarded);
        return true;
      },
      { abandoned, onWaiting },
    );
    for (const span of spans) span.end();
    const all = taken.reduce((sum, { batch }) => sum + batch.length, 0);
    counts.waiting -= all;
    if (done === undefined) {
      counts.in -= all; // taken back: whoever owns the partitions now takes them in
      return;
    }
    counts.in -= all - sources.length;
    counts.forwarded += forwarded.length;
    for (const [reason, number] of dropped) count(counts.dropped, reason, number);
    for (const { code } of parked) count(counts.parked, code);
    if (mine !== generation) return;
    for (const { topic, partition, batch, generation: of } of taken) {
      if (of !== mine) continue;
      const next = (batch.at(-1)?.offset ?? -1) + 1;
      // Again, for about two minutes, longer than a broker is away: the last commit of a quiet topic is the lag that
      // people see. A stage that stops gives it five tries.
      for (
        let tries = 0;
        tries < (closing ? 5 : 130) && mine === generation && !(await consumer.commit(topic, partition, next));
        tries += 1
      )
        await wait(Math.min(50 * (tries + 1), 1_000));
      positions.set(`${topic}/${partition}`, next);
    }
  };

  let fail: (error: unknown) => void = () => {};
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const loop = (async () => {
    while (!closing) {
      if (pending.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        if (options.lingerMs > 0) await wait(options.lingerMs);
      }
      const taken = pending;
      pending = [];
      if (taken.length > 0) await work(taken);
      for (const { finish } of taken) finish();
    }
  })().catch(fail);

  const judge = (source: LogRecord): Verdict<T> => {
    if (options.raw) return options.raw(source);
    if (source.value === null) return options.tombstone?.(source) ?? { kind: 'drop', reason: 'tombstone' };
    if (source.value.length > (options.maxFrameBytes ?? Infinity))
      return {
        kind: 'park',
        code: 'TOO_LARGE',
        message: `${source.value.length} bytes, at most ${options.maxFrameBytes}`,
      };
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
  const failed = Promise.race([broken, consumer.failed]);
  failed.catch(() => {});
  return {
    name,
    counts,
    position: (topic, partition) => positions.get(`${topic}/${partition}`),
    owned: () => consumer.assigned(),
    waitingFor: () => waiting,
    failed,
    close: async () => {
      const toldAt = clock.now();
      closing = true;
      wake();
      // The batch in hand is delivered and committed before the group is left; what is not begun stays in the log.
      await withTimeout(drainMs.work, loop);
      await withTimeout(leaveMs(clock.now() - toldAt), consumer.close());
    },
  };
}
