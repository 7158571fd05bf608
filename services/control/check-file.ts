/**
 * What no single value of a file shows, but several together: one control, ids used once, a ramp that rises, metrics
 * and SLOs that can be resolved. It reads the raw content, so that a file with a wrong type elsewhere hears of these
 * too.
 */
import type { MetricSpec } from '../kernel/experiment.ts';
import { parseDurationMs } from '../kernel/time.ts';
import { defaultAlphaSlo, defaultTestStarts, metricSchema, sloSchema } from './file-schema.ts';
import { resolveOne } from './file-to-spec.ts';
import { isResolveProblem, type ResolveProblem } from './resolve-metrics.ts';
import { resolveSlo } from './resolve-slo.ts';

export type FilePath = readonly (string | number)[];
export type Complaint = { readonly path: FilePath; readonly code: string; readonly message: string };
type Complain = (complaint: Complaint) => void;
type Content = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Content =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const recordIn = (value: unknown): Content => (isRecord(value) ? value : {});
const recordsIn = (value: unknown): readonly Content[] => (Array.isArray(value) ? value.map(recordIn) : []);

export function checkTogether(content: unknown, complain: Complain): void {
  const experiment = recordIn(recordIn(content)['experiment']);
  const arms = recordsIn(experiment['arms']);
  const metrics = recordsIn(experiment['metrics']);
  checkFallback(experiment, complain);
  checkControl(arms, complain);
  checkIds('arms', arms, complain);
  checkIds('metrics', metrics, complain);
  checkRamp(recordIn(experiment['ramp'])['coverage'], complain);
  checkShares(arms, complain);
  checkTestStarts(recordIn(experiment['analysis']), complain);
  checkKeys(content, [], complain);
  checkSlos(experiment, arms, checkMetrics(metrics, complain), complain);
}

/** Two names of one unit: a visitor's session and, once signed in, the user. */
function checkFallback({ unit, fallback_unit: fallback }: Content, complain: Complain): void {
  if (fallback === undefined || (fallback !== unit && (unit === 'user' || unit === 'org'))) return;
  const message =
    fallback === unit
      ? `fallback_unit is another id than unit, which is ${String(unit)} already: take the key out, or name the other`
      : `fallback_unit goes with unit: user or unit: org, not with ${String(unit)}: take the key out`;
  complain({ path: ['experiment', 'fallback_unit'], code: 'fallback', message });
}

function checkControl(arms: readonly Content[], complain: Complain): void {
  const controls = arms.filter(({ role }) => role === 'control').length;
  const toldRoles = arms.every(({ role }) => role === undefined || role === 'control');
  if (arms.length > 0 && toldRoles && controls !== 1)
    complain({
      path: ['experiment', 'arms'],
      code: 'control',
      message: `exactly one arm has role: control, found ${controls}`,
    });
}

function checkIds(key: 'arms' | 'metrics', items: readonly Content[], complain: Complain): void {
  for (const [index, { id }] of items.entries()) {
    const first = items.findIndex((other) => other['id'] === id);
    if (typeof id === 'string' && first !== index)
      complain({ path: ['experiment', key, index, 'id'], code: 'duplicate', message: `"${id}" is used twice` });
  }
}

function checkRamp(coverage: unknown, complain: Complain): void {
  const steps: readonly unknown[] = Array.isArray(coverage) ? coverage : [];
  for (const [index, step] of steps.entries())
    if (index > 0 && Number(step) <= Number(steps[index - 1]))
      complain({
        path: ['experiment', 'ramp', 'coverage', index],
        code: 'ramp',
        message: 'coverage rises from step to step',
      });
}

/** Nobody sees enough units of a smaller one. */
const leastShare = 0.0001;

function checkShares(arms: readonly Content[], complain: Complain): void {
  const weights = arms.map(({ weight }) => (typeof weight === 'number' && weight > 0 ? weight : 0));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  for (const [index, weight] of weights.entries())
    if (weight >= 0.001 && weight / sum < leastShare)
      complain({
        path: ['experiment', 'arms', index, 'weight'],
        code: 'share',
        message: `an arm has at least ${leastShare} of the weights, this one ${weight / sum}`,
      });
}

/** Every test start has sums of its own, in every partition. */
const mostTestStarts = 10_000;

function checkTestStarts({ restart_every: every, horizon }: Content, complain: Complain): void {
  const msOf = (text: unknown, otherwiseMs: number): number =>
    text === undefined || text === null ? otherwiseMs : (parseDurationMs(String(text)) ?? 0);
  const everyMs = msOf(every, defaultTestStarts.everyMs);
  const horizonMs = msOf(horizon, defaultTestStarts.horizonMs);
  if (everyMs < 60_000) return;
  if (horizonMs / everyMs > mostTestStarts)
    complain({
      path: ['experiment', 'analysis', every === undefined ? 'horizon' : 'restart_every'],
      code: 'test-starts',
      message: `${Math.ceil(horizonMs / everyMs)} test starts until the horizon, at most ${mostTestStarts}`,
    });
}

/** As a key of an object it would change the object: it could be lost on any way, so it is refused on the first. */
function checkKeys(content: unknown, path: FilePath, complain: Complain): void {
  if (typeof content !== 'object' || content === null) return;
  for (const [key, value] of Object.entries(content)) {
    const at = [...path, Array.isArray(content) ? Number(key) : key];
    if (key === '__proto__') complain({ path: at, code: 'unknown-key', message: 'no key may be called "__proto__"' });
    checkKeys(value, at, complain);
  }
}

const at = (path: FilePath, { key, code, message }: ResolveProblem): Complaint => ({
  path: key === undefined ? path : [...path, key],
  code,
  message,
});

/** Complains about metrics that cannot be resolved, and hands on those that can. */
function checkMetrics(metrics: readonly Content[], complain: Complain): readonly MetricSpec[] {
  return metrics.flatMap((metric, index) => {
    const known = metricSchema.safeParse(metric);
    if (!known.success) return [];
    const [found] = resolveOne(known.data);
    if (!isResolveProblem(found)) return [found];
    complain(at(['experiment', 'metrics', index], found));
    return [];
  });
}

function checkSlos(
  experiment: Content,
  arms: readonly Content[],
  resolved: readonly MetricSpec[],
  complain: Complain,
): void {
  const alphaSlo = recordIn(experiment['analysis'])['alpha_slo'];
  const declared = recordsIn(experiment['metrics']);
  /** Declared, but with a problem of its own: it is not also an unknown one. */
  const hasProblem = (metric: string): boolean =>
    declared.some(({ id }) => id === metric) && !resolved.some(({ id }) => id === metric);
  const context = {
    unit: String(experiment['unit']),
    metrics: resolved,
    alphaSlo: typeof alphaSlo === 'number' ? alphaSlo : defaultAlphaSlo,
    arms: arms.map(({ id, role }) => ({
      id: String(id),
      role: role === 'control' ? ('control' as const) : ('candidate' as const),
    })),
  };
  for (const [index, slo] of recordsIn(experiment['slos']).entries()) {
    const known = sloSchema.safeParse(slo);
    if (!known.success || hasProblem(known.data.metric)) continue;
    const found = resolveSlo(known.data, context);
    if (isResolveProblem(found)) complain(at(['experiment', 'slos', index], found));
  }
}
