// Compiled code of a checkout, in `dist`: `npm ci` makes it, and services/cli/bin.mjs asks here before each command whether it is what the sources say.
// What was compiled stands in dist/.sources.json, by time, size and hash; a source that only has another time is not compiled again. File by file,
// without looking at types: that is `npm run check`'s. Written next to its place and moved there, the list last: two commands may do it at once.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const folders = ['services', 'schemas', 'infra/embedded'];
/** A change of these compiles everything anew. */
const recipe = ['tsconfig.json', 'tsconfig.build.json', 'infra/scripts/compile.mjs'];
const isSource = (name) => name.endsWith('.ts') && !name.endsWith('.d.ts');
const listOf = (root) => join(root, 'dist', '.sources.json');

function look(root, name) {
  const { mtimeMs, size } = statSync(join(root, name));
  return [name, { mtimeMs, size }];
}

/** Time and size of every source and of the recipe. */
function sourcesOf(root) {
  const found = recipe.map((name) => look(root, name));
  const visit = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) visit(name);
      else if (isSource(entry.name)) found.push(look(root, name));
    }
  };
  for (const folder of folders) visit(folder);
  return new Map(found);
}

/** What dist was compiled from; nothing when there is no list, or it cannot be read. */
function readList(root) {
  try {
    const { compiler, files } = JSON.parse(readFileSync(listOf(root), 'utf8'));
    return { compiler, files: new Map(Object.entries(files)) };
  } catch {
    return { compiler: undefined, files: new Map() };
  }
}

function put(path, text) {
  const next = `${path}.${process.pid}.new`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(next, text);
  renameSync(next, path);
}

const differs = (now, then) => then === undefined || now.mtimeMs !== then.mtimeMs || now.size !== then.size;
const isCurrent = (sources, list) =>
  sources.size === list.files.size && [...sources].every(([name, now]) => !differs(now, list.files.get(name)));

function readCompiler(root) {
  try {
    return createRequire(join(root, 'package.json'))('typescript');
  } catch {
    return undefined;
  }
}

/** Compiles one source at a time: text and map, or the lines and columns of what cannot be read. */
function createCompiler(ts, root) {
  const { compilerOptions } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config;
  const { options } = ts.convertCompilerOptionsFromJson(compilerOptions, root);
  // Modules stay modules, and nothing is resolved: one file at a time has no neighbours.
  const alone = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, noEmit: false };
  return (name, text) => {
    const { outputText, sourceMapText, diagnostics } = ts.transpileModule(text, {
      fileName: name,
      reportDiagnostics: true,
      compilerOptions: { ...options, ...alone, sourceMap: true },
    });
    const problems = diagnostics.map(({ file, start, messageText }) => {
      const { line, character } = file.getLineAndCharacterOfPosition(start);
      return `${name}:${line + 1}:${character + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
    return { name, outputText, sourceMapText, problems };
  };
}

const outputOf = (root, name) => join(root, 'dist', name.replace(/\.ts$/, '.js'));

/**
 * Compiles what changed since the last time, tells `say` one line when there was something to do, and returns what is
 * wrong with the sources: while there is anything, nothing is written.
 */
export function refresh(root, { say, checkCompiler = false }) {
  const began = Date.now();
  let compiled = 0;
  // Once more when a source changed meanwhile: the list must not say of a file that it is newer than it is.
  for (;;) {
    const sources = sourcesOf(root);
    const list = readList(root);
    const ts = checkCompiler ? readCompiler(root) : undefined;
    if (isCurrent(sources, list) && (ts === undefined || ts.version === list.compiler)) {
      if (compiled > 0) say(`tripline: compiled ${compiled} sources in ${((Date.now() - began) / 1000).toFixed(1)} s`);
      return [];
    }
    const result = compileChanged(root, sources, list, ts);
    if (result.problems.length > 0) return result.problems;
    compiled += result.compiled;
  }
}

function compileChanged(root, sources, list, known) {
  const texts = new Map();
  for (const [name, now] of sources) {
    const then = list.files.get(name);
    if (!differs(now, then)) {
      now.sha = then.sha;
      continue;
    }
    texts.set(name, readFileSync(join(root, name), 'utf8'));
    now.sha = createHash('sha256').update(texts.get(name)).digest('base64');
  }
  const sameText = (name) => sources.get(name).sha === list.files.get(name)?.sha;
  const everything = !recipe.every(sameText) || (known !== undefined && known.version !== list.compiler);
  const stale = [...sources.keys()].filter((name) => isSource(name) && (everything || !sameText(name)));
  const ts = stale.length > 0 ? (known ?? readCompiler(root)) : undefined;
  if (stale.length > 0 && ts === undefined)
    return { problems: [`${stale[0]} is newer than its compiled code, and there is no compiler: npm ci`] };
  const compile = ts && createCompiler(ts, root);
  const outputs = stale.map((name) => compile(name, texts.get(name) ?? readFileSync(join(root, name), 'utf8')));
  const problems = outputs.flatMap((output) => output.problems);
  if (problems.length > 0) return { problems };
  for (const { name, outputText, sourceMapText } of outputs) {
    put(`${outputOf(root, name)}.map`, sourceMapText);
    put(outputOf(root, name), outputText);
  }
  for (const name of list.files.keys()) {
    if (sources.has(name) || !isSource(name)) continue;
    const output = outputOf(root, name);
    for (const gone of [output, `${output}.map`, output.replace(/\.js$/, '.d.ts')]) rmSync(gone, { force: true });
  }
  const files = Object.fromEntries(sources);
  put(listOf(root), JSON.stringify({ compiler: ts?.version ?? list.compiler, files }));
  return { problems: [], compiled: stale.length };
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  if (readCompiler(root) === undefined)
    console.log('tripline: typescript is not installed, compiled code is left as it is');
  else {
    const problems = refresh(root, { say: console.log, checkCompiler: true });
    for (const problem of problems) console.error(problem);
    process.exitCode = problems.length > 0 ? 1 : 0;
  }
}
