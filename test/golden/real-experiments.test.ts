/**
 * Real experiments: ab/ in TRIPLINE_TEST_DATA. Upworthy's headline tests, whose authors report broken randomisation
 * from June 2013 to January 2014 (a cache served one arm), and the Open Bandit log, 46 clicks in 10,000 in each policy.
 * `known_answers.json` holds what a fixed-sample analysis says, weeks named there are the broken ones.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  countsInterval,
  designRatios,
  designRatioWeights,
  growthbookFixed,
  hardKillAlpha,
  logEOfCounts,
  logEOfFirstEvents,
  logEOfRatio,
  momentsOfRate,
  type Outcome,
  type RatioRevision,
  scoreGates,
  stratifiedScore,
} from '../../services/statistics/index.ts';
import { realData } from '../support/real-data.ts';

const folder = realData();
const number = (outcome: Outcome): number => (outcome.ok ? outcome.logE : Number.NaN);

/** Rows of a CSV with quoted fields. */
function csv(name: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  let [field, isQuoted] = ['', false];
  const text = gunzipSync(readFileSync(`${folder}/ab/${name}`)).toString('utf8');
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (isQuoted && char === '"' && text[at + 1] === '"') {
      field += char;
      at += 1;
    } else if (char === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (char === ',' || char === '\n')) {
      rows.at(-1)?.push(field);
      field = '';
      if (char === '\n') rows.push([]);
    } else if (isQuoted || char !== '\r') field += char;
  }
  const [header = [], ...body] = rows;
  return body
    .filter((row) => row.length === header.length)
    .map((row) => Object.fromEntries(header.map((key, column) => [key, row[column] ?? ''])));
}
const known =
  folder === undefined
    ? {}
    : (JSON.parse(readFileSync(`${folder}/ab/known_answers.json`, 'utf8')) as Record<string, Record<string, unknown>>);

describe.skipIf(folder === undefined)('Upworthy: sample ratio on impressions, equal shares', () => {
  const name = Object.keys(known).find((key) => key.startsWith('upworthy')) ?? '';
  const rows = name === '' ? [] : csv(name);
  const tests = new Map<string, { readonly week: number; readonly counts: number[] }>();
  for (const row of rows) {
    const id = row['clickability_test_id'] ?? '';
    const seen = tests.get(id) ?? { week: Number(row['test_week']), counts: [] };
    seen.counts.push(Number(row['impressions']));
    tests.set(id, seen);
  }
  const epochOf = ({ counts }: { readonly counts: readonly number[] }): RatioRevision => ({
    counts,
    shares: counts.map(() => 1 / counts.length),
  });
  const isBroken = ({ week }: { readonly week: number }): boolean => week >= 201325 && week <= 201401;
  const judged = [...tests.values()].filter(({ counts }) => counts.length > 1);
  const flagged = (group: typeof judged, alpha: number): number =>
    group.filter((given) => number(logEOfRatio([epochOf(given)])) >= -Math.log(alpha)).length;
  const [broken, sound] = [judged.filter(isBroken), judged.filter((given) => !isBroken(given))];

  test('the file is the one the known answers were computed from', () => {
    expect([rows.length, tests.size, rows.reduce((sum, row) => sum + Number(row['impressions']), 0)]).toEqual([
      known[name]?.['rows'],
      known[name]?.['tests'],
      known[name]?.['impressions'],
    ]);
  });
  test('every week of broken randomisation with 3 tests or more is flagged at 0.001, a test a ramp revision', () => {
    const weeks = [...new Set(broken.map(({ week }) => week))]
      .map((week) => [week, broken.filter((given) => given.week === week)] as const)
      .filter(([, group]) => group.length >= 3);
    expect(weeks.length).toBeGreaterThan(20);
    for (const [week, group] of weeks)
      expect(number(logEOfRatio(group.map(epochOf))), `week ${week}`).toBeGreaterThanOrEqual(Math.log(1000));
  });
  test('so is every second test in them by itself', () =>
    expect(flagged(broken, 0.001)).toBeGreaterThan(0.5 * broken.length));
  // At 0.001 the sound weeks hold real faults too (one arm served 13 times as often as the other eight): compatible
  // with the rate, not below it.
  test.each([0.05, 0.01])('of the other weeks no more tests than the nominal rate of %f', (alpha) =>
    expect(flagged(sound, alpha) / sound.length).toBeLessThanOrEqual(alpha),
  );
  test('and at 0.001 no more than chance allows', () => {
    const tail = hardKillAlpha(Math.max(1, flagged(sound, 0.001)), sound.length, 0.001);
    expect(tail.ok && tail.alpha).toBeGreaterThan(0.05);
  });
});

describe.skipIf(folder === undefined)('Open Bandit: no effect, no decision at any row', () => {
  const name = Object.keys(known).find((key) => key.startsWith('obd')) ?? '';
  const rows = name === '' ? [] : csv(name);
  const click = (known[name]?.['click'] ?? {}) as { A: [number, number]; B: [number, number] };
  const totals = { unitsA: 0, eventsA: 0, unitsB: 0, eventsB: 0 };
  const design = { center: 0.005, design: 0.001, variance: 0.005, tolerance: 0 };
  const grid = { ratios: designRatios(1.2), weights: designRatioWeights };
  let most = -Infinity;
  for (const row of rows) {
    const arm = row['policy'] === 'random' ? 'A' : 'B';
    totals[`units${arm}`] += 1;
    totals[`events${arm}`] += Number(row['click']);
    if (row['click'] !== '1' && (totals.unitsA + totals.unitsB) % 500 !== 0) continue;
    const epochs = [{ allocation: 0.5, ...totals }];
    for (const side of ['harm', 'win'] as const)
      most = Math.max(
        most,
        number(logEOfCounts({ ...design, side, epochs })),
        number(logEOfFirstEvents({ ...grid, side, epochs })),
      );
  }
  test('counts are the known ones', () =>
    expect([
      [totals.eventsA, totals.unitsA],
      [totals.eventsB, totals.unitsB],
    ]).toEqual([click.A, click.B]));
  test('no engine reaches 20 at any click or every 500 rows', () => expect(most).toBeLessThan(Math.log(20)));
  test('every form says so at the end', () => {
    const fixed = growthbookFixed(
      {
        kind: 'proportion',
        control: { units: totals.unitsA, sum: totals.eventsA },
        candidate: { units: totals.unitsB, sum: totals.eventsB },
      },
      { difference: 'absolute', alpha: 0.05 },
    );
    expect(fixed.ok && [fixed.estimate, fixed.p]).toEqual([0, 1]);
    const interval = countsInterval({ epochs: [{ allocation: 0.5, ...totals }], ...design, alpha: 0.05 });
    expect(interval.ok && interval.lower < 0 && interval.upper > 0).toBe(true);
    const [control, candidate] = [
      momentsOfRate(totals.unitsA, totals.eventsA),
      momentsOfRate(totals.unitsB, totals.eventsB),
    ];
    const score = control.ok && candidate.ok ? stratifiedScore([{ control, candidate }]) : undefined;
    expect(score?.ok && score.z).toBe(0);
    expect(
      scoreGates({
        kind: 'rate',
        side: 'win',
        allocation: 0.5,
        control: { units: totals.unitsA, events: totals.eventsA },
        candidate: { units: totals.unitsB, events: totals.eventsB },
      }),
    ).toEqual({ ok: true });
  });
});
