/** `results`: the last look at an experiment, how much of it is known, and what is lost on the way. */
import type { FunnelStep } from '../kernel/evaluation.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import { withConnection } from './read.ts';
import { paint, print, printJson, table } from './terminal.ts';

type ResultRow = {
  readonly metric: string;
  readonly role: string;
  readonly candidate: string;
  readonly arm: string;
  readonly units: string;
  readonly estimate: number | null;
  readonly status: string;
  readonly log_e: number | null;
  readonly weighted_log_e: number | null;
  readonly threshold: number | null;
  readonly test_start: string;
  readonly state: string;
  readonly watermark: string | null;
  readonly reason: string;
  readonly p: number | null;
  readonly difference: number | null;
  readonly difference_lower: number | null;
  readonly difference_upper: number | null;
  readonly interval_note: string;
  readonly entries: string;
  readonly known: string;
  readonly unknown: string;
  readonly incomplete: string;
  readonly clipped: string;
  readonly contradiction: string;
  readonly crossovers_arms: string;
  readonly crossovers_alias: string;
  readonly not_obeyed: readonly string[];
};

type MissingRow = {
  readonly candidate: string;
  readonly step: FunnelStep;
  readonly metric: string;
  readonly action: string;
  readonly status: string;
  readonly control_entries: string;
  readonly control_missing: string;
  readonly candidate_entries: string;
  readonly candidate_missing: string;
  readonly weighted_log_e: number | null;
  readonly threshold: number | null;
};

export const stepWords: Readonly<Record<FunnelStep, string>> = {
  called: 'exposed and never called',
  'called again': 'an exposure that no call followed',
  answered: 'a call that failed',
  measured: 'a call without a value',
  resolved: 'nothing in the denominator',
};

const percentOf = (part: string, whole: string): string =>
  Number(whole) === 0 ? '-' : `${((100 * Number(part)) / Number(whole)).toPrecision(3)}%`;

/** What is lost on the way, against control. */
function missingText(rows: readonly MissingRow[]): string {
  return table([
    ['missing', 'metric', 'control', 'candidate', 'verdict', 'log e (weighted) / bound', 'when bad'],
    ...rows.map((row) => [
      stepWords[row.step],
      row.step === 'measured' || row.step === 'resolved' ? row.metric : '',
      percentOf(row.control_missing, row.control_entries),
      `${row.candidate} ${percentOf(row.candidate_missing, row.candidate_entries)}`,
      row.status,
      row.weighted_log_e === null ? '-' : `${row.weighted_log_e.toFixed(2)} / ${row.threshold?.toFixed(2)}`,
      row.action,
    ]),
  ]);
}

/** Share of an arm's entries that are not or not fully known; units whose entry has not closed are not known yet. */
const unknownText = ({ entries, unknown, incomplete, units }: ResultRow): string => {
  const missing = Math.max(Number(unknown), Number(incomplete));
  const open = Math.max(0, Number(units) - Number(entries));
  const share = missing === 0 ? [] : [percentOf(String(missing), entries)];
  return [...share, ...(open === 0 ? [] : [`${open} not yet`])].join(', ') || '-';
};

/** Units that count nowhere, by why; nothing where there are none. */
function crossoverText({ crossovers_arms: arms, crossovers_alias: alias }: ResultRow): string | undefined {
  const reasons = [
    ...(arms === '0' ? [] : [`${arms} seen in two arms`]),
    ...(alias === '0' ? [] : [`${alias} counted under another of their names`]),
  ];
  return reasons.length === 0 ? undefined : `crossovers: ${reasons.join(', ')}`;
}

/** The difference with its interval; a star where a gate says that it is not to be relied on yet. */
function differenceText({ difference, difference_lower, difference_upper, interval_note }: ResultRow): string {
  if (difference === null) return interval_note;
  const limits = [difference_lower, difference_upper].map((limit) => limit?.toPrecision(3)).join(', ');
  return `${difference.toPrecision(3)} [${limits}]${interval_note === '' ? '' : ' *'}`;
}

export async function results(home: string, experiment: string, json: boolean): Promise<number> {
  return withConnection(home, async ({ store }) => {
    const rows = await store.rows<ResultRow>(await sqlQuery('results'), { experiment });
    if (json) printJson(rows);
    else if (rows.length === 0) print(`no look at ${experiment} yet: is it applied, and does traffic name it?`);
    else {
      print(`${experiment}   ${rows[0]?.state}   as of ${rows[0]?.watermark ?? 'nothing yet'} (event time)`);
      const crossovers = rows[0] && crossoverText(rows[0]);
      if (crossovers !== undefined) print(crossovers);
      for (const decision of rows[0]?.not_obeyed ?? [])
        print(`${paint.red('not obeyed')}: ${decision}; no bot has answered, \`npx tripline status\` says why`);
      print(
        table([
          [
            'metric',
            'role',
            'arm',
            'units',
            'estimate',
            'not known',
            'verdict',
            'log e (weighted) / bound',
            'p',
            'counted from',
            'difference (95% at all looks)',
          ],
          ...rows.map((row) => [
            row.metric,
            row.role,
            row.arm,
            row.units,
            row.estimate === null ? 'unknown' : row.estimate.toPrecision(4),
            unknownText(row),
            row.status,
            row.weighted_log_e === null
              ? // Said once, below the table.
                row.status === 'cannot_measure'
                ? '-'
                : row.reason
              : `${row.weighted_log_e.toFixed(2)} / ${row.threshold?.toFixed(2)}`,
            row.p === null ? '-' : row.p.toPrecision(2),
            row.test_start,
            row.arm === row.candidate ? differenceText(row) : '',
          ]),
        ]),
      );
      const gates = [
        ...new Set(
          rows
            .filter(({ difference, interval_note }) => difference !== null && interval_note !== '')
            .map(({ interval_note }) => interval_note),
        ),
      ];
      if (gates.length > 0) print(`* not to be relied on yet: ${gates.join('; ')}`);
      for (const note of notesOf(rows)) print(note);
      const missing = await store.rows<MissingRow>(await sqlQuery('missing'), { experiment });
      if (missing.length > 0) print(missingText(missing));
    }
    return 0;
  });
}

/** Why a metric cannot be measured, once each; what lies outside floor and cap; what contradicts itself. */
const notesOf = (rows: readonly ResultRow[]): readonly string[] => [
  ...new Set(
    rows.flatMap(({ metric, status, reason, clipped, contradiction }) => [
      ...(status === 'cannot_measure' ? [`${metric} cannot be measured: ${reason}`] : []),
      ...(clipped === '' ? [] : [`${metric}: ${clipped}`]),
      ...(contradiction === ''
        ? []
        : [`${metric}: CONTRADICTION, its ${contradiction} is past the bound, the means say the opposite`]),
    ]),
  ),
];
