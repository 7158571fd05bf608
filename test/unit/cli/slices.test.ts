/** What people read of slices, as a golden: sentence, rows worst first, a reversal, what was left out. */
import { expect, test } from 'vitest';
import { promotionLines, type SliceReport, sliceLines } from '../../../services/cli/slice-lines.ts';
import { findReversals, findSlices, type SliceSums } from '../../../services/statistics/index.ts';
import { aSlice, oneCallEach, sumsOfUnits } from '../../support/slice-sums.ts';

const metrics = [{ id: 'solved', better: 'higher' as const }];
const reportOf = (sums: readonly SliceSums[], change: Partial<SliceReport> = {}): SliceReport => {
  const names = [...new Set(sums.map(({ slice }) => slice).filter(Boolean))];
  return {
    experiment: 'exp-test',
    phase: 1,
    asOf: 'decision',
    control: 'A',
    metrics: [{ id: 'solved', ofOutcomes: false }],
    names: names.map((name) => ({ name, values: 3, distinctValues: 3 })),
    distinctNames: names.length,
    missing: { of: 'calls', arms: {} },
    candidates: [
      {
        candidate: 'B',
        ...findSlices(sums, metrics, 'A', 'B'),
        reversals: findReversals(sums, metrics, 'A', 'B'),
      },
    ],
    ...change,
  };
};

const promotionOf = (report: SliceReport) => promotionLines({ ok: true, report });
const cell = (arm: string, value: string, units: number, events: number, unknown = 0): SliceSums =>
  sumsOfUnits({ metric: 'solved', arm, slice: 'tier', kind: 'value', value, unknown }, oneCallEach(units, events));
const reversed = aSlice('solved', 'difficulty', {
  A: { easy: oneCallEach(2_000, 1_800), hard: oneCallEach(8_000, 4_800) },
  B: { easy: oneCallEach(8_000, 6_880), hard: oneCallEach(2_000, 1_100) },
});
const fine = [cell('A', 'free', 2_000, 1_000), cell('B', 'free', 2_100, 1_060), cell('A', 'trial', 90, 40)];
const told = [
  ...fine,
  cell('A', '\u001b[2Jlong '.repeat(9), 900, 90, 400),
  cell('B', '\u001b[2Jlong '.repeat(9), 900, 90),
  cell('B', 'trial', 80, 41, 20),
  cell('A', 'staff', 300, 100),
  cell('B', 'staff', 0, 0, 310),
];

const left = reportOf(fine, {
  metrics: [{ id: 'solved', ofOutcomes: true }],
  names: [{ name: 'tier', values: 10, distinctValues: 31 }],
  distinctNames: 9,
  missing: { of: 'calls', arms: { A: 3, B: 0 } },
});

test.each<[string, readonly string[]]>([
  ['slices: worst first, what is unknown, a reversal', sliceLines(reportOf([...reversed, ...told]))],
  ['slices: nothing worse, and what was left out', sliceLines(left)],
  ['slices: no call names one', sliceLines(reportOf([]))],
  ['explain: the slices in which the candidate is worse', promotionOf(reportOf([...reversed, ...told]))],
  ['explain: none, and what could not be told', promotionOf(reportOf(fine))],
  ['explain: why it could not be looked at', promotionLines({ ok: false, reason: 'the store is away' })],
])('%s', async (name, lines) => {
  expect(lines.join('')).not.toContain('\u001b');
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(
    `../../golden/slice-lines/${name.replaceAll(/\W+/g, '-')}.txt`,
  );
});
