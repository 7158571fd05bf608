/**
 * The code under trial: what we ship, or a copy of it that was broken on purpose. Sources are copied and patched by
 * text, so that what runs is the real code but for the one line; a patch that no longer finds its line is an error.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { foldRecord } from '../../../services/joiner/fold.ts';
import { loadPartition, prefetch } from '../../../services/joiner/load-partition.ts';
import { takeFlushRows } from '../../../services/joiner/flush-rows.ts';

export type Build = {
  readonly name: string;
  readonly foldRecord: typeof foldRecord;
  readonly loadPartition: typeof loadPartition;
  readonly prefetch: typeof prefetch;
  readonly takeFlushRows: typeof takeFlushRows;
  /** How a flush's rows reach table `state`: in one insert after the facts, in one before them, or cut in two. */
  readonly inserts: 'one' | 'units-then-aggregates' | 'checkpoint-first' | 'state-first';
  /** Look-ups of facts leave out those past the asker's position. */
  readonly filtersFacts: boolean;
};

export const shipped: Build = {
  name: 'as shipped',
  foldRecord,
  loadPartition,
  prefetch,
  takeFlushRows,
  inserts: 'one',
  filtersFacts: true,
};

type Patch = readonly [file: string, find: string | RegExp, put: string];
export type Mutation = { readonly name: string; readonly change?: Partial<Build>; readonly patches?: readonly Patch[] };

/** Where a broken build reads the time that it should not read. */
export const wall = globalThis as { triplineWall?: () => number };

/** Lines of what is shipped that a mutation takes out or changes. */
const lines = {
  aheadOnLoad: new RegExp(
    String.raw`if \(!isAhead && \(\(await store\.checkpoints\(\)\)\.get\(partitionId\) \?\? 0\)` +
      String.raw` <= partition\.position\) return partition;`,
  ),
  aheadOnPrefetch: /if \(rows\.some\(\(row\) => Number\(row\.position\) > position\)\) return false;/,
  clock: /if \(record\.received_at > partition\.clock\) \{/,
} as const;

const readsWallClock = `record = {
    ...record,
    received_at: (globalThis as { triplineWall?: () => number }).triplineWall?.() ?? 0,
  };
  if (record.received_at > partition.clock) {`;

export const mutations: readonly Mutation[] = [
  { name: 'checkpoint before state', change: { inserts: 'checkpoint-first' } },
  { name: 'two inserts instead of one', change: { inserts: 'units-then-aggregates' } },
  { name: 'state before facts', change: { inserts: 'state-first' } },
  { name: 'position filter dropped', change: { filtersFacts: false } },
  {
    name: 'fast-forward off, lazy loads',
    patches: [
      ['joiner/prefetch.ts', lines.aheadOnPrefetch, ''],
      ['joiner/load-partition.ts', lines.aheadOnLoad, 'return partition;'],
    ],
  },
  {
    name: 'close by wall clock',
    patches: [['joiner/fold.ts', lines.clock, readsWallClock]],
  },
  {
    name: 'entry counted twice',
    patches: [['joiner/test-aggregates.ts', /if \(previous >= 0\) addToSegment\([^;]*;/, '']],
  },
  { name: 'correction without retraction', patches: [['joiner/entries.ts', /addDifference\([^;]*,\s*-1,?\s*\);/, '']] },
];

const services = fileURLToPath(new URL('../../../services', import.meta.url));
const schemas = fileURLToPath(new URL('../../../schemas/generated.ts', import.meta.url));

/** The build with its mutation; `dispose` removes the copy. */
export async function buildOf(mutation: Mutation): Promise<{ readonly build: Build; dispose(): void }> {
  const plain = { ...shipped, ...mutation.change, name: mutation.name };
  if (mutation.patches === undefined) return { build: plain, dispose: () => {} };
  const folder = mkdtempSync(join(tmpdir(), 'tripline-broken-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const name of ['joiner', 'kernel'])
    cpSync(join(services, name), join(folder, 'services', name), { recursive: true });
  // Doors reach the edge, whose packages the copy does not have; the fold needs none of them.
  for (const door of ['index.ts', 'joiner-store.clickhouse.ts'])
    rmSync(join(folder, 'services/joiner', door), { force: true });
  cpSync(schemas, join(folder, 'schemas/generated.ts'));
  for (const [file, find, put] of mutation.patches) {
    const path = join(folder, 'services', file);
    const text = readFileSync(path, 'utf8');
    const broken = text.replace(find, put);
    if (broken === text) throw new Error(`${mutation.name}: ${file} has no such line any more, adapt the patch`);
    writeFileSync(path, broken);
  }
  const load = async (file: string): Promise<Record<string, unknown>> =>
    (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'services/joiner', file)).href)) as Record<
      string,
      unknown
    >;
  const [fold, partition, rows] = [await load('fold.ts'), await load('load-partition.ts'), await load('flush-rows.ts')];
  const build = {
    ...plain,
    foldRecord: fold['foldRecord'],
    loadPartition: partition['loadPartition'],
    prefetch: partition['prefetch'],
    takeFlushRows: rows['takeFlushRows'],
  } as Build;
  return { build, dispose: () => rmSync(folder, { recursive: true, force: true }) };
}
