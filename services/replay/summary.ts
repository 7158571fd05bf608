/** What a replay, and the demo, say at their end. The keys are read by others. */
import type { Decision } from '../kernel/decision.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import type { ExperimentSpec } from '../kernel/experiment.ts';
import { scaleOf } from '../kernel/measures.ts';
import type { Pipeline } from '../pipeline/start.ts';
import type { OddSummary } from './park-lines.ts';
import { auditAggregates } from '../statistics/audit.clickhouse.ts';

export type ReplaySummary = {
  readonly experiment: string;
  readonly ended: string;
  readonly wall_s: number;
  readonly events: {
    readonly read: number;
    readonly unique: number;
    readonly folded: number;
    /** Records that the redactor parked, and lines of the file that no record can be made of. */
    readonly parked: number;
    readonly skipped: number;
    /** Texts that stayed behind, because their call would have been too long for the log. */
    readonly texts_left_out: number;
  };
  readonly outcomes: {
    readonly read: number;
    readonly linked: number;
    readonly unlinked: number;
    readonly late: number;
    /** Lines of the file that no record can be made of. */
    readonly parked: number;
  };
  /** Lines of both files that no record can be made of: how many, why, and which. */
  readonly unused: OddSummary;
  readonly totals: readonly {
    readonly arm: string;
    readonly metric: string;
    readonly units: number;
    readonly numerator: number;
    readonly denominator: number;
  }[];
  /** Units that count nowhere, by why: seen in two arms, or counted under another of their names. */
  readonly crossovers: { readonly arms: number; readonly alias: number };
  readonly decisions: readonly {
    readonly action: string;
    readonly metric?: string;
    readonly reason_code: string;
    readonly restart?: string;
    readonly watermark?: string;
    readonly events_folded: number;
    readonly decision_id: string;
  }[];
  /** `number`: of the control record. */
  readonly acks: readonly { readonly number: number; readonly new_coverage: number; readonly result: string }[];
  readonly recount: 'equal' | 'different';
  readonly run: { readonly prefix: string; readonly database: string };
};

/** What ended it: what stops or promotes, else what acts in another way, else whatever was said first. */
export function endOf(decisions: readonly Decision[]): string {
  const isEnd = ({ action }: Decision): boolean => action === 'rollback' || action === 'stop' || action === 'promote';
  const isActing = ({ action }: Decision): boolean => action !== 'conclude' && action !== 'advance';
  const ending = decisions.find(isEnd) ?? decisions.find(isActing) ?? decisions.at(0);
  return ending?.action ?? 'none';
}

const decisionLine = (decision: Decision): ReplaySummary['decisions'][number] => ({
  action: decision.action,
  ...(decision.metric !== undefined && { metric: decision.metric }),
  reason_code: decision.reasonCode,
  ...(decision.testStart !== undefined && { restart: decision.testStart }),
  ...(decision.watermark !== undefined && { watermark: new Date(decision.watermark).toISOString() }),
  events_folded: decision.eventsFolded,
  decision_id: decision.decisionId,
});

/** Aggregates that are not what a recount of their units in SQL says. */
export const recountDifferences = async ({ store }: Pipeline): Promise<number> =>
  (await auditAggregates(store)).mismatches.length;

export const unlinkedOutcomes = ({ linker }: Pipeline): number =>
  [...linker.unlinked().values()].reduce((sum, number) => sum + number, 0);

/** The part that needs nothing but the pipeline. */
export const pipelineSummary = (
  pipeline: Pipeline,
  differences: number,
): Pick<ReplaySummary, 'decisions' | 'acks' | 'recount'> => ({
  decisions: pipeline.statistics.decisions().map(decisionLine),
  acks: (pipeline.bot?.acks() ?? []).map(({ control_offset, new_coverage, result }) => ({
    number: control_offset ?? 0,
    new_coverage,
    result,
  })),
  recount: differences === 0 ? 'equal' : 'different',
});

/** Totals in the metrics' own units; money stays nano-USD. */
export function totalsOf(evaluation: Evaluation, spec: ExperimentSpec): ReplaySummary['totals'] {
  const seen = new Set<string>();
  const totals: ReplaySummary['totals'][number][] = [];
  for (const metric of evaluation.metrics) {
    const known = spec.metrics.find(({ id }) => id === metric.metric);
    if (known === undefined) continue;
    for (const { arm, units, numerator, denominator } of metric.arms) {
      if (seen.has(`${metric.metric}/${arm}`)) continue;
      seen.add(`${metric.metric}/${arm}`);
      totals.push({
        arm,
        metric: metric.metric,
        units,
        numerator: Number(numerator) / scaleOf(known.numerator),
        denominator: Number(denominator) / scaleOf(known.denominator),
      });
    }
  }
  return totals;
}
