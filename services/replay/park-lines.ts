/**
 * Lines that no record can be made of go where every record goes that cannot be used: to the parked topic, under the
 * file's name and the line's number, with their bytes.
 */
import type { EpochMs } from '../kernel/time.ts';
import type { LogProducer, OutgoingRecord } from '../runtime/log.ts';
import { fileStage, parkedRecord, sendParked } from '../runtime/park.ts';
import { topicName } from '../runtime/topics.ts';
import { type OddLine, tellOddLine } from './read-arrivals.ts';

/** A longer line is parked without its bytes: the topic would not take it. */
const maxBytes = 900_000;
/** Sent together. */
const together = 500;

function parkedLine(topic: string, odd: OddLine, now: EpochMs): OutgoingRecord {
  const bytes = Buffer.from(odd.text);
  const value = bytes.length > maxBytes ? Buffer.alloc(0) : bytes;
  const source = {
    topic: odd.file,
    partition: 0,
    offset: odd.line,
    key: null,
    value,
    timestamp: now,
    headers: {},
  };
  return parkedRecord(topic, fileStage, source, 'INVALID', tellOddLine(odd), now);
}

export async function parkLines(
  { prefix, producer, now }: { readonly prefix: string; readonly producer: LogProducer; readonly now: EpochMs },
  odd: readonly OddLine[],
): Promise<void> {
  const topic = topicName(prefix, 'parked.v1');
  for (let from = 0; from < odd.length; from += together)
    await sendParked(
      producer,
      odd.slice(from, from + together).map((line) => parkedLine(topic, line, now)),
    );
}

export type OddSummary = {
  readonly lines: number;
  /** `token_in: a fraction, where a whole number belongs` -> how many lines. */
  readonly causes: Readonly<Record<string, number>>;
  /** The first of them, by file and line. */
  readonly first: readonly {
    readonly file: string;
    readonly line: number;
    readonly field: string;
    readonly cause: string;
  }[];
};

/** Told in full; the others are on the parked topic. */
const firstTold = 10;

export function summarizeOdd(odd: readonly OddLine[]): OddSummary {
  const causes: Record<string, number> = {};
  for (const { field, cause } of odd) {
    const told = field === '' ? cause : `${field}: ${cause}`;
    causes[told] = (causes[told] ?? 0) + 1;
  }
  const first = odd.slice(0, firstTold).map(({ file, line, field, cause }) => ({ file, line, field, cause }));
  return { lines: odd.length, causes, first };
}
