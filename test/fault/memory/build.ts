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

export const mutations: readonly Mutation[] = [
  { name: 'checkpoint before state', change: { inserts: 'checkpoint-first' } },
  { name: 'two inserts instead of one', change: { inserts: 'units-then-aggregates' } },
  { name: 'state before facts', change: { inserts: 'state-first' } },
  { name: 'position filter dropped', change: { filtersFacts: false } },
  {
    name: 'fast-forward off, lazy loads',
    patches: [
      ['joiner/prefetch.ts', 'if (rows.some((row) => Number(row.position) > position)) return false;', ''],
      [
        'joiner/load-partition.ts',
        'if (!isAhead && ((await store.checkpoints()).get(partitionId) ?? 0) <= partition.position) return partition;',
        'return partition;',
      ],
    ],
  },
  {
    name: 'close by wall clock',
    patches: [
      [
        'joiner/fold.ts',
        'if (record.received_at > partition.clock) {',
        'const { triplineWall: wall } = globalThis as { triplineWall?: () => number };\n' +
          '  record = { ...record, received_at: wall?.() ?? 0 };\n' +
          '  if (record.received_at > partition.clock) {',
      ],
    ],
  },
  {
    name: 'entry counted twice',
    patches: [['joiner/test-aggregates.ts', /if \(previous >= 0\) addToAggregate\([^;]*;/, '']],
  },
  {
    name: 'correction without retraction',
    patches: [['joiner/entries.ts', /addDifference\([^;]*,\s*-1,?\s*\);/, '']],
  },
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
  const load = async (file: string, name: string): Promise<unknown> => {
    const url = pathToFileURL(join(folder, 'services/joiner', file)).href;
    const found = ((await import(/* @vite-ignore */ url)) as Record<string, unknown>)[name];
    if (typeof found !== 'function') throw new Error(`${mutation.name}: ${file} has no function ${name} any more`);
    return found;
  };
  const build = {
    ...plain,
    foldRecord: await load('fold.ts', 'foldRecord'),
    loadPartition: await load('load-partition.ts', 'loadPartition'),
    prefetch: await load('load-partition.ts', 'prefetch'),
    takeFlushRows: await load('flush-rows.ts', 'takeFlushRows'),
  } as Build;
  return { build, dispose: () => rmSync(folder, { recursive: true, force: true }) };
}
