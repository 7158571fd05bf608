/**
 * What the joiner knows about one partition after folding its log up to a position. Plain data, changed in place by `fold.ts`;
 * nothing here reads a clock, the network or settings. Ids are 16-byte strings in latin1: small, and hashable as Map keys.
 */
import { type BetDesign, betDesignOf } from '../kernel/bets.ts';
import type { EntrySums, FingerprintMark, SegmentMark } from '../kernel/evidence.ts';
import { candidatesOf, type ExperimentRevision, type MetricSpec } from '../kernel/experiment.ts';
import { scaleOf } from '../kernel/measures.ts';
import type { EpochMs } from '../kernel/time.ts';
import { meterOf, type ObservationMeter } from './measure-observation.ts';

export type MetricFold = {
  readonly spec: MetricSpec;
  /** Contribution of an inference; absent for outcome measures. */
  readonly numerator?: ObservationMeter;
  readonly denominator?: ObservationMeter;
  /** What makes a value in the metric's own unit of the two whole numbers. */
  readonly ratio: number;
  readonly hasDenominator: boolean;
  /** True when the numerator or the denominator counts outcomes: the entry is worth what the unit's entities say when it closes. */
  readonly ofOutcomes: boolean;
  /** Bets per candidate, in the order of `candidates`. */
  readonly designs: readonly BetDesign[];
};

/** `small` holds what was added since the last flush and fits a double exactly, in the order of the five big sums. */
export type ReportSums = { units: number; firstEvents: number; numerator: bigint; denominator: bigint; numerator2: bigint; denominator2: bigint; product: bigint; readonly small: Float64Array };

export type ExperimentFold = {
  revision: ExperimentRevision;
  readonly metrics: readonly MetricFold[];
  readonly arms: readonly string[];
  readonly control: number;
  /** Arm indexes of the candidates. */
  readonly candidates: readonly number[];
  /** Metrics that share a window close together. */
  readonly windows: readonly { readonly windowMs: number; readonly metrics: readonly number[] }[];
  readonly outcomeKinds: ReadonlySet<string>;
  readonly segments: SegmentMark[];
  readonly fingerprints: Map<string, FingerprintMark>;
  /** Segment in which an arm was first seen, -1 before. */
  readonly armSeen: number[];
  readonly assigned: number[];
  events: number;
  crossovers: number;
  lateOutcomes: number;
  /** By `cellKey`. */
  readonly cells: Map<number, EntrySums>;
  readonly reports: ReportSums[][];
  readonly touchedCells: Set<number>;
  touched: boolean;
};

/**
 * A unit in one experiment. `totals` alternates numerator and denominator per metric. `entries` holds 9 numbers per metric:
 * last closed entry (segment or -1, start, numerator, denominator, segment of the one before it or -1), open entry (segment or -1, start,
 * numerator, denominator).
 */
export type UnitInExperiment = {
  readonly experiment: ExperimentFold;
  readonly unit: UnitFold;
  readonly arm: number;
  firstAt: EpochMs;
  crossed: boolean;
  readonly totals: Float64Array;
  readonly entries: Float64Array;
  /** What the report cells hold of this unit: the arm (-1: nothing) and the totals as of the last flush. */
  countedArm: number;
  readonly counted: Float64Array;
  touched: boolean;
};
export const entryFields = 9;

export type OutcomeFold = { revision: number; hop: number; kind: string; value: number | null; occurredAt: EpochMs; withdrawn: boolean };

export type EntityFold = {
  /** 16 bytes, or empty for outcomes that name only the unit. */
  readonly id: string;
  /** Per experiment: earliest accepted inference that named the entity. */
  readonly firstAt: Map<string, EpochMs>;
  readonly outcomes: Map<string, OutcomeFold>;
  /** Per experiment: what it adds to the unit's totals now. */
  readonly contribution: Map<string, Float64Array>;
  touched: boolean;
};

export type UnitFold = { readonly id: string; readonly experiments: UnitInExperiment[]; entities: Map<string, EntityFold> | undefined };

export type PartitionFold = {
  readonly part: number;
  /** Position after the last folded record. */
  position: number;
  clock: EpochMs;
  readonly experiments: Map<string, ExperimentFold>;
  readonly units: Map<string, UnitFold>;
  /** Event id -> unit id, for duplicates and for outcomes that know only their inference. */
  readonly seen: Map<string, string>;
  /** Outcomes that named an inference not seen yet, by that id. */
  readonly waiting: Map<string, { readonly outcomeId: string; readonly outcome: OutcomeFold }[]>;
  /** Min-heap of open entries by the time they close. */
  readonly closing: { closeAt: EpochMs; member: UnitInExperiment; window: number }[];
  readonly touchedMembers: Set<UnitInExperiment>;
  readonly touchedEntities: Set<{ readonly unit: UnitFold; readonly entity: EntityFold }>;
  readonly touchedWaiting: Set<string>;
  readonly facts: Fact[];
  /** Since the process started, for /metrics. */
  readonly counts: { folded: number; dropped: Map<string, number> };
};

export type Fact = {
  readonly kind: 'exposure' | 'inference' | 'outcome';
  readonly id: string;
  readonly ver: number;
  readonly unit: string;
  readonly occurredAt: EpochMs;
  readonly receivedAt: EpochMs;
  readonly experiment: string;
  readonly phase: number;
  readonly arm: string;
  readonly name: string;
  /** Numerator and denominator per metric (inference), or the value in millionths (outcome). */
  readonly values: readonly number[];
};

export const createPartitionFold = (part: number): PartitionFold => ({
  part, position: 0, clock: 0,
  experiments: new Map(), units: new Map(), seen: new Map(), waiting: new Map(), closing: [],
  touchedMembers: new Set(), touchedEntities: new Set(), touchedWaiting: new Set(), facts: [], counts: { folded: 0, dropped: new Map() },
});

const emptyReport = (): ReportSums => ({ units: 0, firstEvents: 0, numerator: 0n, denominator: 0n, numerator2: 0n, denominator2: 0n, product: 0n, small: new Float64Array(5) });

export function createExperimentFold(revision: ExperimentRevision): ExperimentFold {
  const { spec } = revision;
  const arms = spec.arms.map((arm) => arm.id);
  const candidateArms = candidatesOf(spec).map((arm) => arm.id);
  const metrics = spec.metrics.map((metric): MetricFold => {
    const { numerator, denominator } = metric;
    return {
      spec: metric,
      ...(numerator.of === 'inference' && { numerator: meterOf(numerator) }),
      ...(denominator?.of === 'inference' && { denominator: meterOf(denominator) }),
      ratio: scaleOf(denominator) / scaleOf(numerator),
      hasDenominator: denominator !== undefined,
      ofOutcomes: numerator.of === 'outcome' || denominator?.of === 'outcome',
      designs: candidateArms.map((candidate) => betDesignOf(spec, metric, candidate)),
    };
  });
  const windows = [...new Set(spec.metrics.map((metric) => metric.windowMs))].sort((a, b) => a - b);
  const kinds = spec.metrics.flatMap((metric) => [metric.numerator, metric.denominator]).flatMap((measure) => (measure?.of === 'outcome' ? [measure.kind] : []));
  return {
    revision, metrics, arms,
    control: spec.arms.findIndex((arm) => arm.role === 'control'),
    candidates: candidateArms.map((candidate) => arms.indexOf(candidate)),
    windows: windows.map((windowMs) => ({ windowMs, metrics: spec.metrics.flatMap((metric, index) => (metric.windowMs === windowMs ? [index] : [])) })),
    outcomeKinds: new Set(kinds),
    segments: [{ part: -1, ordinal: 0, slot: 0, startedAt: revision.phaseStartedAt, reason: 'phase' }],
    fingerprints: new Map(),
    armSeen: arms.map(() => -1),
    assigned: arms.map(() => 0),
    events: 0, crossovers: 0, lateOutcomes: 0,
    cells: new Map(),
    reports: arms.map(() => metrics.map(emptyReport)),
    touchedCells: new Set(),
    touched: true,
  };
}

/** Entry cells: one per segment, candidate, side (0 control, 1 candidate) and metric. */
export const cellKey = (experiment: ExperimentFold, segment: number, candidate: number, side: 0 | 1, metric: number): number =>
  ((segment * experiment.candidates.length + candidate) * 2 + side) * experiment.metrics.length + metric;

export function readCellKey(experiment: ExperimentFold, key: number): { segment: number; candidate: number; side: 0 | 1; metric: number } {
  const metric = key % experiment.metrics.length;
  const rest = (key - metric) / experiment.metrics.length;
  const side = (rest % 2) as 0 | 1;
  const pair = (rest - side) / 2;
  const candidate = pair % experiment.candidates.length;
  return { metric, side, candidate, segment: (pair - candidate) / experiment.candidates.length };
}

export function createMember(unit: UnitFold, experiment: ExperimentFold, arm: number, firstAt: EpochMs): UnitInExperiment {
  const size = experiment.metrics.length;
  const entries = new Float64Array(size * entryFields);
  for (let metric = 0; metric < size; metric += 1) {
    entries[metric * entryFields] = -1;
    entries[metric * entryFields + 4] = -1;
    entries[metric * entryFields + 5] = -1;
  }
  return { experiment, unit, arm, firstAt, crossed: false, totals: new Float64Array(size * 2), entries, countedArm: -1, counted: new Float64Array(size * 2), touched: false };
}
