/** What the tables of `npm run simulate` share: its flags, its threads, and how a table is printed. */
import { parseArgs } from 'node:util';
import { runOnThreads } from '../../services/simulation/index.ts';
import type { SimulationJob } from './jobs.ts';

export const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string' },
    runs: { type: 'string' },
  },
});
export const seed = Number(flags.seed);

const worker = new URL('./worker.ts', import.meta.url);
const began = performance.now();
export const elapsed = (): string => `${Math.round((performance.now() - began) / 1000)} s`;

export const print = (line = ''): void => void process.stdout.write(`${line}\n`);
export const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)}%`;
export const limitsText = (lower = 0, upper = 0): string => `${percent(lower)} - ${percent(upper)}`;

/** Columns wide enough for their longest cell; the first is aligned to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): void {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, index) => Math.max(all[index] ?? 0, cell.length)),
    [],
  );
  for (const row of rows)
    print(
      row
        .map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
        .join('  '),
    );
}

/** Results in the order of the jobs. How far it is stands on stderr. */
export async function onThreads<Result>(what: string, jobs: readonly SimulationJob[]): Promise<Result[]> {
  const isTerminal = process.stderr.isTTY;
  let told = 0;
  return runOnThreads<SimulationJob, Result>({
    worker,
    jobs,
    ...(flags.threads !== undefined && { threads: Number(flags.threads) }),
    onResult: (_, done, of) => {
      if (performance.now() - told < (isTerminal ? 200 : 15_000) && done < of) return;
      told = performance.now();
      const end = isTerminal && done < of ? '' : '\n';
      process.stderr.write(`${isTerminal ? '\r' : ''}${what}: ${done} of ${of} jobs, ${elapsed()}${end}`);
    },
  });
}
