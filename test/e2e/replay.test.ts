/**
 * Replays on real parts: the same file gives the same totals to the last digit, whatever the partitions, the speed, or
 * what is killed on the way.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { type EmbeddedStack, startEmbedded } from '../../infra/embedded/index.ts';
import { readExperimentFile } from '../../services/cli/read-file.ts';
import { parseExperimentFile } from '../../services/control/index.ts';
import { replay, type ReplayOptions, type ReplaySummary } from '../../services/replay/index.ts';
import { createKafka } from '../../services/runtime/kafka-log.ts';
import { systemClock } from '../../services/runtime/system-clock.ts';
import { topicName } from '../../services/runtime/topics.ts';
import { anExperimentFile } from '../support/build.ts';
import { realData } from '../support/real-data.ts';
import { writeScenario } from '../support/scenario-files.ts';
import { metricLines } from '../support/metric-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'tripline-replay-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = anExperimentFile({
  metrics: metricLines([
    { id: 'error_rate', harm: '+0.05', baseline: { mean: 0.06, sd: 0.24 }, cap: 1 },
    { id: 'cost', numerator: 'cost_nano_usd', harm: '+30%', baseline: { mean: 2500, sd: 1500 }, cap: 5000 },
    {
      id: 'reopen_rate',
      role: 'goal',
      numerator: 'any(ticket_reopened)',
      denominator: 'any(ticket_resolved)',
      window: '72h',
      harm: '+0.1',
      baseline: { mean: 0.2, sd: 0.4 },
      cap: 1,
    },
  ]),
});
const parsed = parseExperimentFile(file, 'test');
if (!parsed.ok) throw new Error("the test's own experiment is wrong");
const scenario = writeScenario(folder, parsed.spec, { users: 120, calls: 3_000, seed: 3 });

const run = (change: Partial<ReplayOptions>): Promise<ReplaySummary> =>
  replay({
    ...inject('addresses'),
    run: randomBytes(4).toString('hex'),
    spec: parsed.spec,
    configSha: parsed.sha,
    eventsFile: scenario.events,
    outcomesFile: scenario.outcomes,
    partitions: 4,
    observe: true,
    lookEvery: 0,
    speed: Number.POSITIVE_INFINITY,
    pseudonymKey: Buffer.alloc(32, 2),
    clock: systemClock,
    ...change,
  });
const sorted = (totals: ReplaySummary['totals']) =>
  [...totals]
    .map(({ arm, metric, units, numerator, denominator }) => ({ arm, metric, units, numerator, denominator }))
    .sort((a, b) => `${a.metric}${a.arm}`.localeCompare(`${b.metric}${b.arm}`));
const holds = (summary: ReplaySummary): void => {
  expect(sorted(summary.totals)).toEqual(sorted(scenario.expected));
  expect([summary.events.folded, summary.recount, summary.events.parked]).toEqual([scenario.unique, 'equal', 0]);
};

describe('one file', () => {
  test.each([
    ['1 partition', { partitions: 1 }],
    ['4 partitions', {}],
    ['8 partitions', { partitions: 8 }],
    ['in lockstep', { lookEvery: 500 }],
    ['at 200,000 times its clock', { speed: 200_000 }],
  ])("%s: the recount's totals", async (_name, change) => holds(await run(change)));
});

describe('broker and engine stopped and started again in the middle', () => {
  test('the replay goes on by itself and every total is exact', async () => {
    const home = join(folder, 'faults');
    const lines: string[] = [];
    const stack: EmbeddedStack = await startEmbedded({ home, onLine: (line) => lines.push(line) });
    try {
      const faults: (() => Promise<void>)[] = [
        async () => {
          await stack.stopPart('store');
          await stack.startPart('store');
        },
        () => stack.killPart('store'),
        async () => {
          await stack.stopPart('broker');
          await stack.startPart('broker');
        },
        () => stack.killPart('broker'),
      ];
      let next = 0;
      const running: Promise<void>[] = [];
      const summary = await run({
        ...stack,
        speed: 20_000, // about 11 s of sending
        onProgress: ({ sent, lines: all }) => {
          const fault = faults[next];
          if (fault === undefined || sent < (all * (next + 1)) / 6) return;
          next += 1;
          running.push(Promise.all(running.slice(-1)).then(fault));
        },
      });
      await Promise.all(running);
      expect(next).toBe(4);
      expect(lines.filter((line) => line.includes('ended unexpectedly')).length).toBeGreaterThanOrEqual(2);
      holds(summary);
    } finally {
      await stack.stop();
    }
  });
});

test('lines that cannot be used are named, parked and counted, and the others go on', async () => {
  const odd = { events: join(folder, 'odd.jsonl'), outcomes: join(folder, 'odd-outcomes.jsonl') };
  const events = readFileSync(scenario.events, 'utf8').split('\n');
  const spoilt = (line: string, change: object): string => JSON.stringify({ ...JSON.parse(line), ...change });
  const [first = '', second = '', third = ''] = events;
  const bad = [spoilt(first, { token_in: 1.5 }), spoilt(second, { occurred_at: '2500-01-01T00:00:00Z' }), '{'];
  writeFileSync(odd.events, [...bad, ...events, spoilt(third, { event_id: 7, user_id: 10_007 })].join('\n'));
  writeFileSync(odd.outcomes, `${readFileSync(scenario.outcomes, 'utf8')}\n{"outcome_id":"o"}`);
  const told: unknown[] = [];
  const summary = await run({
    eventsFile: odd.events,
    outcomesFile: odd.outcomes,
    onUnused: ({ lines }, read) => told.push([lines, read]),
  });
  expect(summary.unused.first.map(({ file, line, field }) => [file, line, field])).toEqual([
    ['odd.jsonl', 1, 'token_in'],
    ['odd.jsonl', 2, 'occurred_at'],
    ['odd.jsonl', 3, ''],
    ['odd-outcomes.jsonl', summary.outcomes.read, 'occurred_at'],
  ]);
  expect(told).toEqual([[4, summary.events.read + summary.outcomes.read]]);
  expect([summary.events.parked, summary.outcomes.parked, summary.unused.lines]).toEqual([3, 1, 4]);
  // The call of the numeric user is one more than the scenario's own.
  expect([summary.events.folded, summary.recount]).toEqual([scenario.unique + 1, 'equal']);
  const log = createKafka({ brokers: inject('addresses').brokers, clientId: 'test' });
  const parked = await log.readToEnd(topicName(summary.run.prefix, 'parked.v1'));
  await log.close();
  expect(parked.map(({ headers, value }) => [headers['x-topic'], headers['x-offset'], value?.toString()])).toEqual([
    ['odd.jsonl', '1', bad[0]],
    ['odd.jsonl', '2', bad[1]],
    ['odd.jsonl', '3', '{'],
    ['odd-outcomes.jsonl', String(summary.outcomes.read), '{"outcome_id":"o"}'],
  ]);
});

test('a file without a line that can be used names the first; one with five mistakes changes nothing', async () => {
  const broken = join(folder, 'broken.jsonl');
  writeFileSync(broken, '{"event_id":"x"}\n');
  await expect(run({ eventsFile: broken })).rejects.toThrow(/broken\.jsonl:1: occurred_at/);
  const wrong = join(folder, 'wrong.yaml');
  writeFileSync(
    wrong,
    file
      .replace('unit: user', 'unit: users')
      .replace('numerator: errors', 'numerator: errorz')
      .replace('window: 1h', 'window: soon')
      .replace('weight: 50 }', 'weight: 0 }')
      .replace('harm: +30%', 'harm: much'),
  );
  expect(() => readExperimentFile(wrong)).toThrow(/5 problems, nothing was changed/);
});

const data = realData();
describe.skipIf(data === undefined)('real scenarios, judged by check-replay where it is at hand', () => {
  const check = (name: string, summary: ReplaySummary, args: readonly string[]): void => {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify(summary));
    const tool = resolve(data ?? '', '../tools/check-replay.mjs');
    const at = (suffix: string): string => `${data}/scenarios/${name}.${suffix}`;
    const said = execFileSync(
      process.execPath,
      [
        tool,
        '--summary',
        path,
        '--experiment',
        at('experiment.yaml'),
        '--events',
        at('inference.jsonl.gz'),
        '--outcomes',
        at('outcomes.jsonl.gz'),
        ...args,
      ],
      { encoding: 'utf8' },
    );
    console.log(`${name}: ${said.trim().split('\n').join(' | ')}`);
    expect(said.trim().endsWith('PASS')).toBe(true);
  };
  const scenarioOf = (name: string): Partial<ReplayOptions> => {
    const { spec, sha } = readExperimentFile(`${data}/scenarios/${name}.experiment.yaml`);
    return {
      spec,
      configSha: sha,
      eventsFile: `${data}/scenarios/${name}.inference.jsonl.gz`,
      outcomesFile: `${data}/scenarios/${name}.outcomes.jsonl.gz`,
    };
  };
  test('d3-model-swap stops within 250 events', async () =>
    check('d3-model-swap', await run({ ...scenarioOf('d3-model-swap'), lookEvery: 100 }), [
      '--within',
      '250',
      '--metrics',
      'schema_invalid_rate,cost_per_request',
    ]));
  test('d1-aa decides nothing', async () => check('d1-aa', await run(scenarioOf('d1-aa')), ['--expect', 'none']));
  test('d2-tuesday rolls back within 700 events of the onset, in lockstep', async () => {
    const summary = await run({ ...scenarioOf('d2-tuesday'), lookEvery: 100 });
    expect(summary.decisions[0]?.restart).toContain('reply-v2');
    check('d2-tuesday', summary, [
      '--onset',
      '2016-03-22T09:00Z',
      '--within',
      '700',
      '--metrics',
      'cost_per_request,refusal_rate',
    ]);
  });
  test('d2-tuesday, obeyed: acknowledged, and candidate traffic stops', async () => {
    const summary = await run({ ...scenarioOf('d2-tuesday'), lookEvery: 200, observe: false });
    expect(summary.acks.map(({ new_coverage, result }) => [new_coverage, result])).toEqual([
      [100, 'applied'],
      [0, 'applied'],
    ]);
    expect(summary.events.skipped).toBeGreaterThan(1_000);
    expect(summary.events.folded).toBe(summary.events.unique);
  });
});
