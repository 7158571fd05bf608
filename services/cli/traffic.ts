/** What `plan` and `simulate` share: what they assume of the traffic, the runs, the progress line. */
import { candidatesOf, type ExperimentSpec, harmAlphaOf, type MetricSpec } from '../kernel/experiment.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import {
  armModels,
  type Effect,
  type ExperimentPlan,
  expectedUnits,
  type RunResult,
  simulateExperiments,
} from '../simulation/index.ts';
import { readResolvedExperiment } from './read-file.ts';
import { paint, print } from './terminal.ts';

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
export const dayMs = 86_400_000;
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
  const seconds = (): number => (performance.now() - began) / 1000;
  let told = 0;
  const results = await simulateExperiments({
    plans,
    seed,
    ...(threads !== undefined && { threads }),
    onProgress: (done, of) => {
      if (!process.stderr.isTTY || (performance.now() - told < 100 && done < of)) return;
      told = performance.now();
      const left = (seconds() / done) * (of - done);
      const end = done < of ? `, about ${left.toFixed(0)} s to go   ` : `${' '.repeat(20)}\n`;
      process.stderr.write(`\r${count(done)} of ${count(of)} runs, ${seconds().toFixed(0)} s${end}`);
    },
  });
  const all = plans.reduce((sum, { runs }) => sum + runs, 0);
  if (!process.stderr.isTTY) process.stderr.write(`${count(all)} runs, ${seconds().toFixed(1)} s\n`);
  return results;
}

/** What a reader must know before believing a figure. */
export function printAssumptions({ spec, base: { candidate, traffic } }: Readied, effects: readonly Effect[]): void {
  const { analysis, arms, metrics } = spec;
  const valuesOf = (metric: MetricSpec): string =>
    armModels(
      metric,
      effects.find((effect) => effect.metric === metric.id),
    ).what;
  const design = [
    `${arms.map(({ id, weight }) => `${id} ${weight}`).join(' / ')}, tested: ${candidate}`,
    `horizon ${days(analysis.horizonMs)}, a test start every ${days(analysis.testStartEveryMs)}, ` +
      `alpha_harm ${harmAlphaOf(spec)}, alpha_win ${analysis.alphaWin}`,
  ];
  const assumed = [
    `${count(traffic.unitsPerDay)} new units a day at full coverage (--units-per-day)`,
    `${traffic.visitsPerUnit} visits each (--visits)`,
    `${percent(traffic.sameAgain, 0)} of visits repeat the unit's own value (--same-again)`,
  ];
  print(`${paint.bold(spec.id)}: ${design.join('; ')}`);
  print(paint.dim(`assumed  ${assumed.join(', ')}`));
  print(paint.dim(`values   ${metrics.map((metric) => `${metric.id}: ${valuesOf(metric)}`).join('; ')}`));
}
