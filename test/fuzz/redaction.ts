/**
 * Fuzzes the redactor: `npm run fuzz -- --inputs 1000000 --seed 7`. Inputs of our own generator, and one in twenty of fast-check's; laws in
 * `laws.ts`; no call may take more than its budget of CPU time three times in a row. Prints counts and seeds, and with `--show` every input
 * that breaks a law. Exit code 1 when a law is broken.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { defaultPolicy, type RedactionPolicy, redact } from '../../services/redaction/index.ts';
import { inputs } from './inputs.ts';
import { brokenLaw } from './laws.ts';

const { values } = parseArgs({ options: { inputs: { type: 'string', default: '100000' }, seed: { type: 'string', default: '7' }, show: { type: 'boolean', default: false } } });
const count = Number(values.inputs);
const seed = Number(values.seed);
const policies: readonly RedactionPolicy[] = [defaultPolicy, { ...defaultPolicy, names: false }, { ...defaultPolicy, tokens: { kid: 'k1', key: Buffer.alloc(32, 1) } }];
/** Milliseconds of CPU time a call may take: the bar of the cost cases. */
const budget = 100;
const perBatch = 2_000;

const milliseconds = (text: string, policy: RedactionPolicy): number => {
  const before = process.cpuUsage();
  redact(text, policy);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
};

const broken = new Map<string, { times: number; shortest: string }>();
const note = (law: string, text: string): void => {
  if (values.show) console.log(`broken: ${law} ${JSON.stringify(text)}`);
  const known = broken.get(law) ?? { times: 0, shortest: text };
  broken.set(law, { times: known.times + 1, shortest: text.length < known.shortest.length ? text : known.shortest });
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
const own = inputs(seed);
const strange = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ unit: 'grapheme', maxLength: 300 }), fc.json(), fc.webUrl(), fc.emailAddress());
for (let batch = 0; done < count; batch += 1) {
  for (let index = 0; index < perBatch && done < count; index += 1) judge(own.next().value as string);
  for (const text of fc.sample(strange, { numRuns: Math.min(perBatch / 20, count - done), seed: seed + batch })) judge(text);
  if (batch % 25 === 24) console.log(`${done.toLocaleString('en-US')} inputs, ${[...broken.values()].reduce((sum, { times }) => sum + times, 0)} broken laws, slowest call above ${budget / 4} ms: ${slowest.toFixed(0)} ms`);
}
console.log(`${done.toLocaleString('en-US')} inputs of seed ${seed}; slowest call above ${budget / 4} ms: ${slowest.toFixed(0)} ms`);
for (const [law, { times, shortest }] of broken) console.log(`broken ${times} times: ${law}; shortest input ${shortest.length} units`);
if (broken.size > 0) process.exitCode = 1;
