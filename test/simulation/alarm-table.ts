/** Claim G1 as a table: false alarms in every cell, and a second, larger sample for those that look refuted. */
import { chunksOf } from '../../services/simulation/index.ts';
import { clopperPearson } from '../../services/simulation/limits.ts';
import { allCells, boundOf, type Cell, engines, nameOf, ratioCells, ratioEngines } from './false-alarms.ts';
import type { SimulationJob } from './jobs.ts';
import { columns, flags, limitsText, onThreads, percent, print, seed } from './output.ts';

/** One engine in one cell: how often it raised an alarm, with the share's limits. */
type Verdict = {
  readonly cell: Cell;
  readonly name: string;
  readonly engine: string;
  readonly alarms: number;
  readonly runs: number;
  readonly share: number;
  readonly lower: number;
  readonly upper: number;
  readonly bound: number;
};

const isRefuted = ({ lower, bound }: Verdict): boolean => lower > bound;

async function verdictsOf(
  cells: readonly Cell[],
  names: readonly string[],
  runs: number,
  from: number,
): Promise<Verdict[]> {
  const jobs = cells.flatMap((cell) =>
    chunksOf(runs, Math.min(runs, 250)).map(
      (chunk): SimulationJob => ({
        kind: 'alarms',
        cell,
        seed: from,
        index: [...allCells, ...ratioCells].indexOf(cell),
        ...chunk,
      }),
    ),
  );
  const counts = await onThreads<number[]>('false alarms', jobs);
  return cells.flatMap((cell) =>
    names.map((engine, at): Verdict => {
      const alarms = jobs.reduce(
        (sum, job, place) => sum + (job.kind === 'alarms' && job.cell === cell ? (counts[place]?.[at] ?? 0) : 0),
        0,
      );
      return {
        cell,
        name: nameOf(cell),
        engine,
        alarms,
        runs,
        share: alarms / runs,
        ...clopperPearson(alarms, runs),
        bound: boundOf(engine),
      };
    }),
  );
}

const quickCells = allCells.filter(
  ({ rate, share }) => rate !== 0.01 && rate !== 0.2 && share !== 0.05 && share !== 0.2,
);

function printByEngine(verdicts: readonly Verdict[]): void {
  print(
    '\nFalse alarms, no difference between the arms, a look at every visit (Clopper-Pearson limits, 95% on each side)',
  );
  const header = ['engine', 'cells', 'runs a cell', 'largest rate', 'its limits', 'largest upper limit'];
  columns([
    [...header, 'upper limit <= alpha', 'lower limit > alpha', 'alpha'],
    ...[...engines, ...ratioEngines].map((engine) => {
      const mine = verdicts.filter((verdict) => verdict.engine === engine).sort((a, b) => b.share - a.share);
      const worst = mine[0];
      return [
        engine,
        String(mine.length),
        String(worst?.runs ?? 0),
        percent(worst?.share ?? 0),
        limitsText(worst?.lower, worst?.upper),
        percent(Math.max(...mine.map(({ upper }) => upper))),
        `${mine.filter(({ upper, bound }) => upper <= bound).length} of ${mine.length}`,
        String(mine.filter(isRefuted).length),
        String(worst?.bound ?? ''),
      ];
    }),
  ]);
}

function printWorst(verdicts: readonly Verdict[]): void {
  print('\nThe ten worst cells');
  columns([
    ['cell', 'engine', 'alarms', 'rate', 'upper limit'],
    ...[...verdicts]
      .sort((a, b) => b.share / b.bound - a.share / a.bound)
      .slice(0, 10)
      .map(({ name, engine, alarms, runs, share, upper }) => [
        name,
        engine,
        `${alarms} of ${runs}`,
        percent(share),
        percent(upper),
      ]),
  ]);
}

/**
 * Of many cells at or just below alpha one in twenty looks worse by chance: a suspect is asked again, with other
 * numbers and five times as many of them.
 */
async function askAgain(suspects: readonly Verdict[], of: number, runs: number): Promise<boolean> {
  print(
    `\n${suspects.length} of ${of} have their lower limit above alpha: run again, other numbers, five times as many`,
  );
  const cellsOf = (ofRatio: boolean): Cell[] => [
    ...new Set(suspects.map(({ cell }) => cell).filter(({ outcome }) => (outcome === 'ratio') === ofRatio)),
  ];
  const again = [
    ...(await verdictsOf(cellsOf(false), engines, 5 * runs, seed + 1_000_003)),
    ...(await verdictsOf(cellsOf(true), ratioEngines, 25 * runs, seed + 1_000_003)),
  ];
  const secondOf = ({ cell, engine }: Verdict): Verdict | undefined =>
    again.find((verdict) => verdict.cell === cell && verdict.engine === engine);
  columns([
    ['cell', 'engine', 'first', 'again', 'its limits'],
    ...suspects.map((suspect) => {
      const second = secondOf(suspect);
      return [
        suspect.name,
        suspect.engine,
        percent(suspect.share),
        percent(second?.share ?? 0),
        limitsText(second?.lower, second?.upper),
      ];
    }),
  ]);
  const refuted = again.filter(
    (verdict) => isRefuted(verdict) && suspects.some((suspect) => secondOf(suspect) === verdict),
  );
  for (const { name, engine, lower, bound } of refuted)
    print(`REFUTED  ${name}, ${engine}: again the lower limit ${percent(lower)} is above ${percent(bound)}`);
  return refuted.length === 0;
}

/** Whether the claim holds. */
export async function falseAlarms(): Promise<boolean> {
  const runs = Number(flags.runs ?? (flags.quick ? 250 : 2_000));
  const verdicts = [
    ...(await verdictsOf(flags.quick ? quickCells : allCells, engines, runs, seed)),
    // A rate of one in a thousand needs more runs to be seen.
    ...(await verdictsOf(ratioCells, ratioEngines, 5 * runs, seed)),
  ];
  printByEngine(verdicts);
  printWorst(verdicts);
  const suspects = verdicts.filter(isRefuted);
  return suspects.length === 0 || askAgain(suspects, verdicts.length, runs);
}
