/**
 * `simulate`: when would this very file stop, if a metric changed by so much? And what `plan` shares with it: the
 * assumptions, the runs, the progress line.
 */
import { writeFileSync } from 'node:fs';
import { candidatesOf, type ExperimentSpec, harmAlphaOf } from '../kernel/experiment.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import {
  armModels,
  clopperPearson,
  type Effect,
  type ExperimentPlan,
  expectedUnits,
  parseEffect,
  quantileOf,
  type RunResult,
  simulateExperiments,
} from '../simulation/index.ts';
import { readResolvedExperiment } from './change.ts';
import { paint, print, printJson, table } from './terminal.ts';

export type TrafficFlags = {
  readonly candidate?: string;
  readonly unitsPerDay: string;
  readonly visits: string;
  readonly sameAgain: string;
  readonly runs: string;
  readonly seed: string;
  readonly threads?: string;
  readonly json?: boolean;
};
export type SimulateFlags = TrafficFlags & {
  readonly effect?: readonly string[];
  readonly from: string;
  readonly csv?: string;
};

const dayMs = 86_400_000;
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)}%`;
export const days = (ms: number): string =>
  ms < 2 * dayMs ? `${Number((ms / 3_600_000).toFixed(1))} h` : `${Number((ms / dayMs).toFixed(1))} d`;
export const count = (value: number): string => Math.round(value).toLocaleString('en');

function numberIn(flag: string, text: string, low: number, high: number, whole = false): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= low && value <= high) || (whole && !Number.isInteger(value)))
    throw new PipelineError('CONFIG_INVALID', `${flag} ${text}`, {
      hint: `give a ${whole ? 'whole ' : ''}number from ${low} to ${high}`,
    });
  return value;
}

/** Arrays of a unit's state stay below a gigabyte, a run below a minute. */
const maxUnits = 20_000_000;

export type Readied = {
  readonly spec: ExperimentSpec;
  readonly base: Omit<ExperimentPlan, 'effects' | 'effectFromMs'>;
  readonly runs: number;
  readonly seed: number;
  readonly threads: number | undefined;
};

/** The file and the assumptions, checked together. */
export function ready(file: string, flags: TrafficFlags): Readied {
  const { spec } = readResolvedExperiment(file);
  const candidates = candidatesOf(spec).map(({ id }) => id);
  const candidate = flags.candidate ?? candidates[0] ?? '';
  if (!candidates.includes(candidate))
    throw new PipelineError('CONFIG_INVALID', `no candidate ${candidate} in ${spec.id}`, {
      hint: `one of ${candidates.join(', ')}`,
    });
  const traffic = {
    unitsPerDay: numberIn('--units-per-day', flags.unitsPerDay, 1, 1e9),
    visitsPerUnit: numberIn('--visits', flags.visits, 1, 1_000),
    sameAgain: numberIn('--same-again', flags.sameAgain, 0, 1),
  };
  const base = { spec, candidate, traffic };
  const units = expectedUnits({ ...base, effects: [], effectFromMs: 0 });
  if (units > maxUnits)
    throw new PipelineError('CONFIG_INVALID', `${count(units)} units within the horizon are too many to simulate`, {
      hint: `choose --units-per-day so that at most ${count(maxUnits)} come`,
    });
  return {
    spec,
    base,
    runs: numberIn('--runs', flags.runs, 1, 1e6, true),
    seed: numberIn('--seed', flags.seed, 0, 2 ** 31, true),
    threads: flags.threads === undefined ? undefined : numberIn('--threads', flags.threads, 1, 64, true),
  };
}

/** One line on stderr that says how far it is, and how long it may take. */
export async function runWithProgress(
  plans: readonly { plan: ExperimentPlan; runs: number }[],
  { seed, threads }: Readied,
): Promise<RunResult[][]> {
  const began = performance.now();
  let told = 0;
  const results = await simulateExperiments({
    plans,
    seed,
    ...(threads !== undefined && { threads }),
    onProgress: (done, of) => {
      if (!process.stderr.isTTY || (performance.now() - told < 100 && done < of)) return;
      told = performance.now();
      const spent = (told - began) / 1000;
      process.stderr.write(
        `\r${count(done)} of ${count(of)} runs, ${spent.toFixed(0)} s${done < of ? `, about ${((spent / done) * (of - done)).toFixed(0)} s to go   ` : '                    \n'}`,
      );
    },
  });
  if (!process.stderr.isTTY)
    process.stderr.write(
      `${count(plans.reduce((sum, { runs }) => sum + runs, 0))} runs, ${((performance.now() - began) / 1000).toFixed(1)} s\n`,
    );
  return results;
}

/** What a reader must know before believing a figure. */
export function printAssumptions({ spec, base: { candidate, traffic } }: Readied, effects: readonly Effect[]): void {
  const { analysis } = spec;
  print(
    `${paint.bold(spec.id)}: ${spec.arms.map(({ id, weight }) => `${id} ${weight}`).join(' / ')}, tested: ${candidate}; horizon ${days(analysis.horizonMs)}, a test start every ${days(analysis.testStartEveryMs)}, alpha_harm ${harmAlphaOf(spec)}, alpha_win ${analysis.alphaWin}`,
  );
  print(
    paint.dim(
      `assumed  ${count(traffic.unitsPerDay)} new units a day at full coverage (--units-per-day), ${traffic.visitsPerUnit} visits each (--visits), ${percent(traffic.sameAgain, 0)} of visits repeat the unit's own value (--same-again)`,
    ),
  );
  print(
    paint.dim(
      `values   ${spec.metrics
        .map(
          (metric) =>
            `${metric.id}: ${
              armModels(
                metric,
                effects.find((effect) => effect.metric === metric.id),
              ).what
            }`,
        )
        .join('; ')}`,
    ),
  );
}

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
  return bins
    .map((runs, index) =>
      `${days(index * width).padStart(8)} ${'█'.repeat(Math.round((runs / top) * 50))}${runs > 0 && runs / top < 0.01 ? '▏' : ''} ${runs > 0 ? runs : ''}`.trimEnd(),
    )
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

export async function simulate(file: string, flags: SimulateFlags): Promise<number> {
  const readied = ready(file, flags);
  const { spec, base, runs } = readied;
  const effects = effectsOf(spec, flags.effect ?? []);
  const effectFromMs = durationMs(flags.from);
  const [results = []] = await runWithProgress([{ plan: { ...base, effects, effectFromMs }, runs }], readied);
  if (flags.csv !== undefined) writeFileSync(flags.csv, csv(spec, results));
  const ended = (end: RunResult['end']): RunResult[] => results.filter((result) => result.end === end);
  const stopped = ended('rollback');
  const early = stopped.filter(({ atMs }) => atMs < effectFromMs).length;
  const byMetric = spec.metrics
    .map(({ id }, index) => ({ metric: id, runs: stopped.filter(({ metric }) => metric === index).length }))
    .filter(({ runs: of }) => of > 0);
  const paused = results.filter(({ pausedMs }) => pausedMs >= 0).length;
  const never = <T>(result: RunResult, value: T): T | number => (result.end === 'rollback' ? value : Infinity);
  const at = quantiles(results.map((result) => Number(never(result, result.atMs))));
  const units = quantiles(results.map((result) => Number(never(result, result.units))));
  const visits = quantiles(results.map((result) => Number(never(result, result.visits))));
  if (flags.json) {
    printJson({
      experiment: spec.id,
      candidate: base.candidate,
      runs,
      seed: readied.seed,
      traffic: base.traffic,
      effects,
      effect_from_ms: effectFromMs,
      ends: { rollback: stopped.length, promote: ended('promote').length, horizon: ended('horizon').length },
      rollback_before_effect: early,
      rollback_by_metric: byMetric,
      paused,
      rollback_share: { share: stopped.length / runs, ...clopperPearson(stopped.length, runs) },
      quantiles: shares.map((share, index) => ({
        share,
        at_ms: at[index] ?? null,
        units: units[index] ?? null,
        visits: visits[index] ?? null,
      })),
    });
    return 0;
  }
  printAssumptions(readied, effects);
  print(
    `effects  ${effects.length === 0 ? 'none: what happens here is chance' : effects.map(({ metric, relative, size }) => `${metric} ${size >= 0 ? '+' : ''}${relative ? percent(size) : size}`).join(', ')}${effectFromMs > 0 ? `, from ${days(effectFromMs)} on (rolled back before: ${early})` : ''}`,
  );
  print(
    `\n${count(runs)} runs: rolled back ${percent(stopped.length / runs)}${byMetric.length > 0 ? ` (${byMetric.map(({ metric, runs: of }) => `${metric} ${percent(of / runs)}`).join(', ')})` : ''}, promoted ${percent(ended('promote').length / runs)}, undecided at the horizon ${percent(ended('horizon').length / runs)}; paused by a signal ${percent(paused / runs)}`,
  );
  print(
    `\n${table([
      ['rolled back within', ...shares.map((share) => `${100 * share}% of runs`)],
      ['time', ...at.map((value) => (value === undefined ? 'never' : days(value)))],
      ['units of both arms', ...units.map((value) => (value === undefined ? 'never' : count(value)))],
      ['visits', ...visits.map((value) => (value === undefined ? 'never' : count(value)))],
    ])}`,
  );
  if (stopped.length > 0)
    print(
      `\nrollbacks by time\n${plot(
        stopped.map(({ atMs }) => atMs),
        spec.analysis.horizonMs,
      )}`,
    );
  if (flags.csv !== undefined) print(`\n${flags.csv}: ${count(runs)} lines`);
  return 0;
}
