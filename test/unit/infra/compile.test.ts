/** Compiled code of a checkout, tried on a small one of its own. */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 60_000 }); // processes, on a machine that does other work

const root = fileURLToPath(new URL('../../..', import.meta.url));
const checkout = mkdtempSync(join(tmpdir(), 'tripline-compile-'));
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

const at = (name: string): string => join(checkout, name);
const write = (name: string, text: string): void => writeFileSync(at(name), text);
/** What a command says on a checkout whose only verb prints what `greeting.ts` exports. */
const command = () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, [at('services/cli/bin.mjs')], { encoding: 'utf8' });
  return { stdout: stdout.trim(), stderr: stderr.trim().replace(/ in [\d.]+ s$/, ''), status };
};

beforeEach(() => {
  rmSync(checkout, { recursive: true, force: true });
  for (const folder of ['services/cli', 'schemas', 'infra/embedded', 'infra/scripts'])
    mkdirSync(at(folder), { recursive: true });
  for (const name of ['services/cli/bin.mjs', 'infra/scripts/compile.mjs', 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(join(root, name), at(name));
  symlinkSync(join(root, 'node_modules'), at('node_modules'));
  write('package.json', '{ "type": "module" }');
  write('services/cli/main.ts', "import { greeting } from './greeting.ts';\nconsole.log(greeting satisfies string);\n");
  write('services/cli/greeting.ts', "export const greeting: string = 'good morning';\n");
});

test('nothing compiled yet: everything is, with one line about it; the next command has nothing to do', () => {
  expect(command()).toEqual({ stdout: 'good morning', stderr: 'tripline: compiled 2 sources', status: 0 });
  expect(command()).toEqual({ stdout: 'good morning', stderr: '', status: 0 });
});
test('a source that changed is compiled again, alone; one that only has another time is not', () => {
  command();
  write('services/cli/greeting.ts', "export const greeting: string = 'good evening';\n");
  expect(command()).toEqual({ stdout: 'good evening', stderr: 'tripline: compiled 1 sources', status: 0 });
  utimesSync(at('services/cli/greeting.ts'), 1, 1);
  expect(command()).toEqual({ stdout: 'good evening', stderr: '', status: 0 });
});
test('a source that came is compiled, and of one that went nothing is left', () => {
  command();
  write('services/cli/evening.ts', "export const greeting = 'good evening';\n");
  write('services/cli/main.ts', "import { greeting } from './evening.ts';\nconsole.log(greeting);\n");
  rmSync(at('services/cli/greeting.ts'));
  expect(command()).toMatchObject({ stdout: 'good evening', status: 0 });
  expect(readdirSync(at('dist/services/cli')).sort()).toEqual(
    ['evening.js', 'evening.js.map', 'main.js', 'main.js.map'].sort(),
  );
});
test('a source that cannot be read is named with line and column, ends with 1, and nothing of it is kept', () => {
  command();
  write('services/cli/greeting.ts', "export const greeting = 'good evening';\nexport const = 1;\n");
  const broken = command();
  expect([broken.stdout, broken.status]).toEqual(['', 1]);
  expect(broken.stderr).toMatch(/^services\/cli\/greeting\.ts:2:14: /);
  write('services/cli/greeting.ts', "export const greeting = 'good night';\n");
  expect(command()).toMatchObject({ stdout: 'good night', status: 0 });
});
test('another recipe compiles everything anew', () => {
  command();
  write('tsconfig.build.json', '{ "extends": "./tsconfig.json", "compilerOptions": { "outDir": "dist" } }');
  expect(command()).toMatchObject({ stderr: 'tripline: compiled 2 sources', status: 0 });
});
test('two commands that compile at once both run whole code', async () => {
  for (let index = 0; index < 40; index += 1) write(`services/cli/more-${index}.ts`, `export const more = ${index};\n`);
  const said = await Promise.all(
    [1, 2].map(
      () =>
        new Promise<string>((resolve) => {
          const child = spawn(process.execPath, [at('services/cli/bin.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
          let text = '';
          child.stdout.on('data', (chunk: Buffer) => {
            text += chunk.toString();
          });
          child.once('close', (code) => resolve(`${text.trim()} ${code}`));
        }),
    ),
  );
  expect(said).toEqual(['good morning 0', 'good morning 0']);
  const left = readdirSync(at('dist'), { recursive: true, encoding: 'utf8' });
  expect(left.filter((name) => name.endsWith('.new'))).toEqual([]);
});
