/**
 * `plan`: what this very file finds, how soon, and how often it stops for nothing, on traffic that the reader assumes.
 * Simulated, not computed from a formula.
 */
import { harmAlphaOf, type MetricSpec } from '../kernel/experiment.ts';
import { clopperPearson, declaredHarm, quantileOf, type RunResult } from '../simulation/index.ts';
import { print, printJson, table } from './terminal.ts';
import {
  count,
  days,
  percent,
  printAssumptions,
  type Readied,
  ready,
  runWithProgress,
  type TrafficFlags,
} from './traffic.ts';

/** Effect sizes of the power curve, in declared harms. */
const factors = [0.25, 0.5, 0.75, 1, 1.5, 2] as const;
/** False stops are rarer than finds: this many times the runs. */
const nullTimes = 5;
const bars = '▁▂▃▄▅▆▇█';

type Point = {
  readonly factor: number;
  readonly found: number;
  readonly share: number;
  readonly medianMs: number | undefined;
  readonly mostMs: number | undefined;
  readonly medianUnits: number | undefined;
};

/** `most`: within this time 80% of all runs have found it. */
function pointOf(factor: number, results: readonly RunResult[]): Point {
  const at = (value: (result: RunResult) => number, share: number): number | undefined => {
    const found = quantileOf(
      results.map((result) => (result.end === 'rollback' ? value(result) : Infinity)).sort((a, b) => a - b),
      share,
    );
    return found === Infinity ? undefined : found;
  };
  const found = results.filter(({ end }) => end === 'rollback').length;
  return {
    factor,
    found,
    share: found / results.length,
    medianMs: at(({ atMs }) => atMs, 0.5),
    mostMs: at(({ atMs }) => atMs, 0.8),
    medianUnits: at(({ units }) => units, 0.5),
  };
}

const inWords = ({ better, harm, baseline: { mean } }: MetricSpec): string =>
  `${better === 'lower' ? '+' : '-'}${mean > 0 ? percent(harm / mean, 0) : harm}`;

/** What is found when every metric in turn is harmed, and what happens when nothing differs. */
type Found = {
  readonly nothing: readonly RunResult[];
  readonly metrics: readonly { readonly metric: MetricSpec; readonly curve: readonly Point[] }[];
};

async function run(readied: Readied): Promise<Found> {
  const { spec, base, runs } = readied;
  const points = spec.metrics.flatMap((metric) =>
    factors.map((factor) => ({
      plan: { ...base, effects: [declaredHarm(metric, factor)], effectFromMs: 0, only: metric.id },
      runs,
    })),
  );
  const [nothing = [], ...found] = await runWithProgress(
    [{ plan: { ...base, effects: [], effectFromMs: 0 }, runs: nullTimes * runs }, ...points],
    readied,
  );
  return {
    nothing,
    metrics: spec.metrics.map((metric, index) => ({
      metric,
      curve: factors.map((factor, at) => pointOf(factor, found[index * factors.length + at] ?? [])),
    })),
  };
}

const limitsOf = (times: number, of: number) => ({ runs: times, of, share: times / of, ...clopperPearson(times, of) });

/** What happened although nothing differed. */
const falseEnds = (nothing: readonly RunResult[]) => ({
  rollbacks: nothing.filter(({ end }) => end === 'rollback').length,
  pauses: nothing.filter(({ pausedMs }) => pausedMs >= 0).length,
  promotions: nothing.filter(({ end }) => end === 'promote').length,
});

function asJson({ spec, base, seed, runs }: Readied, { nothing, metrics }: Found): unknown {
  const { rollbacks, pauses, promotions } = falseEnds(nothing);
  return {
    experiment: spec.id,
    candidate: base.candidate,
    seed,
    runs,
    traffic: base.traffic,
    false_rollbacks: limitsOf(rollbacks, nothing.length),
    false_pauses: limitsOf(pauses, nothing.length),
    false_promotions: limitsOf(promotions, nothing.length),
    metrics: metrics.map(({ metric, curve }) => ({
      metric: metric.id,
      role: metric.role,
      harm: metric.harm,
      curve: curve.map(({ factor, share, medianMs, mostMs, medianUnits }) => ({
        harms: factor,
        found: share,
        median_ms: medianMs ?? null,
        within_80_percent_ms: mostMs ?? null,
        median_units: medianUnits ?? null,
      })),
    })),
  };
}

function printFalseEnds({ spec }: Readied, nothing: readonly RunResult[]): void {
  const { rollbacks, pauses, promotions } = falseEnds(nothing);
  const has = (role: MetricSpec['role']): boolean => spec.metrics.some((metric) => metric.role === role);
  const row = (what: string, times: number, promise: number): string[] => [
    what,
    percent(times / nothing.length, 2),
    `at most ${percent(limitsOf(times, nothing.length).upper, 2)} (95%)`,
    `promised: at most ${percent(promise)}`,
  ];
  print(`\nnothing differs, ${count(nothing.length)} runs to the horizon:`);
  print(
    table([
      row('  rolled back', rollbacks, harmAlphaOf(spec)),
      ...(has('signal') ? [row('  paused by a signal', pauses, harmAlphaOf(spec))] : []),
      ...(has('goal') ? [row('  promoted', promotions, spec.analysis.alphaWin)] : []),
    ]),
  );
}

function printPower({ runs }: Readied, { metrics }: Found): void {
  print(
    `\nthe declared harm from the start, by metric, ${count(runs)} runs each; ` +
      'found by the horizon for so many times the harm:',
  );
  const or = (value: number | undefined, show: (value: number) => string): string =>
    value === undefined ? 'beyond horizon' : show(value);
  print(
    table([
      ['metric', 'role', 'harm', 'units', 'days (half)', 'days (80%)', ...factors.map((factor) => `x${factor}`), ''],
      ...metrics.map(({ metric, curve }) => {
        const declared = curve.find(({ factor }) => factor === 1);
        return [
          metric.id,
          metric.role,
          inWords(metric),
          or(declared?.medianUnits, count),
          or(declared?.medianMs, days),
          or(declared?.mostMs, days),
          ...curve.map(({ share }) => percent(share, 0)),
          curve.map(({ share }) => bars[Math.min(7, Math.floor(share * 8))]).join(''),
        ];
      }),
    ]),
  );
}

export async function plan(file: string, flags: TrafficFlags): Promise<number> {
  const readied = ready(file, flags);
  const found = await run(readied);
  if (flags.json) {
    printJson(asJson(readied, found));
    return 0;
  }
  printAssumptions(readied, []);
  printFalseEnds(readied, found.nothing);
  printPower(readied, found);
  print(`\nunits: of both arms, half of the runs have found it by then. seed ${readied.seed}`);
  return 0;
}
