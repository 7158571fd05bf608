/**
 * How long a command and the emitter take to start: `npm run bench -- start`. Each row is run nine times, in turn with
 * `node -e 0`, so that other work on the machine slows both; medians, and how many times `node -e 0` they are. Compiled
 * code is measured, as a command runs it.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const rounds = 9;
const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = join(root, 'services/cli/bin.mjs');
const home = mkdtempSync(join(tmpdir(), 'tripline-bench-start-'));
const line = '{"id":"1","text":"The invoice was paid twice, write to ada@example.org or call +49 30 1234 5678"}\n';

/** A module that imports these, and says how much memory the process had at most, bytes. */
const importing = (...names: readonly string[]): string[] => [
  '--input-type=module',
  '-e',
  [
    ...names.map((name) => `import '${name}';`),
    'process.stdout.write(String(process.resourceUsage().maxRSS * 1024));',
  ].join('\n'),
];
const compiled = (name: string): string => new URL(`../../dist/${name}`, import.meta.url).href;

type Row = {
  readonly what: string;
  readonly args: readonly string[];
  readonly input?: string;
  /** Times `node -e 0`. */
  readonly bar?: number;
  /** More than a module that imports nothing, MB. */
  readonly barMb?: number;
  readonly ms: number[];
  readonly rss: number[];
};
const row = (what: string, args: readonly string[], rest: Pick<Row, 'input' | 'bar' | 'barMb'> = {}): Row => ({
  what,
  args,
  ...rest,
  ms: [],
  rss: [],
});

const bare = row('node -e 0', ['-e', '0']);
const nothing = row('a module that imports nothing', importing());
const rows: readonly Row[] = [
  bare,
  nothing,
  row('tripline --help', [bin, '--help'], { bar: 2.5 }),
  row('tripline status, nothing runs', [bin, 'status', '--home', home], { bar: 6 }),
  row(
    'what status loads to ask broker and store',
    importing(
      'commander',
      ...['cli/verbs', 'cli/status', 'runtime/kafka-log', 'runtime/clickhouse-client'].map((name) =>
        compiled(`services/${name}.js`),
      ),
    ),
    { bar: 6 },
  ),
  row('tripline redact, one line', [bin, 'redact'], { input: line, bar: 4 }),
  row("import 'tripline/emitter'", importing('tripline/emitter'), { bar: 2.5, barMb: 15 }),
];

function run({ args, input, ms, rss }: Row): void {
  const began = performance.now();
  const { stdout } = spawnSync(process.execPath, args, { cwd: root, input: input ?? '', encoding: 'utf8' });
  ms.push(performance.now() - began);
  rss.push(/^\d+$/.test(stdout) ? Number(stdout) : Number.NaN);
}
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

try {
  spawnSync(process.execPath, [bin, '--help'], { stdio: 'ignore' }); // compiles what changed
  for (let round = 0; round < rounds; round += 1) for (const each of rows) run(each);
  const oneMs = median(bare.ms);
  const noneBytes = median(nothing.rss);
  console.table(
    rows.map(({ what, bar, barMb, ms, rss }) => {
      const memory = (median(rss) - noneBytes) / 1e6;
      return {
        what,
        ms: Math.round(median(ms)),
        'times node': (median(ms) / oneMs).toFixed(2),
        bar: bar === undefined ? '' : `<= ${bar}`,
        MB: Number.isFinite(memory) ? memory.toFixed(1) : '',
        'bar MB': barMb === undefined ? '' : `<= ${barMb}`,
      };
    }),
  );
} finally {
  rmSync(home, { recursive: true, force: true });
}
