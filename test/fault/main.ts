/**
 * `npm run fault -- --seeds 20`: every kind of trial with so many seeds; `--seconds 600`: in turn until the time is
 * over. One table. Exit 1 when a number was wrong, or when a broken build was not caught by any seed. `--soak 1200`:
 * the soak instead.
 *   --seed N    the first seed, 1
 *   --parallel N   stacks side by side, 2
 *   --rate N    events a second of the soak, twice nominal
 *   --memory    without broker and engine
 *   --only TEXT real trials whose name contains it, nothing else
 */
import { parseArgs } from 'node:util';
import { createRounds, roundsFor } from './memory/rounds.ts';
import { faults } from './real/faults.ts';
import { runInParallel, type Trial } from './real/parallel.ts';
import { nominal, runSoak } from './soak/soak.ts';
import { createTrialCounts } from './trial-counts.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    seeds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    parallel: { type: 'string', default: '2' },
    memory: { type: 'boolean', default: false },
    only: { type: 'string' },
    soak: { type: 'string' },
    rate: { type: 'string', default: String(2 * nominal) },
  },
});
const number = (name: 'seconds' | 'seeds' | 'seed' | 'parallel' | 'soak' | 'rate', least: number): number => {
  const given = Number(values[name]);
  if (!(given >= least) || (name !== 'seconds' && name !== 'soak' && !Number.isInteger(given)))
    throw new RangeError(`--${name} is a number of at least ${least}`);
  return given;
};
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
const began = performance.now();
const elapsed = (): number => (performance.now() - began) / 1_000;
const firstSeed = number('seed', 0);
if (values.soak !== undefined)
  process.exit(
    (await runSoak({ seconds: number('soak', 60), seed: firstSeed, rate: number('rate', 1), print: console.log }))
      ? 0
      : 1,
  );

const seeds = values.seeds === undefined ? undefined : number('seeds', 1);
const seconds = seeds === undefined ? (values.seconds === undefined ? 120 : number('seconds', 1)) : Infinity;
const person = process.stderr.isTTY === true;
/** One line that is written over for a person, a line of its own for a file. */
const progress = (text: string): void => void process.stderr.write(person ? `\r\u001b[K${text}` : `${text}\n`);
const counts = createTrialCounts((line) => console.log(person ? `\r\u001b[K${line}` : line));
let stray = 0;
process.on('unhandledRejection', (error) => {
  stray += 1;
  console.log(`WRONG  nobody heard: ${error instanceof Error ? error.message : String(error)}`);
});

if (values.only === undefined) {
  const rounds = await createRounds(counts, firstSeed);
  const share = values.memory ? 1 : 0.3;
  const least = seeds === undefined ? 3 : roundsFor(seeds);
  for (let round = 0; round < least || (seeds === undefined && elapsed() < seconds * share); round += 1) {
    await rounds.run(round);
    progress(
      `in memory: round ${round + 1}, ${counts.trials} trials, ${counts.wrong} wrong, ${elapsed().toFixed(0)} s`,
    );
  }
  rounds.dispose();
}

if (!values.memory) {
  const wanted = faults.filter(({ name }) => name.includes(values.only ?? ''));
  let taken = 0;
  const next = (): Trial | undefined => {
    const [round, index] = [Math.floor(taken / wanted.length), taken % wanted.length];
    const fault = wanted[index];
    if (fault === undefined || round >= (seeds ?? Infinity) || elapsed() >= seconds) return undefined;
    taken += 1;
    return { fault, seed: firstSeed + round };
  };
  const total = seeds === undefined ? '' : ` of ${seeds * wanted.length}`;
  let over = 0;
  await runInParallel({
    parallel: number('parallel', 1),
    next,
    done: ({ fault, seed }, result, ms) => {
      over += 1;
      counts.took({ fault: String(fault.row), what: fault.name, seed, ms, ...result });
      const sum = `real: ${over}${total}, ${counts.wrong} wrong, ${elapsed().toFixed(0)} s`;
      progress(`${sum}; ${fault.row} ${fault.name}, seed ${seed}: ${(ms / 1_000).toFixed(1)} s`);
    },
  });
}
if (person) progress('');
console.log(`${counts.text()}; seed ${firstSeed}, ${elapsed().toFixed(0)} s`);
process.exit(counts.wrong + stray === 0 && counts.missed.length === 0 ? 0 : 1);
