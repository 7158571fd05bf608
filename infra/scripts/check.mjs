// Everything that needs no broker: lint, shape, types, import rules, dead code, generated files, lock file, unit and
// golden tests. One line a step.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = (name) => `${root}node_modules/.bin/${name}`;
const steps = [
  ['format and lint', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['shape', process.execPath, ['infra/lint/shape.mjs']],
  ['types', bin('tsc'), ['-p', 'tsconfig.json']],
  ['imports', bin('depcruise'), ['services', 'infra', 'schemas', 'test', '--config', 'infra/lint/boundaries.mjs']],
  ['dead code', bin('knip'), ['--no-progress']],
  ['generated schemas', process.execPath, ['infra/scripts/generate-schemas.mjs', '--check']],
  ['assignment vectors', process.execPath, ['infra/scripts/assignment-vectors.mjs', '--check']],
  ['lock file', process.execPath, ['infra/scripts/complete-lockfile.mjs', '--check']],
  ...(process.argv.includes('--no-tests') ? [] : [['unit tests', bin('vitest'), ['run', '--project', 'unit']]]),
];
let failed = 0;
for (const [name, command, args] of steps) {
  const began = Date.now();
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'}  ${name.padEnd(20)} ${((Date.now() - began) / 1000).toFixed(1)} s`);
  if (status !== 0) {
    failed += 1;
    console.log(`${stdout}${stderr}`.trim());
  }
}
process.exit(failed === 0 ? 0 : 1);
