/** Files as they come: odd lines among good ones, long lines, and machines in other parts of the world. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readArrivals, tellOddLine } from '../../../services/replay/read-arrivals.ts';
import { summarizeOdd } from '../../../services/replay/park-lines.ts';
import { compileForApps, runApp } from '../../support/run-app.ts';

vi.setConfig({ testTimeout: 60_000 }); // processes, on a machine that does other work

const folder = mkdtempSync(join(tmpdir(), 'tripline-lines-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const call = (index: number, change: object = {}): string =>
  JSON.stringify({
    event_id: `e-${index}`,
    occurred_at: `2026-03-28 0${index}:10:00`,
    user_id: `u-${index}`,
    experiment_id: 'odd',
    variant: 'control',
    model: 'm',
    status: 'success',
    ...change,
  });
const bought = (index: number, change: object = {}): string =>
  JSON.stringify({
    outcome_id: `o-${index}`,
    entity_id: `T-${index}`,
    kind: 'purchase',
    value: 1,
    occurred_at: `2026-03-28T0${index}:40:00Z`,
    ...change,
  });
function files(events: readonly string[], outcomes: readonly string[] = []) {
  const names = { eventsFile: join(folder, 'events.jsonl.gz'), outcomesFile: join(folder, 'outcomes.jsonl') };
  writeFileSync(names.eventsFile, gzipSync(events.join('\n')));
  writeFileSync(names.outcomesFile, outcomes.join('\r\n'));
  return { ...names, unitType: 'user' };
}

test('odd lines are named by file and number, and the others go on', async () => {
  const read = await readArrivals(
    files(
      [`\ufeff${call(0)}`, call(1, { token_in: 1.5 }), '', '{"event_id"', call(4), call(5, { token_in: 2.5 })],
      [bought(0), bought(1, { value: 'much' })],
    ),
  );
  expect(read.odd.map(tellOddLine)).toEqual([
    'events.jsonl.gz:2: token_in: a fraction, where a whole number belongs',
    'events.jsonl.gz:4: no JSON object',
    'events.jsonl.gz:6: token_in: a fraction, where a whole number belongs',
    'outcomes.jsonl:2: value: a text, where a number belongs',
  ]);
  expect([read.events, read.outcomes, read.arrivals.length]).toEqual([5, 2, 3]);
  expect(summarizeOdd(read.odd)).toMatchObject({
    lines: 4,
    causes: { 'token_in: a fraction, where a whole number belongs': 2, 'no JSON object': 1 },
    first: [{ file: 'events.jsonl.gz', line: 2, field: 'token_in' }, {}, {}, {}],
  });
});
test('a thousand odd lines: all are counted, the first are named', () => {
  const odd = Array.from({ length: 1_000 }, (_, index) => ({
    kind: 'inference' as const,
    file: 'e',
    line: index + 1,
    field: '',
    cause: 'no JSON object',
    text: '{',
  }));
  expect(summarizeOdd(odd)).toMatchObject({ lines: 1_000, causes: { 'no JSON object': 1_000 } });
  expect(summarizeOdd(odd).first.length).toBe(10);
});
test('no line that can be used: the first is named; a file that is cut off is no file', async () => {
  await expect(readArrivals(files([call(0, { occurred_at: 'soon' })]))).rejects.toThrow(
    /events\.jsonl\.gz:1: occurred_at: no time/,
  );
  const cut = files([call(0), call(1)]);
  writeFileSync(cut.eventsFile, gzipSync([call(0), call(1)].join('\n')).subarray(0, 40));
  await expect(readArrivals(cut)).rejects.toThrow(/events\.jsonl\.gz cannot be read/);
});
describe('a line too long for the log', () => {
  test.each([
    ['a prompt of 1.2 MB', { prompt: 'x'.repeat(1_200_000) }],
    ['a prompt and an answer', { prompt: 'x'.repeat(700_000), response: 'y'.repeat(600_000) }],
  ])('%s: the call without it', async (_name, change) => {
    const read = await readArrivals(files([call(0, { ...change, status: 'error', token_in: 1500 })]));
    expect(read.first).toMatchObject({ event: { status: 'error', token_in: 1500, prompt: '[TOO_LARGE]' } });
    expect(read.textsLeftOut).toBe(1);
  });
  test('what is long and not read leaves nothing out; a name that is long cannot be left out', async () => {
    const long = 'x'.repeat(1_200_000);
    const read = await readArrivals(
      files([call(0, { note: long, prompt: 'q' }), call(1, { model: long })], [bought(0, { note: long })]),
    );
    expect(read.first).toMatchObject({ event: { prompt: 'q' } });
    expect([read.arrivals.length, read.textsLeftOut]).toEqual([2, 0]);
    expect(read.odd).toMatchObject([{ line: 2, cause: expect.stringContaining('longer than 1000000 bytes') }]);
  });
});

describe('times do not depend on the machine', () => {
  beforeAll(compileForApps, 120_000);
  test.each(['UTC', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia'])('%s', async (zone) => {
    // The hour that New York does not have in this year's spring, and those around it.
    const hours = ['2026-03-08 01:30:00', '2026-03-08 02:30:00', '2026-03-08 03:30:00'];
    const { eventsFile } = files(hours.map((at, index) => call(index, { occurred_at: at, ingested_at: at })));
    const { said } = await runApp(
      `import { readArrivals } from './dist/services/replay/read-arrivals.js';
      const { arrivals } = await readArrivals({ eventsFile: ${JSON.stringify(eventsFile)}, unitType: 'user' });
      console.log(JSON.stringify(arrivals.map(({ arrivedAt, event }) => [arrivedAt, event.occurred_at])));`,
      { TZ: zone },
    );
    const expected = [1, 2, 3].map((hour) => Date.UTC(2026, 2, 8, hour, 30));
    expect(JSON.parse(said)).toEqual(expected.map((at) => [at, at]));
  });
});
