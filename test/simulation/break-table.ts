/** A break in the middle of a run as a table: simulated, and on real calls. Nothing is claimed; it is to be read. */
import { chunksOf } from '../../services/simulation/index.ts';
import { quantileOf } from '../../services/simulation/limits.ts';
import { realData } from '../support/real-data.ts';
import { breakAt, breakCases, breakColumns } from './break.ts';
import type { SimulationJob } from './jobs.ts';
import { columns, flags, onThreads, percent, print, seed } from './output.ts';
import { tuesday } from './tuesday.ts';

/** Median visits after the break, and in brackets what was found by the end and what came before. */
function foundAfter(times: readonly number[], start: number, runs: number): string {
  const early = times.filter((time) => time > 0 && time <= start).length;
  const honest = times
    .filter((time) => time === 0 || time > start)
    .map((time) => (time === 0 ? Infinity : time - start))
    .sort((a, b) => a - b);
  const found = honest.filter((time) => time < Infinity).length;
  const median = quantileOf(honest, 0.5) ?? Infinity;
  const share = percent(found / Math.max(1, honest.length), 0);
  const before = early > 0 ? `, ${percent(early / runs, 1)} before` : '';
  return `${median === Infinity ? 'never' : median.toLocaleString('en')} (${share}${before})`;
}

export async function breaks(): Promise<void> {
  const runs = flags.quick ? 40 : 200;
  const jobs = breakCases.flatMap((_, index) =>
    chunksOf(runs, 20).map(({ from, to }): SimulationJob => ({ kind: 'break', seed, index, from, to })),
  );
  const results = await onThreads<number[][]>('breaks', jobs);
  print(
    '\nA break in the middle of the run, 20% canary, users come back: median visits after it, ' +
      `${runs} runs (in brackets: found by the end, and alarms before the break)`,
  );
  columns([
    ['break', ...breakColumns],
    ...breakCases.map(({ id, fromStart }, index) => [
      id,
      ...breakColumns.map((_, column) =>
        foundAfter(
          jobs.flatMap((job, place) => (job.index === index ? (results[place]?.[column] ?? []) : [])),
          fromStart ? 0 : breakAt,
          runs,
        ),
      ),
    ]),
  ]);
}

export function realTuesday(): void {
  const folder = realData();
  if (folder === undefined) return print('\nThe same on real calls: needs TRIPLINE_TEST_DATA.');
  print(
    '\nThe same on real calls (d2-tuesday, 20% canary, prompt and price change in silence): ' +
      'events after the onset until each metric is found, a look every 20 lines',
  );
  columns([
    ['metric', 'whole phase, all alpha', 'test starts, union', 'counted from'],
    ...tuesday(folder).map(({ metric, whole, testStarts, from }) => [metric, whole, testStarts, from]),
  ]);
}
