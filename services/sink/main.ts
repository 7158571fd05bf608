/** The sink as a process of its own: `npx tripline start sink` without the command line. */
import { runAlone } from '../pipeline/run-stages.ts';

await runAlone('sink', process.env);
