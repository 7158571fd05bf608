/** What a stage that keeps no state tells `run-stage.ts`: what to read, what becomes of a record, how to deliver. */
import type { RecordName, RecordTypes } from '../../schemas/generated.ts';
import type { Clock } from '../kernel/time.ts';
import type { ParkCode, Verdict } from '../kernel/verdict.ts';
import type { AvroCodec } from './avro-codec.ts';
import type { LogClient, LogProducer, LogRecord } from './log.ts';
import type { ParkedLimitOptions } from './parked-limit.ts';
import type { StageTracer } from './stage.ts';

export type Decoded<K extends RecordName> = {
  [Name in K]: { readonly record: Name; readonly value: RecordTypes[Name] };
}[K];

/** A forwarded value with the record it came from and, when it is traced, the context of this stage's span. */
export type Delivery<T> = { readonly value: T; readonly source: LogRecord; readonly traceparent: string | undefined };

/** Of a delivery: this one can never be written. It is parked once the others are, and counts as parked. */
export type Refuse<D> = (delivery: D, code: ParkCode, message: string) => void;

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
  deliver(batch: readonly Delivery<T>[], refuse: Refuse<Delivery<T>>): Promise<void>;
};
