/** An experiment's files, read whole and put in the order in which they arrived. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { type Arrival, readInferenceLine, readOutcomeLine } from './scenario-lines.ts';

async function readLines(file: string, read: (line: string) => ReturnType<typeof readOutcomeLine>): Promise<Arrival[]> {
  const source = createReadStream(file);
  const lines = createInterface({
    input: file.endsWith('.gz') ? source.pipe(createGunzip()) : source,
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  const arrivals: Arrival[] = [];
  const opened = new Promise<never>((_, reject) =>
    source.once('error', (cause) =>
      reject(new PipelineError('INPUT_UNREADABLE', `${file} cannot be read`, { cause, hint: 'check the path' })),
    ),
  );
  opened.catch(() => {});
  await Promise.race([
    opened,
    (async () => {
      let number = 0;
      for await (const line of lines) {
        number += 1;
        if (line.trim() === '') continue;
        const result = read(line);
        if (!result.ok)
          throw new PipelineError('INPUT_UNREADABLE', `${file}:${number}: ${result.reason}`, {
            hint: 'correct or take out the line',
          });
        arrivals.push(result.arrival);
      }
    })(),
  ]);
  return arrivals;
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
  /** Lines read of each file. */
  readonly events: number;
  readonly outcomes: number;
};

export async function readArrivals(options: {
  readonly eventsFile: string;
  readonly outcomesFile?: string;
  readonly unitType: string;
  readonly fallbackType?: string;
}): Promise<Arrivals> {
  const { eventsFile, outcomesFile, unitType, fallbackType } = options;
  const experiment = { phase: 1, unitType, ...(fallbackType !== undefined && { fallbackType }) };
  const events = await readLines(eventsFile, (line) => readInferenceLine(line, experiment));
  const outcomes = outcomesFile === undefined ? [] : await readLines(outcomesFile, readOutcomeLine);
  const arrivals = inArrivalOrder(events, outcomes);
  const [first, last] = [arrivals.at(0), arrivals.at(-1)];
  if (first === undefined || last === undefined)
    throw new PipelineError('INPUT_UNREADABLE', `${eventsFile} holds no line`);
  return { arrivals, first, last, events: events.length, outcomes: outcomes.length };
}
