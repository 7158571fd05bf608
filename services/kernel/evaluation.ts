/** What one look found: a pure function of a `Look`. Control's rules turn it into at most one decision. */
import type { ServiceSkew } from './clock-skew.ts';
import type { TestSums } from './evidence.ts';
import type { Baseline, ExperimentRevision } from './experiment.ts';
import type { EpochMs } from './time.ts';

/**
 * From where a test counts. `label` is what people read: `whole phase`, `schedule 33`, `configuration change
 * prompt_version=reply-v2`.
 */
export type TestStart = {
  readonly kind: 'whole' | 'schedule' | 'configuration change';
  readonly label: string;
  /** Slot number, or the configuration change's rank (1-based); 0 for the whole phase. */
  readonly index: number;
  /** v_r of the restart union; all of them sum to at most 1. */
  readonly weight: number;
};

/**
 * What the arms' own means say to a test's evidence, on the same entries: the same, the opposite, or nothing clear
 * while the arms contribute unequally.
 */
export type Agreement = 'agrees' | 'contradicts' | 'unclear';

/** One engine's verdict on one metric from one restart. */
export type TestResult = {
  readonly engine: 'betting' | 'first-event';
  readonly testStart: TestStart;
  /** Natural log of the e-value, before any weight. */
  readonly logE: number;
  /** log(metric weight) + log(restart weight) + logE; compare with log(1 / alpha). */
  readonly weightedLogE: number;
  /** Only evidence that agrees is acted on. */
  readonly agreement: Agreement;
  /** The candidate's mean since a later test start, in the metric's own unit; of the whole phase the totals say it. */
  readonly estimate?: number;
  /** The sums it rests on. */
  readonly control: TestSums;
  readonly candidate: TestSums;
};

/** Half-open word for "no number": why there is none. */
export type Unknown = { readonly ok: false; readonly reason: string };

/**
 * Candidate minus control of the mean capped entry value, over the whole phase, at every look at once. Another engine
 * (asymptotic) than the one that decides: it is for people, for futility and for ramp steps, and says which gate it
 * has not passed.
 */
export type Interval =
  | {
      readonly ok: true;
      readonly engine: 'asymptotic';
      /** The interval holds at all looks with probability 1 - alpha. */
      readonly alpha: number;
      /** In the metric's own unit; positive is more, whatever is better. */
      readonly estimate: number;
      readonly lower: number;
      readonly upper: number;
      /** The same as a share of control's mean; absent where that is 0. */
      readonly relative?: { readonly estimate: number; readonly lower: number; readonly upper: number };
      /** The gate that is not passed yet: shown, never acted on. */
      readonly gate?: string;
    }
  | Unknown;

/** What is known of one arm and metric: over the units' totals, then over closed entries since the phase began. */
export type ArmTotals = {
  readonly arm: string;
  readonly units: number;
  readonly firstEvents: number;
  /** Calls with and without a value; units with one without. */
  readonly knownCalls: number;
  readonly unknownCalls: number;
  readonly incompleteUnits: number;
  /** Whole numbers of the measure's scale, as decimal text. */
  readonly numerator: string;
  readonly denominator: string;
  /** In the metric's own unit, of what is known; absent when nothing is, or when the denominator is 0. */
  readonly estimate?: number;
  /** Closed entries since the phase began, each unit once. Each is known, unknown or has nothing to say (`none`). */
  readonly entries: number;
  readonly known: number;
  readonly unknown: number;
  readonly none: number;
  /** Entries with a call without a value, without a call, and without an answer. */
  readonly incomplete: number;
  readonly uncalled: number;
  readonly skipped: number;
  readonly unanswered: number;
  /** Known values outside floor and cap. */
  readonly below: number;
  readonly above: number;
};

/** How far exposed units come; each step loses some. */
export type FunnelStep = 'called' | 'called again' | 'answered' | 'measured' | 'resolved';

/** Units that a candidate loses at a step, against control. */
export type MissingEvaluation = {
  readonly candidate: string;
  readonly step: FunnelStep;
  /** By whose entries it is counted; of `measured` and `resolved` also which metric it is about. */
  readonly metric: string;
  readonly action: 'rollback' | 'pause' | 'none';
  readonly arms: readonly { readonly arm: string; readonly entries: number; readonly missing: number }[];
  readonly status: 'bad' | 'suspected' | 'fine' | 'unknown';
  /** The arms are not alike in it, whichever loses more. */
  readonly differs: boolean;
  /** The strongest test against the candidate, and log(1 / alpha_missing). */
  readonly test?: {
    readonly testStart: TestStart;
    readonly logE: number;
    readonly weightedLogE: number;
    readonly threshold: number;
  };
};

export type MetricEvaluation = {
  readonly metric: string;
  readonly candidate: string;
  readonly role: 'goal' | 'guardrail' | 'signal';
  /** Control, then the candidate. */
  readonly arms: readonly ArmTotals[];
  /** The strongest harm test over all restarts; absent with a reason when nothing can be tested. */
  readonly harm?: TestResult;
  /** Benefit (goals) or non-inferiority (metrics with a margin), whole phase only. */
  readonly win?: TestResult;
  /** A side whose evidence is past its bound while the means that it rests on say the opposite. */
  readonly contradiction?: 'harm' | 'win';
  /** More than 5% of an arm's values lie outside floor and cap: the metric is decided on its bulk. */
  readonly clipped?: string;
  readonly interval: Interval;
  /** Chance of promoting by the horizon if the benefit is just worth having; goals that declare `worthwhile` only. */
  readonly conditionalPower?: number;
  readonly status: 'bad' | 'fine' | 'unknown' | 'cannot_measure';
  readonly reason?: string;
};

/** One arm against its own limit. */
export type SloEvaluation = {
  readonly id: string;
  readonly arm: string;
  readonly metric: string;
  readonly action: 'pause' | 'rollback';
  readonly status: 'bad' | 'fine' | 'unknown';
  readonly reason?: string;
  /**
   * The strongest test over all restarts, and the bound it is compared with: log(1 / (alpha_slo - what a hard kill
   * spends)).
   */
  readonly test?: {
    readonly testStart: TestStart;
    readonly units: number;
    readonly bad: number;
    readonly logE: number;
    readonly weightedLogE: number;
    readonly threshold: number;
  };
  /** `fail` of at most `of` units failed. */
  readonly killed: boolean;
};

/** The attrition check found that those who came back differ by arm: a rollback from a test start may be about them. */
export type Attrition = {
  readonly candidate: string;
  readonly reverse?: { readonly metric: string; readonly testStart: string; readonly weightedLogE: number };
  readonly returns?: { readonly testStart: string; readonly logE: number };
};

export type Evaluation = {
  readonly experiment: ExperimentRevision;
  readonly versionVector: readonly { readonly partitionId: number; readonly position: number }[];
  /** Smallest clock of the partitions that hold units of the experiment; absent when none does. */
  readonly watermark?: EpochMs;
  /** Largest clock of all partitions: `now` for freshness, so that a replay of old data judges by its own time. */
  readonly newestClock?: EpochMs;
  readonly eventsFolded: number;
  readonly crossovers: number;
  /** Why: seen in two arms, or counted under another of their names (`fallback_unit`). */
  readonly crossoverReasons: { readonly arms: number; readonly alias: number };
  /** Every partition has adopted this very revision. */
  readonly settled: boolean;
  readonly srm: { readonly logE: number; readonly counts: Readonly<Record<string, number>> };
  readonly metrics: readonly MetricEvaluation[];
  readonly slos: readonly SloEvaluation[];
  /** Candidates for whom the attrition check has passed its bound. */
  readonly attrition: readonly Attrition[];
  readonly missing: readonly MissingEvaluation[];
  /** Arms, and how many partitions, without recent calls by the phase's own rhythm: no promotion, no ramp step then. */
  readonly quiet: { readonly arms: readonly string[]; readonly partitions: number };
  /** Services and how far their clocks are from the broker's; absent: no emitter has said. */
  readonly clocks?: readonly ServiceSkew[];
  /** Arms that have been silent longer than `health.no_traffic` while another was not. */
  readonly silent: readonly string[];
  /** While baselines are learned: what control shows so far, or why it cannot be used yet. */
  readonly learned?:
    | {
        readonly ok: true;
        readonly units: number;
        readonly baselines: Readonly<Record<string, Baseline>>;
      }
    | Unknown;
};
