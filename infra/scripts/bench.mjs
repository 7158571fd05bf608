// `npm run bench`: how fast things start, figures of redaction in process, then of the embedded stack, one table each; `npm run bench -- start`,
// `-- redaction` or `-- main` for one of them.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = {
  start: 'test/bench/start.ts',
  redaction: 'test/bench/redaction.bench.ts',
  main: 'test/bench/main.ts',
};
const asked = process.argv.slice(2).filter((name) => Object.hasOwn(files, name));
for (const name of asked.length > 0 ? asked : Object.keys(files)) {
  const { status } = spawnSync(
    process.execPath,
    [...(name === 'main' ? ['--max-semi-space-size=64'] : []), '--import', 'tsx', files[name]],
    { cwd: root, stdio: 'inherit' },
  );
  if (status !== 0) process.exitCode = status ?? 1;
}
