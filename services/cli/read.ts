/** `sql`, `results`, `decisions`, `tail`: what analysts and SREs read. */
import type { Decision as DecisionRecord, RedactedInference, RedactedOutcome } from '../../schemas/generated.ts';
import { fromDecisionRecord } from '../control/index.ts';
import type { Decision } from '../kernel/decision.ts';
import type { FunnelStep } from '../kernel/evaluation.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { connect } from '../pipeline/connect.ts';
import { onSignals } from '../runtime/lifecycle.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { topicName } from '../runtime/topics.ts';
import { surroundings } from './addresses.ts';
import { forPerson, print, printJson, table } from './terminal.ts';

export type Connection = Awaited<ReturnType<typeof connect>> & { readonly prefix: string };

export async function withConnection<T>(home: string, run: (connection: Connection) => Promise<T>): Promise<T> {
  const where = surroundings(home);
  const connection = await connect({ ...where, clock: systemClock, clientId: 'tripline-cli' });
  try {
    return await run({ ...connection, prefix: where.prefix });
  } finally {
    await connection.close();
  }
}

/** One statement that reads; the engine formats the answer. */
export async function sql(home: string, statement: string, json: boolean): Promise<number> {
  const text = statement.trim().replace(/;$/, '');
  if (!/^(select|with|show|describe|desc|exists|explain)\b/i.test(text))
    throw new PipelineError('CONFIG_INVALID', 'sql reads: SELECT, WITH, SHOW, DESCRIBE, EXISTS or EXPLAIN', {
      hint: 'use clickhouse-client for anything else',
    });
  await withConnection(home, async ({ store }) =>
    process.stdout.write(
      await store.text(text, json ? 'JSONEachRow' : forPerson ? 'PrettyCompact' : 'PrettyCompactNoEscapes'),
    ),
  );
  return 0;
}

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
  answered: 'called and not answered',
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

/** Share of an arm's entries that are not or not fully known. */
const unknownText = ({ entries, unknown, incomplete }: ResultRow): string => {
  const share = Math.max(Number(unknown), Number(incomplete));
  return share === 0 ? '-' : percentOf(String(share), entries);
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
              ? row.reason
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
        : [
            `${metric}: CONTRADICTION, the evidence of ${contradiction} is past its bound and the means say the opposite`,
          ]),
    ]),
  ),
];

/** Every decision on the control topic, oldest first, with the bytes that were published. */
export async function readDecisions({
  log,
  codec,
  prefix,
}: Connection): Promise<{ readonly decision: Decision; readonly frame: Buffer }[]> {
  const records = await log.readToEnd(topicName(prefix, 'control.v1'));
  const frames = records.flatMap(({ value }) => (value ? [value] : []));
  await codec.prepare(frames);
  return frames.flatMap((frame) => {
    const decoded = codec.decode(['decision'], frame);
    return decoded.ok ? [{ decision: fromDecisionRecord(decoded.value), frame }] : [];
  });
}

export async function decisions(home: string, experiment: string | undefined, json: boolean): Promise<number> {
  return withConnection(home, async (connection) => {
    const all = (await readDecisions(connection))
      .map(({ decision }) => decision)
      .filter(({ experimentId }) => experiment === undefined || experimentId === experiment);
    if (json) printJson(all);
    else if (all.length === 0) print('no decision yet');
    else
      print(
        table([
          ['seq', 'action', 'reason', 'metric', 'counted from', 'watermark', 'events', 'id'],
          ...all.map((decision) => [
            String(decision.seq),
            decision.action,
            decision.reasonCode,
            decision.metric ?? '-',
            decision.testStart ?? '-',
            decision.watermark === undefined ? '-' : new Date(decision.watermark).toISOString(),
            String(decision.eventsFolded),
            decision.decisionId,
          ]),
        ]),
      );
    return 0;
  });
}

const inferenceText = (event: RedactedInference): string =>
  [
    event.exposures.map((exposure) => `${exposure.experiment_id} ${exposure.variant}`).join(', ') || '-',
    event.model_served,
    `in ${event.token_in ?? '?'} out ${event.token_out ?? '?'}`,
    event.cost_nano_usd === null ? 'unpriced' : `$${(event.cost_nano_usd / 1e9).toFixed(6)}`,
    `${event.latency_ms ?? '?'} ms`,
    event.status,
    `trace ${event.trace_id.slice(0, 8)}`,
  ].join('  ');
const outcomeText = ({ kind, value, entity }: RedactedOutcome): string =>
  `${kind} ${value ?? 'retracted'}  ${entity?.type ?? 'unit'}`;
const decisionText = ({ experiment_id, action, metric, reason_code }: DecisionRecord): string =>
  `${experiment_id} ${action} ${metric ?? reason_code}`;

/** Clean events as they pass, until interrupted (or the end of what is there, with `once`). */
export async function tail(home: string, options: { json: boolean; once: boolean }): Promise<number> {
  return withConnection(home, async ({ log, codec, prefix }) => {
    const follow = async (suffix: 'inference.v1' | 'outcome.v1' | 'control.v1') =>
      log.follow(topicName(prefix, suffix), (record) => {
        const { value } = record;
        if (value === null) return;
        void Promise.resolve(codec.prepare([value])).then(() => {
          const decoded = codec.decode(['redacted-inference', 'redacted-outcome', 'decision'], value);
          if (!decoded.ok) return;
          if (options.json) return print(JSON.stringify({ record: decoded.record, ...decoded.value }));
          const time = new Date(record.timestamp).toISOString().slice(11, 19);
          if (decoded.record === 'redacted-inference') print(`${time} inference  ${inferenceText(decoded.value)}`);
          else if (decoded.record === 'redacted-outcome') print(`${time} outcome    ${outcomeText(decoded.value)}`);
          else print(`${time} decision   ${decisionText(decoded.value)}`);
        });
      });
    const followers = await Promise.all([follow('inference.v1'), follow('outcome.v1'), follow('control.v1')]);
    if (options.once) await Promise.all(followers.map(({ caughtUp }) => caughtUp));
    else await onSignals();
    await Promise.all(followers.map(({ close }) => close()));
    return 0;
  });
}
