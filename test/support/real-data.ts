import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Folder of the real data; undefined, with a printed reason, where there is none. In CI its absence is an error. */
export function realData(): string | undefined {
  const folder = resolve(process.env['TRIPLINE_TEST_DATA'] ?? '../shared/data');
  if (existsSync(folder)) return folder;
  if (process.env['CI']) throw new Error('TRIPLINE_TEST_DATA is missing in CI');
  console.log('skipped: needs real data, set TRIPLINE_TEST_DATA');
  return undefined;
}
