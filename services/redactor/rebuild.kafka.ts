/**
 * The kept raw events once more, under another policy: only the clean analytics records are written again. The unit and
 * entity logs are not, or every fact and total would count twice. A rebuild may be repeated or broken off: the store
 * keeps the row with the highest offset of each event.
 */
import type { RecordName } from '../../schemas/generated.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogClient, LogProducer, LogRecord, OutgoingRecord } from '../runtime/log.ts';
import { count } from '../runtime/stage.ts';
import { topicName } from '../runtime/topics.ts';
import { cleanRecords } from './clean-records.kafka.ts';
import { inBrokerTime } from './event-clock.ts';
import { type RedactorContext, redactInference, redactOutcome } from './redact-event.ts';

export type Rebuilt = {
  /** Raw records read, up to the ends at the start; what comes later is the running redactor's. */
  readonly read: number;
  readonly written: number;
  /**
   * Exposures hold no text: they have no analytics row. What was parked once would be parked again, and what was erased
   * stays so.
   */
  readonly skipped: number;
  /** `TYPE tier` -> how many. */
  readonly redactions: ReadonlyMap<string, number>;
  /** By clean topic and partition (`topic/partition`): one past the last record written. */
  readonly ends: ReadonlyMap<string, number>;
};

const batchSize = 500;
const rawRecords: readonly RecordName[] = ['inference-event', 'exposure', 'outcome-event'];

export async function rebuildClean({
  prefix,
  log,
  producer,
  codec,
  context,
}: {
  readonly prefix: string;
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  readonly context: RedactorContext;
}): Promise<Rebuilt> {
  const counts = { read: 0, written: 0, skipped: 0 };
  const redactions = new Map<string, number>();
  const ends = new Map<string, number>();
  /**
   * Inferences of units whose key is gone: an outcome that names nothing else than one of them must not come back. They
   * are read first.
   */
  const erased = new Set<string>();
  const cleanOf = (source: LogRecord): OutgoingRecord[] => {
    if (source.value === null) return [];
    const decoded = codec.decode(rawRecords, source.value);
    if (!decoded.ok) return [];
    if (decoded.record === 'inference-event' || decoded.record === 'outcome-event') inBrokerTime(decoded.value, source);
    if (
      decoded.record === 'outcome-event' &&
      decoded.value.inference_id !== null &&
      erased.has(decoded.value.inference_id)
    )
      return [];
    const verdict =
      decoded.record === 'inference-event'
        ? redactInference(decoded.value, source.timestamp, context)
        : decoded.record === 'outcome-event'
          ? redactOutcome(decoded.value, source.timestamp, context)
          : undefined;
    if (verdict?.kind === 'drop' && decoded.record === 'inference-event') erased.add(decoded.value.event_id);
    if (verdict?.kind !== 'forward') return [];
    for (const [kind, number] of Object.entries(verdict.value.tiers ?? {})) count(redactions, kind, number);
    return cleanRecords(prefix, codec, verdict.value, source, source.headers['traceparent']);
  };
  for (const suffix of ['inference.raw.v1', 'outcome.raw.v1'] as const) {
    const sources = await log.readToEnd(topicName(prefix, suffix));
    for (let from = 0; from < sources.length; from += batchSize) {
      const batch = sources.slice(from, from + batchSize);
      await codec.prepare(batch.flatMap(({ value }) => (value === null ? [] : [value])));
      const outgoing = batch.map(cleanOf);
      counts.read += batch.length;
      counts.skipped += outgoing.filter(({ length }) => length === 0).length;
      counts.written += outgoing.flat().length;
      if (outgoing.flat().length === 0) continue;
      for (const [place, next] of await producer.send(outgoing.flat())) ends.set(place, next);
    }
  }
  return { ...counts, redactions, ends };
}
