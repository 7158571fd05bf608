/**
 * An experiment as every part reads it: validated, normalised (durations in milliseconds, effects absolute) and frozen
 * per phase. Arms, weights, unit, layer and metrics never change within a phase; coverage and status may, by revision.
 */
import { canonicalJson, type Json } from './canonical-json.ts';
import type { Measure } from './measures.ts';
import type { EpochMs } from './time.ts';

export type Arm = {
  readonly id: string;
  readonly role: 'control' | 'candidate';
  /** Relative share; shares are weight / sum of weights. */
  readonly weight: number;
  readonly config: Readonly<Record<string, unknown>>;
};

/**
 * Mean and standard deviation of one unit's value before the run, in the metric's own unit. `denominator`: mean of a
 * unit's denominator, > 0, in whole numbers of its scale; a unit with twice as many weighs twice. Absent: 1 for counts;
 * amounts as denominators (tokens, money) then do not weigh.
 */
export type Baseline = { readonly mean: number; readonly sd: number; readonly denominator?: number };

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
  readonly baseline: Baseline;
  /** Values above count as this; > floor, in the metric's own unit. */
  readonly cap: number;
  /** Values below count as this; in the metric's own unit. Absent: 0. */
  readonly floor?: number;
  /** Tolerated change, absolute, >= 0, in the metric's own unit. */
  readonly margin: number;
  /** Goals: the smallest benefit worth having, absolute, > 0; below it the phase is futile. */
  readonly worthwhile?: number;
};

/** A limit that one arm must keep by itself, whatever the others do. */
export type SloSpec = {
  readonly id: string;
  readonly arm: string;
  readonly metric: string;
  /**
   * Worst mean of a unit's value that is still within the objective, in the metric's own unit; below 1 cap, above 0.
   */
  readonly worseThan: number;
  readonly action: 'pause' | 'rollback';
  /**
   * At once when `fail` of at most `of` first units failed; unit request and 0-or-1 metrics only. `alpha`: what it
   * spends of alpha_slo.
   */
  readonly hardKill?: { readonly fail: number; readonly of: number; readonly alpha: number };
};

/** A change as a file says it: relative to the baseline's mean, or absolute in the metric's own unit; > 0. */
export type Effect = { readonly relative: boolean; readonly size: number };

/**
 * Before the candidates start: everybody has control, and these baselines are learned from it. What is declared stays.
 */
export type LearningPlan = {
  /** The arms of the phase that follows. */
  readonly arms: readonly Arm[];
  readonly metrics: readonly {
    readonly id: string;
    readonly harm: Effect;
    readonly margin?: Effect;
    readonly worthwhile?: Effect;
    readonly cap?: number;
    readonly floor?: number;
  }[];
};

export type ExperimentSpec = {
  readonly id: string;
  /** user | org | session | request | entity:<type> */
  readonly unit: string;
  /** user | org | session, another than `unit`: decides wherever a call has it, so that signing in moves nobody. */
  readonly fallbackUnit?: string;
  readonly layer?: string;
  /** Start of the hashed text; defaults to the id, so a copy of a file draws other units. */
  readonly salt: string;
  readonly arms: readonly Arm[];
  readonly ramp?: {
    readonly coverage: readonly number[];
    /** A step lasts at least this long and takes in at least so many units. */
    readonly holdMs: number;
    readonly minUnits: number;
    /**
     * Multiples of each guardrail's declared harm that the upper limit of its interval must lie below; absent: not
     * asked.
     */
    readonly tolerance?: number;
    /** After this long a step is taken though a limit is not low enough yet. */
    readonly patienceMs?: number;
  };
  readonly analysis: {
    readonly alphaHarm: number;
    readonly alphaWin: number;
    readonly alphaSrm: number;
    /** Per SLO. */
    readonly alphaSlo: number;
    /** Per step and metric of a candidate: what is missing there and not in control. Absent: `defaultAlphaMissing`. */
    readonly alphaMissing?: number;
    /** Candidates share alpha_harm instead of having one each. */
    readonly fwer: boolean;
    readonly testStartEveryMs: number;
    readonly horizonMs: number;
    readonly minRunMs: number;
    readonly freshnessMs: number;
  };
  readonly metrics: readonly MetricSpec[];
  readonly slos: readonly SloSpec[];
  /**
   * `noTrafficMs`: an arm silent for this long, while another is not, makes the phase stale. Absent: a share of the
   * phase's own rhythm, which holds back promotions and ramp steps alone.
   */
  readonly health: {
    readonly srm: 'pause' | 'warn';
    readonly crossovers: 'exclude' | 'first';
    readonly noTrafficMs?: number;
    /** Nothing is promoted while a service's clock is further from the broker's. Absent: `defaultSkewLimitMs`. */
    readonly clockSkewMs?: number;
  };
  /** Present while baselines are learned: `arms` is control alone then. */
  readonly learning?: LearningPlan;
};

export type ExperimentStatus = 'running' | 'paused' | 'rolled_back' | 'stopped' | 'promoted' | 'completed';
/** Nothing is decided of it any more. */
export const endedStatuses: ReadonlySet<ExperimentStatus> = new Set([
  'rolled_back',
  'stopped',
  'promoted',
  'completed',
]);

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
  /** The candidate that everybody has after a promotion. */
  readonly promoted?: string;
  /** Baselines that were learned, and the SHA-256 of the frozen design that they were learned for, hex. */
  readonly learned?: {
    readonly of: string;
    readonly baselines: Readonly<Record<string, Baseline>>;
  };
};

export const defaultAlphaMissing = 0.001;

export const controlOf = (spec: ExperimentSpec): Arm => {
  const control = spec.arms.find((arm) => arm.role === 'control');
  if (control === undefined) throw new RangeError(`experiment ${spec.id} has no control arm`);
  return control;
};
export const candidatesOf = (spec: ExperimentSpec): readonly Arm[] =>
  spec.arms.filter((arm) => arm.role === 'candidate');

/** P(unit in the candidate | unit in the candidate or control), in (0, 1). */
export function allocationOf(spec: ExperimentSpec, candidate: string): number {
  const weight = spec.arms.find((arm) => arm.id === candidate)?.weight ?? 0;
  return weight / (weight + controlOf(spec).weight);
}

/**
 * Share of its family's error that a metric may spend: guardrails 2, goals 1, normalised; signals are a family of their
 * own (`services/control/README.md`).
 */
export function metricWeight(spec: ExperimentSpec, metric: Pick<MetricSpec, 'role'>): number {
  const weightOf = ({ role }: Pick<MetricSpec, 'role'>): number => (role === 'guardrail' ? 2 : 1);
  const family = spec.metrics.filter(({ role }) => (role === 'signal') === (metric.role === 'signal'));
  return weightOf(metric) / family.reduce((sum, member) => sum + weightOf(member), 0);
}

/** What a test of missing data may spend. */
export const missingAlphaOf = ({ analysis }: ExperimentSpec): number => analysis.alphaMissing ?? defaultAlphaMissing;

/** What each candidate may spend on false rollbacks. */
export const harmAlphaOf = (spec: ExperimentSpec): number =>
  spec.analysis.alphaHarm / (spec.analysis.fwer ? Math.max(1, candidatesOf(spec).length) : 1);

/**
 * What each goal of each candidate may spend on a false promotion: alpha_win is split over all of them, also those that
 * are over by now. Guardrails of a winner must each be non-inferior at alpha_win, which costs nothing more.
 */
export const winAlphaOf = (spec: ExperimentSpec): number =>
  spec.analysis.alphaWin /
  Math.max(1, spec.metrics.filter(({ role }) => role === 'goal').length * candidatesOf(spec).length);

/**
 * What may not change within a phase, as one text: whoever changes one of these starts a new phase, and evidence starts
 * at nothing. Restart weights depend on `restart_every` and `horizon`, bounds on the alphas.
 */
export const frozenDesign = ({
  unit,
  fallbackUnit,
  layer,
  salt,
  arms,
  metrics,
  slos,
  learning,
  analysis: { alphaHarm, alphaWin, alphaSrm, alphaSlo, alphaMissing, fwer, testStartEveryMs, horizonMs },
}: ExperimentSpec): string =>
  canonicalJson({
    unit,
    fallbackUnit,
    layer,
    salt,
    arms,
    metrics,
    slos,
    learning,
    alphaHarm,
    alphaWin,
    alphaSrm,
    alphaSlo,
    // Left out at its default: phases of files that do not name it go on.
    ...(alphaMissing !== undefined && alphaMissing !== defaultAlphaMissing && { alphaMissing }),
    fwer,
    testStartEveryMs,
    horizonMs,
  } as never as Json);
