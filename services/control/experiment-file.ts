/**
 * The experiment file: YAML in, a normalised specification out, or every problem at once with line, column and cure.
 * Format: contracts 3. What this version does not do is refused by name, never ignored.
 */
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { canonicalJson, type Json, sha256Hex } from '../kernel/canonical-json.ts';
import type { Arm, ExperimentSpec, MetricSpec } from '../kernel/experiment.ts';
import {
  defaultAlphaSlo,
  type FileInput,
  fileSchema,
  type MetricInput,
  metricSchema,
  sloSchema,
} from './file-schema.ts';
import { draftOf, isResolveProblem, resolveAll, type ResolveProblem, resolveSlo } from './resolve-metrics.ts';

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

type Complaint = { readonly path: readonly (string | number)[]; readonly code: string; readonly message: string };

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const recordsIn = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.map((item) => (isRecord(item) ? item : {})) : [];

/**
 * What no single value shows: it reads the raw content, so that a file with a wrong type elsewhere hears of these too.
 */
function checkTogether(content: unknown, complain: (complaint: Complaint) => void): void {
  const experiment = isRecord(content) && isRecord(content['experiment']) ? content['experiment'] : {};
  const arms = recordsIn(experiment['arms']);
  const controls = arms.filter(({ role }) => role === 'control').length;
  const toldRoles = arms.every(({ role }) => role === undefined || role === 'control');
  if (arms.length > 0 && toldRoles && controls !== 1)
    complain({
      path: ['experiment', 'arms'],
      code: 'control',
      message: `exactly one arm has role: control, found ${controls}`,
    });
  const metrics = recordsIn(experiment['metrics']);
  for (const [key, items] of [
    ['arms', arms],
    ['metrics', metrics],
  ] as const) {
    for (const [index, item] of items.entries()) {
      const first = items.findIndex((other) => other['id'] === item['id']);
      if (typeof item['id'] === 'string' && first !== index)
        complain({
          path: ['experiment', key, index, 'id'],
          code: 'duplicate',
          message: `"${item['id']}" is used twice`,
        });
    }
  }
  const ramp = isRecord(experiment['ramp']) ? experiment['ramp'] : {};
  const coverage: readonly unknown[] = Array.isArray(ramp['coverage']) ? ramp['coverage'] : [];
  for (const [index, step] of coverage.entries())
    if (index > 0 && Number(step) <= Number(coverage[index - 1]))
      complain({
        path: ['experiment', 'ramp', 'coverage', index],
        code: 'ramp',
        message: 'coverage rises from step to step',
      });
  const resolved: MetricSpec[] = [];
  for (const [index, metric] of metrics.entries()) {
    const path = ['experiment', 'metrics', index];
    const known = metricSchema.safeParse(metric);
    if (!known.success) continue;
    const [found] = resolveOne(known.data);
    if (isResolveProblem(found))
      complain({
        path: found.key === undefined ? path : [...path, found.key],
        code: found.code,
        message: found.message,
      });
    else resolved.push(found);
  }
  const slos = recordsIn(experiment['slos']);
  const analysis = isRecord(experiment['analysis']) ? experiment['analysis'] : {};
  const context = {
    unit: String(experiment['unit']),
    metrics: resolved,
    alphaSlo: typeof analysis['alpha_slo'] === 'number' ? analysis['alpha_slo'] : defaultAlphaSlo,
    arms: arms.map(({ id, role }) => ({
      id: String(id),
      role: role === 'control' ? ('control' as const) : ('candidate' as const),
    })),
  };
  for (const [index, slo] of slos.entries()) {
    const known = sloSchema.safeParse(slo);
    // A metric with a problem of its own is not also an unknown one.
    if (
      !known.success ||
      (metrics.some(({ id }) => id === known.data.metric) && !resolved.some(({ id }) => id === known.data.metric))
    )
      continue;
    const found = resolveSlo(known.data, context);
    if (isResolveProblem(found))
      complain({
        path: ['experiment', 'slos', index, ...(found.key === undefined ? [] : [found.key])],
        code: found.code,
        message: found.message,
      });
  }
}

/** One metric as it stands, and what it waits for. */
function resolveOne(
  input: MetricInput,
): readonly [MetricSpec | ResolveProblem, ReturnType<typeof resolveAll>['waiting']] {
  const draft = draftOf(input);
  if (isResolveProblem(draft)) return [draft, []];
  const {
    metrics: [metric = { code: 'missing', message: 'no metric' }],
    waiting,
  } = resolveAll([draft]);
  return [metric, waiting];
}

function toSpec(input: FileInput): ExperimentSpec | undefined {
  const resolved = input.metrics.map(resolveOne);
  const metrics = resolved.flatMap(([metric]) => (isResolveProblem(metric) ? [] : [metric]));
  const waiting = resolved.flatMap(([, plan]) => plan);
  const { analysis, health, ramp } = input;
  const arms = input.arms.map(
    (arm): Arm => ({ id: arm.id, role: arm.role ?? 'candidate', weight: arm.weight, config: arm.config ?? {} }),
  );
  const slos = input.slos
    .map((slo) => resolveSlo(slo, { unit: input.unit, metrics, arms, alphaSlo: analysis.alpha_slo }))
    .flatMap((slo) => (isResolveProblem(slo) ? [] : [slo]));
  if (metrics.length < resolved.length || slos.length < input.slos.length) return undefined;
  return {
    id: input.id,
    unit: input.unit,
    ...(input.layer !== undefined && { layer: input.layer }),
    salt: input.salt ?? input.id,
    arms: waiting.length > 0 ? arms.filter(({ role }) => role === 'control') : arms,
    ...(ramp && {
      ramp: {
        coverage: ramp.coverage,
        holdMs: ramp.hold,
        minUnits: ramp.min_units,
        ...(ramp.tolerance !== undefined && { tolerance: ramp.tolerance }),
        ...(ramp.patience !== undefined && { patienceMs: ramp.patience }),
      },
    }),
    analysis: {
      alphaHarm: analysis.alpha_harm,
      alphaWin: analysis.alpha_win,
      alphaSrm: analysis.alpha_srm,
      alphaSlo: analysis.alpha_slo,
      fwer: analysis.fwer,
      testStartEveryMs: analysis.restart_every,
      horizonMs: analysis.horizon,
      minRunMs: analysis.min_run,
      freshnessMs: analysis.freshness,
    },
    metrics,
    slos,
    health: {
      srm: health.srm,
      crossovers: health.crossovers,
      ...(health.no_traffic !== undefined && { noTrafficMs: health.no_traffic }),
    },
    ...(waiting.length > 0 && { learning: { arms, metrics: waiting } }),
  };
}

/** Nearest known key within two edits, for "did you mean". */
function nearest(key: string, known: readonly string[]): string | undefined {
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, index) => index);
    for (let i = 1; i <= a.length; i += 1) {
      const next = [i];
      for (let j = 1; j <= b.length; j += 1)
        next[j] = Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        );
      row = next;
    }
    return row[b.length] ?? 0;
  };
  return known
    .map((name) => ({ name, edits: distance(key, name) }))
    .filter(({ edits }) => edits <= 2 && edits < key.length / 2)
    .sort((a, b) => a.edits - b.edits)[0]?.name;
}
const knownKeys = [
  'version',
  'experiment',
  'id',
  'unit',
  'layer',
  'salt',
  'arms',
  'ramp',
  'analysis',
  'metrics',
  'health',
  'role',
  'weight',
  'config',
  'coverage',
  'hold',
  'min_units',
  'alpha_harm',
  'alpha_win',
  'alpha_slo',
  'alpha_srm',
  'restart_every',
  'horizon',
  'min_run',
  'freshness',
  'numerator',
  'denominator',
  'quantile',
  'of',
  'threshold',
  'better',
  'window',
  'harm',
  'baseline',
  'mean',
  'sd',
  'cap',
  'margin',
  'srm',
  'no_traffic',
  'crossovers',
  'worthwhile',
  'tolerance',
  'patience',
  'fwer',
  'slos',
  'arm',
  'metric',
  'worse_than',
  'action',
  'hard_kill',
  'fail',
];

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

/**
 * Reads a file's text (at most 256 KiB). All problems at once, in the file's order; one mistake is one problem: a
 * misspelt key is not also a missing one. `sha` is SHA-256 of the canonical JSON of its content, hex.
 */
export function parseExperimentFile(text: string, fileName: string): ParsedFile {
  const counter = new LineCounter();
  const problems: FileProblem[] = [];
  const add = (offset: number, path: string, code: string, message: string): void => {
    if (problems.some((known) => known.path === path && known.code === code && path !== '')) return;
    const { line, col } = counter.linePos(offset);
    problems.push({
      path,
      line,
      column: col,
      code,
      message: `${fileName}:${line}:${col} ${path ? `${path}: ` : ''}${message}`,
    });
  };
  if (text.length > 262_144)
    return {
      ok: false,
      problems: [
        {
          path: '',
          line: 1,
          column: 1,
          code: 'too-large',
          message: `${fileName}:1:1 an experiment file has at most 256 KiB`,
        },
      ],
    };
  const document = parseDocument(text, { lineCounter: counter });
  for (const error of document.errors)
    add(error.pos[0], '', error.code, error.message.split(/ at line \d|\n/)[0] ?? 'not YAML');
  if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) return { ok: false, problems };
  const offsetOf = (path: readonly (string | number)[]): number => {
    for (let depth = path.length; depth >= 0; depth -= 1) {
      const node: unknown = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
      if (depth < path.length && isMap(node)) {
        const pair = node.items.find(({ key }) => isNode(key) && String(key) === String(path[depth]));
        if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0];
      }
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  };
  const pathText = (path: readonly (string | number)[]): string =>
    path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
  const misspelt = new Set<string>();
  const complain = ({ path, code, message }: Complaint): void => {
    if (!misspelt.has(pathText(path))) add(offsetOf(path), pathText(path), code, message);
  };
  const read = contentOf(document);
  if ('problem' in read) {
    add(0, '', 'unreadable', read.problem);
    return { ok: false, problems };
  }
  const { content } = read;
  const parsed = fileSchema.safeParse(content);
  const issues = (parsed.success ? [] : parsed.error.issues).map((issue) => ({
    issue,
    path: issue.path.filter((part) => typeof part !== 'symbol'),
  }));
  for (const { issue, path } of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    for (const key of issue.keys) {
      const suggestion = nearest(key, knownKeys);
      complain({
        path: [...path, key],
        code: 'unknown-key',
        message: `unknown key${suggestion ? `, did you mean "${suggestion}"?` : ''}`,
      });
      if (suggestion !== undefined) misspelt.add(pathText([...path, suggestion]));
    }
  }
  for (const { issue, path } of issues)
    if (issue.code !== 'unrecognized_keys') complain({ path, code: issue.code, message: issue.message });
  checkTogether(content, complain);
  const spec = parsed.success ? toSpec(parsed.data.experiment) : undefined;
  if (problems.length > 0 || spec === undefined)
    return { ok: false, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
  return { ok: true, spec, sha: sha256Hex(canonicalJson(content)) };
}

/** JSON Schema of the file, for editors. */
export const experimentFileSchema = (): unknown => z.toJSONSchema(fileSchema, { io: 'input', unrepresentable: 'any' });
