/** What a valid file says, as the specification that every part reads: durations in ms, effects absolute. */
import type { Arm, ExperimentSpec, MetricSpec } from '../kernel/experiment.ts';
import type { FileInput, MetricInput } from './file-schema.ts';
import { draftOf, isResolveProblem, resolveAll, type ResolveProblem } from './resolve-metrics.ts';
import { resolveSlo } from './resolve-slo.ts';

/** One metric as it stands, and what it waits for. */
export function resolveOne(
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

/** Undefined when a metric or an SLO has a problem; which one, `check-file.ts` says. */
export function toSpec(input: FileInput): ExperimentSpec | undefined {
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
    ...(input.fallback_unit !== undefined && { fallbackUnit: input.fallback_unit }),
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
      ...(analysis.alpha_missing !== undefined && { alphaMissing: analysis.alpha_missing }),
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
      ...(health.clock_skew !== undefined && { clockSkewMs: health.clock_skew }),
    },
    ...(waiting.length > 0 && { learning: { arms, metrics: waiting } }),
  };
}
