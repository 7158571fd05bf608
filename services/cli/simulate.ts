/** `simulate`: when would this very file stop, if a metric changed by so much? */
import { writeFileSync } from 'node:fs';
import type { ExperimentSpec } from '../kernel/experiment.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { clopperPearson, type Effect, parseEffect, quantileOf, type RunResult } from '../simulation/index.ts';
import { print, printJson, table } from './terminal.ts';
import {
  count,
  dayMs,
  days,
  percent,
  printAssumptions,
  type Readied,
  ready,
  runWithProgress,
  type TrafficFlags,
} from './traffic.ts';

export type SimulateFlags = TrafficFlags & {
  readonly effect?: readonly string[];
  readonly from: string;
  readonly csv?: string;
};

const effectsOf = (spec: ExperimentSpec, texts: readonly string[]): Effect[] =>
  texts.map((text) => {
    const effect = parseEffect(text);
    if (effect === undefined)
      throw new PipelineError('CONFIG_INVALID', `--effect ${text}`, { hint: 'write metric=+20% or metric=0.01' });
    if (!spec.metrics.some(({ id }) => id === effect.metric))
      throw new PipelineError('CONFIG_INVALID', `--effect: no metric ${effect.metric} in ${spec.id}`, {
        hint: `one of ${spec.metrics.map(({ id }) => id).join(', ')}`,
      });
    return effect;
  });

const shares = [0.1, 0.25, 0.5, 0.75, 0.9] as const;
/** Values at these shares of all runs; a run that was never decided lies beyond every other. */
const quantiles = (values: readonly number[]): (number | undefined)[] => {
  const sorted = [...values].sort((a, b) => a - b);
  return shares.map((share) => quantileOf(sorted, share)).map((value) => (value === Infinity ? undefined : value));
};

/** Bars of stopping times, one row per stretch of the phase; widths in characters. */
function plot(times: readonly number[], horizonMs: number): string {
  const last = Math.max(...times);
  const width =
    [3_600_000, 10_800_000, 21_600_000, 43_200_000, dayMs, 2 * dayMs, 7 * dayMs].find((step) => last / step <= 24) ??
    horizonMs / 24;
  const bins = new Array<number>(Math.floor(last / width) + 1).fill(0);
  for (const time of times) bins[Math.floor(time / width)] = (bins[Math.floor(time / width)] ?? 0) + 1;
  const top = Math.max(...bins);
  const barOf = (runs: number): string =>
    runs > 0 && runs / top < 0.01 ? '▏' : '█'.repeat(Math.round((runs / top) * 50));
  return bins
    .map((runs, index) => `${days(index * width).padStart(8)} ${barOf(runs)} ${runs > 0 ? runs : ''}`.trimEnd())
    .join('\n');
}

const csv = (spec: ExperimentSpec, results: readonly RunResult[]): string =>
  [
    'run,end,at_hours,metric,from_slot,units,visits,paused_hours',
    ...results.map(({ end, atMs, metric, slot, units, visits, pausedMs }, run) =>
      [
        run,
        end,
        (atMs / 3_600_000).toFixed(4),
        spec.metrics[metric]?.id ?? '',
        slot < 0 ? '' : slot,
        units,
        visits,
        pausedMs < 0 ? '' : (pausedMs / 3_600_000).toFixed(4),
      ].join(','),
    ),
  ]
    .join('\n')
    .concat('\n');

const durations: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: dayMs };
function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([mhd]?)$/.exec(text);
  const unit = match?.[2] === '' ? 1 : durations[match?.[2] ?? ''];
  if (match === null || unit === undefined || (match[2] === '' && Number(match[1]) !== 0))
    throw new PipelineError('CONFIG_INVALID', `--from ${text}`, { hint: 'give a duration like 0, 90m, 36h or 3d' });
  return Number(match[1]) * unit;
}

/** What all runs together say. */
type Summary = {
  readonly effects: readonly Effect[];
  readonly effectFromMs: number;
  readonly results: readonly RunResult[];
  readonly stopped: readonly RunResult[];
  readonly early: number;
  readonly byMetric: readonly { readonly metric: string; readonly runs: number }[];
  readonly paused: number;
  /** Time, units and visits at `shares` of all runs; undefined: never. */
  readonly at: readonly (number | undefined)[];
  readonly units: readonly (number | undefined)[];
  readonly visits: readonly (number | undefined)[];
};
const endedBy = (results: readonly RunResult[], end: RunResult['end']): RunResult[] =>
  results.filter((result) => result.end === end);

function summarise(
  { metrics }: ExperimentSpec,
  effects: readonly Effect[],
  effectFromMs: number,
  results: readonly RunResult[],
): Summary {
  const stopped = endedBy(results, 'rollback');
  const untilRollback = (read: (result: RunResult) => number): (number | undefined)[] =>
    quantiles(results.map((result) => (result.end === 'rollback' ? read(result) : Infinity)));
  return {
    effects,
    effectFromMs,
    results,
    stopped,
    early: stopped.filter(({ atMs }) => atMs < effectFromMs).length,
    byMetric: metrics
      .map(({ id }, index) => ({ metric: id, runs: stopped.filter(({ metric }) => metric === index).length }))
      .filter(({ runs }) => runs > 0),
    paused: results.filter(({ pausedMs }) => pausedMs >= 0).length,
    at: untilRollback(({ atMs }) => atMs),
    units: untilRollback(({ units }) => units),
    visits: untilRollback(({ visits }) => visits),
  };
}

const asJson = ({ spec, base, runs, seed }: Readied, summary: Summary): unknown => ({
  experiment: spec.id,
  candidate: base.candidate,
  runs,
  seed,
  traffic: base.traffic,
  effects: summary.effects,
  effect_from_ms: summary.effectFromMs,
  ends: {
    rollback: summary.stopped.length,
    promote: endedBy(summary.results, 'promote').length,
    horizon: endedBy(summary.results, 'horizon').length,
  },
  rollback_before_effect: summary.early,
  rollback_by_metric: summary.byMetric,
  paused: summary.paused,
  rollback_share: { share: summary.stopped.length / runs, ...clopperPearson(summary.stopped.length, runs) },
  quantiles: shares.map((share, index) => ({
    share,
    at_ms: summary.at[index] ?? null,
    units: summary.units[index] ?? null,
    visits: summary.visits[index] ?? null,
  })),
});

const effectText = ({ metric, relative, size }: Effect): string =>
  `${metric} ${size >= 0 ? '+' : ''}${relative ? percent(size) : size}`;

function printSummary({ spec, runs }: Readied, summary: Summary): void {
  const { effects, effectFromMs, results, stopped, early, byMetric, paused } = summary;
  const changes = effects.length === 0 ? 'none: what happens here is chance' : effects.map(effectText).join(', ');
  const from = effectFromMs > 0 ? `, from ${days(effectFromMs)} on (rolled back before: ${early})` : '';
  print(`effects  ${changes}${from}`);
  const share = (of: number): string => percent(of / runs);
  const named = byMetric.map(({ metric, runs: of }) => `${metric} ${share(of)}`).join(', ');
  const ends = [
    `rolled back ${share(stopped.length)}${named === '' ? '' : ` (${named})`}`,
    `promoted ${share(endedBy(results, 'promote').length)}`,
    `undecided at the horizon ${share(endedBy(results, 'horizon').length)}`,
  ];
  print(`\n${count(runs)} runs: ${ends.join(', ')}; paused by a signal ${share(paused)}`);
  const row = (values: Summary['at'], show: (value: number) => string): string[] =>
    values.map((value) => (value === undefined ? 'never' : show(value)));
  print(
    `\n${table([
      ['rolled back within', ...shares.map((part) => `${100 * part}% of runs`)],
      ['time', ...row(summary.at, days)],
      ['units of both arms', ...row(summary.units, count)],
      ['visits', ...row(summary.visits, count)],
    ])}`,
  );
  const times = stopped.map(({ atMs }) => atMs);
  if (times.length > 0) print(`\nrollbacks by time\n${plot(times, spec.analysis.horizonMs)}`);
}

export async function simulate(file: string, flags: SimulateFlags): Promise<number> {
  const readied = ready(file, flags);
  const { spec, base, runs } = readied;
  const effects = effectsOf(spec, flags.effect ?? []);
  const effectFromMs = durationMs(flags.from);
  const [results = []] = await runWithProgress([{ plan: { ...base, effects, effectFromMs }, runs }], readied);
  if (flags.csv !== undefined) writeFileSync(flags.csv, csv(spec, results));
  const summary = summarise(spec, effects, effectFromMs, results);
  if (flags.json) {
    printJson(asJson(readied, summary));
    return 0;
  }
  printAssumptions(readied, effects);
  printSummary(readied, summary);
  if (flags.csv !== undefined) print(`\n${flags.csv}: ${count(runs)} lines`);
  return 0;
}
