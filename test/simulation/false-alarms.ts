/**
 * G1: with no difference between the arms, a look after every visit. Rates x canary shares x kinds of value x ways in
 * which units come, for betting (harm from every test start, win on the whole phase), first events (both sides) and the
 * sample ratio. Control and
 * candidate draw from the same distribution; nothing else is assumed.
 */
import { createRandom, seedOf } from '../../services/simulation/random.ts';
import { aRate, lognormal, scaled, type ValueModel, zeroInflated } from '../../services/simulation/values.ts';
import {
  alpha,
  metricFor,
  type Tables,
  tablesFor,
  unionPrior,
  watchBetting,
  watchFirstEvent,
  watchSampleRatio,
  wholeOnly,
} from './engines.ts';
import { prepareScenario, type PreparedScenario, walk, type Watcher, type Scenario } from './walk.ts';

export const rates = [0.001, 0.01, 0.05, 0.2, 0.5] as const;
export const shares = [0.01, 0.05, 0.1, 0.2, 0.5] as const;
export type Cell = {
  readonly outcome: 'binary' | 'lognormal' | 'zero-inflated' | 'ratio';
  readonly rate: number;
  readonly share: number;
  readonly arrival: 'fixed' | 'ramp' | 'sticky';
};

export const engines = ['betting harm', 'betting win', 'first-event harm', 'first-event win'] as const;
export const ratioEngines = ['sample-ratio at .001', 'sample-ratio at .05'] as const;
/** Test starts: 14 days, every 6 hours. */
export const segments = 56;
/** Of one run: enough for 30 events in the candidate where that is practical. */
const visitsOf = ({ rate, share }: Cell): number =>
  Math.min(share < 0.1 ? 20_000 : 40_000, Math.max(10_000, Math.ceil(30 / (rate * share))));

/** 99.9th percentile of the costs below, where they are capped. */
const lognormalSigma = 1.5;
const costCap = Math.exp(lognormalSigma * 3.0902);

const modelOf = ({
  outcome,
  rate,
}: Cell): {
  readonly model: (factor: number) => ValueModel;
  readonly cap: number;
  readonly isEvent: (value: number) => boolean;
} => {
  switch (outcome) {
    case 'binary':
    case 'ratio':
      return { model: (factor) => aRate(Math.min(0.95, rate * factor)), cap: 1, isEvent: (value) => value > 0 };
    case 'lognormal':
      return {
        model: (factor) => scaled(lognormal(0, lognormalSigma), factor),
        cap: costCap,
        isEvent: (value) => value > Math.exp(lognormalSigma * 1.645),
      };
    case 'zero-inflated':
      return {
        model: (factor) => zeroInflated(Math.min(0.95, rate * factor), lognormal(0, 1)),
        cap: Math.exp(3.0902),
        isEvent: (value) => value > 0,
      };
    default:
      return outcome satisfies never;
  }
};

/**
 * Steps of a ramp: part of the final share, and what the baseline that both arms share is multiplied with meanwhile.
 */
const rampSteps = [
  { part: 0.1, moved: 1 },
  { part: 0.5, moved: 1.5 },
  { part: 1, moved: 0.8 },
] as const;

export type PreparedCell = { readonly cell: Cell; readonly prepared: PreparedScenario; readonly tables: Tables };

export function prepareCell(cell: Cell): PreparedCell {
  const { model, cap, isEvent } = modelOf(cell);
  const visits = cell.outcome === 'ratio' ? 10_000 : visitsOf(cell);
  const steps = cell.arrival === 'ramp' ? rampSteps : [{ part: 1, moved: 1 }];
  const revisions = steps.map(({ part, moved }) => ({
    share: cell.share * part,
    control: model(moved),
    candidate: model(moved),
  }));
  const scenario: Scenario = {
    visits,
    revisions,
    revisionStarts: steps.slice(1).map((_, index) => Math.round(((index + 1) * visits) / steps.length)),
    segments,
    isEvent,
    ...(cell.arrival === 'sticky' && { sticky: { meanVisits: 5, sameAgain: 0.3 } }),
  };
  // The design of a rare rate is a doubling, of anything else a fifth.
  return {
    cell,
    prepared: prepareScenario(scenario),
    tables: tablesFor(metricFor(model(1), cap, cell.rate < 0.01 ? 1 : 0.2), revisions, segments),
  };
}

export function watchersOf({ cell, tables }: PreparedCell): Watcher[] {
  if (cell.outcome === 'ratio') return [watchSampleRatio(tables.shares, 0.001), watchSampleRatio(tables.shares, 0.05)];
  return [
    watchBetting(tables, unionPrior(segments)),
    watchBetting(tables, wholeOnly, { side: 'win' }),
    watchFirstEvent(tables),
    watchFirstEvent(tables, { side: 'win' }),
  ];
}

/** Alarms of runs `from`..`to` - 1, one count per watcher. `seed` of the whole table, `index` of the cell. */
export function countAlarms(
  prepared: PreparedCell,
  seed: number,
  index: number,
  from: number,
  to: number,
  watchers: (prepared: PreparedCell) => Watcher[] = watchersOf,
): number[] {
  const alarms = watchers(prepared).map(() => 0);
  for (let run = from; run < to; run += 1) {
    const own = seedOf(seed, index, run);
    for (const [at, stopped] of walk(prepared.prepared, createRandom(own), own, watchers(prepared)).entries())
      if (stopped > 0) alarms[at] = (alarms[at] ?? 0) + 1;
  }
  return alarms;
}

const arrivals = ['fixed', 'ramp', 'sticky'] as const;
export const allCells: readonly Cell[] = (['binary', 'zero-inflated', 'lognormal'] as const).flatMap((outcome) =>
  (outcome === 'lognormal' ? [1] : rates).flatMap((rate) =>
    shares.flatMap((share) => arrivals.map((arrival): Cell => ({ outcome, rate, share, arrival }))),
  ),
);
/** The sample ratio asks who comes, not what happens to them. */
export const ratioCells: readonly Cell[] = shares.flatMap((share) =>
  (['fixed', 'ramp'] as const).map((arrival): Cell => ({ outcome: 'ratio', rate: 0.5, share, arrival })),
);

export const boundOf = (engine: string): number => (engine === 'sample-ratio at .001' ? 0.001 : alpha);
export const nameOf = ({ outcome, rate, share, arrival }: Cell): string =>
  [
    outcome === 'ratio' ? 'arms' : outcome === 'lognormal' ? outcome : `${outcome} ${100 * rate}%`,
    `share ${100 * share}%`,
    arrival,
  ].join(', ');
