/** `npm run schedules -- 1000000 [first seed]`: exit code 1 at the first that is wrong. */
import { working } from './build.ts';
import { runSchedule } from './schedule.ts';

const [count = 10_000, first = 1] = process.argv.slice(2).map(Number);
let records = 0;
const began = performance.now();
for (let seed = first; seed < first + count; seed += 1) {
  const verdict = runSchedule(seed, working());
  records += verdict.records;
  if (verdict.wrong.length > 0) {
    console.log(`seed ${seed}:\n  ${verdict.wrong.join('\n  ')}`);
    process.exit(1);
  }
  if ((seed - first + 1) % 50_000 === 0) console.log(`${seed - first + 1} schedules`);
}
const seconds = (performance.now() - began) / 1000;
console.log(`${count} schedules, ${records} control records, 0 wrong, ${seconds.toFixed(1)} s`);
