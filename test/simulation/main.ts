/**
 * `npm run simulate`: false alarms in every cell, breaks in the middle of a run, speed to a decision. Seeded; the
 * tables depend on the seed and on the number of runs alone, not on threads. `--quick`: fewer runs. `--only
 * alarms|break|speed|missing|ratios|margins`. `--seed N`. `--threads N`. Exit 1 when a claim is refuted.
 */
import { falseAlarms } from './alarm-table.ts';
import { breaks, realTuesday } from './break-table.ts';
import { marginTables, missingTables, ratioTables } from './entry-table.ts';
import { elapsed, flags, print, seed } from './output.ts';
import { speed } from './speed-table.ts';

const wanted = (part: string): boolean => flags.only === undefined || flags.only === part;
const held = [
  wanted('alarms') ? await falseAlarms() : true,
  wanted('speed') ? await speed() : true,
  wanted('missing') ? await missingTables() : true,
  wanted('ratios') ? await ratioTables() : true,
  wanted('margins') ? await marginTables() : true,
];
if (wanted('break')) {
  await breaks();
  realTuesday();
}
print(`\nseed ${seed}, ${elapsed()}`);
process.exitCode = held.every(Boolean) ? 0 : 1;
