import {
  type ControlAnswer,
  type ControlRecord,
  controlRecords,
  type ControlTable,
  fromCheckpoint,
  fromControlRecord,
  foldControl,
  mergeCheckpoint,
} from '../control/index.ts';
import type { EpochMs } from '../kernel/time.ts';
import { topicName } from '../runtime/topics.ts';
import type { Connection } from '../pipeline/connect.ts';

export type FoldedRecord = {
  readonly record: ControlRecord;
  readonly answer: ControlAnswer;
  /** Its offset. */
  readonly number: number;
  readonly time: EpochMs;
  /** The bytes that were published. */
  readonly frame: Buffer;
};

/** The control topic folded from its first record on, or up to an offset (exclusive). */
export async function readControl(
  { log, codec, prefix }: Pick<Connection, 'log' | 'codec'> & { readonly prefix: string },
  until = Infinity,
): Promise<{ readonly table: ControlTable; readonly records: readonly FoldedRecord[] }> {
  let table: ControlTable = new Map();
  for (const { value } of await log.readToEnd(topicName(prefix, 'experiment.v1'))) {
    if (value === null) continue;
    await codec.prepare([value]);
    const decoded = codec.decode(['experiment'], value);
    const checkpoint = decoded.ok ? fromCheckpoint(decoded.value) : undefined;
    // Of those that a fold has written, the fold below says the same.
    if (checkpoint?.upTo === 0) table = mergeCheckpoint(table, checkpoint);
  }
  const records: FoldedRecord[] = [];
  for (const { value: frame, offset, timestamp } of await log.readToEnd(topicName(prefix, 'control.v1'))) {
    if (frame === null || offset >= until) continue;
    await codec.prepare([frame]);
    const decoded = codec.decode(controlRecords, frame);
    if (!decoded.ok) continue; // the sink parks it
    const record = fromControlRecord(decoded);
    const folded = foldControl(table, record, offset, timestamp);
    table = folded.table;
    records.push({ record, answer: folded.answer, number: offset, time: timestamp, frame });
  }
  return { table, records };
}
