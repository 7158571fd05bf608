/**
 * What the joiner keeps and statistics reads: exact sums, the segments they belong to, and how far each partition is.
 * All of it is additive over partitions; a look is a pure function of one of these.
 */
import type { ClockSkew } from './clock-skew.ts';
import type { ExperimentRevision } from './experiment.ts';
import type { EpochMs } from './time.ts';

/**
 * Sums over entries of one test aggregate. Whole numbers. A segment's aggregate is a difference: entries that began in
 * it, less those whose next entry began elsewhere. Every entry either has a value (`known`), has nothing to say
 * (`none`: a known denominator of 0) or is unknown (n - known - none).
 */
export type TestSums = {
  n: number;
  known: number;
  none: number;
  /** Entries with a call whose value the metric does not know. */
  incomplete: number;
  /** Entries without a call, with an exposure that no call followed, with a call that failed. */
  uncalled: number;
  skipped: number;
  unanswered: number;
  /** Known values below the floor and above the cap: they count as these. */
  below: number;
  above: number;
  /** Units with a non-zero value in the metric's own direction (before `better: higher` is turned round). */
  s: number;
  /** Known values and their squares, in multiples of 2^-32; scaled to 0..1 by floor and cap, harm upwards. */
  sv: number;
  svv: number;
  /** Weights, in multiples of 2^-20 (`weightPoint`). `bound`: of every value that a win has to reckon with. */
  bound: number;
  /** Of known values: sums of weight w, w x, w^2, w^2 x, w^2 x^2. Without a denominator w is 1. */
  w: number;
  wx: number;
  ww: number;
  wwx: number;
  wwxx: number;
  /** Logarithms of the bets, in multiples of 2^-32, rounded down. */
  readonly harm: number[];
  readonly win: number[];
  /** Multiples of 2^40 to be added to each sum (kernel/wide-sums.ts); absent: 0. Sums that tests read have none. */
  high?: TestSums;
};
/** In the order in which they are stored; the bets follow `svv`. */
export const testSumCounts = [
  'known',
  'none',
  'incomplete',
  'uncalled',
  'skipped',
  'unanswered',
  'below',
  'above',
] as const;
export const testSumWeights = ['bound', 'w', 'wx', 'ww', 'wwx', 'wwxx'] as const;
export const testSumScalars = ['n', 's', 'sv', 'svv', ...testSumCounts, ...testSumWeights] as const;

export const emptyTestSums = (): TestSums => ({
  n: 0,
  known: 0,
  none: 0,
  incomplete: 0,
  uncalled: 0,
  skipped: 0,
  unanswered: 0,
  below: 0,
  above: 0,
  s: 0,
  sv: 0,
  svv: 0,
  bound: 0,
  w: 0,
  wx: 0,
  ww: 0,
  wwx: 0,
  wwxx: 0,
  harm: [0, 0, 0, 0, 0, 0, 0],
  win: [0, 0, 0, 0, 0, 0, 0],
});

export function addTestSums(into: TestSums, other: TestSums, sign: 1 | -1 = 1): void {
  for (const field of testSumScalars) into[field] += sign * other[field];
  for (let j = 0; j < into.harm.length; j += 1) {
    into.harm[j] = (into.harm[j] ?? 0) + sign * (other.harm[j] ?? 0);
    into.win[j] = (into.win[j] ?? 0) + sign * (other.win[j] ?? 0);
  }
  if (other.high === undefined) return;
  into.high ??= emptyTestSums();
  addTestSums(into.high, other.high, sign);
}

export function copyTestSums(sums: TestSums): TestSums {
  const { high } = sums;
  return { ...sums, harm: [...sums.harm], win: [...sums.win], ...(high && { high: copyTestSums(high) }) };
}

/** One arm's entries in one segment of one partition, as bets of one candidate against control. */
export type TestAggregate = {
  readonly partitionId: number;
  readonly candidate: string;
  readonly arm: string;
  readonly metric: string;
  readonly segment: number;
  readonly sums: TestSums;
};

/**
 * Totals of the units of one arm in one partition: every accepted request-level measure, outcomes within their window.
 */
export type MetricAggregate = {
  readonly partitionId: number;
  readonly arm: string;
  readonly metric: string;
  readonly units: number;
  /** Units whose first event has been seen; 0 for metrics that have no event. */
  readonly firstEvents: number;
  /** In whole numbers of the measure's scale. */
  readonly numerator: bigint;
  readonly denominator: bigint;
  /** Calls that the metric counts, with and without a value; units with one without. */
  readonly knownCalls: bigint;
  readonly unknownCalls: bigint;
  readonly incompleteUnits: number;
  /** Sums of squares and products of the units' totals. */
  readonly numerator2: bigint;
  readonly denominator2: bigint;
  readonly product: bigint;
};

export type SegmentStart = {
  readonly partitionId: number;
  /** 0 is the phase's start; rises by one in each partition. */
  readonly ordinal: number;
  /** floor((clock - phase start) / restart_every) when it began. */
  readonly slot: number;
  readonly startedAt: EpochMs;
  readonly reason: 'phase' | 'schedule' | 'configuration change';
};

/** The first time an arm showed a value of model, prompt version, RAG index or tool set in a partition. */
export type ConfigurationChange = {
  readonly partitionId: number;
  readonly arm: string;
  readonly dimension: 'model_served' | 'prompt_version' | 'rag_index_version' | 'tool_set_version';
  readonly value: string;
  readonly firstSeenAt: EpochMs;
  readonly segment: number;
  /** Declared by the arm, or shown in the first segment in which the arm was seen. */
  readonly baseline: boolean;
};

/** Why a call has no value for a metric. */
export const unknownReasons = ['unpriced', 'timed out', 'filtered', 'not reported'] as const;
export type UnknownReason = (typeof unknownReasons)[number];
/** Calls that were counted for an arm and had no value for a metric. */
export type UnknownCalls = {
  readonly arm: string;
  readonly metric: string;
  readonly reason: UnknownReason;
  readonly calls: number;
};

export type PartitionPosition = {
  readonly partitionId: number;
  /** Position in the unit log up to which everything here is folded: offset * 4096 + index in the message. */
  readonly position: number;
  /** Largest received_at folded. */
  readonly clock: EpochMs;
  readonly revision: number;
  /** Distinct inferences accepted for this experiment and phase. */
  readonly events: number;
  /** Units that were seen in two arms, or that count under another name. */
  readonly crossovers: number;
  /** Those that count under another name; absent: none. */
  readonly aliasCrossovers?: number;
  /** Units by the arm of their first exposure, crossovers included: what SRM counts. */
  readonly assigned: Readonly<Record<string, number>>;
  /** When each arm's latest inference was received; arms without one are absent. */
  readonly lastSeenAt?: Readonly<Record<string, EpochMs>>;
  /** Clocks of services whose calls were counted; absent: none said. */
  readonly clocks?: readonly (readonly [service: string, skew: ClockSkew])[];
  /** Values that calls did not have, by arm, metric and reason. */
  readonly unknown?: readonly UnknownCalls[];
};

export type Look = {
  readonly experiment: ExperimentRevision;
  /** Every partition of the unit log. */
  readonly partitions: readonly PartitionPosition[];
  readonly segments: readonly SegmentStart[];
  readonly configurationChanges: readonly ConfigurationChange[];
  readonly metricAggregates: readonly MetricAggregate[];
  readonly entries: readonly TestAggregate[];
};
