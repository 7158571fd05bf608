/**
 * What fits in a reader's head: no line over 120 characters, no function over 80 lines, no file over 250, in any tracked
 * .ts file. The formatter leaves long strings, templates and regular expressions as they are, so lines are counted here.
 * A file that really is one thing says so: its first comment holds a sentence that begins with "Long because" and gives
 * the reason. That excuses its length and that of its functions, never its lines.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const limit = { line: 120, function: 80, file: 250 };
const root = fileURLToPath(new URL('../..', import.meta.url));

const hints = {
  line: 'split it at a natural place: a named piece, a table, SQL over several lines',
  function: 'split it by idea into named functions that share an explicit state object',
  file: 'split it by idea, or say in its first comment: "Long because ..."',
};

/** A callback of `describe`, `describe.each(...)` and the like is a suite of tests, not a function. */
function isSuite(node, parent) {
  if (!ts.isCallExpression(parent) || parent.expression === node) return false;
  let callee = parent.expression;
  while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression;
  return ts.isIdentifier(callee) && callee.text === 'describe';
}

function longFunctions(file, text) {
  const source = ts.createSourceFile(file, text, {
    languageVersion: ts.ScriptTarget.Latest,
    jsDocParsingMode: ts.JSDocParsingMode.ParseNone,
  });
  const lineOf = (position) => source.getLineAndCharacterOfPosition(position).line + 1;
  const found = [];
  const visit = (node, parent) => {
    const first = lineOf(node.getStart(source));
    const lines = lineOf(node.end) - first + 1;
    // What lies in a short piece is short.
    if (lines <= limit.function) return;
    if (ts.isFunctionLike(node) && node.body && !isSuite(node, parent)) {
      const name = (node.name ?? parent.name)?.getText?.(source) ?? 'function';
      found.push([first, 'function', `${name} has ${lines} lines`]);
    }
    ts.forEachChild(node, (child) => visit(child, node));
  };
  visit(source, source);
  return found;
}

function saysWhyItIsLong(text) {
  const first = /^(?:#!.*\n)?\s*(\/\*[\s\S]*?\*\/|(?:\/\/.*\n\s*)+)/.exec(text)?.[1] ?? '';
  const prose = first.replaceAll(/^\s*(?:\/\*+|\*\/|\*|\/\/)|\*\/\s*$/gm, ' ').replaceAll(/\s+/g, ' ');
  return /(?:^|[.!?:] )\s*Long because \S/.test(prose.trim());
}

function findingsOf(file) {
  const text = readFileSync(`${root}${file}`, 'utf8');
  const lines = text.split('\n');
  const long = lines.flatMap((line, index) =>
    line.length > limit.line ? [[index + 1, 'line', `${line.length} characters`]] : [],
  );
  const count = text.endsWith('\n') ? lines.length - 1 : lines.length;
  // Parsing takes most of the time, and a short file holds no long function.
  if (count <= limit.function || saysWhyItIsLong(text)) return long;
  const whole = count > limit.file ? [[1, 'file', `${count} lines`]] : [];
  return [...whole, ...long, ...longFunctions(file, text)];
}

const tracked = execFileSync('git', ['ls-files', '-z', '--', '*.ts'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 1 << 26,
});
const files = tracked.split('\0').filter((file) => file !== '' && !file.includes('node_modules/'));
let over = 0;
for (const file of files) {
  if (!existsSync(`${root}${file}`)) continue;
  for (const [line, kind, what] of findingsOf(file)) {
    over += 1;
    console.log(`${file}:${line}: ${kind}: ${what}, at most ${limit[kind]}; ${hints[kind]}`);
  }
}
if (over > 0) console.log(`${over} over`);
process.exit(over === 0 ? 0 : 1);
