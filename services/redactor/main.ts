/** The redactor as a process of its own: `npx tripline start redactor` without the command line. */
import { runAlone } from '../pipeline/run-stages.ts';

await runAlone('redactor', process.env);
