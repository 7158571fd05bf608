/** The bot as a process of its own: `npx tripline start bot` without the command line. */
import { runAlone } from '../pipeline/run-stages.ts';

await runAlone('bot', process.env);
