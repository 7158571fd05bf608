import type { EntityRecord, UnitRecord } from '../../schemas/generated.ts';
import { partitionOf } from '../kernel/ids.ts';
import type { AvroCodec } from './avro-codec.ts';
import type { OutgoingRecord } from './log.ts';

/** Records in one message of an internal log, at most: their index is 12 bits of the position. */
const batchRecords = 4096;

/**
 * A longer message is cut in half: brokers take a megabyte (Kafka's default `message.max.bytes`), and one that is
 * refused would stop the stage for good.
 */
const batchBytes = 512 * 1024;

type Routed<R> = { readonly bucket: number; readonly record: R };

type Target = {
  readonly topic: string;
  readonly partitions: number;
  readonly codec: AvroCodec;
  readonly timestamp: number;
};

/**
 * Messages for the unit log: many records of one partition travel in one, which costs the client a fifth of one message
 * each.
 */
export function batchUnits(target: Target, routed: readonly Routed<UnitRecord>[]): OutgoingRecord[] {
  // The record remembers what routed it: nothing later could tell, and doubled partitions must know where its unit
  // goes.
  for (const { bucket, record } of routed) record.bucket = bucket;
  return messages(target, routed, (records) => target.codec.encode('unit-record', { records }));
}

export const batchEntities = (target: Target, routed: readonly Routed<EntityRecord>[]): OutgoingRecord[] =>
  messages(target, routed, (records) => target.codec.encode('entity-record', { records }));

function messages<R>(target: Target, routed: readonly Routed<R>[], encode: (records: R[]) => Buffer): OutgoingRecord[] {
  const byPartition = new Map<number, R[]>();
  for (const { bucket, record } of routed) {
    const partition = partitionOf(bucket, target.partitions);
    const records = byPartition.get(partition);
    if (records) records.push(record);
    else byPartition.set(partition, [record]);
  }
  const outgoing: OutgoingRecord[] = [];
  const put = (partition: number, records: R[]): void => {
    const value = encode(records);
    if (value.length <= batchBytes || records.length === 1) {
      outgoing.push({ topic: target.topic, partition, value, timestamp: target.timestamp });
      return;
    }
    const half = Math.ceil(records.length / 2);
    put(partition, records.slice(0, half));
    put(partition, records.slice(half));
  };
  for (const [partition, records] of byPartition) {
    for (let from = 0; from < records.length; from += batchRecords)
      put(partition, records.slice(from, from + batchRecords));
  }
  return outgoing;
}
