/** What the trials came to: one row a kind, and one table. */
import { table } from '../../services/cli/terminal.ts';
import type { Happened } from './real/in-deployment.ts';

type Row = {
  readonly fault: string;
  readonly what: string;
  trials: number;
  wrong: number;
  seconds: number;
  skipped: number;
  readonly counts: Map<string, number>;
  readonly most: Map<string, number>;
};

export type TrialCounts = {
  /** What went wrong is shown at once, with the seed that repeats it; of a broken build it is what one hopes for. */
  took(trial: {
    readonly fault: string;
    readonly what: string;
    readonly seed: number;
    readonly wrong: readonly string[];
    readonly happened?: Happened;
    readonly skipped?: string;
    readonly ms: number;
  }): void;
  readonly trials: number;
  readonly wrong: number;
  /** Broken builds that no seed has caught. */
  readonly missed: readonly string[];
  text(): string;
};

const brokenBuild = 'broken';
const short = (figure: number): string => String(Math.round(figure * 10) / 10);

const emptyRow = (fault: string, what: string): Row => ({
  fault,
  what,
  trials: 0,
  wrong: 0,
  seconds: 0,
  skipped: 0,
  counts: new Map(),
  most: new Map(),
});

function addHappened({ counts, most }: Row, happened: Happened): void {
  for (const [name, count] of Object.entries(happened.counts ?? {})) counts.set(name, (counts.get(name) ?? 0) + count);
  for (const [name, figure] of Object.entries(happened.most ?? {}))
    most.set(name, Math.max(most.get(name) ?? 0, figure));
}

const figuresOf = ({ counts, most, skipped }: Row): string =>
  [
    ...[...counts].map(([name, count]) => `${short(count)} ${name}`),
    ...[...most].map(([name, figure]) => `at most ${short(figure)} ${name}`),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ');

const sum = (rows: readonly Row[], read: (row: Row) => number): number =>
  rows.reduce((total, row) => total + read(row), 0);
const missedOf = (builds: readonly Row[]): string[] =>
  builds.filter(({ wrong }) => wrong === 0).map(({ what }) => what);

/** Trials of what is shipped in the order of their rows, then the broken builds. */
function tableOf(honest: readonly Row[], builds: readonly Row[]): string {
  const byRow = [...honest].sort((a, b) => Number.parseInt(a.fault, 10) - Number.parseInt(b.fault, 10));
  const seconds = (row: Row): string => row.seconds.toFixed(0);
  const shown = table([
    ['fault', 'what', 'trials', 'wrong', 'seconds', 'what happened'],
    ...byRow.map((row) => [row.fault, row.what, String(row.trials), String(row.wrong), seconds(row), figuresOf(row)]),
    ...builds.map((row) => ['broken', row.what, String(row.trials), caughtIn(row), seconds(row), '']),
  ]);
  const missed = missedOf(builds);
  const trials = `${sum(byRow, (row) => row.trials)} fault trials, ${sum(byRow, (row) => row.wrong)} wrong`;
  const caught = `${builds.length - missed.length} of ${builds.length} broken builds caught`;
  return `${shown}\n${trials}; ${caught}${missed.length > 0 ? `, missed: ${missed.join(', ')}` : ''}`;
}
const caughtIn = ({ wrong, trials }: Row): string => `caught in ${wrong} of ${trials}`;

export function createTrialCounts(show: (line: string) => void): TrialCounts {
  const rows = new Map<string, Row>();
  const honest = (): Row[] => [...rows.values()].filter(({ fault }) => fault !== brokenBuild);
  const builds = (): Row[] => [...rows.values()].filter(({ fault }) => fault === brokenBuild);
  return {
    took: ({ fault, what, seed, wrong, happened = {}, skipped, ms }) => {
      const row = rows.get(what) ?? emptyRow(fault, what);
      rows.set(what, row);
      row.seconds += ms / 1_000;
      if (skipped !== undefined) {
        if (row.skipped === 0) show(`SKIPPED  ${what}: ${skipped}`);
        row.skipped += 1;
        return;
      }
      row.trials += 1;
      addHappened(row, happened);
      if (wrong.length === 0) return;
      row.wrong += 1;
      if (fault !== brokenBuild) show(`WRONG  ${what}, seed ${seed}: ${wrong.slice(0, 3).join(' | ')}`);
    },
    get trials() {
      return sum(honest(), (row) => row.trials);
    },
    get wrong() {
      return sum(honest(), (row) => row.wrong);
    },
    get missed() {
      return missedOf(builds());
    },
    text: () => tableOf(honest(), builds()),
  };
}
