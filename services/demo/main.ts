/** A desk's process: settings in the first argument as JSON, messages to the parent. */
import { type DeskSettings, runDesk } from './desk.ts';

const settings = JSON.parse(process.argv[2] ?? '{}') as DeskSettings;
process.on('disconnect', () => process.exit(1)); // whoever plays the story is gone
await runDesk(settings, (message) => process.send?.(message));
process.exit(0);
