/** The joiner as a process of its own: `npx tripline start joiner` without the command line. */
import { runAlone } from '../pipeline/run-stages.ts';

await runAlone('joiner', process.env);
