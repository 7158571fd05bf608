// `npm test`: check, then every suite, real parts included. The last line counts: `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const data = resolve(root, process.env.TRIPLINE_TEST_DATA ?? '../shared/data');
if (process.env.CI && !existsSync(data)) {
  console.error('TRIPLINE_TEST_DATA is missing: in CI the real-data suites always run');
  process.exit(1);
}
const check = spawnSync(process.execPath, ['infra/scripts/check.mjs', '--no-tests'], { cwd: root, stdio: 'inherit' });
const report = join(mkdtempSync(join(tmpdir(), 'tripline-test-')), 'report.json');
const tests = spawnSync(
  join(root, 'node_modules/.bin/vitest'),
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  { cwd: root, stdio: 'inherit', env: { ...process.env, TRIPLINE_TEST_DATA: data } },
);
const {
  numPassedTests: passed = 0,
  numFailedTests: failed = 1,
  numPendingTests: skipped = 0,
  numFailedTestSuites: suites = 0,
} = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
if (!existsSync(data)) console.log('skipped: real-data tests, TRIPLINE_TEST_DATA holds nothing');
if (check.status !== 0) console.log('the check before the tests failed, see above');
const broken = check.status === 0 ? failed : failed + 1;
console.log(`${passed} passed, ${Math.max(broken, suites > 0 && broken === 0 ? 1 : 0)} failed, ${skipped} skipped`);
process.exit(check.status === 0 && tests.status === 0 ? 0 : 1);
