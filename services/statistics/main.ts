/** The statistics as a process of its own: `npx tripline start statistics` without the command line. */
import { runAlone } from '../pipeline/run-stages.ts';

await runAlone('statistics', process.env);
