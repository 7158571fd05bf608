/**
 * `npm run fault -- --seconds 600 --seed N`: trials of every kind, in turn, until the time is over; one table. Exit 1 when a number was wrong, or when a
 * broken build was not caught by any seed. `--memory` leaves broker and engine out.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbedded } from '../../infra/embedded/index.ts';
import { table } from '../../services/cli/terminal.ts';
import { createStore } from '../../services/runtime/clickhouse-client.ts';
import { buildOf, mutations, shipped } from './memory/build.ts';
import { runStagesTrial } from './memory/stages.ts';
import { runTokenOnlyTrial } from './memory/token-only.ts';
import { runTrial } from './memory/trial.ts';
import { faults } from './real/faults.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '120' }, seed: { type: 'string', default: '1' }, memory: { type: 'boolean', default: false } } });
const seconds = Number(values.seconds);
const firstSeed = Number(values.seed);
if (!(seconds > 0) || !Number.isInteger(firstSeed)) throw new RangeError('--seconds is a number above 0, --seed a whole number');
const began = Date.now();
const elapsed = (): number => (Date.now() - began) / 1_000;
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';

type Row = { readonly fault: string; readonly what: string; trials: number; wrong: number; readonly notes: Map<string, number>; seconds: number };
const rows = new Map<string, Row>();
const rowOf = (fault: string, what: string): Row => {
  const known = rows.get(what) ?? { fault, what, trials: 0, wrong: 0, notes: new Map<string, number>(), seconds: 0 };
  rows.set(what, known);
  return known;
};
const note = (row: Row, counts: Readonly<Record<string, number>>): void => {
  for (const [name, count] of Object.entries(counts)) row.notes.set(name, (row.notes.get(name) ?? 0) + count);
};
/** What went wrong is shown at once, with the seed that repeats it. */
const took = (row: Row, seed: number, wrong: readonly string[], ms: number, expected = false): void => {
  row.trials += 1;
  row.seconds += ms / 1_000;
  if (wrong.length === 0) return;
  row.wrong += 1;
  if (!expected) console.log(`WRONG  ${row.what}, seed ${seed}: ${wrong.slice(0, 3).join(' | ')}`);
};

const broken: { readonly name: string; readonly run: (seed: number) => Promise<readonly string[]> }[] = [{ name: 'token only', run: async (seed) => runTokenOnlyTrial(seed).wrong }];
const disposals: (() => void)[] = [];
for (const mutation of mutations) {
  const { build, dispose } = await buildOf(mutation);
  disposals.push(dispose);
  broken.push({ name: mutation.name, run: async (seed) => (await runTrial(seed, build)).wrong });
}

/** A round of everything that needs neither broker nor engine: 20 seeds of the fold, 4 of the stages, 4 of each broken build. */
async function memoryRound(round: number): Promise<void> {
  const fold = rowOf('1 3 5 6', 'fold and store in memory: crashes, lost replies, late writes, disorder');
  for (let index = 0; index < 20; index += 1) {
    const seed = firstSeed + round * 20 + index;
    const at = Date.now();
    const { wrong, faults: counts } = await runTrial(seed, shipped, 1 + (seed % 4));
    took(fold, seed, wrong, Date.now() - at);
    note(fold, counts);
  }
  const stages = rowOf('1 3 4 5 6', 'running stages in memory: rebalances, kills, zombies, lost replies');
  for (let index = 0; index < 4; index += 1) {
    const seed = firstSeed + round * 4 + index;
    const at = Date.now();
    const { wrong, faults: counts } = await runStagesTrial(seed);
    took(stages, seed, wrong, Date.now() - at);
    note(stages, counts);
  }
  for (const { name, run } of broken) {
    for (let index = 0; index < 4; index += 1) {
      const at = Date.now();
      const seed = firstSeed + round * 4 + index;
      took(rowOf('broken', name), seed, await run(seed), Date.now() - at, true);
    }
  }
}

const memoryShare = values.memory ? 1 : 0.3;
let rounds = 0;
while (elapsed() < seconds * memoryShare || rounds < 3) {
  await memoryRound(rounds);
  rounds += 1;
}
for (const dispose of disposals) dispose();

let parts = '';
if (!values.memory) {
  const home = mkdtempSync(join(tmpdir(), 'tripline-fault-'));
  const stack = await startEmbedded({ home });
  try {
    for (let seed = firstSeed; elapsed() < seconds; seed += 1) {
      for (const fault of faults) {
        if (elapsed() >= seconds) break;
        const at = Date.now();
        const result = await fault.run({ stack, home, seed });
        const row = rowOf(String(fault.row), fault.name);
        took(row, seed, result.wrong, Date.now() - at);
        for (const [, count, name] of result.note.matchAll(/([\d.]+) (?:of \d+ )?([a-z][a-z -]*)/g)) note(row, { [name ?? '']: Number(count) });
      }
    }
    const store = await createStore({ url: stack.clickhouseUrl, database: 'default' });
    const [count] = await store.rows<{ n: string; most: string }>("SELECT toString(count()) AS n, toString(max(c)) AS most FROM (SELECT database, count() AS c FROM system.parts WHERE active AND table = 'state' GROUP BY database)");
    parts = `${count?.n} worlds on one engine; active parts of table state at most ${count?.most}`;
    await store.close();
  } finally {
    await stack.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

const all = [...rows.values()];
const honest = all.filter(({ fault }) => fault !== 'broken');
console.log(table([
  ['fault', 'what', 'trials', 'wrong', 'seconds', 'what happened'],
  ...honest.map((row) => [row.fault, row.what, String(row.trials), String(row.wrong), row.seconds.toFixed(0), [...row.notes].map(([name, count]) => `${Math.round(count * 10) / 10} ${name}`).join(', ')]),
  ...all.filter(({ fault }) => fault === 'broken').map((row) => ['broken', row.what, String(row.trials), `caught in ${row.wrong} of ${row.trials}`, row.seconds.toFixed(0), '']),
]));
const trials = honest.reduce((sum, row) => sum + row.trials, 0);
const wrong = honest.reduce((sum, row) => sum + row.wrong, 0);
const missed = all.filter(({ fault, wrong: caught }) => fault === 'broken' && caught === 0).map(({ what }) => what);
console.log(`${trials} fault trials, ${wrong} wrong; ${all.length - honest.length - missed.length} of ${all.length - honest.length} broken builds caught${missed.length > 0 ? `, missed: ${missed.join(', ')}` : ''}; seed ${firstSeed}, ${elapsed().toFixed(0)} s${parts === '' ? '' : `; ${parts}`}`);
process.exit(wrong === 0 && missed.length === 0 ? 0 : 1);
