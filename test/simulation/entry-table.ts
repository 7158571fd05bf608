/**
 * Missing values, ratios and values below zero as tables, with the claims about them: false promotions and rollbacks at
 * or under alpha, lost calls found in time, power next to a test that looks once.
 */
import { chunksOf } from '../../services/simulation/index.ts';
import { clopperPearson, quantileOf } from '../../services/simulation/limits.ts';
import { type EntryCase, type EntryResult, entryCases, marginCases, missingCases, ratioCases } from './entry-cases.ts';
import type { SimulationJob } from './jobs.ts';
import { columns, flags, limitsText, onThreads, percent, print, seed } from './output.ts';

const alpha = 0.05;
const runs = flags.runs === undefined ? (flags.quick ? 200 : 2_000) : Number(flags.runs);

async function resultsOf(
  what: string,
  cases: readonly EntryCase[],
  from = seed,
): Promise<Map<EntryCase, EntryResult[]>> {
  const jobs = cases.flatMap((one) =>
    chunksOf(runs, 250).map(
      (chunk): SimulationJob => ({ kind: 'entries', seed: from, index: entryCases.indexOf(one), ...chunk }),
    ),
  );
  const found = await onThreads<EntryResult[]>(what, jobs);
  return new Map(
    cases.map((one) => [
      one,
      jobs.flatMap((job, place) => ('index' in job && entryCases[job.index] === one ? (found[place] ?? []) : [])),
    ]),
  );
}

const count = (results: readonly EntryResult[], side: 0 | 1): number => results.filter((one) => one[side] > 0).length;

type Claim = { readonly of: EntryCase; readonly name: string; readonly side: 0 | 1; readonly alarms: number };

/** Cells whose lower limit is above alpha are drawn again, five times as many: a claim has to fall twice. */
async function refuted(claims: readonly Claim[]): Promise<Claim[]> {
  const suspects = claims.filter(({ alarms }) => clopperPearson(alarms, runs).lower > alpha);
  const still: Claim[] = [];
  for (const suspect of suspects) {
    let alarms = 0;
    for (let again = 1; again <= 5; again += 1)
      alarms += count(
        (await resultsOf(`again ${suspect.name}`, [suspect.of], seed + 1_000 * again)).get(suspect.of) ?? [],
        suspect.side,
      );
    if (clopperPearson(alarms, 5 * runs).lower > alpha) still.push(suspect);
  }
  return still;
}

function printClaims(title: string, claims: readonly Claim[]): void {
  print(`\n${title}, a look at every unit, ${runs} runs a cell, alpha ${percent(alpha, 0)}`);
  const worst = [...claims].sort((a, b) => b.alarms - a.alarms);
  columns([
    ['worst cells', 'alarms', 'limits (95%)'],
    ...worst.slice(0, 6).map(({ name, alarms }) => {
      const { lower, upper } = clopperPearson(alarms, runs);
      return [name, percent(alarms / runs), limitsText(lower, upper)];
    }),
  ]);
  const over = claims.filter(({ alarms }) => alarms / runs > alpha).length;
  print(`${claims.length} cells, ${over} above alpha`);
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

function missingName(of: EntryCase): string {
  if (!('cell' in of) || !('mechanism' in of.cell)) return of.kind;
  const { mechanism, rate, where, kind } = of.cell;
  return `${mechanism}, ${percent(rate, 1)} of ${where === 'both' ? 'all' : "the candidate's"} calls, ${kind}`;
}

export async function missingTables(): Promise<boolean> {
  const found = await resultsOf('missing', missingCases);
  const claimsOf = (kind: EntryCase['kind'], side: 0 | 1): Claim[] =>
    missingCases
      .filter((of) => of.kind === kind)
      .map((of) => ({ of, name: missingName(of), side, alarms: count(found.get(of) ?? [], side) }));
  const [promotions, rollbacks] = [claimsOf('promotion', 1), claimsOf('rollback', 0)];
  printClaims('False promotions: no difference, values of the candidate alone are missing', promotions);
  printClaims('False rollbacks: no difference, the same share of values is missing in both arms', rollbacks);

  print('\nUnits of the candidate until "exposed and never called" is found, 20% crash before their call');
  let inTime = true;
  const lostRows = missingCases.flatMap((of) => {
    if (of.kind !== 'lost') return [];
    const units = (found.get(of) ?? []).map(([, , lost]) => (lost === 0 ? Infinity : lost)).sort((a, b) => a - b);
    inTime &&= (units.at(-1) ?? Infinity) < 300;
    return [
      [percent(of.cell.q, 0), String(quantileOf(units, 0.5)), String(quantileOf(units, 0.99)), String(units.at(-1))],
    ];
  });
  columns([['canary', 'median', '99%', 'all'], ...lostRows]);

  print('\nUnits until a doubled rate is found (10% to 20%), none missing and 5% missing at random in both arms');
  let isFast = true;
  const doubled = missingCases.filter((of) => of.kind === 'doubled');
  const doubledRows = [1, 3].map((calls) => {
    const [none = 0, some = 0] = doubled
      .filter((of) => of.kind === 'doubled' && of.cell.calls === calls)
      .map((of) => meanOf((found.get(of) ?? []).map(([harm]) => (harm === 0 ? 5_000 : harm))));
    isFast &&= some / none <= 1.15;
    return [`${calls}`, none.toFixed(0), some.toFixed(0), (some / none).toFixed(3)];
  });
  columns([['calls a unit', 'none', '5%', 'times'], ...doubledRows]);
  const fallen = await refuted([...promotions, ...rollbacks]);
  for (const { name, alarms } of fallen) print(`REFUTED: ${name}: ${percent(alarms / runs)}`);
  if (!inTime) print('REFUTED: lost calls were not found within 300 units of the candidate in every run');
  if (!isFast) print('REFUTED: missing values cost more than 15%');
  return fallen.length === 0 && inTime && isFast;
}

function ratioName(of: EntryCase): string {
  if (!('cell' in of) || !('denominators' in of.cell)) return of.kind;
  const { kind, denominators, correlated, baseline } = of.cell;
  return `${kind}, denominators x${denominators}, correlated: ${correlated}, baseline x${baseline}`;
}

export async function ratioTables(): Promise<boolean> {
  const found = await resultsOf('ratios', ratioCases);
  const cells = ratioCases.filter((of) => of.kind === 'ratio');
  const claims = ([0, 1] as const).flatMap((side) =>
    cells.map(
      (of): Claim => ({
        of,
        name: `${side === 0 ? 'harm' : 'win'}: ${ratioName(of)}`,
        side,
        alarms: count(found.get(of) ?? [], side),
      }),
    ),
  );
  printClaims(`False alarms of ratios, ${cells.length} cells, harm and win`, claims);

  print(
    '\nPower where the ratio is 20% worse, 1,400 units of two tickets, next to a z-test of the ratio at the end (5%)',
  );
  let isStrong = true;
  const powerRows = ratioCases.flatMap((of) => {
    if (of.kind !== 'power') return [];
    const results = found.get(of) ?? [];
    const ours = count(results, 0) / runs;
    const fixed = results.filter(([, , , z]) => z === 1).length / runs;
    isStrong &&= fixed / ours <= 1.3;
    return [
      [
        `${of.cell.kind}, denominators x${of.cell.denominators}`,
        percent(ours, 1),
        percent(fixed, 1),
        (fixed / ours).toFixed(2),
      ],
    ];
  });
  columns([['', 'ours, at every look', 'z-test, once', 'times'], ...powerRows]);

  const reversal = ratioCases.find(({ kind }) => kind === 'reversal');
  const draws = (reversal && found.get(reversal)) ?? [];
  const [harmed, won] = [count(draws, 0), count(draws, 1)];
  print(`\nResolves 40% for 90%, reopens 60% of them for 40%: ${harmed} of ${runs} rolled back, ${won} promoted`);
  const fallen = await refuted(claims);
  for (const { name, alarms } of fallen) print(`REFUTED: ${name}: ${percent(alarms / runs)}`);
  if (!isStrong) print('REFUTED: the power is less than that of the z-test by more than 1.3');
  if (harmed < runs || won > 0) print('REFUTED: the reversal was not decided rightly in every draw');
  return fallen.length === 0 && isStrong && harmed === runs && won === 0;
}

export async function marginTables(): Promise<boolean> {
  const found = await resultsOf('margins', marginCases);
  print(
    '\nMargins: half of the users buy for +40, a share of the others gets 38 back in the candidate (mean 20 without)',
  );
  const rows = marginCases.flatMap((of) => {
    if (of.kind !== 'margin') return [];
    const results = found.get(of) ?? [];
    const times = results.map(([harm]) => (harm === 0 ? Infinity : harm)).sort((a, b) => a - b);
    const { upper } = clopperPearson(count(results, 1), runs);
    return [
      [
        percent(of.share, 0),
        (20 - 19 * of.share).toFixed(2),
        percent(count(results, 0) / runs, 1),
        String(quantileOf(times, 0.5)),
        percent(count(results, 1) / runs, 1),
        percent(upper, 1),
      ],
    ];
  });
  columns([['refunded', 'mean', 'rolled back within 3,000', 'units (median)', 'promoted', 'at most'], ...rows]);
  const [none] = marginCases;
  const alike = (none && found.get(none)) ?? [];
  const isHeld = [0, 1].every((side) => clopperPearson(count(alike, side as 0 | 1), runs).lower <= alpha);
  const rest = marginCases.slice(1).every((of) => clopperPearson(count(found.get(of) ?? [], 1), runs).lower <= alpha);
  if (!isHeld || !rest) print('REFUTED: margins raise more false alarms than alpha');
  return isHeld && rest;
}
