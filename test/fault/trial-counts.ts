/** What the trials came to: one row a kind, and one table. */
import { table } from '../../services/cli/terminal.ts';
import type { Happened } from './real/in-world.ts';

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

export function createTrialCounts(show: (line: string) => void): TrialCounts {
  const rows = new Map<string, Row>();
  const honest = (): Row[] => [...rows.values()].filter(({ fault }) => fault !== brokenBuild);
  const builds = (): Row[] => [...rows.values()].filter(({ fault }) => fault === brokenBuild);
  return {
    took: ({ fault, what, seed, wrong, happened = {}, skipped, ms }) => {
      const row = rows.get(what) ?? {
        fault,
        what,
        trials: 0,
        wrong: 0,
        seconds: 0,
        skipped: 0,
        counts: new Map<string, number>(),
        most: new Map<string, number>(),
      };
      rows.set(what, row);
      row.seconds += ms / 1_000;
      if (skipped !== undefined) {
        if (row.skipped === 0) show(`SKIPPED  ${what}: ${skipped}`);
        row.skipped += 1;
        return;
      }
      row.trials += 1;
      for (const [name, count] of Object.entries(happened.counts ?? {}))
        row.counts.set(name, (row.counts.get(name) ?? 0) + count);
      for (const [name, figure] of Object.entries(happened.most ?? {}))
        row.most.set(name, Math.max(row.most.get(name) ?? 0, figure));
      if (wrong.length === 0) return;
      row.wrong += 1;
      if (fault !== brokenBuild) show(`WRONG  ${what}, seed ${seed}: ${wrong.slice(0, 3).join(' | ')}`);
    },
    get trials() {
      return honest().reduce((sum, row) => sum + row.trials, 0);
    },
    get wrong() {
      return honest().reduce((sum, row) => sum + row.wrong, 0);
    },
    get missed() {
      return builds()
        .filter(({ wrong }) => wrong === 0)
        .map(({ what }) => what);
    },
    text: () => {
      const byRow = honest().sort((a, b) => Number.parseInt(a.fault, 10) - Number.parseInt(b.fault, 10));
      const [caught, all] = [builds().filter(({ wrong }) => wrong > 0).length, builds().length];
      const [trials, wrong] = [
        byRow.reduce((sum, row) => sum + row.trials, 0),
        byRow.reduce((sum, row) => sum + row.wrong, 0),
      ];
      const figures = ({ counts, most, skipped }: Row): string =>
        [
          ...[...counts].map(([name, count]) => `${short(count)} ${name}`),
          ...[...most].map(([name, figure]) => `at most ${short(figure)} ${name}`),
          ...(skipped > 0 ? [`${skipped} skipped`] : []),
        ].join(', ');
      const missed = builds()
        .filter(({ wrong: count }) => count === 0)
        .map(({ what }) => what);
      return `${table([
        ['fault', 'what', 'trials', 'wrong', 'seconds', 'what happened'],
        ...byRow.map((row) => [
          row.fault,
          row.what,
          String(row.trials),
          String(row.wrong),
          row.seconds.toFixed(0),
          figures(row),
        ]),
        ...builds().map((row) => [
          'broken',
          row.what,
          String(row.trials),
          `caught in ${row.wrong} of ${row.trials}`,
          row.seconds.toFixed(0),
          '',
        ]),
      ])}\n${trials} fault trials, ${wrong} wrong; ${caught} of ${all} broken builds caught${missed.length > 0 ? `, missed: ${missed.join(', ')}` : ''}`;
    },
  };
}
