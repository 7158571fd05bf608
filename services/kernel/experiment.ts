/**
 * An experiment as every part reads it: validated, normalised (durations in milliseconds, effects absolute) and frozen
 * per phase. Arms, weights, unit, layer and metrics never change within a phase; coverage and status may, by revision.
 */
import type { Measure } from './measures.ts';
import type { EpochMs } from './time.ts';

export type Arm = {
  readonly id: string;
  readonly role: 'control' | 'candidate';
  /** Relative share; shares are weight / sum of weights. */
  readonly weight: number;
  readonly config: Readonly<Record<string, unknown>>;
};

export type MetricSpec = {
  readonly id: string;
  readonly role: 'goal' | 'guardrail' | 'signal';
  readonly numerator: Measure;
  /** Absent: 1 for each unit. */
  readonly denominator?: Measure;
  readonly better: 'lower' | 'higher';
  /** Length of an entry, and of an outcome's attribution. */
  readonly windowMs: number;
  /** The change worth catching, absolute, > 0, in the metric's own unit; `better` gives its direction. */
  readonly harm: number;
  /** Mean and standard deviation of one unit's value before the run, in the metric's own unit. */
  readonly baseline: { readonly mean: number; readonly sd: number };
  /** Values are capped here; > 0, in the metric's own unit. */
  readonly cap: number;
  /** Tolerated change, absolute, >= 0, in the metric's own unit. */
  readonly margin: number;
};

export type ExperimentSpec = {
  readonly id: string;
  /** user | org | session | request | entity:<type> */
  readonly unit: string;
  readonly layer?: string;
  /** Start of the hashed text; defaults to the id, so a copy of a file draws other units. */
  readonly salt: string;
  readonly arms: readonly Arm[];
  readonly ramp?: { readonly coverage: readonly number[]; readonly holdMs: number; readonly minUnits: number };
  readonly analysis: {
    readonly alphaHarm: number;
    readonly alphaWin: number;
    readonly alphaSrm: number;
    readonly restartEveryMs: number;
    readonly horizonMs: number;
    readonly minRunMs: number;
    readonly freshnessMs: number;
  };
  readonly metrics: readonly MetricSpec[];
  readonly health: { readonly srm: 'pause' | 'warn'; readonly crossovers: 'exclude' | 'first' };
};

export type ExperimentStatus = 'running' | 'paused' | 'rolled_back' | 'stopped' | 'promoted' | 'completed';

export type ExperimentRevision = {
  readonly spec: ExperimentSpec;
  /** Rises by one with every change of anything. */
  readonly revision: number;
  /** Rises when arms, weights, unit, layer or metrics change; evidence starts at nothing. */
  readonly phase: number;
  readonly status: ExperimentStatus;
  /** Share of units in the experiment, percent, 0..100. Units outside get control and are not counted. */
  readonly coverage: number;
  /** SHA-256 of the canonical JSON of the experiment file's content, hex. */
  readonly configSha: string;
  readonly phaseStartedAt: EpochMs;
  readonly appliedAt: EpochMs;
  readonly author: string;
  readonly reason: string;
};

export const controlOf = (spec: ExperimentSpec): Arm => {
  const control = spec.arms.find((arm) => arm.role === 'control');
  if (control === undefined) throw new RangeError(`experiment ${spec.id} has no control arm`);
  return control;
};
export const candidatesOf = (spec: ExperimentSpec): readonly Arm[] => spec.arms.filter((arm) => arm.role === 'candidate');

/** P(unit in the candidate | unit in the candidate or control), in (0, 1). */
export function allocationOf(spec: ExperimentSpec, candidate: string): number {
  const weight = spec.arms.find((arm) => arm.id === candidate)?.weight ?? 0;
  return weight / (weight + controlOf(spec).weight);
}
