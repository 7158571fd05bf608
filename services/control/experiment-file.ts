/**
 * The experiment file: YAML in, a normalised specification out, or every problem at once with line, column and hint.
 * Format: `services/control/README.md`. What this version does not do is refused by name, never ignored.
 */
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { canonicalJson, type Json, sha256Hex } from '../kernel/canonical-json.ts';
import type { ExperimentSpec } from '../kernel/experiment.ts';
import { checkTogether, type Complaint, type FilePath } from './check-file.ts';
import { fileSchema } from './file-schema.ts';
import { toSpec } from './file-to-spec.ts';
import { nearestKey } from './nearest-key.ts';

export type FileProblem = {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly code: string;
  readonly message: string;
};
export type ParsedFile =
  | { readonly ok: true; readonly spec: ExperimentSpec; readonly sha: string }
  | { readonly ok: false; readonly problems: readonly FileProblem[] };

/** The document's values, or why there are none: aliases that unfold without end, numbers that JSON cannot hold. */
function contentOf(document: Document): { readonly content: Json } | { readonly problem: string } {
  try {
    const content = document.toJS({ maxAliasCount: 20 }) as Json;
    canonicalJson(content);
    return { content };
  } catch (error) {
    return {
      problem:
        error instanceof RangeError
          ? 'this is no JSON: numbers are finite and no alias holds itself; take them out'
          : 'aliases unfold too far: write the values out',
    };
  }
}

/** 256 KiB: a file is written by hand. */
const maxLength = 262_144;

/** Where a path stands in the text; where it is missing, its nearest parent. */
function offsetIn(document: Document, path: FilePath): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node: unknown = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (depth < path.length && isMap(node)) {
      const pair = node.items.find(({ key }) => isNode(key) && String(key) === String(path[depth]));
      if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    }
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

const pathText = (path: FilePath): string =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('');

/** What the schema says of single values, and the keys that stand there misspelt: those are not also missing. */
function schemaComplaints(found: readonly z.core.$ZodIssue[]): {
  readonly complaints: readonly Complaint[];
  readonly misspelt: ReadonlySet<string>;
} {
  const issues = found.map((issue) => ({
    issue,
    path: issue.path.filter((key) => typeof key !== 'symbol'),
  }));
  const misspelt = new Set<string>();
  const complaints: Complaint[] = [];
  for (const { issue, path } of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    for (const key of issue.keys) {
      const suggestion = nearestKey(key);
      const message = `unknown key${suggestion ? `, did you mean "${suggestion}"?` : ''}`;
      complaints.push({ path: [...path, key], code: 'unknown-key', message });
      if (suggestion !== undefined) misspelt.add(pathText([...path, suggestion]));
    }
  }
  for (const { issue, path } of issues)
    if (issue.code !== 'unrecognized_keys') complaints.push({ path, code: issue.code, message: issue.message });
  return { complaints, misspelt };
}

/** Problems with their place in the text; the same one is said once. */
function createProblems(fileName: string, counter: LineCounter) {
  const problems: FileProblem[] = [];
  return {
    problems,
    add: (offset: number, path: string, code: string, message: string): void => {
      if (problems.some((known) => known.path === path && known.code === code && path !== '')) return;
      const { line, col: column } = counter.linePos(offset);
      const where = `${fileName}:${line}:${column} ${path ? `${path}: ` : ''}`;
      problems.push({ path, line, column, code, message: `${where}${message}` });
    },
  };
}

/**
 * Reads a file's text (at most 256 KiB). All problems at once, in the file's order; one mistake is one problem: a
 * misspelt key is not also a missing one. `sha` is SHA-256 of the canonical JSON of its content, hex.
 */
export function parseExperimentFile(text: string, fileName: string): ParsedFile {
  const counter = new LineCounter();
  if (text.length > maxLength) {
    const message = `${fileName}:1:1 an experiment file has at most 256 KiB`;
    return { ok: false, problems: [{ path: '', line: 1, column: 1, code: 'too-large', message }] };
  }
  const { problems, add } = createProblems(fileName, counter);
  const document = parseDocument(text, { lineCounter: counter });
  for (const error of document.errors)
    add(error.pos[0], '', error.code, error.message.split(/ at line \d|\n/)[0] ?? 'not YAML');
  if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) return { ok: false, problems };
  const read = contentOf(document);
  if ('problem' in read) {
    add(0, '', 'unreadable', read.problem);
    return { ok: false, problems };
  }
  const { content } = read;
  const parsed = fileSchema.safeParse(content);
  const { complaints, misspelt } = schemaComplaints(parsed.success ? [] : parsed.error.issues);
  const complain = ({ path, code, message }: Complaint): void => {
    if (!misspelt.has(pathText(path))) add(offsetIn(document, path), pathText(path), code, message);
  };
  complaints.forEach(complain);
  checkTogether(content, complain);
  const spec = parsed.success ? toSpec(parsed.data.experiment) : undefined;
  if (problems.length > 0 || spec === undefined)
    return { ok: false, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
  return { ok: true, spec, sha: sha256Hex(canonicalJson(content)) };
}
