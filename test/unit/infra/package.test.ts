/** The package as it is packed: what it promises is in it, whatever conditions an app's own tools turn on. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 60_000 }); // processes, on a machine that does other work

const root = fileURLToPath(new URL('../../..', import.meta.url));
const app = mkdtempSync(join(tmpdir(), 'tripline-package-'));
afterAll(() => rmSync(app, { recursive: true, force: true }));
const run = (command: string, args: readonly string[], cwd = root): string => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
};
type Exports = Readonly<Record<string, Readonly<Record<string, string>>>>;
let packed: { readonly files: ReadonlySet<string>; readonly exports: Exports; readonly bin: readonly string[] };

beforeAll(() => {
  run(process.execPath, ['infra/scripts/compile.mjs']);
  const file = run('npm', ['pack', '--silent', '--offline', '--ignore-scripts', '--pack-destination', app]).trim();
  mkdirSync(join(app, 'node_modules'));
  run('tar', ['-xzf', file], app);
  // Where npm puts it: what it needs is found above it.
  run('mv', ['package', 'node_modules/tripline'], app);
  symlinkSync(join(root, 'node_modules'), join(app, 'node_modules/tripline/node_modules'));
  const files = run('tar', ['-tzf', file], app).trim().split('\n');
  const shipped = JSON.parse(readFileSync(join(app, 'node_modules/tripline/package.json'), 'utf8')) as {
    readonly exports: Exports;
    readonly bin: Readonly<Record<string, string>>;
  };
  packed = {
    files: new Set(files.map((name) => name.replace(/^package\//, './'))),
    exports: shipped.exports,
    bin: Object.values(shipped.bin),
  };
}, 120_000);

test('every file that an entry names is packed, or is a declaration that the build makes of a source', () => {
  const named = Object.values(packed.exports).flatMap((conditions) => Object.values(conditions));
  expect(named.length).toBeGreaterThan(4);
  const isMade = (name: string): boolean =>
    name.endsWith('.d.ts') && packed.files.has(name.replace(/\.d\.ts$/, '.js')) && name.startsWith('./dist/');
  expect(named.filter((name) => !packed.files.has(name) && !isMade(name))).toEqual([]);
  expect(packed.bin.filter((name) => !packed.files.has(`./${name.replace(/^\.\//, '')}`))).toEqual([]);
});
test('no source is packed, and none is named', () => {
  const sources = [...packed.files].filter((name) => /\.(ts|mts)$/.test(name) && !name.endsWith('.d.ts'));
  expect(sources.filter((name) => name.startsWith('./services'))).toEqual([]);
});

describe('in an app whose own tools turn on a condition', () => {
  test.each(['none', 'source', 'development', 'production', 'browser', 'module'])(
    '%s: every entry loads',
    (condition) => {
      const code = `for (const entry of ${JSON.stringify(Object.keys(packed.exports))})
      await import(entry.replace('.', 'tripline'))
        .then(() => console.log(entry, 'ok'), ({ code }) => console.log(entry, code));
      process.exit();`;
      const asked = condition === 'none' ? [] : [`--conditions=${condition}`];
      const said = run(process.execPath, [...asked, '--input-type=module', '-e', code], app);
      expect(said.trim().split('\n')).toEqual(Object.keys(packed.exports).map((entry) => `${entry} ok`));
    },
  );
});
