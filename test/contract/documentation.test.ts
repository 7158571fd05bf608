/**
 * The documentation leads somewhere: every relative link, every path in backticks and every path in a comment is a file
 * of this project, every line pointer a line of it, and every README has the same shape.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => existsSync(root + file));
const isTracked = new Set(tracked);
const names = new Set(tracked.map((file) => basename(file)));
const read = (file: string): string => readFileSync(root + file, 'utf8');
const pages = tracked.filter((file) => file.endsWith('.md') && file !== 'CHANGELOG.md');
const sources = tracked.filter((file) => /\.(ts|mjs|sql)$/.test(file) && !file.startsWith('sql/migrations/'));

/** Files that are written while one works, and names that stand for any. */
const notOurs = [
  /\*|NAME|NNNN|KIND/,
  /^(support-reply\.yaml|summary\.json|pseudonym\.key|FILE\b.*|what\.sql|v2\.avsc|full\.json|unknowns\.json)$/,
  /^(queries|migrations)\/what\.sql$/,
  /^(main|index|config|routes)\.ts$/,
  /^dist\/|^HOME\/|^\.tripline\//,
  /^(tsconfig|package|package-lock)\.json$/,
  /^services\/a\/b\.ts$|^test\/unit\/a\/b\.test\.ts$/,
  /^(known_answers\.json|greeting\.ts)$/,
];

/** The file that a path means: from the root, from services, from the page's own folder, or by its name below it. */
function fileOf(path: string, from: string): string | undefined {
  const here = dirname(from);
  const places = [path, `services/${path}`, `test/${path}`, normalize(join(here, path))];
  const found = places.find((place) => isTracked.has(place) || tracked.some((file) => file.startsWith(`${place}/`)));
  if (found !== undefined || path.includes('/')) return found;
  return tracked.find((file) => basename(file) === path && (file.startsWith(`${here}/`) || here === '.'));
}
const isKnown = (path: string, from: string): boolean =>
  notOurs.some((pattern) => pattern.test(path)) ||
  fileOf(path, from) !== undefined ||
  (!path.includes('/') && names.has(path));

type Pointer = { readonly path: string; readonly line?: number; readonly at: string };
const endings = 'ts|mjs|md|sql|avsc|json|yaml|yml|grit';
const inBackticks = new RegExp(`\`([\\w./*-]+\\.(?:${endings}))(?::(\\d+))?\``, 'g');
const inComments = new RegExp(
  `(?<![\\w./@-])((?:services|infra|schemas|sql|test|kernel|runtime)/[\\w./*-]+\\.(?:${endings}))(?::(\\d+))?`,
  'g',
);
const isComment = /^\s*(\*|\/\*\*?|\/\/|--)|\s\/\/ /;

function pointersIn(file: string, patterns: readonly RegExp[], only?: RegExp): Pointer[] {
  return read(file)
    .split('\n')
    .flatMap((line, at) =>
      only !== undefined && !only.test(line)
        ? []
        : patterns.flatMap((pattern) =>
            [...line.matchAll(pattern)].map(([, path = '', number]) => ({
              path,
              at: `${file}:${at + 1}`,
              ...(number !== undefined && { line: Number(number) }),
            })),
          ),
    );
}
const pointers = [
  ...pages.flatMap((file) => pointersIn(file, [inBackticks]).map((pointer) => ({ ...pointer, file }))),
  ...sources.flatMap((file) =>
    pointersIn(file, [inBackticks, inComments], isComment).map((pointer) => ({ ...pointer, file })),
  ),
];

test('every path in backticks or in a comment is a file', () =>
  expect(pointers.filter(({ path, file }) => !isKnown(path, file)).map(({ path, at }) => `${at} ${path}`)).toEqual([]));

test('every line pointer is a line', () => {
  const lost = pointers.filter(({ path, file, line }) => {
    const target = line === undefined ? undefined : fileOf(path, file);
    return target !== undefined && read(target).split('\n').length < (line ?? 0);
  });
  expect(lost.map(({ path, line, at }) => `${at} ${path}:${line}`)).toEqual([]);
});

test('every relative link of a page leads to a file', () => {
  const links = pages.flatMap((file) =>
    [...read(file).matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)/g)].map(([, path = '']) => ({ file, path })),
  );
  expect(links.filter(({ file, path }) => !existsSync(join(root, dirname(file), path)))).toEqual([]);
});

/** Pages that were never part of the project. */
const elsewhere =
  /\b(contracts|architecture|streaming|experience|style|stack)\.md\b|\bcontracts \d|[Ss]tatistics design/;
test('nothing points to a page outside of the project', () => {
  const self = 'test/contract/documentation.test.ts';
  const found = [...pages, ...sources]
    .filter((file) => file !== self)
    .flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, at) => (elsewhere.test(line) ? [`${file}:${at + 1} ${line.trim()}`] : [])),
    );
  expect(found).toEqual([]);
});

const shape = ['Promise', 'In -> Out', 'How to add', 'Settings', 'When it misbehaves'];
/** The map, and parts of a room that has a README of its own. */
const otherShapes = [
  'services/README.md',
  'services/redaction/names/README.md',
  'services/redaction/secrets/README.md',
];
const readmes = pages.filter(
  (file) => /^(services\/.*|schemas|sql|infra\/embedded)\/README\.md$/.test(file) && !otherShapes.includes(file),
);
test.each(readmes)('%s: promise, in and out, how to add, settings, when it misbehaves', (file) => {
  const headings = [...read(file).matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading);
  expect(headings.filter((heading) => shape.includes(heading))).toEqual(shape);
});

test('every folder of services has a README, except the words', () => {
  const folders = [...new Set(tracked.flatMap((file) => /^services\/([^/]+)\//.exec(file)?.[1] ?? []))];
  const without = folders.filter((folder) => !isTracked.has(`services/${folder}/README.md`) && folder !== 'kernel');
  expect(without).toEqual([]);
});
