/** The linker as a process of its own: `npx tripline start linker` without the command line. */
import { runAlone } from '../pipeline/run-stages.ts';

await runAlone('linker', process.env);
