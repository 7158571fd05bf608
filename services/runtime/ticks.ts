/**
 * Ticks: records of the unit log that say nothing but what time it is, so that windows close in a partition without
 * traffic.
 */
import type { EpochMs } from '../kernel/time.ts';
import type { AvroCodec } from './avro-codec.ts';
import type { OutgoingRecord } from './log.ts';

export const encodeTick = (codec: AvroCodec, at: EpochMs): Buffer =>
  codec.encode('unit-record', {
    records: [{ received_at: at, trace_id: null, span_id: null, body: { 'tripline.v1.Tick': { nothing: null } } }],
  });

/** The same time in every partition. */
export function ticksEverywhere(codec: AvroCodec, topic: string, partitions: number, at: EpochMs): OutgoingRecord[] {
  const value = encodeTick(codec, at);
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition, value, timestamp: at }));
}
