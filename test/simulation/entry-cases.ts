/** The cells of `npm run simulate -- --only missing|ratios|margins`, and what a run of one comes to. */
import type { TestSums } from '../../services/kernel/evidence.ts';
import { momentsOf } from '../../services/statistics/agreement.ts';
import { stratifiedScore } from '../../services/statistics/math/score.ts';
import {
  callMetric,
  marginMetric,
  marginUnits,
  type MissingCell,
  missingUnits,
  type RatioCell,
  ratioMetric,
  ratioUnits,
  reversalMetric,
  reversalUnits,
} from './entry-models.ts';
import { type EntryPlan, type EntryRun, runsOf } from './entry-walk.ts';

export type EntryCase =
  | { readonly kind: 'promotion' | 'rollback' | 'lost' | 'doubled'; readonly cell: MissingCell }
  | { readonly kind: 'ratio' | 'power'; readonly cell: RatioCell }
  | { readonly kind: 'reversal' }
  | { readonly kind: 'margin'; readonly credit: number; readonly share: number };

const rates = [0.001, 0.01, 0.05, 0.2, 0.5];
const kinds = ['rate 10%', 'cost'] as const;
const cellsOf = (mechanisms: readonly MissingCell['mechanism'][], where: MissingCell['where']): MissingCell[] =>
  mechanisms.flatMap((mechanism) =>
    rates.flatMap((rate) =>
      kinds.map((kind) => ({ mechanism, rate, kind, calls: kind === 'cost' ? 3 : 1, q: 0.5, where })),
    ),
  );
const random = (rate: number, calls: number, factor: number): MissingCell => ({
  mechanism: 'at random',
  rate,
  kind: 'rate 10%',
  calls,
  q: 0.5,
  where: 'both',
  factor,
});
const lost = (q: number): MissingCell => ({ ...random(0.2, 1, 1), mechanism: 'crashed', where: 'candidate', q });

export const missingCases: readonly EntryCase[] = [
  ...cellsOf(['at random', 'by outcome', 'by time', 'not called'], 'candidate').map(
    (cell) => ({ kind: 'promotion', cell }) as const,
  ),
  ...cellsOf(['at random', 'by outcome', 'by time'], 'both').map((cell) => ({ kind: 'rollback', cell }) as const),
  ...[0.5, 0.2, 0.05].map((q) => ({ kind: 'lost', cell: lost(q) }) as const),
  ...[1, 3].flatMap((calls) => [0, 0.05].map((rate) => ({ kind: 'doubled', cell: random(rate, calls, 2) }) as const)),
];

const denominators = [0.5, 0.75, 1, 1.5, 2];
const correlations = ['no', 'rate', 'size'] as const;
export const ratioCases: readonly EntryCase[] = [
  ...denominators.flatMap((times) =>
    correlations.flatMap((correlated) =>
      (['rate 10%', 'rate 40%'] as const).flatMap((kind) =>
        [1, 0.8].map(
          (baseline) => ({ kind: 'ratio', cell: { denominators: times, correlated, kind, baseline } }) as const,
        ),
      ),
    ),
  ),
  ...denominators.flatMap((times) =>
    (['rate 40%', 'cost'] as const).map(
      (kind) =>
        ({ kind: 'power', cell: { denominators: times, correlated: 'no', kind, baseline: 1, factor: 1.2 } }) as const,
    ),
  ),
  { kind: 'reversal' },
];
export const marginCases: readonly EntryCase[] = [0, 0.1, 0.25, 0.5, 1].map((share) => ({
  kind: 'margin',
  credit: 38,
  share,
}));
export const entryCases: readonly EntryCase[] = [...missingCases, ...ratioCases, ...marginCases];

const planOf = (of: EntryCase): EntryPlan => {
  switch (of.kind) {
    case 'promotion':
    case 'rollback':
      return { metric: callMetric(of.cell.kind), q: of.cell.q, units: 1_500, draw: missingUnits(of.cell) };
    case 'lost':
      return {
        metric: callMetric('rate 10%'),
        q: of.cell.q,
        units: 8_000,
        draw: missingUnits(of.cell),
        untilLost: true,
      };
    case 'doubled':
      return { metric: callMetric('rate 10%'), q: 0.5, units: 5_000, draw: missingUnits(of.cell), untilHarm: true };
    case 'ratio':
      return { metric: ratioMetric(of.cell), q: 0.5, units: 1_500, draw: ratioUnits(of.cell) };
    case 'power':
      // So many that a z-test at the end finds more than nine of ten: a test at every look needs more than it for less.
      return { metric: ratioMetric(of.cell), q: 0.5, units: 1_400, draw: ratioUnits(of.cell) };
    case 'reversal':
      return { metric: reversalMetric, q: 0.5, units: 3_000, draw: reversalUnits };
    case 'margin':
      return { metric: marginMetric(-31.5), q: 0.5, units: 3_000, draw: marginUnits(of.credit, of.share) };
    default:
      return of satisfies never;
  }
};

/** Of a run: units until an alarm of harm and of a win, candidate's units until lost calls, a fixed test's verdict. */
export type EntryResult = readonly [harm: number, win: number, lost: number, fixed: number];

/** The z-test of the ratio at the end of the run, one-sided 5%, on the same sums. */
function fixedTest([control, candidate]: readonly [TestSums, TestSums]): number {
  const [a, b] = [momentsOf(control), momentsOf(candidate)];
  if (!a.ok || !b.ok) return 0;
  const score = stratifiedScore([{ control: a, candidate: b }]);
  return score.ok && score.z >= 1.6449 ? 1 : 0;
}

export function entryResults(index: number, seed: number, from: number, to: number): EntryResult[] {
  const of = entryCases[index];
  if (of === undefined) throw new RangeError(`no case ${index}`);
  // With and without missing values the same units: their streams differ in nothing but what is hidden.
  const stream = of.kind === 'doubled' ? -of.cell.calls : index;
  return runsOf(planOf(of), [seed, 77, stream], from, to).map(
    ({ harm, win, lost: found, sums }: EntryRun): EntryResult => [harm, win, found, fixedTest(sums)],
  );
}
