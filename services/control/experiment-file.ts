/**
 * The experiment file: YAML in, a normalised specification out, or every problem at once with line, column and cure. Format: contracts 3.
 * What this version does not do is refused by name, never ignored.
 */
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { canonicalJson, type Json, sha256Hex } from '../kernel/canonical-json.ts';
import type { Arm, ExperimentSpec, MetricSpec } from '../kernel/experiment.ts';
import { isEventMeasure, type Measure, parseMeasure, scaleOf } from '../kernel/measures.ts';
import { parseDurationMs } from '../kernel/time.ts';

export type FileProblem = { readonly path: string; readonly line: number; readonly column: number; readonly code: string; readonly message: string };
export type ParsedFile = { readonly ok: true; readonly spec: ExperimentSpec; readonly sha: string } | { readonly ok: false; readonly problems: readonly FileProblem[] };

const duration = z.string().transform((text, context) => {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms === 0) context.addIssue({ code: 'custom', message: `expected a duration like 90s, 6h or 14d, got "${text}"` });
  return ms ?? 0;
});
const measure = z.string().max(256).transform((text, context): Measure => {
  const parsed = parseMeasure(text);
  if ('measure' in parsed) return parsed.measure;
  context.addIssue({ code: 'custom', message: parsed.problem });
  return { of: 'inference', name: 'requests' };
});
const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'letters, digits, - and _, at most 63, beginning with a letter or digit');
const alpha = z.number().gt(0, 'between 0 and 1').lt(1, 'between 0 and 1');
const notYet = (what: string) => z.never({ error: `${what} are not supported in this version: take the key out` }).optional();

/** `+20%` of the baseline's mean, or an absolute change. The sign only repeats the direction that `better` gives. */
const effect = z.union([z.number(), z.string()]).transform((input, context): { relative: boolean; size: number } => {
  const match = /^[+-]?(\d+(?:\.\d+)?)(%?)$/.exec(String(input));
  const size = typeof input === 'number' ? Math.abs(input) : Number(match?.[1] ?? Number.NaN) / (match?.[2] === '%' ? 100 : 1);
  if (!(size > 0)) context.addIssue({ code: 'custom', message: `expected a change above 0 like +20% or +0.02, got "${input}"` });
  return { relative: match?.[2] === '%', size };
});

const metricSchema = z.strictObject({
  id,
  role: z.enum(['goal', 'guardrail', 'signal']),
  numerator: measure.optional(),
  denominator: measure.optional(),
  quantile: z.number().gt(0).lt(1).optional(),
  of: z.enum(['latency_ms', 'ttft_ms', 'token_in', 'token_out', 'cost_nano_usd']).optional(),
  threshold: z.number().gt(0).optional(),
  better: z.enum(['lower', 'higher']),
  window: duration,
  harm: effect.optional(),
  baseline: z.strictObject({ mean: z.number().gte(0, 'at least 0'), sd: z.number().gt(0, 'above 0') }).optional(),
  cap: z.number().gt(0, 'above 0').optional(),
  margin: z.union([z.literal(0), effect]).optional(),
});
type MetricInput = z.output<typeof metricSchema>;

const fileSchema = z.strictObject({
  version: z.literal(1, { error: 'this version reads files of version 1' }),
  experiment: z.strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and -, at most 63'),
    unit: z.string().regex(/^(user|org|session|request|entity:[A-Za-z0-9_-]{1,32})$/, 'one of user, org, session, request, entity:<type>'),
    layer: id.optional(),
    salt: z.string().min(1).max(128).optional(),
    arms: z.array(z.strictObject({ id, role: z.literal('control').optional(), weight: z.number().gt(0, 'above 0').lte(1e6), config: z.record(z.string(), z.unknown()).optional() })).min(2, 'a control and at least one candidate').max(16),
    ramp: z.strictObject({ coverage: z.array(z.number().gte(0).lte(100)).min(1), hold: duration, min_units: z.number().int().gte(0) }).optional(),
    analysis: z.strictObject({
      alpha_harm: alpha.default(0.05), alpha_win: alpha.default(0.05), alpha_slo: alpha.optional(), alpha_srm: alpha.default(0.001),
      restart_every: duration.default(21_600_000), horizon: duration.default(1_209_600_000), min_run: duration.default(86_400_000), freshness: duration.default(300_000),
    }).prefault({}),
    metrics: z.array(metricSchema).min(1).max(32),
    slos: notYet('slos'),
    health: z.strictObject({ srm: z.enum(['pause', 'warn']).default('pause'), no_traffic: duration.optional(), crossovers: z.enum(['exclude', 'first']).default('exclude') }).prefault({}),
    review: notYet('review rules'),
  }),
});

type Complaint = { readonly path: readonly (string | number)[]; readonly code: string; readonly message: string };

/** 99.5th percentile of a normal distribution, in standard deviations. */
const z995 = 2.5758;

function toMetric(input: MetricInput, path: readonly (string | number)[], complain: (complaint: Complaint) => void): MetricSpec | undefined {
  const say = (key: string | undefined, code: string, message: string): undefined => {
    complain({ path: key === undefined ? path : [...path, key], code, message });
    return undefined;
  };
  let { numerator, denominator } = input;
  if (input.quantile !== undefined) {
    if (input.of === undefined || input.threshold === undefined) return say('quantile', 'quantile-incomplete', 'a quantile is tested as the rate of passing a threshold: give `of` and `threshold`');
    numerator = { of: 'inference', name: 'over', field: input.of, threshold: input.threshold };
    denominator = { of: 'inference', name: 'requests' };
  }
  if (numerator === undefined) return say('numerator', 'missing', 'a metric needs a numerator, or quantile, of and threshold');
  const baseline = input.baseline ?? (input.quantile === undefined ? undefined : { mean: 1 - input.quantile, sd: Math.sqrt(input.quantile * (1 - input.quantile)) });
  if (baseline === undefined) {
    complain(missingBaseline(path));
    return undefined;
  }
  const harmInput = input.harm ?? { relative: true, size: input.quantile === undefined ? 0.2 : 0.5 };
  const absolute = (change: { relative: boolean; size: number }): number => (change.relative ? change.size * baseline.mean : change.size);
  const harm = absolute(harmInput);
  if (!(harm > 0)) return say('harm', 'no-effect', 'a relative change of a mean of 0 is no change: give an absolute one');
  const rate = scaleOf(numerator) === 1 && denominator !== undefined && (isEventMeasure(numerator) || numerator.of === 'outcome');
  const cap = input.cap ?? (rate ? 1 : baseline.mean + z995 * baseline.sd);
  if (cap <= baseline.mean) return say('cap', 'cap-too-low', `the cap lies above the baseline's mean ${baseline.mean}`);
  const margin = input.margin === undefined || input.margin === 0 ? 0 : absolute(input.margin);
  if (margin >= cap) return say('margin', 'margin-too-large', `the tolerated change lies below the cap ${cap}`);
  return { id: input.id, role: input.role, numerator, ...(denominator && { denominator }), better: input.better, windowMs: input.window, harm, baseline, cap, margin };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
const recordsIn = (value: unknown): readonly Readonly<Record<string, unknown>>[] => (Array.isArray(value) ? value.map((item) => (isRecord(item) ? item : {})) : []);

/** What no single value shows: it reads the raw content, so that a file with a wrong type elsewhere hears of these too. */
function checkTogether(content: unknown, complain: (complaint: Complaint) => void): void {
  const experiment = isRecord(content) && isRecord(content['experiment']) ? content['experiment'] : {};
  const arms = recordsIn(experiment['arms']);
  const controls = arms.filter(({ role }) => role === 'control').length;
  const toldRoles = arms.every(({ role }) => role === undefined || role === 'control');
  if (arms.length > 0 && toldRoles && controls !== 1) complain({ path: ['experiment', 'arms'], code: 'control', message: `exactly one arm has role: control, found ${controls}` });
  const metrics = recordsIn(experiment['metrics']);
  for (const [key, items] of [['arms', arms], ['metrics', metrics]] as const) {
    for (const [index, item] of items.entries()) {
      const first = items.findIndex((other) => other['id'] === item['id']);
      if (typeof item['id'] === 'string' && first !== index) complain({ path: ['experiment', key, index, 'id'], code: 'duplicate', message: `"${item['id']}" is used twice` });
    }
  }
  const ramp = isRecord(experiment['ramp']) ? experiment['ramp'] : {};
  const coverage: readonly unknown[] = Array.isArray(ramp['coverage']) ? ramp['coverage'] : [];
  for (const [index, step] of coverage.entries()) if (index > 0 && Number(step) <= Number(coverage[index - 1])) complain({ path: ['experiment', 'ramp', 'coverage', index], code: 'ramp', message: 'coverage rises from step to step' });
  for (const [index, metric] of metrics.entries()) {
    const path = ['experiment', 'metrics', index];
    const known = z.object(metricSchema.shape).safeParse(metric);
    if (known.success) toMetric(known.data, path, complain);
    else if (metric['quantile'] === undefined && metric['baseline'] === undefined) complain(missingBaseline(path));
  }
}

const missingBaseline = (path: readonly (string | number)[]): Complaint => ({ path: [...path, 'baseline'], code: 'unsupported', message: 'learning a baseline is not supported in this version: declare baseline: { mean, sd } from before the run' });

function toSpec(input: z.output<typeof fileSchema>['experiment']): ExperimentSpec | undefined {
  const metrics = input.metrics.map((metric, index) => toMetric(metric, ['experiment', 'metrics', index], () => {}));
  if (metrics.some((metric) => metric === undefined)) return undefined;
  const { analysis, health } = input;
  return {
    id: input.id, unit: input.unit, ...(input.layer !== undefined && { layer: input.layer }), salt: input.salt ?? input.id,
    arms: input.arms.map((arm): Arm => ({ id: arm.id, role: arm.role ?? 'candidate', weight: arm.weight, config: arm.config ?? {} })),
    ...(input.ramp && { ramp: { coverage: input.ramp.coverage, holdMs: input.ramp.hold, minUnits: input.ramp.min_units } }),
    analysis: {
      alphaHarm: analysis.alpha_harm, alphaWin: analysis.alpha_win, alphaSrm: analysis.alpha_srm, restartEveryMs: analysis.restart_every, horizonMs: analysis.horizon, minRunMs: analysis.min_run, freshnessMs: analysis.freshness,
    },
    metrics: metrics.filter((metric) => metric !== undefined),
    health: { srm: health.srm, crossovers: health.crossovers },
  };
}

/** Nearest known key within two edits, for "did you mean". */
function nearest(key: string, known: readonly string[]): string | undefined {
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, index) => index);
    for (let i = 1; i <= a.length; i += 1) {
      const next = [i];
      for (let j = 1; j <= b.length; j += 1) next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1));
      row = next;
    }
    return row[b.length] ?? 0;
  };
  return known.map((name) => ({ name, edits: distance(key, name) })).filter(({ edits }) => edits <= 2 && edits < key.length / 2).sort((a, b) => a.edits - b.edits)[0]?.name;
}
const knownKeys = ['version', 'experiment', 'id', 'unit', 'layer', 'salt', 'arms', 'ramp', 'analysis', 'metrics', 'health', 'role', 'weight', 'config', 'coverage', 'hold', 'min_units', 'alpha_harm', 'alpha_win', 'alpha_slo', 'alpha_srm', 'restart_every', 'horizon', 'min_run', 'freshness', 'numerator', 'denominator', 'quantile', 'of', 'threshold', 'better', 'window', 'harm', 'baseline', 'mean', 'sd', 'cap', 'margin', 'srm', 'no_traffic', 'crossovers'];

/** The document's values, or why there are none: aliases that unfold without end, numbers that JSON cannot hold. */
function contentOf(document: Document): { readonly content: Json } | { readonly problem: string } {
  try {
    const content = document.toJS({ maxAliasCount: 20 }) as Json;
    canonicalJson(content);
    return { content };
  } catch (error) {
    return { problem: error instanceof RangeError ? 'this is no JSON: numbers are finite and no alias holds itself; take them out' : 'aliases unfold too far: write the values out' };
  }
}

/**
 * Reads a file's text (at most 256 KiB). All problems at once, in the file's order; one mistake is one problem: a misspelt key is not
 * also a missing one. `sha` is SHA-256 of the canonical JSON of its content, hex.
 */
export function parseExperimentFile(text: string, fileName: string): ParsedFile {
  const counter = new LineCounter();
  const problems: FileProblem[] = [];
  const add = (offset: number, path: string, code: string, message: string): void => {
    if (problems.some((known) => known.path === path && known.code === code && path !== '')) return;
    const { line, col } = counter.linePos(offset);
    problems.push({ path, line, column: col, code, message: `${fileName}:${line}:${col} ${path ? `${path}: ` : ''}${message}` });
  };
  if (text.length > 262_144) return { ok: false, problems: [{ path: '', line: 1, column: 1, code: 'too-large', message: `${fileName}:1:1 an experiment file has at most 256 KiB` }] };
  const document = parseDocument(text, { lineCounter: counter });
  for (const error of document.errors) add(error.pos[0], '', error.code, error.message.split(/ at line \d|\n/)[0] ?? 'not YAML');
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
  const pathText = (path: readonly (string | number)[]): string => path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
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
  const issues = (parsed.success ? [] : parsed.error.issues).map((issue) => ({ issue, path: issue.path.filter((part) => typeof part !== 'symbol') }));
  for (const { issue, path } of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    for (const key of issue.keys) {
      const suggestion = nearest(key, knownKeys);
      complain({ path: [...path, key], code: 'unknown-key', message: `unknown key${suggestion ? `, did you mean "${suggestion}"?` : ''}` });
      if (suggestion !== undefined) misspelt.add(pathText([...path, suggestion]));
    }
  }
  for (const { issue, path } of issues) if (issue.code !== 'unrecognized_keys') complain({ path, code: issue.code, message: issue.message });
  checkTogether(content, complain);
  const spec = parsed.success ? toSpec(parsed.data.experiment) : undefined;
  if (problems.length > 0 || spec === undefined) return { ok: false, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
  return { ok: true, spec, sha: sha256Hex(canonicalJson(content)) };
}

/** JSON Schema of the file, for editors. */
export const experimentFileSchema = (): unknown => z.toJSONSchema(fileSchema, { io: 'input', unrepresentable: 'any' });
