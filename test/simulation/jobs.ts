/** What a thread is asked to do; prepared tables are kept from one job to the next. */
import { breakCases, breakTimes, prepareBreak } from './break.ts';
import { entryResults } from './entry-cases.ts';
import { type Cell, countAlarms, prepareCell } from './false-alarms.ts';
import { prepareCase, type SpeedCase, stoppingTimes } from './speed.ts';

type Runs = { readonly seed: number; readonly index: number; readonly from: number; readonly to: number };
export type SimulationJob =
  | ({ readonly kind: 'alarms'; readonly cell: Cell } & Runs)
  | ({ readonly kind: 'speed'; readonly of: SpeedCase } & Runs)
  | ({ readonly kind: 'break' | 'entries' } & Runs);

let kept: { readonly key: string; readonly value: unknown } = { key: '', value: undefined };
function keep<T>(key: string, make: () => T): T {
  if (kept.key !== key) kept = { key, value: make() };
  return kept.value as T;
}

/** Alarms per engine, or stopping times per rule. */
export function runJob(job: SimulationJob): number[] | number[][] {
  const { seed, index, from, to } = job;
  switch (job.kind) {
    case 'alarms':
      return countAlarms(
        keep(`alarms ${JSON.stringify(job.cell)}`, () => prepareCell(job.cell)),
        seed,
        index,
        from,
        to,
      );
    case 'speed':
      return stoppingTimes(
        keep(`speed ${JSON.stringify(job.of)}`, () => prepareCase(job.of)),
        seed,
        index,
        from,
        to,
      );
    case 'break': {
      const of = breakCases[index];
      if (of === undefined) throw new RangeError(`no break ${index}`);
      return breakTimes(
        keep(`break ${index}`, () => prepareBreak(of)),
        seed,
        index,
        from,
        to,
      );
    }
    case 'entries':
      return entryResults(index, seed, from, to).map((result) => [...result]);
    default:
      return job satisfies never;
  }
}
