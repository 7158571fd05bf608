/** `npm run fuzz:records -- --records N --seed N`: odd records through every step; exit 1 when one stops a stage. */
import { parseArgs } from 'node:util';
import { runOddRecords } from './odd-records.ts';

const { values } = parseArgs({ options: { records: { type: 'string' }, seed: { type: 'string' } } });
const records = Number(values.records ?? 100_000);
const seed = Number(values.seed ?? 1);
const each = 20_000;

const sums = { in: 0, forward: 0, drop: 0, park: 0, looks: 0, stops: 0 };
const stopped = new Map<string, string>();
const began = Date.now();
for (let done = 0; done < records; done += each) {
  const counts = runOddRecords(seed + done / each, Math.min(each, records - done));
  for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += counts[key];
  for (const [what, record] of counts.stopped) if (!stopped.has(what)) stopped.set(what, record);
}
console.log(
  `${sums.in} records = ${sums.forward} forwarded + ${sums.drop} dropped + ${sums.park} parked + ` +
    `${sums.stops} that stopped a stage; ` +
    `${sums.looks} looks; ${((Date.now() - began) / 1_000).toFixed(0)} s`,
);
for (const [what, record] of stopped) console.log(`\nSTOPPED ${what}\n  ${record}`);
const isBalanced = sums.in === sums.forward + sums.drop + sums.park + sums.stops;
if (!isBalanced) console.log('counts do not balance');
process.exitCode = stopped.size > 0 || !isBalanced ? 1 : 0;
