/** The redactor as a running stage: raw topics in, clean topics and the internal logs out. */
import type { Clock, EpochMs } from '../kernel/time.ts';
import { isSampled } from '../kernel/trace-context.ts';
import type { Verdict } from '../kernel/verdict.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import { batchEntities, batchUnits } from '../runtime/batches.ts';
import type { LogClient, LogProducer, OutgoingRecord } from '../runtime/log.ts';
import type { ParkedLimitOptions } from '../runtime/parked-limit.ts';
import { type Delivery, runStage } from '../runtime/run-stage.ts';
import { count, type RunningStage, type StageTracer } from '../runtime/stage.ts';
import type { Decoded } from '../runtime/stage-options.ts';
import { newestUnitTopic, topicName } from '../runtime/topics.ts';
import { cleanRecords } from './clean-records.kafka.ts';
import { eraseUnits } from './erase-units.ts';
import { createEventClock } from './event-clock.ts';
import {
  type RedactedEvent,
  type RedactorContext,
  redactExposure,
  redactInference,
  redactOutcome,
} from './redact-event.ts';
import type { UnitKeys } from './unit-keys.ts';

export { createPseudonymizer } from './pseudonym.ts';
export { commonUnitKeys, formatUnitKeys, isWhole, parseUnitKeys, type UnitKeys, unitKeysFrom } from './unit-keys.ts';
export { namedBy } from './erase-units.ts';
export { type Rebuilt, rebuildClean } from './rebuild.kafka.ts';
export type { RedactorContext } from './redact-event.ts';

/** A public event is at most this long; whoever has more to say sends less text. */
const maxEventBytes = 1 << 20;

export type RedactorDeps = {
  readonly prefix: string;
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  readonly clock: Clock;
  readonly parkedLimit?: ParkedLimitOptions;
  readonly tracer?: StageTracer;
  readonly lingerMs: number;
  readonly context: RedactorContext;
  /**
   * Writes down what is left of the keys after units were erased. Absent: they are lost in this process alone, and come
   * back with a restart.
   */
  readonly keepKeys?: (keys: UnitKeys) => void;
};

function countTiers(redactions: Map<string, number>, { tiers }: RedactedEvent, version: string): void {
  for (const [kind, number] of Object.entries(tiers ?? {})) count(redactions, `${kind} ${version}`, number);
}

function stampSpan({ unit }: RedactedEvent, traceparent: string | undefined): void {
  if (isSampled(traceparent))
    for (const { record } of unit) record.span_id = Buffer.from(traceparent.slice(36, 52), 'hex');
}

function redactOf(
  decoded: Decoded<'inference-event' | 'exposure' | 'outcome-event'>,
  receivedAt: EpochMs,
  context: RedactorContext,
  skewMs: number | undefined,
): Verdict<RedactedEvent> {
  switch (decoded.record) {
    case 'inference-event':
      return redactInference(decoded.value, receivedAt, context, skewMs);
    case 'exposure':
      return redactExposure(decoded.value, receivedAt, context);
    case 'outcome-event':
      return redactOutcome(decoded.value, receivedAt, context);
    default:
      return decoded satisfies never;
  }
}

export async function startRedactor({
  prefix,
  log,
  producer,
  codec,
  clock,
  tracer,
  lingerMs,
  context,
  keepKeys,
  parkedLimit,
}: RedactorDeps): Promise<RunningStage> {
  const entityTopic = topicName(prefix, 'entity.v1');
  const [{ topic: unitTopic, partitions: unitPartitions }, entityPartitions] = await Promise.all([
    newestUnitTopic(log, prefix),
    log.partitions(entityTopic),
  ]);

  const redactions = new Map<string, number>();
  const { clocks, correctTime } = createEventClock(context);
  const observed = new WeakSet<readonly Delivery<RedactedEvent>[]>();
  const sendObservations = async (batch: readonly Delivery<RedactedEvent>[], timestamp: number): Promise<void> => {
    const outgoing: OutgoingRecord[] = [];
    for (const { value, source, traceparent } of batch) {
      countTiers(redactions, value, context.policy.version);
      stampSpan(value, traceparent);
      outgoing.push(...cleanRecords(prefix, codec, value, source, traceparent));
    }
    const unit = batch.flatMap(({ value }) => value.unit);
    await producer.send([
      ...outgoing,
      ...batchUnits({ topic: unitTopic, partitions: unitPartitions, codec, timestamp }, unit),
    ]);
    observed.add(batch);
  };
  const deliver = async (batch: readonly Delivery<RedactedEvent>[]): Promise<void> => {
    const timestamp = batch.reduce((latest, { source }) => Math.max(latest, source.timestamp), 0);
    const entity = batch.flatMap(({ value }) => value.entity);
    // Observations first: an outcome that the linker forwards then usually finds its unit. Exactness does not rest on
    // it. Once: the unit log is kept for ever.
    if (!observed.has(batch)) await sendObservations(batch, timestamp);
    await producer.send(batchEntities({ topic: entityTopic, partitions: entityPartitions, codec, timestamp }, entity));
    // Keys go last, when the records that need them are in the log, and before the offset moves: a crash in between
    // erases again.
    const erased = batch.flatMap(({ value }) => value.erased ?? []);
    if (erased.length === 0) return;
    context.pseudonym.drop(erased);
    keepKeys?.(context.pseudonym.keys());
  };

  const stage = await runStage({
    name: 'redactor',
    group: `${prefix}-redactor`,
    topics: [topicName(prefix, 'inference.raw.v1'), topicName(prefix, 'outcome.raw.v1')],
    records: ['inference-event', 'exposure', 'outcome-event'],
    parkedTopic: topicName(prefix, 'parked.v1'),
    maxFrameBytes: maxEventBytes,
    lingerMs,
    log,
    producer,
    codec,
    clock,
    ...(parkedLimit && { parkedLimit }),
    ...(tracer && { tracer }),
    step: (decoded, source) => redactOf(decoded, source.timestamp, context, correctTime(decoded, source)),
    tombstone: (source) => eraseUnits(source.key, source.timestamp, context),
    deliver,
  });
  return { ...stage, counts: Object.assign(stage.counts, { redactions, clocks }) };
}
