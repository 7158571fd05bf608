/**
 * A look from what each partition holds of one experiment. The joiner makes it from its memory (`verify`), statistics
 * from rows of table `state`: here is the one place that puts it together, so that both agree.
 */
import type { ClockSkew } from './clock-skew.ts';
import type { ConfigurationChange, Look, MetricAggregate, PartitionPosition, SegmentStart } from './evidence.ts';
import type { TestAggregate, UnknownCalls } from './evidence.ts';
import type { ExperimentRevision } from './experiment.ts';
import type { EpochMs } from './time.ts';

/** Lists are in the order of the experiment's arms. */
export type ExperimentEvidence = {
  readonly revision: ExperimentRevision;
  readonly segments: readonly SegmentStart[];
  readonly configurationChanges: readonly ConfigurationChange[];
  readonly assigned: readonly number[];
  readonly events: number;
  readonly crossovers: number;
  /** Of these, units that count under another name; absent: none. */
  readonly aliasCrossovers?: number;
  readonly lastSeenAt: readonly EpochMs[];
  readonly clocks?: readonly (readonly [service: string, skew: ClockSkew])[];
  readonly unknown: readonly UnknownCalls[];
};

/** `experiment` is absent where the partition has not adopted this phase of it. */
export type PartitionEvidence = {
  readonly partitionId: number;
  readonly position: number;
  readonly clock: EpochMs;
  readonly experiment?: ExperimentEvidence;
  readonly metricAggregates: readonly MetricAggregate[];
  readonly testAggregates: readonly TestAggregate[];
};

const byArm = ({ spec }: ExperimentRevision, values: readonly number[]): Record<string, number> =>
  Object.fromEntries(spec.arms.map(({ id }, index) => [id, values[index] ?? 0]));

/** Revision 0 says that the partition has not adopted the phase: the experiment is not settled. */
function positionOf({ partitionId, position, clock, experiment }: PartitionEvidence): PartitionPosition {
  const place = { partitionId, position, clock };
  if (experiment === undefined) return { ...place, revision: 0, events: 0, crossovers: 0, assigned: {} };
  const { revision, events, crossovers, aliasCrossovers = 0, assigned, lastSeenAt, clocks, unknown } = experiment;
  return {
    ...place,
    revision: revision.revision,
    events,
    crossovers,
    ...(aliasCrossovers > 0 && { aliasCrossovers }),
    assigned: byArm(revision, assigned),
    lastSeenAt: byArm(revision, lastSeenAt),
    ...(clocks && clocks.length > 0 && { clocks }),
    unknown,
  };
}

/** `experiment`: the newest revision that any partition has adopted. `partitions`: all of the unit log. */
export const assembleLook = (experiment: ExperimentRevision, partitions: readonly PartitionEvidence[]): Look => ({
  experiment,
  partitions: partitions.map(positionOf),
  segments: partitions.flatMap(({ partitionId, experiment: held }) =>
    (held?.segments ?? []).map((segment) => ({ ...segment, partitionId })),
  ),
  configurationChanges: partitions.flatMap(({ experiment: held }) => held?.configurationChanges ?? []),
  metricAggregates: partitions.flatMap(({ metricAggregates }) => metricAggregates),
  entries: partitions.flatMap(({ testAggregates }) => testAggregates),
});
