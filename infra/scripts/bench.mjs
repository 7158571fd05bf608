// `npm run bench`: figures on the embedded stack, one table.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
process.exit(spawnSync(process.execPath, ['--max-semi-space-size=64', '--import', 'tsx', 'test/bench/main.ts'], { cwd: root, stdio: 'inherit' }).status ?? 1);
