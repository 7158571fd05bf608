/**
 * An experiment's files, read whole and put in the order in which they arrived. A line that cannot be used is told by
 * file, number, field and cause, and the others go on.
 */
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { inferenceTexts, leaveOutTexts } from '../kernel/leave-out-texts.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { LineProblem } from './read-fields.ts';
import { type Arrival, type LineResult, readInferenceLine, readOutcomeLine } from './scenario-lines.ts';

/** A line that cannot be used. */
export type OddLine = LineProblem & {
  readonly kind: Arrival['kind'];
  /** Name of the file, without its folder. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** As it was read: for the parked topic. */
  readonly text: string;
};

/** `events.jsonl.gz:8: token_in: a fraction, where a whole number belongs` */
export const tellOddLine = ({ file, line, field, cause }: Omit<OddLine, 'kind' | 'text'>): string =>
  `${file}:${line}: ${field === '' ? '' : `${field}: `}${cause}`;

type Lines = {
  readonly read: number;
  readonly arrivals: readonly Arrival[];
  readonly odd: readonly OddLine[];
  readonly textsLeftOut: number;
};

/** Of one record: brokers take about 1 MiB unless told otherwise. A line is longer than its record. */
const maxRecordBytes = 1_000_000;

/** A call whose line is too long for the log goes without its longest texts; an outcome has short ids alone. */
function withinLog(result: LineResult, text: string): LineResult & { readonly textsLeftOut?: number } {
  if (!result.ok || result.arrival.kind === 'outcome' || Buffer.byteLength(text) <= maxRecordBytes) return result;
  const sizeOf = (record: object): number => Buffer.byteLength(JSON.stringify(record));
  const short = leaveOutTexts(result.arrival.event, inferenceTexts, sizeOf, maxRecordBytes);
  if (short === undefined)
    return { ok: false, field: '', cause: `longer than ${maxRecordBytes} bytes, whatever is left out` };
  return { ok: true, arrival: { ...result.arrival, event: short.record }, textsLeftOut: short.leftOut };
}

async function readLines(file: string, kind: Arrival['kind'], read: (line: string) => LineResult): Promise<Lines> {
  const source = createReadStream(file);
  const unreadable = (cause: unknown): PipelineError =>
    new PipelineError('INPUT_UNREADABLE', `${file} cannot be read`, {
      cause,
      hint: 'check the path, and that the file is whole',
    });
  const unpacked = file.endsWith('.gz') ? source.pipe(createGunzip()) : source;
  const lines = createInterface({ input: unpacked, crlfDelay: Number.POSITIVE_INFINITY });
  const broken = new Promise<never>((_, reject) => {
    for (const stream of [source, unpacked]) stream.once('error', (cause: unknown) => reject(unreadable(cause)));
  });
  broken.catch(() => {});
  const arrivals: Arrival[] = [];
  const odd: OddLine[] = [];
  const readAll = async (): Promise<Lines> => {
    let number = 0;
    let textsLeftOut = 0;
    for await (const whole of lines) {
      number += 1;
      // Some exports begin with a byte order mark.
      const text = number === 1 ? whole.replace(/^\ufeff/, '') : whole;
      if (text.trim() === '') continue;
      const result = withinLog(read(text), text);
      textsLeftOut += result.textsLeftOut ?? 0;
      if (result.ok) arrivals.push(result.arrival);
      else odd.push({ kind, file: basename(file), line: number, field: result.field, cause: result.cause, text });
    }
    return { read: arrivals.length + odd.length, arrivals, odd, textsLeftOut };
  };
  return Promise.race([broken, readAll()]);
}

/** Events by ingested_at and outcomes by occurred_at, as they arrived; of equal times in file order, events first. */
function inArrivalOrder(events: readonly Arrival[], outcomes: readonly Arrival[]): Arrival[] {
  const all = [...events, ...outcomes].map((arrival, index) => ({ arrival, index }));
  return all
    .sort((a, b) => a.arrival.arrivedAt - b.arrival.arrivedAt || a.index - b.index)
    .map(({ arrival }) => arrival);
}

export type Arrivals = {
  readonly arrivals: readonly Arrival[];
  readonly first: Arrival;
  readonly last: Arrival;
  /** Lines read of each file, those that cannot be used among them. */
  readonly events: number;
  readonly outcomes: number;
  readonly odd: readonly OddLine[];
  /** Of lines too long for the log. */
  readonly textsLeftOut: number;
};

const noLines: Lines = { read: 0, arrivals: [], odd: [], textsLeftOut: 0 };

export async function readArrivals(options: {
  readonly eventsFile: string;
  readonly outcomesFile?: string;
  readonly unitType: string;
  readonly fallbackType?: string;
}): Promise<Arrivals> {
  const { eventsFile, outcomesFile, unitType, fallbackType } = options;
  const experiment = { phase: 1, unitType, ...(fallbackType !== undefined && { fallbackType }) };
  const events = await readLines(eventsFile, 'inference', (line) => readInferenceLine(line, experiment));
  const outcomes =
    outcomesFile === undefined ? noLines : await readLines(outcomesFile, 'outcome', (line) => readOutcomeLine(line));
  const arrivals = inArrivalOrder(events.arrivals, outcomes.arrivals);
  const [first, last] = [arrivals.at(0), arrivals.at(-1)];
  const odd = [...events.odd, ...outcomes.odd];
  // Outcomes of nothing are nothing to replay.
  if (first === undefined || last === undefined || events.arrivals.length === 0) {
    const [one] = odd;
    throw new PipelineError(
      'INPUT_UNREADABLE',
      one === undefined ? `${eventsFile} holds no line` : `no event can be used; first ${tellOddLine(one)}`,
    );
  }
  const textsLeftOut = events.textsLeftOut + outcomes.textsLeftOut;
  return { arrivals, first, last, events: events.read, outcomes: outcomes.read, odd, textsLeftOut };
}
