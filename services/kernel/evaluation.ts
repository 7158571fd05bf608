/** What one look found: a pure function of a `Look`. Control's rules turn it into at most one decision. */
import type { EntrySums } from './evidence.ts';
import type { ExperimentRevision } from './experiment.ts';
import type { EpochMs } from './time.ts';

/** From where a test counts. `label` is what people read: `whole phase`, `schedule 33`, `fingerprint prompt_version=reply-v2`. */
export type Restart = {
  readonly kind: 'whole' | 'schedule' | 'fingerprint';
  readonly label: string;
  /** Slot number, or the fingerprint's rank (1-based); 0 for the whole phase. */
  readonly index: number;
  /** v_r of the restart union; all of them sum to at most 1. */
  readonly weight: number;
};

/** One engine's verdict on one metric from one restart. */
export type TestResult = {
  readonly engine: 'E1' | 'E2';
  readonly restart: Restart;
  /** Natural log of the e-value, before any weight. */
  readonly logE: number;
  /** log(metric weight) + log(restart weight) + logE; compare with log(1 / alpha). */
  readonly weightedLogE: number;
  /** The sums it rests on. */
  readonly control: EntrySums;
  readonly candidate: EntrySums;
};

export type MetricEvaluation = {
  readonly metric: string;
  readonly candidate: string;
  readonly role: 'goal' | 'guardrail' | 'signal';
  readonly arms: readonly {
    readonly arm: string;
    readonly units: number;
    readonly firstEvents: number;
    /** Whole numbers of the measure's scale, as decimal text. */
    readonly numerator: string;
    readonly denominator: string;
    /** numerator / denominator in the metric's own unit; absent when the denominator is 0. */
    readonly estimate?: number;
    /** Closed entries since the phase began, each unit once. */
    readonly entries: number;
  }[];
  /** The strongest harm test over all restarts; absent with a reason when nothing can be tested. */
  readonly harm?: TestResult;
  /** Benefit (goals) or non-inferiority (metrics with a margin), whole phase only. */
  readonly win?: TestResult;
  readonly status: 'bad' | 'fine' | 'unknown' | 'cannot_measure';
  readonly reason?: string;
};

export type Evaluation = {
  readonly experiment: ExperimentRevision;
  readonly versionVector: readonly { readonly part: number; readonly ver: number }[];
  /** Smallest clock of the partitions that hold units of the experiment; absent when none does. */
  readonly watermark?: EpochMs;
  /** Largest clock of all partitions: `now` for freshness, so that a replay of old data judges by its own time. */
  readonly newestClock?: EpochMs;
  readonly eventsFolded: number;
  readonly crossovers: number;
  /** Every partition has adopted this very revision. */
  readonly settled: boolean;
  readonly srm: { readonly logE: number; readonly counts: Readonly<Record<string, number>> };
  readonly metrics: readonly MetricEvaluation[];
};
