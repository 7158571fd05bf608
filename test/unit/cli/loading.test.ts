/** What a command and the emitter load, seen by a hook in a process of their own that runs compiled code. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 60_000 }); // processes, on a machine that does other work

const root = fileURLToPath(new URL('../../..', import.meta.url));
const hook = new URL('../../support/loaded-modules.mjs', import.meta.url).href;
const bin = fileURLToPath(new URL('../../../services/cli/bin.mjs', import.meta.url));

type Loaded = { readonly packages: readonly string[]; readonly own: readonly string[]; readonly status: number | null };
/** Packages by name, own modules by their path in `dist` without the ending. */
function loadedBy(
  args: readonly string[],
  given: { input?: string; env?: Readonly<Record<string, string>> } = {},
): Loaded {
  const { output, status } = spawnSync(process.execPath, ['--import', hook, ...args], {
    cwd: root,
    input: given.input ?? '',
    env: { ...process.env, ...given.env },
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const urls = [...new Set((output[3] ?? '').split('\n'))];
  const all = (pattern: RegExp): string[] => [...new Set(urls.flatMap((url) => pattern.exec(url)?.[1] ?? []))].sort();
  return { packages: all(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\//), own: all(/\/dist\/(.+)\.js$/), status };
}
const importing = (code: string): string[] => ['--input-type=module', '-e', code];

beforeAll(() => {
  expect(spawnSync(process.execPath, ['infra/scripts/compile.mjs'], { cwd: root, encoding: 'utf8' })).toMatchObject({
    stderr: '',
    status: 0,
  });
}, 120_000);

describe('a command', () => {
  test('--help loads the table of verbs, and no verb', () => {
    expect(loadedBy([bin, '--help'])).toEqual({
      packages: ['commander'],
      own: ['services/cli/main', 'services/cli/verbs'],
      status: 0,
    });
  });
  test('redact of lines loads redaction, and nothing else', () => {
    const { own, packages, status } = loadedBy([bin, 'redact'], { input: '{"id":1,"text":"ada@example.org"}\n' });
    expect([packages, status]).toEqual([['commander'], 0]);
    expect(own).toContain('services/redaction/lines');
    const others = own.filter((name) => !name.startsWith('services/redaction/'));
    expect(others).toEqual(
      ['kernel/pipeline-error', 'cli/main', 'cli/redact', 'cli/verbs'].map((name) => `services/${name}`).sort(),
    );
  });
  test('status loads no client when nothing runs', () => {
    const { own, packages, status } = loadedBy([bin, 'status', '--home', 'nowhere']);
    expect([packages, status]).toEqual([['commander', 'picocolors', 'zod'], 2]);
    expect(own.length).toBeLessThan(12);
  });
});

/** Node.js sees fewer exports of a CommonJS package than tsx does. */
test('every compiled module loads in plain Node.js', () => {
  const code = `import { readdirSync } from 'node:fs';
    const names = readdirSync('dist', { recursive: true }).filter((name) => /\\.js$/.test(name));
    const modules = names.filter((name) => !/(^|\\/)main\\.js$/.test(name));
    for (const name of modules)
      await import(process.cwd() + '/dist/' + name).catch((error) => console.log(name, error));
    console.log(modules.length > 200);
    process.exit();`;
  const { stdout } = spawnSync(process.execPath, importing(code), { cwd: root, encoding: 'utf8' });
  expect(stdout).toBe('true\n');
});

describe("import 'tripline/emitter'", () => {
  const heavy = ['kafkajs', 'zod', '@opentelemetry/api', 'pino', 'fastify', 'yaml', '@clickhouse/client', 'jstat'];
  const use = `import { tripline } from 'tripline/emitter'; tripline.record({ userId: 'u', status: 'success' });`;
  /** Ends when everything that was asked for has loaded. */
  const end = 'await tripline.flush({ timeoutMs: 30_000 }); process.exit(0);';
  test('loads neither redaction nor a client of anything', () => {
    const { own, packages } = loadedBy(importing("import 'tripline/emitter'"));
    expect(packages).toEqual(['avsc']);
    expect(own).toContain('services/emitter/index');
    expect(own.filter((name) => /redaction\/|kafka-log|telemetry|logger/.test(name))).toEqual([]);
  });
  test('the first record loads the client that it needs, and no other', () => {
    const { own, packages } = loadedBy(
      importing(`${use} await new Promise((go) => setTimeout(go, 1_000)); process.exit(0);`),
      {
        env: { KAFKA_BROKERS: '127.0.0.1:9', SCHEMA_REGISTRY_URL: 'http://127.0.0.1:9' },
      },
    );
    expect(packages.filter((name) => heavy.includes(name))).toEqual(['kafkajs']);
    expect(own).toContain('services/runtime/kafka-log');
  });
  test('redaction loads where it is asked for', () => {
    const { own, packages, status } = loadedBy(importing(`${use} ${end}`), {
      env: { TRIPLINE_SINK: 'stdout', TRIPLINE_EMITTER_REDACT: 'on' },
    });
    expect(own).toContain('services/redaction/records');
    expect([packages.includes('kafkajs'), status]).toEqual([false, 0]);
  });
});
