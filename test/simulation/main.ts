/**
 * `npm run simulate`: false alarms in every cell, breaks in the middle of a run, speed to a decision. Seeded; the
 * tables depend on the seed and on the number of runs alone, not on threads. `--quick`: fewer runs. `--only
 * alarms|break|speed`. `--seed N`. `--threads N`. Exit 1 when a claim is refuted.
 */
import { parseArgs } from 'node:util';
import { chunksOf, runOnThreads } from '../../services/simulation/index.ts';
import { clopperPearson, quantileOf } from '../../services/simulation/limits.ts';
import { breakAt, breakCases, breakColumns } from './break.ts';
import { allCells, boundOf, type Cell, engines, nameOf, ratioCells, ratioEngines } from './false-alarms.ts';
import type { SimulationJob } from './jobs.ts';
import { realData } from '../support/real-data.ts';
import { costCases, prepareCase, rateCases, type SpeedCase } from './speed.ts';
import { tuesday } from './tuesday.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string' },
    runs: { type: 'string' },
  },
});
const seed = Number(flags.seed);
const worker = new URL('./worker.ts', import.meta.url);
const print = (line = ''): void => void process.stdout.write(`${line}\n`);
const began = performance.now();
const elapsed = (): string => `${Math.round((performance.now() - began) / 1000)} s`;
const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)}%`;

function columns(rows: readonly (readonly string[])[]): void {
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

async function onThreads<Result>(what: string, jobs: readonly SimulationJob[]): Promise<Result[]> {
  let told = 0;
  const results = await runOnThreads<SimulationJob, Result>({
    worker,
    jobs,
    ...(flags.threads !== undefined && { threads: Number(flags.threads) }),
    onResult: (_, done, of) => {
      if (performance.now() - told < (process.stderr.isTTY ? 200 : 15_000) && done < of) return;
      told = performance.now();
      process.stderr.write(
        `${process.stderr.isTTY ? '\r' : ''}${what}: ${done} of ${of} jobs, ${elapsed()}${process.stderr.isTTY && done < of ? '' : '\n'}`,
      );
    },
  });
  return results;
}

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

async function falseAlarms(): Promise<boolean> {
  const table = async (
    cells: readonly Cell[],
    names: readonly string[],
    runs: number,
    from: number,
  ): Promise<Verdict[]> => {
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
  };
  const runs = Number(flags.runs ?? (flags.quick ? 250 : 2_000));
  const verdicts = [
    ...(await table(
      flags.quick
        ? allCells.filter(({ rate, share }) => rate !== 0.01 && rate !== 0.2 && share !== 0.05 && share !== 0.2)
        : allCells,
      engines,
      runs,
      seed,
    )),
    // A rate of one in a thousand needs more runs to be seen.
    ...(await table(ratioCells, ratioEngines, 5 * runs, seed)),
  ];
  print(
    `\nFalse alarms, no difference between the arms, a look at every visit (Clopper-Pearson limits, 95% on each side)`,
  );
  columns([
    [
      'engine',
      'cells',
      'runs a cell',
      'largest rate',
      'its limits',
      'largest upper limit',
      'upper limit <= alpha',
      'lower limit > alpha',
      'alpha',
    ],
    ...[...engines, ...ratioEngines].map((engine) => {
      const mine = verdicts.filter((verdict) => verdict.engine === engine).sort((a, b) => b.share - a.share);
      const worst = mine[0];
      return [
        engine,
        String(mine.length),
        String(worst?.runs ?? 0),
        percent(worst?.share ?? 0),
        `${percent(worst?.lower ?? 0)} - ${percent(worst?.upper ?? 0)}`,
        percent(Math.max(...mine.map(({ upper }) => upper))),
        `${mine.filter(({ upper, bound }) => upper <= bound).length} of ${mine.length}`,
        String(mine.filter(({ lower, bound }) => lower > bound).length),
        String(worst?.bound ?? ''),
      ];
    }),
  ]);
  print('\nThe ten worst cells');
  columns([
    ['cell', 'engine', 'alarms', 'rate', 'upper limit'],
    ...[...verdicts]
      .sort((a, b) => b.share / b.bound - a.share / a.bound)
      .slice(0, 10)
      .map(({ name, engine, alarms, runs: of, share, upper }) => [
        name,
        engine,
        `${alarms} of ${of}`,
        percent(share),
        percent(upper),
      ]),
  ]);
  const suspects = verdicts.filter(({ lower, bound }) => lower > bound);
  if (suspects.length === 0) return true;
  // Of many cells at or just below alpha one in twenty looks worse by chance: a suspect is asked again, with other
  // numbers and more of them.
  print(
    `\n${suspects.length} of ${verdicts.length} have their lower limit above alpha: run again, other numbers, five times as many`,
  );
  const cellsOf = (ofRatio: boolean): Cell[] => [
    ...new Set(suspects.map(({ cell }) => cell).filter(({ outcome }) => (outcome === 'ratio') === ofRatio)),
  ];
  const again = [
    ...(await table(cellsOf(false), engines, 5 * runs, seed + 1_000_003)),
    ...(await table(cellsOf(true), ratioEngines, 25 * runs, seed + 1_000_003)),
  ];
  const refuted = again.filter(
    ({ cell, engine, lower, bound }) =>
      lower > bound && suspects.some((suspect) => suspect.cell === cell && suspect.engine === engine),
  );
  columns([
    ['cell', 'engine', 'first', 'again', 'its limits'],
    ...suspects.map((suspect) => {
      const second = again.find(({ cell, engine }) => cell === suspect.cell && engine === suspect.engine);
      return [
        suspect.name,
        suspect.engine,
        percent(suspect.share),
        percent(second?.share ?? 0),
        `${percent(second?.lower ?? 0)} - ${percent(second?.upper ?? 0)}`,
      ];
    }),
  ]);
  for (const { name, engine, lower, bound } of refuted)
    print(`REFUTED  ${name}, ${engine}: again the lower limit ${percent(lower)} is above ${percent(bound)}`);
  return refuted.length === 0;
}

async function breaks(): Promise<void> {
  const runs = flags.quick ? 40 : 200;
  const jobs = breakCases.flatMap((_, index) =>
    chunksOf(runs, 20).map(({ from, to }): SimulationJob => ({ kind: 'break', seed, index, from, to })),
  );
  const results = await onThreads<number[][]>('breaks', jobs);
  print(
    `\nA break in the middle of the run, 20% canary, users come back: median visits after it, ${runs} runs (in brackets: found by the end, and alarms before the break)`,
  );
  columns([
    ['break', ...breakColumns],
    ...breakCases.map(({ id, fromStart }, index) => [
      id,
      ...breakColumns.map((_, column) => {
        const times = jobs.flatMap((job, place) => (job.index === index ? (results[place]?.[column] ?? []) : []));
        const start = fromStart ? 0 : breakAt;
        const early = times.filter((time) => time > 0 && time <= start).length;
        const honest = times
          .filter((time) => time === 0 || time > start)
          .map((time) => (time === 0 ? Infinity : time - start))
          .sort((a, b) => a - b);
        const found = honest.filter((time) => time < Infinity).length;
        const median = quantileOf(honest, 0.5) ?? Infinity;
        return `${median === Infinity ? 'never' : median.toLocaleString('en')} (${percent(found / Math.max(1, honest.length), 0)}${early > 0 ? `, ${percent(early / runs, 1)} before` : ''})`;
      }),
    ]),
  ]);
}

function realTuesday(): void {
  const folder = realData();
  if (folder === undefined) return print('\nThe same on real calls: needs TRIPLINE_TEST_DATA.');
  print(
    '\nThe same on real calls (d2-tuesday, 20% canary, prompt and price change in silence): events after the onset until each metric is found, a look every 20 lines',
  );
  columns([
    ['metric', 'whole phase, all alpha', 'restarts, union', 'counted from'],
    ...tuesday(folder).map(({ metric, whole, testStarts, from }) => [metric, whole, testStarts, from]),
  ]);
}

async function speed(): Promise<boolean> {
  const runsOf = ({ kind, factor }: SpeedCase): number =>
    Math.ceil((kind === 'rate' ? 2_400 : factor === 1 ? 2_000 : 400) / (flags.quick ? 8 : 1));
  const cases = [...rateCases, ...costCases.filter(({ factor }) => !flags.quick || factor === 1 || factor === 1.2)];
  const jobs = cases.flatMap((of, index) =>
    chunksOf(runsOf(of), 25).map(({ from, to }): SimulationJob => ({ kind: 'speed', of, seed, index, from, to })),
  );
  const results = await onThreads<number[][]>('speed', jobs);
  const timesOf = (of: SpeedCase, rule: string): number[] => {
    const at = prepareCase(of).names.indexOf(rule);
    return jobs.flatMap((job, place) => (job.kind === 'speed' && job.of === of ? (results[place]?.[at] ?? []) : []));
  };
  const rejected = (of: SpeedCase, rule: string): number =>
    timesOf(of, rule).filter((time) => time > 0).length / runsOf(of);
  /** In units; a run that never stopped counts with its horizon. */
  const mean = (of: SpeedCase, rule: string): number =>
    timesOf(of, rule).reduce((sum, time) => sum + (time > 0 ? time : rule.startsWith('E5') ? 20_000 : of.visits), 0) /
    runsOf(of);
  const claims: {
    readonly claim: string;
    readonly got: number;
    readonly bar: number;
    readonly atLeast?: boolean;
    readonly limits?: { readonly lower: number; readonly upper: number };
  }[] = [];

  const [none, design, large] = rateCases as [SpeedCase, SpeedCase, SpeedCase];
  const rules = prepareCase(design).names;
  print(
    `\nSpeed at equal harm-side error 5%, 1:1, mean pairs (times the oracle), ${runsOf(design)} runs; the oracle knows both rates`,
  );
  columns([
    ['rule', 'false alarms to 50k pairs', design.id, large.id, `found, ${design.id}`],
    ...rules.map((rule) => [
      rule,
      percent(rejected(none, rule), 1),
      ...[design, large].map(
        (of) =>
          `${Math.round(mean(of, rule) / 2).toLocaleString('en')} (${(mean(of, rule) / mean(of, 'oracle')).toFixed(2)})`,
      ),
      percent(rejected(design, rule), 1),
    ]),
  ]);
  const [e1, e5] = ['E1 design prior, exact', 'E5 budget 10k pairs'];
  claims.push(
    { claim: 'G2 E1 at the design harm, times the oracle', got: mean(design, e1) / mean(design, 'oracle'), bar: 1.15 },
    { claim: 'G2 E1 at 2.5 times the design harm', got: mean(large, e1) / mean(large, 'oracle'), bar: 1.3 },
  );
  claims.push(
    { claim: 'G3 E5 at the design harm', got: mean(design, e5) / mean(design, 'oracle'), bar: 1.1 },
    { claim: 'G3 E5 at 2.5 times the design harm', got: mean(large, e5) / mean(large, 'oracle'), bar: 1.1 },
    {
      claim: 'G3 E5 power at the horizon',
      got: rejected(design, e5),
      bar: 0.97,
      atLeast: true,
      limits: clopperPearson(Math.round(rejected(design, e5) * runsOf(design)), runsOf(design)),
    },
  );

  const costs = cases.filter(({ kind }) => kind === 'cost');
  const costRules = prepareCase(costs[0] as SpeedCase).names;
  print(
    `\nSpeed on heavy-tailed cost, 10% canary, lognormal(1.5) capped: mean units, ${runsOf(costs[1] as SpeedCase)} runs (x1: false alarms to 100k units)`,
  );
  columns([
    ['rule', ...costs.map(({ id }) => id.replace(', cap', ''))],
    ...costRules.map((rule) => [
      rule,
      ...costs.map((of) =>
        of.factor === 1
          ? percent(rejected(of, rule), 1)
          : rule.endsWith('win side')
            ? '-'
            : Math.round(mean(of, rule)).toLocaleString('en'),
      ),
    ]),
  ]);
  for (const of of costs.filter(({ factor }) => factor === 1.2)) {
    const rival =
      costRules
        .filter((rule) => !rule.startsWith('E1') && !rule.endsWith('win side'))
        .sort((a, b) => mean(of, a) - mean(of, b))[0] ?? '';
    claims.push({
      claim: `G4 ${of.id}: E1 / best rival (${rival}, chosen afterwards)`,
      got: mean(of, e1) / mean(of, rival),
      bar: 0.8,
    });
  }
  /** A share within chance of its bar is not refuted, and not called held either. */
  const verdict = ({ got, bar, atLeast, limits }: (typeof claims)[number]): string =>
    (atLeast ? got >= bar : got <= bar)
      ? 'holds'
      : limits && limits.lower <= bar && limits.upper >= bar
        ? 'within chance'
        : 'FAILS';
  print('\nClaims');
  columns([
    ['claim', 'measured', 'limits', 'bar', ''],
    ...claims.map((claim) => [
      claim.claim,
      claim.got.toFixed(3),
      claim.limits ? `${claim.limits.lower.toFixed(3)} - ${claim.limits.upper.toFixed(3)}` : '',
      `${claim.atLeast ? '>=' : '<='} ${claim.bar}`,
      verdict(claim),
    ]),
  ]);
  return claims.every((claim) => verdict(claim) !== 'FAILS');
}

const wanted = (part: string): boolean => flags.only === undefined || flags.only === part;
const held = [wanted('alarms') ? await falseAlarms() : true, wanted('speed') ? await speed() : true];
if (wanted('break')) {
  await breaks();
  realTuesday();
}
print(`\nseed ${seed}, ${elapsed()}`);
process.exitCode = held.every(Boolean) ? 0 : 1;
