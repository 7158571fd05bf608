/**
 * Fuzzes the redactor: `npm run fuzz -- --inputs 1000000 --seed 7 [--workers 2]`. Inputs of our own generator, and one
 * in twenty of fast-check's; laws in `laws.ts`; no call may take more than its budget of CPU time three times in a row.
 * Inputs come in shards of 20,000, each from a seed of its own, so that they are the same whatever the number of
 * workers (processes). Prints counts and seeds, and with `--show` every input that breaks a law. Exit code 1 when a law
 * is broken or a shard is not finished.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { defaultPolicy, type RedactionPolicy, redact } from '../../services/redaction/index.ts';
import { inputs } from './inputs.ts';
import { brokenLaw } from './laws.ts';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '7' },
    workers: { type: 'string', default: '1' },
    show: { type: 'boolean', default: false },
  },
});
const count = Number(values.inputs);
const seed = Number(values.seed);
const policies: readonly RedactionPolicy[] = [
  defaultPolicy,
  { ...defaultPolicy, names: false },
  { ...defaultPolicy, tokens: { kid: 'k1', key: Buffer.alloc(32, 1) } },
];
/** Milliseconds of CPU time a call may take: the bar of the cost cases. */
const budget = 100;
const perShard = 20_000;
const perBatch = 2_000;

type Broken = { readonly law: string; readonly times: number; readonly shortest: number };
type Report = { readonly done: number; readonly slowest: number; readonly broken: readonly Broken[] };

const milliseconds = (text: string, policy: RedactionPolicy): number => {
  const before = process.cpuUsage();
  redact(text, policy);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
};
const strange = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.json(),
  fc.webUrl(),
  fc.emailAddress(),
);

/** Shard seeds lie far apart: neighbours would make each other's batches again. */
function runShard(shard: number, most: number): Report {
  const shardSeed = seed + shard * 1_000_003;
  const broken = new Map<string, Broken>();
  const note = (law: string, text: string): void => {
    if (values.show) console.log(`broken: ${law} ${JSON.stringify(text)}`);
    const known = broken.get(law);
    broken.set(law, {
      law,
      times: (known?.times ?? 0) + 1,
      shortest: Math.min(known?.shortest ?? text.length, text.length),
    });
  };
  let slowest = 0;
  let done = 0;
  const judge = (text: string): void => {
    const policy = policies[done % policies.length] as RedactionPolicy;
    const started = performance.now();
    const law = brokenLaw(text, policy);
    if (law !== undefined) note(law, text);
    // Two calls and the parsing: only what is slow as a whole is measured by itself.
    if (performance.now() - started > budget / 4) {
      const took = Math.min(milliseconds(text, policy), milliseconds(text, policy), milliseconds(text, policy));
      slowest = Math.max(slowest, took);
      if (took > budget) note('no call over its budget', text);
    }
    done += 1;
  };
  const own = inputs(shardSeed);
  for (let batch = 0; done < most; batch += 1) {
    for (let index = 0; index < perBatch && done < most; index += 1) judge(own.next().value as string);
    for (const text of fc.sample(strange, { numRuns: Math.min(perBatch / 20, most - done), seed: shardSeed + batch }))
      judge(text);
  }
  return { done, slowest, broken: [...broken.values()] };
}

const shards = Math.ceil(count / perShard);
const sizeOf = (shard: number): number => Math.min(perShard, count - shard * perShard);
const total = { done: 0, slowest: 0, finished: 0, broken: new Map<string, Broken>() };
const slowestText = (): string => `slowest call above ${budget / 4} ms: ${total.slowest.toFixed(0)} ms`;
function add({ done, slowest, broken }: Report): void {
  total.done += done;
  total.finished += 1;
  total.slowest = Math.max(total.slowest, slowest);
  for (const { law, times, shortest } of broken) {
    const known = total.broken.get(law);
    total.broken.set(law, {
      law,
      times: times + (known?.times ?? 0),
      shortest: Math.min(shortest, known?.shortest ?? shortest),
    });
  }
  const brokenLaws = [...total.broken.values()].reduce((sum, { times }) => sum + times, 0);
  console.log(`${total.done.toLocaleString('en-US')} inputs, ${brokenLaws} broken laws, ${slowestText()}`);
}

/** Answers when every shard is done or every worker is gone. */
function runInWorkers(workers: number): Promise<unknown> {
  let next = 0;
  return Promise.all(
    Array.from(
      { length: Math.min(workers, shards) },
      () =>
        new Promise<void>((resolve) => {
          const worker = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
            env: { ...process.env, TRIPLINE_FUZZ_WORKER: '1' },
          });
          const feed = (): void => {
            if (next < shards) worker.send(next++);
            else worker.disconnect();
          };
          worker.on('message', (report) => {
            add(report as Report);
            feed();
          });
          worker.on('exit', () => resolve());
          feed();
        }),
    ),
  );
}

if (process.env['TRIPLINE_FUZZ_WORKER'] !== undefined)
  process.on('message', (shard) => process.send?.(runShard(shard as number, sizeOf(shard as number))));
else {
  if (Number(values.workers) > 1) await runInWorkers(Number(values.workers));
  else for (let shard = 0; shard < shards; shard += 1) add(runShard(shard, sizeOf(shard)));
  console.log(`${total.done.toLocaleString('en-US')} inputs of seed ${seed}; ${slowestText()}`);
  for (const { law, times, shortest } of total.broken.values())
    console.log(`broken ${times} times: ${law}; shortest input ${shortest} units`);
  if (total.finished < shards) console.log(`${shards - total.finished} shards were not finished: a worker ended`);
  if (total.broken.size > 0 || total.finished < shards) process.exitCode = 1;
}
